"""Who owns what while it runs, read off the Rollouts and autoscalers of the moment."""

from collections.abc import Iterable

from reconciler.kernel.identity import Manifest, namespace_of
from reconciler.sync.carry import RuntimeOwned


def runtime_owned(rollouts: Iterable[Manifest], autoscalers: Iterable[Manifest]) -> RuntimeOwned:
    """Replicas under an autoscaler or a workloadRef, and the weights of VirtualServices that a Rollout routes (contract 1.6, 9.3)."""
    scaled: set[tuple[str, str, str]] = set()
    routed: dict[tuple[str, str], set[str]] = {}
    for autoscaler in autoscalers:
        target = autoscaler["spec"].get("scaleTargetRef") or {}
        scaled.add((str(target.get("kind")), namespace_of(autoscaler), str(target.get("name"))))
    for rollout in rollouts:
        reference = rollout["spec"].get("workloadRef") or {}
        if reference:
            scaled.add((str(reference.get("kind")), namespace_of(rollout), str(reference.get("name"))))
        for place, names in _virtual_services(rollout):
            routed.setdefault(place, set()).update(names)
    return RuntimeOwned(scaled=frozenset(scaled), routed=routed)


def _virtual_services(rollout: Manifest) -> Iterable[tuple[tuple[str, str], set[str]]]:
    routing = ((rollout["spec"].get("strategy") or {}).get("canary") or {}).get("trafficRouting") or {}
    istio = routing.get("istio") or {}
    managed = {str(route.get("name")) for route in routing.get("managedRoutes") or []}
    single = istio.get("virtualService")
    for entry in ([single] if single else []) + list(istio.get("virtualServices") or []):
        yield _place(str(entry.get("name", "")), namespace_of(rollout)), managed


def _place(name: str, namespace: str) -> tuple[str, str]:
    """`vs` or `vs.namespace` (contract 9.3)."""
    short = name.removesuffix(".svc.cluster.local").removesuffix(".cluster.local")
    head, dot, tail = short.rpartition(".")
    return (tail, head) if dot else (namespace, short)

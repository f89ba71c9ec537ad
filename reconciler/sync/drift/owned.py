"""Who owns what while it runs, read off the Rollouts and autoscalers of the moment."""

from collections.abc import Iterable
from functools import partial

from reconciler.kernel.identity import Manifest, namespace_of
from reconciler.rollouts.traffic.named import carried_over, routed_refs
from reconciler.rollouts.traffic.router import Routers
from reconciler.sync.drift.carry import RoutedCarrier, RuntimeOwned

Place = tuple[str, str, str]


def runtime_owned(rollouts: Iterable[Manifest], autoscalers: Iterable[Manifest], routers: Routers) -> RuntimeOwned:
    """Replicas under an autoscaler or a workloadRef, and what routers own on behalf of Rollouts (contract 1.6, 9.3)."""
    rollouts = tuple(rollouts)
    scaled: set[Place] = set()
    lent: set[Place] = set()
    for autoscaler in autoscalers:
        target = autoscaler["spec"].get("scaleTargetRef") or {}
        scaled.add((str(target.get("kind")), namespace_of(autoscaler), str(target.get("name"))))
    for rollout in rollouts:
        reference = rollout["spec"].get("workloadRef") or {}
        if reference:
            lent.add((str(reference.get("kind")), namespace_of(rollout), str(reference.get("name"))))
    return RuntimeOwned(scaled=frozenset(scaled | lent), lent=frozenset(lent), routed=_routed(rollouts, routers))


def _routed(rollouts: tuple[Manifest, ...], routers: Routers) -> dict[Place, RoutedCarrier]:
    """For every object that Rollouts route: how its fields are carried over, as the routers say it."""
    concerned: dict[Place, list[Manifest]] = {}
    for rollout in rollouts:
        for ref in routed_refs(routers, rollout):
            concerned.setdefault((ref.resource.kind, ref.namespace, ref.name), []).append(rollout)
    return {place: partial(carried_over, routers, tuple(found)) for place, found in concerned.items()}

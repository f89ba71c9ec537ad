"""Who owns what while it runs, read off the Rollouts and autoscalers of the moment."""

from collections.abc import Iterable, Iterator
from functools import partial

from reconciler.kernel.identity import Manifest, name_of, namespace_of
from reconciler.rollouts.traffic.leading import leading_kinds
from reconciler.rollouts.traffic.marks import owners
from reconciler.rollouts.traffic.named import carried_over, routed_refs
from reconciler.rollouts.traffic.router import Owner, Routers
from reconciler.sync.drift.carry import RoutedCarrier, RuntimeOwned

Place = tuple[str, str, str]


def runtime_owned(
    rollouts: Iterable[Manifest], autoscalers: Iterable[Manifest], routers: Routers, live: Iterable[Manifest] = ()
) -> RuntimeOwned:
    """Replicas under an autoscaler or a workloadRef, and what routers own on behalf of Rollouts (contract 1.6, 9.3).

    `live` are objects as they are: one that a Rollout does not name, but leads to, is known by its mark.
    """
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
    return RuntimeOwned(scaled=frozenset(scaled | lent), lent=frozenset(lent), routed=_routed(rollouts, routers, live))


def _routed(rollouts: tuple[Manifest, ...], routers: Routers, live: Iterable[Manifest]) -> dict[Place, RoutedCarrier]:
    """For every object that Rollouts route: how its fields are carried over, as the routers say it."""
    concerned: dict[Place, list[Manifest]] = {}
    for rollout in rollouts:
        for ref in routed_refs(routers, rollout):
            concerned.setdefault((ref.resource.kind, ref.namespace, ref.name), []).append(rollout)
    for place, marked in _led(rollouts, routers, live):
        concerned.setdefault(place, marked)
    return {place: partial(carried_over, routers, tuple(found)) for place, found in concerned.items()}


def _led(rollouts: tuple[Manifest, ...], routers: Routers, live: Iterable[Manifest]) -> Iterator[tuple[Place, list[Manifest]]]:
    """The marked objects of kinds that others lead to, with the Rollouts that they are marked for."""
    kinds = {(kind.api_version, kind.kind) for kind in leading_kinds(routers)}
    for found in live:
        whose = owners(found) if (found.get("apiVersion"), found.get("kind")) in kinds else ()
        marked = [rollout for rollout in rollouts if Owner(namespace_of(rollout), name_of(rollout)) in whose] if whose else []
        if marked:
            yield (str(found["kind"]), namespace_of(found), name_of(found)), marked

"""Desired traffic brought into force, if the pods can take it (contract 9.1 "Then")."""

from dataclasses import replace

from reconciler.rollouts.passes import Pass
from reconciler.rollouts.pods.sizes import capable
from reconciler.rollouts.position import current_step
from reconciler.rollouts.spec.model import Canary, TrafficRouting
from reconciler.rollouts.status.events import weight_text
from reconciler.rollouts.status.model import Share, Weights
from reconciler.rollouts.traffic.desired import WantedWeight, wanted_traffic
from reconciler.rollouts.traffic.model import Traffic, WeightDestination
from reconciler.rollouts.traffic.routed import routed
from reconciler.rollouts.traffic.services import rolling_back_dynamically, switch
from reconciler.rollouts.traffic.verification import verified


def route_traffic(pass_: Pass) -> Pass:
    """One pass of the driver. No routing: no weights on record."""
    canary = pass_.facts.spec.canary
    if canary is None or canary.routing is None or not canary.routing.routers:
        return replace(pass_, weights=None)
    wanted = wanted_traffic(pass_)
    if wanted.home and pass_.facts.stable is not None:
        pass_ = switch(pass_, canary.canary_service, pass_.facts.stable.hash)
    if not stable_can_take(pass_, canary, wanted.weight):
        return _weights_kept(pass_, canary, wanted)
    return _in_force(pass_, canary, canary.routing, wanted)


def stable_can_take(pass_: Pass, canary: Canary, weight: int) -> bool:
    """The gate: stable has the pods for its share, or the threshold says it is near enough (contract 9.1 item 1)."""
    if pass_.facts.stable is None:
        return False
    maximum = pass_.facts.spec.maximum
    return capable(pass_.facts.stable.available, (maximum - weight) * pass_.facts.spec.replicas // maximum, canary)


def _in_force(pass_: Pass, canary: Canary, routing: TrafficRouting, wanted: WantedWeight) -> Pass:
    stable_hash = pass_.facts.stable.hash if pass_.facts.stable else ""
    step = current_step(pass_) if pass_.facts.revision > 1 and not wanted.drop else None
    traffic = _traffic(pass_, routing, wanted, stable_hash)
    if step is not None and (step.header_route or step.mirror_route):
        traffic = replace(traffic, header_route=step.header_route, mirror_route=step.mirror_route)
    pass_ = routed(pass_, traffic, _unavailable(pass_, wanted))
    return pass_ if pass_.ended else verified(_recorded(pass_, canary, wanted, stable_hash), traffic)


def _traffic(pass_: Pass, routing: TrafficRouting, wanted: WantedWeight, stable_hash: str) -> Traffic:
    return Traffic(
        weight=wanted.weight,
        canary_hash=wanted.hash,
        stable_hash=stable_hash,
        maximum=pass_.facts.spec.maximum,
        additional=wanted.additional,
        drop_managed_routes=wanted.drop,
        managed_routes=route_names(pass_, routing),
    )


def route_names(pass_: Pass, routing: TrafficRouting) -> tuple[str, ...]:
    """Every managed route: the declared ones in their order, then those that only steps name (contract 9.3)."""
    steps = pass_.facts.spec.steps
    named = [route.name for step in steps for route in (step.header_route, step.mirror_route) if route is not None]
    return tuple(dict.fromkeys((*routing.managed_routes, *named)))


def _unavailable(pass_: Pass, wanted: WantedWeight) -> str:
    """The ReplicaSet that is not fully available and so holds back a switch of subsets; a way home is exempt (contract 9.3 "Delay").

    So is a canary that has no traffic and gets none: pods that never come would end every pass, and no deadline would pass.
    """
    before = pass_.before.canary.weights
    idle = wanted.weight == 0 and (before is None or before.canary.weight == 0)
    exempt = pass_.aborted or idle or rolling_back_dynamically(pass_)
    candidates = (pass_.facts.stable, None if exempt else pass_.facts.new)
    return next((r.name for r in candidates if r is not None and r.spec > 0 and r.available < r.spec), "")


def _weights_kept(pass_: Pass, canary: Canary, wanted: WantedWeight) -> Pass:
    """Stable cannot take more: the canary's weight stays as recorded, but no tagged request reaches a version that must go,
    and pods of an experiment that is over get nothing any more: they leave, and stable has some."""
    before = pass_.before.canary.weights
    if before is None or canary.routing is None:
        return pass_
    kept = tuple(share for share in before.additional if share.service in {d.service for d in wanted.additional})
    left = len(kept) < len(before.additional) and pass_.facts.stable is not None and pass_.facts.stable.available > 0
    if not wanted.drop and not left:
        return pass_
    additional = tuple(WeightDestination(share.weight, share.service, share.hash) for share in (kept if left else before.additional))
    recorded = replace(wanted, weight=before.canary.weight, hash=before.canary.hash, additional=additional)
    pass_ = routed(pass_, _traffic(pass_, canary.routing, recorded, before.stable.hash))
    return _recorded(pass_, canary, recorded, before.stable.hash) if left and not pass_.ended else pass_


def _recorded(pass_: Pass, canary: Canary, wanted: WantedWeight, stable_hash: str) -> Pass:
    """The weights for the status; an event only when they change."""
    before = pass_.before.canary.weights
    additional = tuple(Share(each.weight, each.service, each.hash) for each in wanted.additional)
    left = pass_.facts.spec.maximum - wanted.weight - sum(share.weight for share in additional)
    weights = Weights(
        canary=Share(wanted.weight, canary.canary_service, wanted.hash),
        stable=Share(left, canary.stable_service, stable_hash),
        additional=additional,
    )
    pass_ = pass_ if weights == pass_.weights else replace(pass_, weights=weights)
    if before is not None and (before.canary.weight, before.additional) == (wanted.weight, additional):
        return pass_
    return pass_.tell("TrafficWeightUpdated", weight_text(before, weights))

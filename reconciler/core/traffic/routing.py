"""Desired traffic brought into force, if the pods can take it (contract 9.1, "Then")."""

from dataclasses import replace

from reconciler.core.pods.sizes import capable
from reconciler.core.status.events import weight_text
from reconciler.core.traffic.desired import Wanted, recorded_weight, wanted_traffic
from reconciler.core.traffic.services import rolling_back_dynamically, switch
from reconciler.core.turn.position import current_step
from reconciler.core.turn.turn import SetTraffic, Turn
from reconciler.model.rollout import Canary, TrafficRouting
from reconciler.model.rollout_status import Share, Weights
from reconciler.model.traffic import Traffic


def route_traffic(turn: Turn) -> Turn:
    """One pass of the driver. No routing: no weights on record."""
    canary = turn.seen.spec.canary
    if canary is None or canary.routing is None or not canary.routing.routers:
        return replace(turn, weights=None)
    wanted = wanted_traffic(turn)
    if wanted.home and turn.seen.stable is not None:
        turn = switch(turn, canary.canary_service, turn.seen.stable.hash)
    if not stable_can_take(turn, canary, wanted.weight):
        return _routes_dropped(turn, canary.routing) if wanted.drop else turn
    return _in_force(turn, canary, canary.routing, wanted)


def stable_can_take(turn: Turn, canary: Canary, weight: int) -> bool:
    """The gate: stable has the pods for its share, or the threshold says it is near enough (contract 9.1, 1)."""
    if turn.seen.stable is None:
        return False
    maximum = turn.seen.spec.maximum
    return capable(turn.seen.stable.available, (maximum - weight) * turn.seen.spec.replicas // maximum, canary)


def _in_force(turn: Turn, canary: Canary, routing: TrafficRouting, wanted: Wanted) -> Turn:
    stable_hash = turn.seen.stable.hash if turn.seen.stable else ""
    step = current_step(turn) if turn.seen.revision > 1 and not wanted.drop else None
    traffic = _traffic(turn, routing, Share(wanted.weight, hash=wanted.hash), stable_hash, drop=wanted.drop)
    if step is not None and (step.header_route or step.mirror_route):
        traffic = replace(traffic, header_route=step.header_route, mirror_route=step.mirror_route)
    return _recorded(turn.act(SetTraffic(traffic, _unavailable(turn))), canary, wanted, stable_hash)


def _traffic(turn: Turn, routing: TrafficRouting, canary: Share, stable_hash: str, *, drop: bool) -> Traffic:
    return Traffic(
        weight=canary.weight,
        canary_hash=canary.hash,
        stable_hash=stable_hash,
        maximum=turn.seen.spec.maximum,
        drop_managed_routes=drop,
        managed_routes=route_names(turn, routing),
    )


def route_names(turn: Turn, routing: TrafficRouting) -> tuple[str, ...]:
    """Every managed route: the declared ones in their order, then those that only steps name (contract 9.3)."""
    steps = turn.seen.spec.steps
    named = [route.name for step in steps for route in (step.header_route, step.mirror_route) if route is not None]
    return tuple(dict.fromkeys((*routing.managed_routes, *named)))


def _unavailable(turn: Turn) -> str:
    """The ReplicaSet that is not fully available and so holds back a switch of subsets; a way home is exempt (contract 9.3, "Delay")."""
    exempt = turn.aborted or rolling_back_dynamically(turn)
    candidates = (turn.seen.stable, None if exempt else turn.seen.new)
    return next((r.name for r in candidates if r is not None and r.spec > 0 and r.available < r.spec), "")


def _routes_dropped(turn: Turn, routing: TrafficRouting) -> Turn:
    """Stable cannot take more: weights stay as recorded, but no tagged request reaches the version that must go."""
    before = turn.before.canary.weights
    if before is None:
        return turn
    return turn.act(SetTraffic(_traffic(turn, routing, before.canary, before.stable.hash, drop=True)))


def _recorded(turn: Turn, canary: Canary, wanted: Wanted, stable_hash: str) -> Turn:
    """The weights for the status; an event only when they change."""
    before = turn.before.canary.weights
    weights = Weights(
        canary=Share(wanted.weight, canary.canary_service, wanted.hash),
        stable=Share(turn.seen.spec.maximum - wanted.weight, canary.stable_service, stable_hash),
    )
    turn = turn if weights == turn.weights else replace(turn, weights=weights)
    if recorded_weight(turn) == wanted.weight:
        return turn
    return turn.tell("TrafficWeightUpdated", weight_text(before, weights))

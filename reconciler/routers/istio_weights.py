"""What the destinations of a route weigh (contract 9.3, 13.40)."""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from reconciler.kernel.identity import Manifest
from reconciler.rollouts.traffic.model import Traffic
from reconciler.routers.istio_sides import Sides, host_of

Told = tuple[Manifest, str]
"""A destination and the side it is of, empty for neither."""


@dataclass(frozen=True, slots=True)
class Shares:
    """The canary's weight of 100 and the experiments' by service."""

    weight: int
    experiments: Mapping[str, int] = field(default_factory=dict)


def shares_of(traffic: Traffic) -> Shares:
    return Shares(traffic.weight, {destination.service: destination.weight for destination in traffic.additional})


def canary_weight(route: Manifest, sides: Sides) -> int:
    """The weight that a route gives the canary; what is no number is none."""
    weights = [destination.get("weight") for destination in route.get("route") or [] if sides.side(destination) == "canary"]
    return sum(weight for weight in weights if isinstance(weight, int))


def reweighted(route: Manifest, sides: Sides, shares: Shares, namespace: str = "") -> Manifest:
    """The route of a VirtualService in `namespace` with these shares; unknown destinations go, new experiments come."""
    known = [
        (d, side) for d, side in _told(route, sides) if side or not d.get("weight") or _is_of(d, shares.experiments) or sides.is_kept(d)
    ]
    destinations = list(_weighted(known, shares, sides.is_kept))
    if shares.experiments:
        present = {_short(destination) for destination in destinations}
        for service in sorted(shares.experiments.keys() - present):
            destinations.append({"destination": {"host": sides.reached_from(service, namespace)}, "weight": shares.experiments[service]})
    return route if destinations == route.get("route") else {**route, "route": destinations}


def at_home(route: Manifest, sides: Sides, experiments: Collection[str]) -> Manifest:
    """The route that leads to stable as it would without us: no share for the canary, no experiment, everything else as it is."""
    rest = [(destination, side) for destination, side in _told(route, sides) if side or _short(destination) not in experiments]
    destinations = list(_weighted(rest, Shares(0), lambda _: True))
    return route if destinations == route.get("route") else {**route, "route": destinations}


def _told(route: Manifest, sides: Sides) -> list[Told]:
    return [(destination, sides.side(destination)) for destination in route.get("route") or []]


def _weighted(destinations: Sequence[Told], shares: Shares, kept: Callable[[Manifest], bool]) -> Iterator[Manifest]:
    """Each side's share goes to its first destination: a second one (another port) would count it twice.

    `kept` says of a destination of neither side that its weight is not ours to give.
    """
    fixed = sum(destination.get("weight") or 0 for destination, side in destinations if not side and kept(destination))
    left = {"canary": shares.weight, "stable": max(0, 100 - shares.weight - sum(shares.experiments.values()) - fixed)}
    for destination, side in destinations:
        if side:
            yield _with_weight(destination, left[side])
            left[side] = 0
        elif _is_of(destination, shares.experiments):
            yield _with_weight(destination, shares.experiments[_short(destination)])
        else:
            yield destination


def _is_of(destination: Manifest, services: Collection[str]) -> bool:
    return _short(destination) in services


def _with_weight(destination: Manifest, weight: int) -> Manifest:
    return destination if (destination.get("weight") or 0) == weight else {**destination, "weight": weight}


def _short(destination: Manifest) -> str:
    return host_of(destination).partition(".")[0]


def as_live(route: Manifest, living: Manifest, sides: Sides) -> Manifest:
    """The route with the weights that a live one gives each side, and the live experiments that it does not name."""
    beside = [d for d in living.get("route") or [] if not sides.side(d) and d.get("weight") and not sides.is_kept(d)]
    left = {side: sum(d.get("weight") or 0 for d in living.get("route") or [] if sides.side(d) == side) for side in ("canary", "stable")}
    present = {_short(destination): destination.get("weight") or 0 for destination in beside}
    destinations = []
    for destination in route.get("route") or []:
        side, share = sides.side(destination), present.pop(_short(destination), None)
        if side:
            destinations.append(_with_weight(destination, left[side]))
            left[side] = 0
        elif share is not None:
            destinations.append(_with_weight(destination, share))
        elif sides.is_kept(destination) or not destination.get("weight"):
            destinations.append(destination)
    destinations += [destination for destination in beside if _short(destination) in present]
    return route if destinations == route.get("route") else {**route, "route": destinations}

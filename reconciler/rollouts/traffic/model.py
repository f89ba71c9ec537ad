"""Traffic: which share of requests, and which tagged requests, reach which version."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class HeaderMatch:
    """One header condition: exactly one of `exact`, `prefix`, `regex` is set (contract 1.4)."""

    name: str
    exact: str | None = None
    prefix: str | None = None
    regex: str | None = None


@dataclass(frozen=True, slots=True)
class HeaderRoute:
    """Requests with any of these headers go to the canary. No match removes the route (contract 1.4)."""

    name: str
    matches: tuple[HeaderMatch, ...] = ()


@dataclass(frozen=True, slots=True)
class MirrorRoute:
    """A copy of `percentage` percent of matching requests goes to the canary; no match removes the route."""

    name: str
    matches: tuple[Mapping[str, object], ...] = ()
    percentage: int = 100


@dataclass(frozen=True, slots=True)
class WeightDestination:
    """A further destination with its own weight: an experiment's service."""

    weight: int
    service: str
    hash: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Traffic:
    """Everything a router must bring into force in one pass. A new routing feature is a new field here.

    `weight` is the canary's share of `maximum`. `header_route`/`mirror_route` are set only on the pass of their step
    and change that one route. `drop_managed_routes` removes every managed route.
    """

    weight: int
    canary_hash: str
    stable_hash: str
    maximum: int = 100
    additional: tuple[WeightDestination, ...] = ()
    header_route: HeaderRoute | None = None
    mirror_route: MirrorRoute | None = None
    drop_managed_routes: bool = False
    managed_routes: tuple[str, ...] = field(default=())

"""What a router is: from the desired traffic and the live objects to the objects to write. Pure; reading and writing is for others."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from reconciler.kernel.errors import Terminal
from reconciler.kernel.identity import Manifest, ObjectRef
from reconciler.rollouts.traffic.model import Traffic

Live = Mapping[ObjectRef, Manifest | None]
"""The objects a router asked for, as they are; None: it does not exist."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Services:
    """Whose traffic it is, by name.

    `stable_is_ping` says which of ping and pong is stable (`status.canary.stablePingPong == "ping"`; contract 13.48).
    `managed_routes` are the names of `trafficRouting.managedRoutes`. `unavailable` names a ReplicaSet that wants pods and is not
    fully available; it holds back a switch of subsets that no Service guards (contract 9.3 "Delay"); a canary that is being
    left (abort, dynamic rollback) does not count.
    """

    canary: str = ""
    stable: str = ""
    ping: str = ""
    pong: str = ""
    stable_is_ping: bool = False
    namespace: str = ""
    rollout: str = ""
    managed_routes: tuple[str, ...] = ()
    unavailable: str = ""

    @property
    def pair(self) -> tuple[str, str]:
        """The (canary, stable) services in force: ping and pong only when the other two are not set (contract 9.3)."""
        if self.canary or self.stable:
            return self.canary, self.stable
        return (self.pong, self.ping) if self.stable_is_ping else (self.ping, self.pong)


@dataclass(frozen=True, slots=True)
class Notice:
    """An event about the Rollout."""

    reason: str
    message: str
    warning: bool = False


@dataclass(frozen=True, slots=True)
class Routing:
    """Whole objects to PUT in this order, each with the resourceVersion it was derived from, and only those that change.

    `problem` is why not everything is in force afterwards; what is in `writes` is right to write even then.
    """

    writes: tuple[Manifest, ...] = ()
    events: tuple[Notice, ...] = ()
    problem: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class InForce:
    """What the live objects say now.

    `weight` is the largest that any route gives the canary (None: no route was found), `managed_routes` those that exist;
    the hashes are what subsets select, `hashes` all of them (empty for routers without subsets).
    """

    weight: int | None = None
    managed_routes: tuple[str, ...] = ()
    canary_hash: str = ""
    stable_hash: str = ""
    hashes: frozenset[str] = field(default_factory=frozenset)


class Router(Protocol):
    """One mesh or gateway. `config` is its own part of `trafficRouting`, e.g. the value of `istio`."""

    def needs(self, config: Manifest, namespace: str) -> tuple[ObjectRef, ...]:
        """The objects to read, uncached, before the other questions."""
        ...

    def route(self, config: Manifest, services: Services, traffic: Traffic, live: Live) -> Routing:
        """How to bring `traffic` into force; routing what is in force already writes nothing."""
        ...

    def in_force(self, config: Manifest, services: Services, live: Live) -> InForce:
        """The traffic that the live objects carry now; what cannot be read is simply not in force."""
        ...

    def validate(self, config: Manifest, services: Services, live: Live) -> str | None:
        """What is wrong with the references, in the words of contract 12.3; None when nothing is."""
        ...


ROUTING_SETTINGS = frozenset({"managedRoutes", "maxTrafficWeight"})
"""Fields of `trafficRouting` that name no router."""
Routers = Mapping[str, Router]
"""The routers that are served, by their key in `trafficRouting`, in the order in which they are routed (contract 1.7)."""


def configured(routers: Routers, traffic_routing: Manifest) -> tuple[tuple[Router, Manifest], ...]:
    """The routers of a `trafficRouting` with their configurations, in order; Terminal when one is unknown."""
    named = {name: config for name, config in traffic_routing.items() if name not in ROUTING_SETTINGS and config is not None}
    for name in named:
        if name not in routers:
            raise Terminal(f"trafficRouting.{name}: no such router here; known are {', '.join(routers)}")
    return tuple((routers[name], named[name]) for name in routers if name in named)

"""What a router is: from the desired traffic and the live objects to the writes. Pure; reading and writing is for others.

`Router` is what every mesh or gateway must answer, `RouterProfile` what it says about itself; the registry hands both in.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from reconciler.kernel.errors import Terminal
from reconciler.kernel.identity import Manifest, ObjectRef, Resource
from reconciler.kernel.plan import Action
from reconciler.kernel.problem import Problem
from reconciler.kernel.shapes import Shapes
from reconciler.rollouts.traffic.model import HeaderRoute, MirrorRoute, Traffic

Live = Mapping[ObjectRef, Manifest | None]
"""The objects a router asked for, as they are; None: it does not exist."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Services:
    """Whose traffic it is, by name.

    `stable_is_ping` says which of ping and pong is stable (`status.canary.stablePingPong == "ping"`; contract 13.48).
    `managed_routes` are the names of `trafficRouting.managedRoutes`. `unavailable` names a ReplicaSet that wants pods and is not
    fully available; it holds back a switch of subsets that no Service guards (contract 9.3 "Delay"); a canary that is being
    left (abort, dynamic rollback) does not count. `plain_routes` asks for generated routes as the reference makes them.
    `uid` is the Rollout's: it owns what a router makes for it.
    """

    canary: str = ""
    stable: str = ""
    ping: str = ""
    pong: str = ""
    stable_is_ping: bool = False
    namespace: str = ""
    rollout: str = ""
    uid: str = ""
    managed_routes: tuple[str, ...] = ()
    unavailable: str = ""
    plain_routes: bool = False

    @property
    def pair(self) -> tuple[str, str]:
        """The (canary, stable) services in force: ping and pong only when the other two are not set (contract 9.3)."""
        if self.canary or self.stable:
            return self.canary, self.stable
        return (self.pong, self.ping) if self.stable_is_ping else (self.ping, self.pong)

    @property
    def owner(self) -> "Owner":
        return Owner(self.namespace, self.rollout)


@dataclass(frozen=True, slots=True)
class Owner:
    """The Rollout on whose behalf something was written."""

    namespace: str
    name: str

    def __str__(self) -> str:
        return f"{self.namespace}/{self.name}"


@dataclass(frozen=True, slots=True)
class Needs:
    """The objects that a router looks at: those that the Rollout names, and those that it makes itself (creates, owns and removes)."""

    named: tuple[ObjectRef, ...] = ()
    made: tuple[ObjectRef, ...] = ()

    @property
    def refs(self) -> tuple[ObjectRef, ...]:
        return (*self.named, *self.made)


@dataclass(frozen=True, slots=True)
class Notice:
    """An event about the Rollout."""

    reason: str
    message: str
    warning: bool = False


@dataclass(frozen=True, slots=True)
class Routing:
    """What to write in this order: a Replace carries the resourceVersion it was derived from; only what changes is written.

    What a router makes is created owned by the Rollout (`traffic/made.py`); an object of that name that is not so owned stays as it is.

    `problem` is why not everything is in force afterwards; what is in `actions` is right to do even then.
    """

    actions: tuple[Action, ...] = ()
    events: tuple[Notice, ...] = ()
    problem: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class InForce:
    """What the live objects say now.

    `weight` is the largest that any route gives the canary (None: no route was found), `managed_routes` those that exist, `hashes`
    the versions that the objects name themselves. `problem` is what contract 12.3 finds wrong with the `subject`s referred to;
    `warnings` are what will not do what it seems to.
    """

    weight: int | None = None
    managed_routes: tuple[str, ...] = ()
    hashes: frozenset[str] = field(default_factory=frozenset)
    subject: str = ""
    problem: str | None = None
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Features:
    """What a router can do (contract 1.8).

    `shared_fields` are those another applier must ignore, as paths of `jq`, by kind; `makes` the kinds of which it makes objects itself,
    `reads` those that it only reads.
    """

    header: bool = False
    mirror: bool = False
    maximum: bool = False
    ping_pong: bool = False
    verify: bool = False
    experiments: bool = False
    shared_fields: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    makes: tuple[str, ...] = ()
    reads: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class RoutesAsked:
    """What a Rollout asks of a router besides its configuration: its two Services, and (field, route) of every step that sets one.

    `ping_pong`: two other Services take turns in place of them.
    """

    canary: str
    stable: str
    routes: Sequence[tuple[str, HeaderRoute | MirrorRoute]] = ()
    ping_pong: bool = False


class Router(Protocol):
    """One mesh or gateway. `config` is its own part of `trafficRouting`, e.g. the value of `istio`."""

    def needs(self, config: Manifest, services: Services) -> Needs:
        """The objects to look at before the other questions."""
        ...

    def route(self, config: Manifest, services: Services, traffic: Traffic, live: Live) -> Routing:
        """How to bring `traffic` into force; routing what is in force already writes nothing."""
        ...

    def release(self, owner: Owner, live: Live) -> tuple[Action, ...]:
        """How to give back what these objects hold of this Rollout, which is gone or names them no more: no trace of it stays."""
        ...


class RouterProfile(Protocol):
    """What a router says about itself and about what it reads."""

    @property
    def features(self) -> Features: ...

    @property
    def kinds(self) -> tuple[Resource, ...]:
        """The kinds of objects it writes, in the order in which they are given back, and those that it reads (`features.reads`)."""
        ...

    @property
    def shapes(self) -> Shapes:
        """The fields of its configuration: a row that its key names, and those that this one refers to."""
        ...

    def problems(self, config: Manifest, asked: RoutesAsked) -> Iterator[Problem]:
        """What is wrong with the Rollout as written, whatever lives."""
        ...

    def in_force(self, config: Manifest, services: Services, live: Live) -> InForce:
        """The traffic that the live objects carry now; what cannot be read is simply not in force."""
        ...

    def carry(self, config: Manifest, services: Services, desired: Manifest, live: Manifest) -> Manifest:
        """The desired object with the fields that are the router's as they live: a push never moves traffic."""
        ...


class ServedRouter(Router, RouterProfile, Protocol):
    """A row of the registry."""


PLUGINS = "plugins"
SETTINGS = frozenset({"managedRoutes", "maxTrafficWeight"})
"""Fields of `trafficRouting` that name no router."""
Routers = Mapping[str, ServedRouter]
"""The routers that are served, by their key in `trafficRouting`, in the order in which they are routed (contract 1.7)."""


@dataclass(frozen=True, slots=True)
class ConfiguredRouter:
    """One router of a Rollout with its configuration."""

    name: str
    router: ServedRouter
    config: Manifest

    @property
    def field(self) -> str:
        return f"spec.strategy.canary.trafficRouting.{self.name}"


@dataclass(frozen=True, slots=True)
class Routed:
    """One router of a Rollout and the objects that it needs, as they live."""

    configured: ConfiguredRouter
    live: Live


@dataclass(frozen=True, slots=True)
class Left:
    """An object that still holds something of a Rollout which names it no more, and the router that can take it out."""

    router: ServedRouter
    ref: ObjectRef
    manifest: Manifest


def configured(routers: Routers, traffic_routing: Manifest) -> tuple[ConfiguredRouter, ...]:
    """The routers of a `trafficRouting`, in order; Terminal when one is unknown."""
    named = {name: config for name, config in named_in(traffic_routing).items() if config is not None}
    for name in named:
        if name not in routers:
            raise Terminal(f"trafficRouting.{name}: no such router here; known are {', '.join(routers)}")
    return tuple(ConfiguredRouter(name, routers[name], config) for name, config in _in_order(routers, named.items()))


def named_in(traffic_routing: Manifest) -> Mapping[str, Any]:
    """The routers that a `trafficRouting` names with their configurations; a plugin is called `plugins.<its name>`."""
    plugins = traffic_routing.get(PLUGINS)
    inner = plugins if isinstance(plugins, dict) else {}
    own = {name: config for name, config in traffic_routing.items() if name not in (*SETTINGS, PLUGINS)}
    return {**own, **{f"{PLUGINS}.{name}": config for name, config in inner.items()}}


def _in_order(routers: Routers, named: Iterable[tuple[str, Any]]) -> list[tuple[str, Any]]:
    """What is served of these, in the order in which it is routed."""
    found = dict(named)
    return [(name, found[name]) for name in routers if name in found]


def served(routers: Routers, traffic_routing: Manifest) -> tuple[ConfiguredRouter, ...]:
    """Those of the routers of a `trafficRouting` that are served and whose configuration is an object."""
    named = named_in(traffic_routing).items()
    return tuple(ConfiguredRouter(name, routers[name], config) for name, config in _in_order(routers, named) if isinstance(config, dict))


def kinds_of(routers: Routers) -> tuple[Resource, ...]:
    """Every kind of object that some router writes, once."""
    return tuple(dict.fromkeys(kind for router in routers.values() for kind in router.kinds))

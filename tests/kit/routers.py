"""Every router that is served, with a configuration and the objects it names as a person wrote them; and a toy: the seam stays honest."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial

from reconciler.kernel.identity import Manifest, ObjectRef
from reconciler.kernel.resources import DESTINATION_RULES, VIRTUAL_SERVICES
from reconciler.rollouts.traffic.model import HeaderMatch, HeaderRoute, Traffic
from reconciler.rollouts.traffic.router import PLUGINS, Live, Routers, ServedRouter
from reconciler.routers.gateway_api import HTTP_ROUTES, PLUGIN
from reconciler.routers.registry import ROUTERS
from reconciler.routers.traefik import NAME, TRAEFIK_SERVICES
from tests.kit.rollouts import virtual_service
from tests.kit.toyrouter import SPLITS, Toy

HEADER = HeaderRoute("testers", (HeaderMatch("x", exact="y"),))


@dataclass(frozen=True)
class Case:
    """One router with a configuration and the objects it names, as a person wrote them."""

    router: ServedRouter
    key: str
    config: Manifest
    elsewhere: Manifest
    objects: Mapping[ObjectRef, Manifest]

    @property
    def routers(self) -> Routers:
        return {self.key: self.router}

    @property
    def live(self) -> Live:
        return dict(self.objects)

    def able(self, wanted: Traffic) -> Traffic:
        """The traffic as far as this router can do it."""
        return wanted if self.router.features.header else replace(wanted, header_route=None)

    def asking(self, config: Manifest | None) -> Manifest:
        """The part of `trafficRouting` that names this router with a configuration."""
        name = self.key.removeprefix(f"{PLUGINS}.")
        return {self.key: config} if name == self.key else {PLUGINS: {name: config}}

    @property
    def tagged(self) -> tuple[str, ...]:
        """The managed routes of a release that asks for one, where the router can."""
        return ("testers",) if self.router.features.header else ()


def istio(*, subsets: bool = False) -> Case:
    user = {**virtual_service(), "metadata": {"name": "web", "namespace": "shop", "labels": {"a": "b"}}}
    other = {"name": "mail", "match": [{"uri": {"prefix": "/mail"}}], "route": [{"destination": {"host": "mail"}}], "x": 1}
    user["spec"] = {"hosts": ["web"], "exportTo": ["."], "http": [other, {**user["spec"]["http"][0], "timeout": "2s", "unknown": {}}]}
    config: Manifest = {"virtualService": {"name": "web", "routes": ["primary"]}}
    found = {ObjectRef(VIRTUAL_SERVICES, "shop", "web"): user}
    if subsets:
        user["spec"]["http"][1]["route"] = [
            {"destination": {"host": "web", "subset": "stable"}, "weight": 100},
            {"destination": {"host": "web", "subset": "canary"}, "weight": 0},
        ]
        config["destinationRule"] = {"name": "web", "canarySubsetName": "canary", "stableSubsetName": "stable"}
        listed = [{"name": "stable", "labels": {"tier": "web"}}, {"name": "canary", "trafficPolicy": {"x": 1}}]
        metadata = {"name": "web", "namespace": "shop"}
        rule = {"kind": "DestinationRule", "metadata": metadata, "spec": {"host": "web", "trafficPolicy": {}, "subsets": listed}}
        found[ObjectRef(DESTINATION_RULES, "shop", "web")] = rule
    elsewhere = {**config, "virtualService": {"name": "other", "routes": ["primary"]}}
    return Case(ROUTERS["istio"], "istio", config, elsewhere, found)


def toy() -> Case:
    metadata = {"name": "web", "namespace": "shop", "labels": {"a": "b"}}
    spec = {"weights": {"web-canary": 0, "web-stable": 100, "mail": 7}, "unknown": {"deep": [1]}, "tags": {"foreign": ["z"]}}
    split = {"kind": "Split", "metadata": metadata, "spec": spec}
    return Case(Toy(), "toy", {"split": "web"}, {"split": "other"}, {ObjectRef(SPLITS, "shop", "web"): split})


def traefik() -> Case:
    ours = [{"name": "web-canary", "port": 80, "weight": 0}, {"name": "web-stable", "port": 80, "weight": 100}]
    others = [{"name": "mail", "port": 25}, {"name": "web-canary", "kind": "TraefikService", "weight": 3}]
    spec = {"weighted": {"services": [*ours, *others], "sticky": {"cookie": {}}}}
    split = {"kind": "TraefikService", "metadata": {"name": "web", "namespace": "shop", "labels": {"a": "b"}}, "spec": spec}
    found = {ObjectRef(TRAEFIK_SERVICES, "shop", "web"): split}
    return Case(ROUTERS["traefik"], "traefik", {NAME: "web"}, {NAME: "other"}, found)


def gateway_api() -> Case:
    backs = [{"name": "web-canary", "port": 80, "weight": 0}, {"name": "web-stable", "port": 80, "weight": 100}]
    others = [{"name": "web-canary", "namespace": "elsewhere", "weight": 5}, {"name": "mail", "port": 25}]
    match = {"path": {"type": "PathPrefix", "value": "/"}, "headers": [{"name": "a", "value": "b"}]}
    ours = {
        "matches": [match, {"method": "GET"}],
        "backendRefs": [*backs, *others],
        "sessionPersistence": {"type": "Cookie"},
        "unknown": {},
    }
    user = {"matches": [{"path": {"value": "/mail"}}], "backendRefs": [{"name": "mail"}]}
    metadata = {"name": "web", "namespace": "shop", "labels": {"a": "b"}}
    route = {"kind": "HTTPRoute", "metadata": metadata, "spec": {"hostnames": ["web"], "rules": [user, ours]}}
    key = f"{PLUGINS}.{PLUGIN}"
    return Case(ROUTERS[key], key, {"httpRoute": "web"}, {"httpRoute": "other"}, {ObjectRef(HTTP_ROUTES, "shop", "web"): route})


CASES: Mapping[str, Callable[[], Case]] = {
    "istio": istio,
    "istio with subsets": partial(istio, subsets=True),
    "traefik": traefik,
    "gateway api": gateway_api,
    "toy": toy,
}

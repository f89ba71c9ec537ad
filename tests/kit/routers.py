"""Every router that is served, with a configuration and the objects it names as a person wrote them; and a toy: the seam stays honest."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from reconciler.kernel.identity import Manifest, ObjectRef, Resource
from reconciler.kernel.resources import DESTINATION_RULES, SERVICES, VIRTUAL_SERVICES
from reconciler.rollouts.traffic.model import HeaderMatch, HeaderRoute, Traffic
from reconciler.rollouts.traffic.router import PLUGINS, Live, Owner, Routers, ServedRouter, Services
from reconciler.routers.ambassador import MAPPINGS
from reconciler.routers.apisix import APISIX_ROUTES
from reconciler.routers.app_mesh_objects import VIRTUAL_NODES, VIRTUAL_ROUTERS
from reconciler.routers.app_mesh_objects import VIRTUAL_SERVICES as MESH_SERVICES
from reconciler.routers.gateway_api import HTTP_ROUTES, PLUGIN
from reconciler.routers.nginx import INGRESSES
from reconciler.routers.plugins import PluggedInRouter
from reconciler.routers.registry import ROUTERS
from reconciler.routers.traefik import NAME, TRAEFIK_SERVICES
from tests.kit.rollouts import canary, pause, rollout, service, virtual_service, weight
from tests.kit.toyrouter import SPLITS, Toy
from tests.kit.world import World, deployed

OWNER = Owner("shop", "web")
WHOSE = Services(canary="web-canary", stable="web-stable", namespace="shop", rollout="web", uid="u-1", managed_routes=("testers",))
HEADER = HeaderRoute("testers", (HeaderMatch("x", exact="y"),))


@dataclass(frozen=True)
class Case:
    """One router with a configuration and the objects it names, as a person wrote them."""

    router: ServedRouter
    key: str
    config: Manifest
    elsewhere: Manifest
    objects: Mapping[ObjectRef, Manifest]
    read_only: bool = False
    """The objects that it names are read and never written."""
    passing: bool = False
    """What it makes goes as soon as it carries nothing."""
    holding: bool = False
    """It holds the objects that it names for as long as the Rollout names them, at rest too."""

    @property
    def routers(self) -> Routers:
        return {self.key: self.router}

    @property
    def made(self) -> tuple[ObjectRef, ...]:
        """What the router makes itself."""
        return self.router.needs(self.config, WHOSE).made

    @property
    def live(self) -> Live:
        return {**self.objects, **dict.fromkeys(self.made)}

    @property
    def written(self) -> ObjectRef:
        """An object that the router writes."""
        theirs = [ref for ref in self.objects if ref.resource.kind not in self.router.features.reads]
        return next(iter(self.made if self.read_only or not theirs else theirs))

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


def nginx(*names: str) -> Case:
    ours = {"path": "/", "pathType": "Prefix", "backend": {"service": {"name": "web-stable", "port": {"number": 80}}}}
    mail = {"path": "/mail", "pathType": "Exact", "backend": {"service": {"name": "mail", "port": {"name": "smtp"}}}}
    rules = [{"host": "web.example", "http": {"paths": [mail, ours]}}, {"host": "mail.example", "http": {"paths": [mail]}}]
    spec = {"ingressClassName": "nginx", "tls": [{"hosts": ["web.example"], "secretName": "web"}], "rules": rules}
    found = {
        ObjectRef(INGRESSES, "shop", name): {
            "apiVersion": "networking.k8s.io/v1",
            "kind": "Ingress",
            "metadata": {"name": name, "namespace": "shop", "labels": {"a": "b"}},
            "spec": spec,
        }
        for name in names
    }
    config = {"stableIngress": names[0]} if len(names) == 1 else {"stableIngresses": list(names)}
    return Case(ROUTERS["nginx"], "nginx", config, {"stableIngress": "other", "stableIngresses": None}, found, read_only=True)


def alb(*names: str) -> Case:
    ours = {"path": "/", "pathType": "Prefix", "backend": {"service": {"name": "web-root", "port": {"name": "use-annotation"}}}}
    mail = {"path": "/mail", "pathType": "Prefix", "backend": {"service": {"name": "mail", "port": {"number": 25}}}}
    rules = [{"host": "web.example", "http": {"paths": [mail, ours]}}, {"host": "mail.example", "http": {"paths": [mail]}}]
    groups = [
        {"serviceName": "web-canary", "servicePort": "80", "weight": 0},
        {"serviceName": "web-stable", "servicePort": "80", "weight": 100},
    ]
    action = {"type": "forward", "forwardConfig": {"targetGroups": groups}}
    notes = {"alb.ingress.kubernetes.io/actions.web-root": json.dumps(action), "alb.ingress.kubernetes.io/scheme": "internal"}
    found = {
        ObjectRef(INGRESSES, "shop", name): {
            "apiVersion": "networking.k8s.io/v1",
            "kind": "Ingress",
            "metadata": {"name": name, "namespace": "shop", "labels": {"a": "b"}, "annotations": notes},
            "spec": {"ingressClassName": "alb", "rules": rules, "unknown": {}},
        }
        for name in names
    }
    named = {"ingress": names[0]} if len(names) == 1 else {"ingresses": list(names)}
    config = {**named, "rootService": "web-root", "servicePort": 80}
    elsewhere = {"ingress": "other", "ingresses": None, "rootService": "web-root", "servicePort": 80}
    return Case(ROUTERS["alb"], "alb", config, elsewhere, found, holding=True)


def smi() -> Case:
    return Case(ROUTERS["smi"], "smi", {"rootService": "web-root"}, {"trafficSplitName": "other"}, {})


def apisix() -> Case:
    backs = [{"serviceName": "web-canary", "servicePort": 80, "weight": 0}, {"serviceName": "web-stable", "servicePort": 80, "weight": 100}]
    ours = {"name": "web", "match": {"hosts": ["web"], "paths": ["/*"]}, "backends": [*backs, {"serviceName": "mail"}], "websocket": True}
    user = {"name": "mail", "match": {"paths": ["/mail"]}, "backends": [{"serviceName": "mail", "servicePort": 25}]}
    route = {"kind": "ApisixRoute", "metadata": {"name": "web", "namespace": "shop", "labels": {"a": "b"}}, "spec": {"http": [user, ours]}}
    found = {ObjectRef(APISIX_ROUTES, "shop", "web"): route}
    config = {"route": {"name": "web", "rules": ["web"]}}
    return Case(ROUTERS["apisix"], "apisix", config, {"route": {"name": "other", "rules": ["web"]}}, found, passing=True)


def app_mesh() -> Case:
    def found(resource: Resource, name: str, **spec: Any) -> tuple[ObjectRef, Manifest]:
        metadata = {"name": name, "namespace": "shop", "labels": {"a": "b"}}
        manifest = {"apiVersion": resource.api_version, "kind": resource.kind, "metadata": metadata, "spec": spec}
        return ObjectRef(resource, "shop", name), manifest

    def node(name: str) -> tuple[ObjectRef, Manifest]:
        return found(VIRTUAL_NODES, name, podSelector={"matchLabels": {"app": "web"}}, listeners=[{"x": 1}])

    pair = [{"virtualNodeRef": {"name": "web-canary"}, "weight": 0}, {"virtualNodeRef": {"name": "web-stable"}, "weight": 100, "port": 80}]
    ours = {"name": "web", "httpRoute": {"match": {"prefix": "/"}, "action": {"weightedTargets": pair}, "unknown": {}}}
    mail = {"name": "mail", "tcpRoute": {"action": {"weightedTargets": [{"virtualNodeRef": {"name": "mail"}, "weight": 1}]}}}
    provider = {"virtualRouter": {"virtualRouterRef": {"name": "web-router"}}}
    objects = (
        found(MESH_SERVICES, "web", awsName="web.shop", provider=provider),
        found(VIRTUAL_ROUTERS, "web-router", listeners=[{}], routes=[mail, ours]),
        node("web-canary"),
        node("web-stable"),
    )
    group = {"canaryVirtualNodeRef": {"name": "web-canary"}, "stableVirtualNodeRef": {"name": "web-stable"}}
    config, elsewhere = ({"virtualService": {"name": name, "routes": ["web"]}, "virtualNodeGroup": group} for name in ("web", "other"))
    return Case(ROUTERS["appMesh"], "appMesh", config, elsewhere, dict(objects), holding=True)


def ambassador() -> Case:
    spec = {"prefix": "/web/", "service": "web-stable.shop:80", "timeout_ms": 3000}
    mapping = {"kind": "Mapping", "metadata": {"name": "web", "namespace": "shop", "labels": {"a": "b"}}, "spec": spec}
    found = {ObjectRef(MAPPINGS, "shop", "web"): mapping}
    return Case(ROUTERS["ambassador"], "ambassador", {"mappings": ["web"]}, {"mappings": ["other"]}, found, read_only=True, passing=True)


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


def plugin() -> Case:
    case = toy()
    return replace(case, router=PluggedInRouter("example.com/toy", case.router), key=f"{PLUGINS}.example.com/toy")


CASES: Mapping[str, Callable[[], Case]] = {
    "istio": istio,
    "istio with subsets": partial(istio, subsets=True),
    "nginx": partial(nginx, "web"),
    "nginx with two": partial(nginx, "web", "shop"),
    "alb": partial(alb, "web"),
    "alb with two": partial(alb, "web", "shop"),
    "smi": smi,
    "app mesh": app_mesh,
    "traefik": traefik,
    "apisix": apisix,
    "ambassador": ambassador,
    "gateway api": gateway_api,
    "toy": toy,
    "plug-in": plugin,
}


# ---- under the controller ----

TAGGED = {"setHeaderRoute": {"name": "testers", "match": [{"headerName": "x", "headerValue": {"exact": "y"}}]}}


def driven(case: Case, routers: Routers | None = None, **fields: Any) -> World:
    """A release that stands at weight 50 with a header route."""
    routing = {**case.asking(case.config), "managedRoutes": [{"name": "testers"}]}
    tagged = (TAGGED,) if case.router.features.header else ()
    spec = canary({"setCanaryScale": {"replicas": 1}}, *tagged, weight(50), pause(), **SERVED, trafficRouting=routing, **fields)
    others = [(SERVICES, service(name)) for name in ("web-canary", "web-stable")]
    objects = [(ref.resource, manifest) for ref, manifest in case.objects.items()]
    return deployed(rollout(canary=spec), *others, *objects, routers=routers or case.routers).push("web:2").settle()


SERVED = {"canaryService": "web-canary", "stableService": "web-stable"}


def lives(case: Case, world: World) -> Live:
    return {ref: world.store.get(ref.resource, ref.namespace, ref.name) for ref in case.live}

"""The objects of App Mesh: where a VirtualService leads, the weighted targets of a VirtualRouter, the pods that a VirtualNode selects."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from reconciler.kernel.identity import Manifest, ObjectRef, Resource, name_of, namespace_of
from reconciler.kernel.well_known import HASH_LABEL

VIRTUAL_SERVICES = Resource("appmesh.k8s.aws", "v1beta2", "virtualservices", "VirtualService", optional=True)
VIRTUAL_ROUTERS = Resource("appmesh.k8s.aws", "v1beta2", "virtualrouters", "VirtualRouter", optional=True)
VIRTUAL_NODES = Resource("appmesh.k8s.aws", "v1beta2", "virtualnodes", "VirtualNode", optional=True)
ROUTE_KINDS = ("httpRoute", "tcpRoute", "http2Route", "grpcRoute")


def inner(found: Any, *keys: str) -> Manifest:
    """The object at the end of these keys; empty where there is none, or something else."""
    for key in keys:
        found = found.get(key) if isinstance(found, dict) else None
    return found if isinstance(found, dict) else {}


def named_in(found: Manifest) -> str:
    """Its `name`; empty when it is no text."""
    name = found.get("name")
    return name if isinstance(name, str) else ""


def led_to(service: Manifest) -> ObjectRef | None:
    """The VirtualRouter of a VirtualService: in its own namespace where it names none."""
    ref = inner(service, "spec", "provider", "virtualRouter", "virtualRouterRef")
    namespace = ref.get("namespace") or namespace_of(service)
    return ObjectRef(VIRTUAL_ROUTERS, namespace, named_in(ref)) if named_in(ref) and isinstance(namespace, str) else None


@dataclass(frozen=True, slots=True)
class Split:
    """Between which two VirtualNodes of a namespace the routes of a VirtualRouter are split; `routes` are those meant, none: all."""

    canary: str
    stable: str
    namespace: str
    routes: tuple[str, ...] = ()

    def problem(self, router: Manifest) -> str | None:
        """Why the VirtualRouter cannot be split, in words (contract 12.3)."""
        said, chosen = f"VirtualRouter `{name_of(router)}`", list(self._chosen(router))
        if not _routes(router):
            return f"{said} has no routes: add one whose weightedTargets are VirtualNodes {self.canary} and {self.stable}"
        absent = [name for name in self.routes if name not in [named_in(route) for route in chosen]]
        if absent:
            return f"{said} has no route `{absent[0]}`"
        return next((f"{said}, route `{named_in(route)}`: {told}" for route in chosen if (told := self._unfit(route, router))), None)

    def weight(self, router: Manifest) -> int | None:
        """The largest weight that a route gives the canary; None when no route does."""
        return max((weight for route in self._chosen(router) if (weight := self._weight(route, router)) is not None), default=None)

    def weighted(self, router: Manifest, weight: int) -> Manifest:
        """The VirtualRouter with this weight of 100 for the canary; the same object when it has it already."""
        return self._changed(router, lambda _: weight)

    def carried(self, desired: Manifest, live: Manifest) -> Manifest:
        """The desired VirtualRouter with the weights of the live one, route by route; a new route is split as the others are."""
        by_name = {named_in(route): self._weight(route, live) for route in self._chosen(live)}
        whole = self.weight(live)

        def weight(route: Manifest) -> int | None:
            own = by_name.get(named_in(route))
            return whole if own is None else own

        return self._changed(desired, weight)

    def _chosen(self, router: Manifest) -> Iterator[Manifest]:
        return (route for route in _routes(router) if not self.routes or named_in(route) in self.routes)

    def _unfit(self, route: Manifest, router: Manifest) -> str | None:
        kinds = [kind for kind in ROUTE_KINDS if kind in route]
        if not kinds:
            return f"has none of {', '.join(ROUTE_KINDS)}"
        for kind in kinds:
            targets = _targets(route, kind)
            if len(targets) != 2:
                return f"{kind}.action.weightedTargets has {len(targets)} targets: it must have exactly two, one for each version"
            for side in (self.canary, self.stable):
                if not any(self._leads(target, side, router) for target in targets):
                    return f"{kind}.action.weightedTargets names no VirtualNode {side} of namespace {self.namespace}: add it"
        return None

    def _leads(self, target: Any, node: str, router: Manifest) -> bool:
        """True for a target that is this VirtualNode; without a namespace it is one of the VirtualRouter's."""
        ref = inner(target, "virtualNodeRef")
        return (ref.get("name"), ref.get("namespace") or namespace_of(router)) == (node, self.namespace)

    def _weight(self, route: Manifest, router: Manifest) -> int | None:
        targets = (target for kind in ROUTE_KINDS for target in _targets(route, kind) if self._leads(target, self.canary, router))
        return max((number if isinstance(number := target.get("weight"), int) else 0 for target in targets), default=None)

    def _changed(self, router: Manifest, weight: Callable[[Manifest], int | None]) -> Manifest:
        before = inner(router, "spec").get("routes")
        if not isinstance(before, list):
            return router
        chosen = [id(route) for route in self._chosen(router)]
        after = [self._split(route, weight(route), router) if id(route) in chosen else route for route in before]
        return router if after == before else {**router, "spec": {**router["spec"], "routes": after}}

    def _split(self, route: Manifest, weight: int | None, router: Manifest) -> Manifest:
        """The route with these weights, where it leads to both VirtualNodes and nowhere else."""
        if weight is None or self._unfit(route, router):
            return route
        return {key: self._shared(part, weight, router) if key in ROUTE_KINDS else part for key, part in route.items()}

    def _shared(self, part: Manifest, weight: int, router: Manifest) -> Manifest:
        targets = [
            {**target, "weight": weight if self._leads(target, self.canary, router) else 100 - weight}
            for target in part["action"]["weightedTargets"]
        ]
        return {**part, "action": {**part["action"], "weightedTargets": targets}}


def selector_problem(node: Manifest) -> str | None:
    """Why the pods of a VirtualNode cannot be selected by version, in words."""
    selector = inner(node, "spec").get("podSelector")
    labels = selector.get("matchLabels") if isinstance(selector, dict) else {}
    if isinstance(node.get("spec"), dict) and isinstance(selector, dict | None) and isinstance(labels, dict | None):
        return None
    return f"VirtualNode `{name_of(node)}`: spec.podSelector.matchLabels must be an object"


def hash_of(node: Manifest | None) -> str:
    """The version that a VirtualNode selects; empty: none."""
    return str(inner(node, "spec", "podSelector", "matchLabels").get(HASH_LABEL) or "")


def labelled(node: Manifest, hash: str) -> Manifest:
    """The VirtualNode that selects this version, or without when it is empty; the same object when it is so already."""
    if selector_problem(node) or hash_of(node) == hash:
        return node
    spec, selector = node["spec"], inner(node, "spec", "podSelector")
    others = {key: value for key, value in inner(selector, "matchLabels").items() if key != HASH_LABEL}
    wanted = _without_empty({**selector, "matchLabels": {**others, HASH_LABEL: hash} if hash else others}, "matchLabels")
    return {**node, "spec": _without_empty({**spec, "podSelector": wanted}, "podSelector")}


def _without_empty(found: Manifest, key: str) -> Manifest:
    return found if found[key] else {other: value for other, value in found.items() if other != key}


def _routes(router: Manifest) -> list[Manifest]:
    found = inner(router, "spec").get("routes")
    return [route for route in found if isinstance(route, dict)] if isinstance(found, list) else []


def _targets(route: Mapping[str, Any], kind: str) -> list[Manifest]:
    """The weighted targets; none where one of them is no object."""
    found = inner(route, kind, "action").get("weightedTargets")
    return found if isinstance(found, list) and all(isinstance(target, dict) for target in found) else []

"""App Mesh: the weights of the VirtualRouter behind a VirtualService, and the pods that two VirtualNodes select (contract 9.10).

AWS ended the service on 30 September 2026: this is for those who still run its controller.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from reconciler.kernel.identity import Manifest, ObjectRef, Resource, name_of, namespace_of
from reconciler.kernel.plan import Action, Replace
from reconciler.kernel.problem import Problem, invalid, required
from reconciler.kernel.shapes import Shapes
from reconciler.kernel.well_known import HASH_LABEL
from reconciler.rollouts.traffic.marks import carried, mark_of, with_mark
from reconciler.rollouts.traffic.model import Traffic
from reconciler.rollouts.traffic.router import Features, InForce, Live, Needs, Notice, Owner, RoutesAsked, Routing, Services
from reconciler.routers.app_mesh_objects import (
    ROUTE_KINDS,
    VIRTUAL_NODES,
    VIRTUAL_ROUTERS,
    VIRTUAL_SERVICES,
    Split,
    hash_of,
    inner,
    labelled,
    led_to,
    named_in,
    selector_problem,
)

FIELD = "spec.strategy.canary.trafficRouting.appMesh"
SERVICE, GROUP, CANARY, STABLE = "virtualService", "virtualNodeGroup", "canaryVirtualNodeRef", "stableVirtualNodeRef"
INCOMPLETE = f"{SERVICE}.name, {GROUP}.{CANARY}.name and {GROUP}.{STABLE}.name have to be set"
SERVICES = "Canary service and Stable service must to be set to use Traffic Routing"
TOLD = "VirtualRouter `{name}` set to desiredWeight '{weight}'"
NO_CANARY, NO_STABLE = "canary-hash", "stable-hash"
"""What a VirtualNode selects while its side has no version of its own: no pod has such a hash (contract 9.10)."""
WEIGHTS = tuple(f".spec.routes[]?.{kind}.action.weightedTargets[]?.weight" for kind in ROUTE_KINDS)
LABEL = f'.spec.podSelector.matchLabels."{HASH_LABEL}"'


@dataclass(frozen=True, slots=True)
class _Setup:
    """One configuration: its VirtualService, and how its VirtualRouter is split."""

    service: ObjectRef
    split: Split

    @property
    def canary(self) -> ObjectRef:
        return ObjectRef(VIRTUAL_NODES, self.service.namespace, self.split.canary)

    @property
    def stable(self) -> ObjectRef:
        return ObjectRef(VIRTUAL_NODES, self.service.namespace, self.split.stable)

    @property
    def mark(self) -> Manifest:
        """What takes the weights home later, and which VirtualService led here."""
        routes = {"routes": list(self.split.routes)} if self.split.routes else {}
        return {SERVICE: self.service.name, "canary": self.split.canary, "stable": self.split.stable, **routes}


class AppMesh:
    """The router of `trafficRouting.appMesh`. VirtualService and VirtualNodes are of the Rollout's namespace, the VirtualRouter of any."""

    features = Features(
        shared_fields={VIRTUAL_ROUTERS.kind: WEIGHTS, VIRTUAL_NODES.kind: (LABEL,)},
        reads=(VIRTUAL_SERVICES.kind,),
    )
    kinds = (VIRTUAL_SERVICES, VIRTUAL_ROUTERS, VIRTUAL_NODES)
    shapes: ClassVar[Shapes] = {
        "appMesh": f"{SERVICE}:AppMeshVirtualService {GROUP}:AppMeshVirtualNodeGroup",
        "AppMeshVirtualService": "name:text routes[]",
        "AppMeshVirtualNodeGroup": f"{CANARY}:AppMeshVirtualNodeRef {STABLE}:AppMeshVirtualNodeRef",
        "AppMeshVirtualNodeRef": "name:text",
    }

    def needs(self, config: Manifest, services: Services) -> Needs:
        """The VirtualService and both VirtualNodes; the VirtualRouter is behind the first."""
        setup = _setup(config, services.namespace)
        return Needs((setup.service, setup.canary, setup.stable) if setup else ())

    def beyond(self, live: Live) -> tuple[ObjectRef, ...]:
        """The VirtualRouters of these VirtualServices."""
        found = (led_to(manifest) for ref, manifest in live.items() if ref.resource == VIRTUAL_SERVICES and manifest)
        return tuple(ref for ref in found if ref is not None)

    def route(self, config: Manifest, services: Services, traffic: Traffic, live: Live) -> Routing:
        """Labels and weights, in an order in which no request is sent to a VirtualNode without pods: see `_in_order`."""
        setup = _setup(config, services.namespace)
        if setup is None:
            return Routing(problem=INCOMPLETE)
        missing = _missing(setup, live)
        if missing is not None:
            told = f"{missing.resource.kind} `{missing.name}` not found"
            return Routing(events=(Notice(f"{missing.resource.kind}NotFound", told, warning=True),), problem=told)
        problem = _problem(setup, live)
        if problem is not None:
            return Routing(problem=problem)
        found = _in_order(setup, services, traffic, live)
        writes = tuple(Replace(kind, after) for kind, before, after in found if after != before)
        moved = [name_of(after) for kind, before, after in found if kind == VIRTUAL_ROUTERS and after["spec"] != before["spec"]]
        return Routing(writes, tuple(Notice("Updated VirtualRouter", TOLD.format(name=name, weight=traffic.weight)) for name in moved))

    def release(self, owner: Owner, live: Live) -> tuple[Action, ...]:
        """Weights at home, then no label and no mark, wherever one of this Rollout stands.

        A label that stood there before goes too: the hash of a version that is gone would select no pod.
        """
        found = ((ref, manifest) for kind in self.kinds for ref, manifest in live.items() if ref.resource == kind and manifest)
        given = ((ref, manifest, _returned(ref.resource, manifest, owner)) for ref, manifest in found)
        return tuple(Replace(ref.resource, clean) for ref, manifest, clean in given if clean is not manifest)

    def problems(self, config: Manifest, asked: RoutesAsked) -> Iterator[Problem]:
        """Names that are missing, one VirtualNode for both versions, and Services that are missing (contract 12.2)."""
        names = {field: named_in(inner(config, *field.split("."))) for field in (SERVICE, f"{GROUP}.{CANARY}", f"{GROUP}.{STABLE}")}
        for field, name in names.items():
            if not name:
                yield required(f"{FIELD}.{field}.name", f"name the {'VirtualService' if field == SERVICE else 'VirtualNode'}")
        canary, stable = names[f"{GROUP}.{CANARY}"], names[f"{GROUP}.{STABLE}"]
        if canary and canary == stable:
            yield invalid(f"{FIELD}.{GROUP}.{CANARY}.name", canary, "is the stable VirtualNode too: each version needs one of its own")
        routes = inner(config, SERVICE).get("routes")
        if routes is not None and not (isinstance(routes, list) and all(isinstance(name, str) for name in routes)):
            yield invalid(f"{FIELD}.{SERVICE}.routes", routes, "must be a list of names of routes")
        if not (asked.canary and asked.stable):
            yield invalid(f"spec.strategy.{'canaryService' if asked.stable else 'stableService'}", "", SERVICES)

    def in_force(self, config: Manifest, services: Services, live: Live) -> InForce:
        """The largest weight that a selected route gives the canary, and the hashes that the VirtualNodes select (contract 12.3)."""
        setup = _setup(config, services.namespace)
        if setup is None:
            return InForce(problem=INCOMPLETE)
        missing = _missing(setup, live)
        if missing is not None:
            kind = missing.resource
            return InForce(subject=missing.name, problem=f'{kind.plural}.{kind.group} "{missing.name}" not found')
        router = _router(setup, live)
        selected = (hash_of(live.get(ref)) for ref in (setup.canary, setup.stable))
        return InForce(
            weight=setup.split.weight(router) if router else None,
            hashes=frozenset(hash for hash in selected if hash and hash not in (NO_CANARY, NO_STABLE)),
            subject=setup.service.name,
            problem=_problem(setup, live),
        )

    def carry(self, config: Manifest, services: Services, desired: Manifest, live: Manifest) -> Manifest:
        """The weights of the VirtualRouter that its mark says is this Rollout's, and the hashes of its VirtualNodes, as they live."""
        setup = _setup(config, services.namespace)
        if setup is None:
            return desired
        place = (str(desired.get("kind")), namespace_of(desired), name_of(desired))
        if place in [(ref.resource.kind, ref.namespace, ref.name) for ref in (setup.canary, setup.stable)]:
            found = hash_of(live)
            return carried(labelled(desired, found) if found else desired, live)
        mark = mark_of(live, services.owner) if place[0] == VIRTUAL_ROUTERS.kind else None
        if mark is None or mark.get(SERVICE) != setup.service.name:
            return desired
        return carried(setup.split.carried(desired, live), live)


def _setup(config: Manifest, namespace: str) -> _Setup | None:
    """The configuration read; None while a name is missing."""
    service, routes = named_in(inner(config, SERVICE)), inner(config, SERVICE).get("routes")
    canary, stable = (named_in(inner(config, GROUP, side)) for side in (CANARY, STABLE))
    if not (service and canary and stable):
        return None
    chosen = tuple(name for name in routes if isinstance(name, str)) if isinstance(routes, list) else ()
    return _Setup(ObjectRef(VIRTUAL_SERVICES, namespace, service), Split(canary, stable, namespace, chosen))


def _router_ref(setup: _Setup, live: Live) -> ObjectRef | None:
    service = live.get(setup.service)
    return led_to(service) if service else None


def _router(setup: _Setup, live: Live) -> Manifest | None:
    ref = _router_ref(setup, live)
    return live.get(ref) if ref else None


def _missing(setup: _Setup, live: Live) -> ObjectRef | None:
    """The first object that is not there."""
    behind = _router_ref(setup, live)
    refs = (setup.service, *((behind,) if behind else ()), setup.canary, setup.stable)
    return next((ref for ref in refs if live.get(ref) is None), None)


def _problem(setup: _Setup, live: Live) -> str | None:
    """What is wrong with objects that are there (contract 12.3)."""
    router = _router(setup, live)
    if router is None:
        return f"VirtualService `{setup.service.name}`: spec.provider.virtualRouter.virtualRouterRef names no VirtualRouter: name one"
    nodes = (selector_problem(found) for ref in (setup.stable, setup.canary) if (found := live.get(ref)))
    return setup.split.problem(router) or next((problem for problem in nodes if problem), None)


def _in_order(setup: _Setup, whose: Services, traffic: Traffic, live: Live) -> tuple[tuple[Resource, Manifest, Manifest], ...]:
    """(kind, object, as it is to be), in an order in which no VirtualNode loses its pods while requests are sent to it.

    Stable's first: its new version is there before traffic comes home. The canary's before its weight rises, and after its weight falls.
    """
    owner, router = whose.owner, _router(setup, live) or {}
    canary, stable = live.get(setup.canary) or {}, live.get(setup.stable) or {}
    own = traffic.canary_hash if traffic.canary_hash != traffic.stable_hash else ""
    split = setup.split.weighted(_returned(VIRTUAL_ROUTERS, router, owner), traffic.weight)
    weights = (VIRTUAL_ROUTERS, router, with_mark(split, owner, setup.mark))
    stables = (VIRTUAL_NODES, stable, with_mark(labelled(stable, traffic.stable_hash or NO_STABLE), owner, {}))
    canaries = (VIRTUAL_NODES, canary, with_mark(labelled(canary, own or NO_CANARY), owner, {}))
    falls = traffic.weight <= (setup.split.weight(router) or 0)
    return (stables, weights, canaries) if falls else (stables, canaries, weights)


def _returned(kind: Resource, manifest: Manifest, owner: Owner) -> Manifest:
    """Without what is on record for this Rollout; the same object when nothing is."""
    mark = mark_of(manifest, owner)
    if mark is None or kind == VIRTUAL_SERVICES:
        return manifest
    if kind == VIRTUAL_NODES:
        return with_mark(labelled(manifest, ""), owner, None)
    routes = mark.get("routes")
    former = Split(str(mark.get("canary")), str(mark.get("stable")), owner.namespace, tuple(routes) if isinstance(routes, list) else ())
    return with_mark(former.weighted(manifest, 0), owner, None)

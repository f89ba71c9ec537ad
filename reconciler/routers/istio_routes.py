"""One VirtualService: what of it is in force, and what it looks like for a traffic, after a push and without us (contract 9.3)."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from reconciler.kernel.errors import Terminal
from reconciler.kernel.identity import Manifest, ObjectRef, namespace_of
from reconciler.rollouts.traffic.marks import carried, with_mark
from reconciler.rollouts.traffic.model import Traffic
from reconciler.rollouts.traffic.router import Notice, Owner
from reconciler.routers.istio_generated import Generator, Made
from reconciler.routers.istio_record import Record, given_back, listed_in, record_of
from reconciler.routers.istio_selection import Selection
from reconciler.routers.istio_sides import Sides, host_of
from reconciler.routers.istio_weights import Shares, as_live, canary_weight, reweighted, shares_of

UPDATED = "Updated VirtualService"
"""With a space, as the reference says it (contract 9.3 "Events")."""


@dataclass(frozen=True, slots=True)
class RoutedService:
    """One VirtualService of a configuration, and how its routes are read and made."""

    ref: ObjectRef
    selection: Selection
    sides: Sides
    owner: Owner
    plain: bool = False

    @property
    def generator(self) -> Generator:
        return Generator(self.sides, self.ref.namespace, self.plain)

    def selected(self, found: Manifest | None) -> Iterator[Manifest]:
        """The routes meant in a live object, whatever else is wrong with it."""
        spec = (found or {}).get("spec") or {}
        for protocol, indexes in self.selection.likely(spec, self.sides).items():
            yield from (spec[protocol][index] for index in indexes)

    def weight(self, found: Manifest | None) -> int | None:
        """The largest weight that a route gives the canary."""
        return max((canary_weight(route, self.sides) for route in self.selected(found)), default=None)

    def managed(self, found: Manifest | None) -> Iterator[str]:
        """The managed routes that are there."""
        routes = ((found or {}).get("spec") or {}).get("http") or []
        yield from (route["name"] for route in routes if route.get("name") in self.selection.managed)


def with_traffic(found: Manifest, entry: RoutedService, traffic: Traffic) -> Manifest:
    """The VirtualService for this traffic; the same object when it is that already. Terminal when its routes do not fit."""
    record = record_of(found, entry.owner)
    made = _made(record, entry, traffic)
    spec = _cleared(found, record, entry, traffic)
    chosen = entry.selection.indexes(spec, entry.sides)
    spec = _with_shares(spec, chosen, entry, shares_of(traffic))
    if made or spec.get("http"):
        spec["http"] = entry.generator.placed(spec.get("http") or [], chosen.get("http", ()), made)
    wanted = {**found, "spec": spec} if spec != found.get("spec") else found
    return with_mark(wanted, entry.owner, _mark(wanted, entry, traffic, made))


def _made(record: Record | None, entry: RoutedService, traffic: Traffic) -> Mapping[str, Made]:
    """The routes that must stand afterwards, in the order of managedRoutes: those on record, changed by the step (contract 9.1, 2)."""
    if traffic.drop_managed_routes:
        return {}
    made = dict(record.made) if record else {}
    for step in _steps(traffic):
        made.pop(step.name, None)
        if step.matches:
            made[step.name] = step
    return {name: made[name] for name in entry.selection.managed if name in made}


def _steps(traffic: Traffic) -> list[Made]:
    return [step for step in (traffic.header_route, traffic.mirror_route) if step is not None]


def _cleared(found: Manifest, record: Record | None, entry: RoutedService, traffic: Traffic) -> Manifest:
    """The spec without the routes that are made anew or gone, and without what an earlier configuration left elsewhere."""
    spec = dict(found.get("spec") or {})
    if record is not None and (record.listed != listed_in(entry.selection.config) or _renamed(record.sides, entry.sides)):
        spec = dict(given_back(spec, record))
    if not spec.get("http"):
        return spec
    managed = entry.selection.managed
    former = {*record.made, *record.managed}.difference(managed).union(record.made) if record else set()
    gone = former.union((step.name for step in _steps(traffic)), managed if traffic.drop_managed_routes else ())
    spec["http"] = [route for route in spec["http"] if route.get("name") not in gone]
    return spec


def _renamed(before: Sides, after: Sides) -> bool:
    return before.names != after.names


def _with_shares(spec: Manifest, chosen: Mapping[str, Sequence[int]], entry: RoutedService, shares: Shares) -> Manifest:
    """Selected routes weighted, and managed ones that mirror (made by the reference, before us)."""
    spec = dict(spec)
    for protocol, selected in chosen.items():
        routes = spec[protocol]
        mirrored = {i for i, route in enumerate(routes) if route.get("mirror") and route.get("name") in entry.selection.managed}
        meant = mirrored.union(selected) if protocol == "http" else set(selected)
        spec[protocol] = [reweighted(r, entry.sides, shares, entry.ref.namespace) if i in meant else r for i, r in enumerate(routes)]
    return spec


def _mark(wanted: Manifest, entry: RoutedService, traffic: Traffic, made: Mapping[str, Made]) -> Manifest | None:
    """What is on record; nothing when the object holds nothing of ours."""
    experiments = tuple(sorted(destination.service for destination in traffic.additional))
    if not traffic.weight and not experiments and not any(entry.managed(wanted)):
        return None
    listed = listed_in(entry.selection.config)
    managed = entry.selection.managed
    return Record(sides=entry.sides, listed=listed, managed=managed, experiments=experiments, made=made).mark


def notices(before: Manifest, after: Manifest, entry: RoutedService, traffic: Traffic) -> Iterator[Notice]:
    """What people are told of a write, in the reference's words (contract 9.3 "Events")."""
    if before.get("spec") == after.get("spec"):
        return
    name, told = entry.ref.name, False
    for kind, step in (("headerRoute", traffic.header_route), ("mirrorRoute", traffic.mirror_route)):
        if step is not None and _routes(before, step.name) != _routes(after, step.name):
            told = True
            yield Notice(UPDATED, f"VirtualService `{name}` set {kind} '{step.name}'")
    if traffic.drop_managed_routes and any(entry.managed(before)):
        told = True
        yield Notice(UPDATED, f"VirtualService `{name}` removed all managed routes.")
    if not told or entry.weight(before) != entry.weight(after):
        yield Notice(UPDATED, f"VirtualService `{name}` set to desiredWeight '{traffic.weight}'")


def _routes(manifest: Manifest, name: str) -> list[Manifest]:
    return [route for route in (manifest.get("spec") or {}).get("http") or [] if route.get("name") == name]


def carried_over(desired: Manifest, live: Manifest, entry: RoutedService) -> Manifest:
    """What Git asks for with the weights, managed routes and mark in force, however Git orders, names and spells its routes."""
    record = record_of(live, entry.owner)
    entry = replace(entry, sides=replace(entry.sides, host=entry.sides.host or (record.sides.host if record else "")))
    spec, former = dict(desired.get("spec") or {}), live.get("spec") or {}
    managed = {*entry.selection.managed, *(record.made if record else ())}
    if spec.get("http"):
        spec["http"] = [route for route in spec["http"] if route.get("name") not in managed]
    known = entry.selection.likely(former, entry.sides)
    chosen = entry.selection.likely(spec, entry.sides)
    for protocol, selected in chosen.items():
        living = [(former[protocol][index]) for index in known.get(protocol, ())] or list(entry.selected(live))
        routes = spec.get(protocol) or []
        spec[protocol] = [_weighted(r, living, entry.sides) if i in selected else r for i, r in enumerate(routes)]
    if "http" in spec or former.get("http"):
        spec["http"] = _with_managed(spec.get("http") or [], former.get("http") or [], chosen.get("http", ()), (entry, record))
    kept = {key: value for key, value in spec.items() if value or key in (desired.get("spec") or {})}
    return carried({**desired, "spec": kept}, live)


def _weighted(route: Manifest, living: Sequence[Manifest], sides: Sides) -> Manifest:
    """With the weights of the live route of this name, or else of any: all of ours weigh the same."""
    counterpart = next((known for known in living if route.get("name") and known.get("name") == route["name"]), None)
    counterpart = counterpart or next(iter(living), None)
    return as_live(route, counterpart, sides) if counterpart else route


def _with_managed(
    routes: list[Manifest], living: Sequence[Manifest], selected: Sequence[int], known: tuple[RoutedService, Record | None]
) -> list[Manifest]:
    """Routes on record are made anew of what Git says now; others that are managed keep their place on top."""
    entry, record = known
    made = record.made if record and selected else {}
    try:
        placed = entry.generator.placed(routes, selected, made)
    except Terminal:  # conditions that Git's new route excludes: the live ones stay until the controller says so
        made, placed = {}, routes
    names = {*entry.selection.managed, *(record.made if record else ())} - made.keys()
    return [*(route for route in living if route.get("name") in names), *placed]


def returned(found: Manifest, owner: Owner) -> Manifest:
    """The VirtualService without anything of this Rollout; the same object when there is nothing."""
    record = record_of(found, owner)
    if record is None:
        return with_mark(found, owner, None)
    spec = given_back(found.get("spec") or {}, record)
    return with_mark({**found, "spec": spec}, owner, None)


def misleading(found: Manifest | None, entry: RoutedService) -> Iterator[str]:
    """Hosts that do not mean what they seem to: Istio looks a short name up beside the VirtualService and completes no other."""
    for route in entry.selected(found):
        for destination in route.get("route") or []:
            host = host_of(destination)
            labels = host.split(".")
            whole = f"{labels[0]}.{entry.sides.namespace}.svc.cluster.local"
            if entry.sides.side(destination) and len(labels) == 1 and found and namespace_of(found) != entry.sides.namespace:
                yield f"host {host} is looked up in namespace {namespace_of(found)}: write {whole}"
            elif entry.sides.side(destination) and len(labels) == 2:
                yield f"host {host} is completed by no mesh: write {whole}"

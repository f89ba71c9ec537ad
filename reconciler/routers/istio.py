"""Istio: weights and managed routes in VirtualServices, versions in a DestinationRule's subsets (contract 9.3)."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from reconciler.kernel.errors import Terminal
from reconciler.kernel.identity import Manifest, ObjectRef, name_of
from reconciler.kernel.resources import DESTINATION_RULES, VIRTUAL_SERVICES
from reconciler.rollouts.traffic.model import Traffic
from reconciler.rollouts.traffic.router import InForce, Live, Notice, Routing, Services
from reconciler.routers.istio_routes import Selection, Sides, canary_weight, http_routes, reweighted, shares_of
from reconciler.routers.istio_subsets import all_hashes, subset_hash, switched, with_experiments

EITHER = "either VirtualService or VirtualServices must be configured"


@dataclass(frozen=True, slots=True)
class _Mesh:
    """One configuration resolved against the live objects."""

    rule: ObjectRef | None
    live_rule: Manifest | None
    entries: tuple[tuple[ObjectRef, Selection], ...]
    sides: Sides


class Istio:
    """The router of `trafficRouting.istio`."""

    def needs(self, config: Manifest, namespace: str) -> tuple[ObjectRef, ...]:
        """Its VirtualServices, in any namespace, and its DestinationRule, in the Rollout's."""
        rule = _rule_ref(config, namespace)
        return (*(_service_ref(entry, namespace) for entry in _entries(config)), *((rule,) if rule else ()))

    def route(self, config: Manifest, services: Services, traffic: Traffic, live: Live) -> Routing:
        """The objects to write: subsets first, then weights, unless traffic must leave the old canary first (contract 9.1 item 3)."""
        if not _entries(config):
            return Routing(problem=EITHER)
        managed = tuple(dict.fromkeys((*traffic.managed_routes, *services.managed_routes)))
        mesh = _resolved(config, services, live, managed)
        weights = _weights(mesh, replace(traffic, managed_routes=managed), live)
        versions = _versions(mesh, config, services, traffic)
        if _leaves_first(mesh, traffic, live):
            return _joined(weights, versions)
        return versions if versions.problem else _joined(versions, weights)

    def in_force(self, config: Manifest, services: Services, live: Live) -> InForce:
        """The weights, managed routes and subset hashes in the live objects."""
        mesh = _resolved(config, services, live, services.managed_routes)
        rule = config.get("destinationRule") or {}
        return InForce(
            weight=_live_weight(mesh, live),
            managed_routes=tuple(dict.fromkeys(_live_managed_routes(mesh, live))),
            canary_hash=subset_hash(mesh.live_rule, rule.get("canarySubsetName", "")),
            stable_hash=subset_hash(mesh.live_rule, rule.get("stableSubsetName", "")),
            hashes=all_hashes(mesh.live_rule),
        )

    def validate(self, config: Manifest, services: Services, live: Live) -> str | None:
        """What contract 12.3 finds wrong with the VirtualServices."""
        if not _entries(config):
            return EITHER
        mesh = _resolved(config, services, live, services.managed_routes)
        for ref, selection in mesh.entries:
            found = live.get(ref)
            if found is None:
                return f'virtualservices.networking.istio.io "{ref.name}" not found'
            try:
                selection.indexes(found.get("spec") or {}, mesh.sides)
            except Terminal as error:
                return str(error)
        return None


def _entries(config: Manifest) -> list[Manifest]:
    """The VirtualServices of exactly one of the two ways to name them; none when both or neither is used."""
    one, several = config.get("virtualService"), config.get("virtualServices")
    if bool(one) == bool(several):
        return []
    return [one] if one else list(several or [])


def _service_ref(entry: Manifest, namespace: str) -> ObjectRef:
    """A name may say its namespace: `name.namespace`, with or without `.cluster.local`."""
    name, _, elsewhere = str(entry["name"]).removesuffix(".cluster.local").rpartition(".")
    return ObjectRef(VIRTUAL_SERVICES, elsewhere if name else namespace, name or elsewhere)


def _rule_ref(config: Manifest, namespace: str) -> ObjectRef | None:
    rule = config.get("destinationRule")
    return ObjectRef(DESTINATION_RULES, namespace, rule["name"]) if rule else None


def _resolved(config: Manifest, services: Services, live: Live, managed: tuple[str, ...]) -> _Mesh:
    rule, ref = config.get("destinationRule") or {}, _rule_ref(config, services.namespace)
    live_rule = live.get(ref) if ref else None
    canary, stable = services.pair
    sides = Sides(
        canary=canary,
        stable=stable,
        canary_subset=rule.get("canarySubsetName") or "",
        stable_subset=rule.get("stableSubsetName") or "",
        other_subsets=frozenset(rule.get("additionalSubsetNames") or ()),
        host=str(((live_rule or {}).get("spec") or {}).get("host", "")),
    )
    entries = tuple((_service_ref(entry, services.namespace), Selection(entry, managed)) for entry in _entries(config))
    return _Mesh(ref, live_rule, entries, sides)


def _weights(mesh: _Mesh, traffic: Traffic, live: Live) -> Routing:
    """Every VirtualService for this traffic; one that is wrong does not keep the others from being written."""
    parts = [_weighted(ref, selection, mesh.sides, traffic, live.get(ref)) for ref, selection in mesh.entries]
    return _joined(*parts)


def _weighted(ref: ObjectRef, selection: Selection, sides: Sides, traffic: Traffic, found: Manifest | None) -> Routing:
    if found is None:
        return _missing(ref, "VirtualServiceNotFound")
    try:
        wanted = _with_weight(found, selection, sides, traffic)
    except Terminal as error:
        return Routing(problem=f"{ref}: {error}")
    if wanted is found:
        return Routing()
    return Routing((wanted,), (Notice("Updated VirtualService", f"VirtualService `{ref.name}` set to desiredWeight '{traffic.weight}'"),))


def _with_weight(found: Manifest, selection: Selection, sides: Sides, traffic: Traffic) -> Manifest:
    """The VirtualService for this traffic; the same object when it is that already. Terminal when its routes do not fit."""
    before = found.get("spec") or {}
    spec = dict(before)
    if traffic.drop_managed_routes and spec.get("http"):
        spec["http"] = [route for route in spec["http"] if route.get("name", "") not in traffic.managed_routes]
    chosen = selection.indexes(spec, sides)
    if "http" not in chosen and (traffic.header_route or traffic.mirror_route):
        raise Terminal("header and mirror routes need an HTTP route of the rollout in the VirtualService")
    for protocol, selected in chosen.items():
        routes = spec[protocol]
        if protocol == "http":
            spec[protocol] = http_routes(routes, selected, sides, traffic)
            continue
        shares = shares_of(traffic)
        spec[protocol] = [reweighted(route, sides, shares) if index in selected else route for index, route in enumerate(routes)]
    return found if spec == before else {**found, "spec": spec}


def _versions(mesh: _Mesh, config: Manifest, services: Services, traffic: Traffic) -> Routing:
    """The DestinationRule whose subsets select the versions of this traffic."""
    if mesh.rule is None:
        return Routing()
    if mesh.live_rule is None:
        return _missing(mesh.rule, "DestinationRuleNotFound")
    rule = config["destinationRule"]
    experiments = {destination.service: destination.hash for destination in traffic.additional}
    named = {rule.get("canarySubsetName"): traffic.canary_hash, rule.get("stableSubsetName"): traffic.stable_hash}
    hashes = {**experiments, **{name: hash for name, hash in named.items() if name}}
    wanted = with_experiments(switched(mesh.live_rule, services.rollout, hashes, tuple(mesh.sides.other_subsets)), experiments)
    if wanted is mesh.live_rule:
        return Routing()
    if services.unavailable and not (services.canary or services.stable):
        return Routing(problem=f"delaying destination rule switch: ReplicaSet {services.unavailable} not fully available")
    message = f"DestinationRule `{name_of(wanted)}` subsets: canary {traffic.canary_hash or 'none'}, stable {traffic.stable_hash or 'none'}"
    return Routing((wanted,), (Notice("UpdatedDestinationRule", message),))


def _missing(ref: ObjectRef, reason: str) -> Routing:
    message = f"{ref.resource.kind} `{ref.name}` not found"
    return Routing(events=(Notice(reason, message, warning=True),), problem=message)


def _joined(*parts: Routing) -> Routing:
    """All writes and events in order, and the first problem."""
    return Routing(
        tuple(write for part in parts for write in part.writes),
        tuple(event for part in parts for event in part.events),
        next((part.problem for part in parts if part.problem), None),
    )


def _leaves_first(mesh: _Mesh, traffic: Traffic, live: Live) -> bool:
    """Traffic goes to zero while another version than stable shall take the canary's name: no request may meet that one early.

    At promotion both names mean the new version, and re-pointing comes first: else all requests would meet the old one for a moment.
    """
    return traffic.weight == 0 and traffic.canary_hash != traffic.stable_hash and bool(_live_weight(mesh, live))


def _live_weight(mesh: _Mesh, live: Live) -> int | None:
    return max((canary_weight(route, mesh.sides) for route in _live_routes(mesh, live)), default=None)


def _live_routes(mesh: _Mesh, live: Live) -> Iterator[Manifest]:
    for ref, selection in mesh.entries:
        spec = (live.get(ref) or {}).get("spec") or {}
        try:
            selected = selection.indexes(spec, mesh.sides)
        except Terminal:
            continue  # routes that cannot be told apart carry no weight that we could name; `validate` says so
        yield from (spec[protocol][index] for protocol, indexes in selected.items() for index in indexes)


def _live_managed_routes(mesh: _Mesh, live: Live) -> Iterator[str]:
    for ref, selection in mesh.entries:
        routes = ((live.get(ref) or {}).get("spec") or {}).get("http") or []
        yield from (route["name"] for route in routes if route.get("name") in selection.managed)

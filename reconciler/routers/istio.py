"""Istio: weights and managed routes in VirtualServices, versions in a DestinationRule's subsets (contract 9.3)."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from reconciler.kernel.errors import Terminal
from reconciler.kernel.identity import Manifest, ObjectRef, name_of, namespace_of
from reconciler.kernel.plan import Action, Replace
from reconciler.kernel.problem import Problem, invalid
from reconciler.kernel.resources import DESTINATION_RULES, VIRTUAL_SERVICES
from reconciler.rollouts.traffic.model import HeaderRoute, MirrorRoute, Traffic
from reconciler.rollouts.traffic.router import Features, InForce, Live, Needs, Notice, Owner, RoutesAsked, Routing, Services
from reconciler.routers.istio_matches import refusal
from reconciler.routers.istio_routes import RoutedService, carried_over, misleading, notices, returned, with_traffic
from reconciler.routers.istio_selection import Selection
from reconciler.routers.istio_sides import Sides
from reconciler.routers.istio_subsets import all_hashes, carried_hashes, released, switched, with_experiments

EITHER = "either VirtualService or VirtualServices must be configured"
SERVICES = "Canary service and Stable service must to be set to use Traffic Routing"
WEIGHTS = (".spec.http[]?.route[]?.weight", ".spec.tls[]?.route[]?.weight", ".spec.tcp[]?.route[]?.weight")
SHAPES = {
    "istio": "virtualService:IstioService virtualServices[]:IstioService destinationRule:IstioRule",
    "IstioService": "name:text routes[] tlsRoutes[]:IstioTls tcpRoutes[]:IstioTcp",
    "IstioTls": "port sniHosts[]",
    "IstioTcp": "port",
    "IstioRule": "name:text canarySubsetName:text stableSubsetName:text additionalSubsetNames[]",
}
HASHES = ('.spec.subsets[]?.labels."rollouts-pod-template-hash"',)


@dataclass(frozen=True, slots=True)
class _Mesh:
    """One configuration resolved against the live objects."""

    rule: ObjectRef | None
    live_rule: Manifest | None
    entries: tuple[RoutedService, ...]
    sides: Sides


class Istio:
    """The router of `trafficRouting.istio`."""

    features = Features(
        header=True, mirror=True, ping_pong=True, experiments=True, shared_fields={"VirtualService": WEIGHTS, "DestinationRule": HASHES}
    )
    kinds = (VIRTUAL_SERVICES, DESTINATION_RULES)
    shapes = SHAPES

    def needs(self, config: Manifest, services: Services) -> Needs:
        """Its VirtualServices, in any namespace, and its DestinationRule, in the Rollout's."""
        rule = _rule_ref(config, services.namespace)
        return Needs((*(_service_ref(entry, services.namespace) for entry in _entries(config)), *((rule,) if rule else ())))

    def route(self, config: Manifest, services: Services, traffic: Traffic, live: Live) -> Routing:
        """The objects to write: subsets first, then weights, unless traffic must leave the old canary first (contract 9.1 item 3)."""
        if not _entries(config):
            return Routing(problem=EITHER)
        managed = tuple(dict.fromkeys((*traffic.managed_routes, *services.managed_routes)))
        whose = services if managed == services.managed_routes else replace(services, managed_routes=managed)
        mesh = _resolved(config, whose, live)
        weights = _joined(*(_weighted(entry, traffic, live.get(entry.ref)) for entry in mesh.entries))
        versions = _versions(mesh, config, services, traffic)
        if _leaves_first(mesh, traffic, live):
            return _joined(weights, versions)
        return versions if versions.problem else _joined(versions, weights)

    def release(self, owner: Owner, live: Live) -> tuple[Action, ...]:
        """Weights at home, routes and marks gone; then the labels of the DestinationRule (contract 9.3 "Clean-up")."""
        found = ((ref, manifest) for kind in self.kinds for ref, manifest in live.items() if ref.resource == kind and manifest)
        given = ((ref, manifest, _without(ref, manifest, owner)) for ref, manifest in found)
        return tuple(Replace(ref.resource, clean) for ref, manifest, clean in given if clean != manifest)

    def problems(self, config: Manifest, asked: RoutesAsked) -> Iterator[Problem]:
        """Services that are missing (contract 12.2), and conditions that Istio's admission would refuse in the middle of a release."""
        if not _rule(config) and not asked.ping_pong and not (asked.canary and asked.stable):
            yield invalid(f"spec.strategy.{'canaryService' if asked.stable else 'stableService'}", "", SERVICES)
        for field, route in asked.routes:
            yield from _refused(field, route)

    def in_force(self, config: Manifest, services: Services, live: Live) -> InForce:
        """The weights, managed routes and subset hashes in the live objects."""
        mesh = _resolved(config, services, live)
        weights = [weight for entry in mesh.entries if (weight := entry.weight(live.get(entry.ref))) is not None]
        routes = (name for entry in mesh.entries for name in entry.managed(live.get(entry.ref)))
        return InForce(
            weight=max(weights, default=None),
            managed_routes=tuple(dict.fromkeys(routes)),
            hashes=all_hashes(mesh.live_rule),
            subject=", ".join(str(entry.get("name", "")) for entry in _written(config)),
            problem=_reference_problem(mesh, live) if mesh.entries else EITHER,
            warnings=tuple(dict.fromkeys(word for entry in mesh.entries for word in misleading(live.get(entry.ref), entry))),
        )

    def carry(self, config: Manifest, services: Services, desired: Manifest, live: Manifest) -> Manifest:
        """Weights and managed routes of its VirtualServices, hashes of its DestinationRule."""
        kind, place = desired.get("kind"), (namespace_of(desired), name_of(desired))
        mesh = _resolved(config, services, {})
        if kind == DESTINATION_RULES.kind and mesh.rule is not None and place == (mesh.rule.namespace, mesh.rule.name):
            return carried_hashes(desired, live)
        for entry in mesh.entries if kind == VIRTUAL_SERVICES.kind else ():
            if place == (entry.ref.namespace, entry.ref.name):
                desired = carried_over(desired, live, entry)
        return desired


def _written(config: Manifest) -> list[Manifest]:
    several = config.get("virtualServices")
    found = (config.get("virtualService"), *(several if isinstance(several, list) else ()))
    return [entry for entry in found if isinstance(entry, dict) and entry.get("name")]


def _rule(config: Manifest) -> Manifest:
    rule = config.get("destinationRule")
    return rule if isinstance(rule, dict) and rule.get("name") else {}


def _entries(config: Manifest) -> list[Manifest]:
    """The VirtualServices of exactly one of the two ways to name them; none when both or neither is used."""
    one, several = config.get("virtualService"), config.get("virtualServices")
    return _written(config) if bool(one) != bool(several) else []  # an entry without a name is none


def _service_ref(entry: Manifest, namespace: str) -> ObjectRef:
    """A name may say its namespace: `name.namespace`, with or without `.svc` and `.cluster.local`."""
    short = str(entry.get("name", "")).removesuffix(".cluster.local")
    whole = short.removesuffix(".svc")
    name, _, elsewhere = (whole if "." in whole else short).rpartition(".")
    return ObjectRef(VIRTUAL_SERVICES, elsewhere if name else namespace, name or elsewhere)


def _rule_ref(config: Manifest, namespace: str) -> ObjectRef | None:
    rule = _rule(config)
    return ObjectRef(DESTINATION_RULES, namespace, str(rule.get("name", ""))) if rule else None


def _resolved(config: Manifest, services: Services, live: Live) -> _Mesh:
    rule, ref = _rule(config), _rule_ref(config, services.namespace)
    live_rule = live.get(ref) if ref else None
    canary, stable = services.pair
    sides = Sides(
        canary=canary,
        stable=stable,
        canary_subset=rule.get("canarySubsetName") or "",
        stable_subset=rule.get("stableSubsetName") or "",
        other_subsets=frozenset(rule.get("additionalSubsetNames") or ()),
        host=str(((live_rule or {}).get("spec") or {}).get("host", "")),
        namespace=services.namespace,
    )

    def entry_of(entry: Manifest) -> RoutedService:
        selection = Selection(entry, services.managed_routes)
        return RoutedService(_service_ref(entry, services.namespace), selection, sides, services.owner, services.plain_routes)

    return _Mesh(ref, live_rule, tuple(map(entry_of, _entries(config))), sides)


def _reference_problem(mesh: _Mesh, live: Live) -> str | None:
    """What contract 12.3 finds wrong with the VirtualServices."""
    for entry in mesh.entries:
        found = live.get(entry.ref)
        if found is None:
            return f'virtualservices.networking.istio.io "{entry.ref.name}" not found'
        try:
            entry.selection.indexes(found.get("spec") or {}, mesh.sides)
        except Terminal as error:
            return str(error)
    return None


def _refused(field: str, route: HeaderRoute | MirrorRoute) -> Iterator[Problem]:
    if isinstance(route, HeaderRoute):
        for index, match in enumerate(route.matches):
            values = {"exact": match.exact, "prefix": match.prefix, "regex": match.regex}
            yield from (invalid(f"{field}.match[{index}].headerValue.{kind}", text, why) for kind, text, why in refusal(values))
        return
    for index, block in enumerate(route.matches):
        headers = block.get("headers")
        named = {f"headers.{name}": value for name, value in headers.items()} if isinstance(headers, dict) else {}
        for part, value in (named | {part: block.get(part) for part in ("method", "path")}).items():
            found = refusal(value) if isinstance(value, dict) else ()
            yield from (invalid(f"{field}.match[{index}].{part}.{kind}", text, why) for kind, text, why in found)


def _weighted(entry: RoutedService, traffic: Traffic, found: Manifest | None) -> Routing:
    """One VirtualService; one that is wrong does not keep the others from being written."""
    if found is None:
        return _missing(entry.ref, "VirtualServiceNotFound")
    try:
        wanted = with_traffic(found, entry, traffic)
    except Terminal as error:
        return Routing(problem=f"{entry.ref}: {error}")
    if wanted is found:
        return Routing()
    return Routing((Replace(VIRTUAL_SERVICES, wanted),), tuple(notices(found, wanted, entry, traffic)))


def _without(ref: ObjectRef, manifest: Manifest, owner: Owner) -> Manifest:
    if ref.resource == VIRTUAL_SERVICES:
        return returned(manifest, owner)
    return released(manifest, owner.name) if ref.namespace == owner.namespace else manifest


def _versions(mesh: _Mesh, config: Manifest, services: Services, traffic: Traffic) -> Routing:
    """The DestinationRule whose subsets select the versions of this traffic."""
    if mesh.rule is None:
        return Routing()
    if mesh.live_rule is None:
        return _missing(mesh.rule, "DestinationRuleNotFound")
    rule = _rule(config)
    experiments = {destination.service: destination.hash for destination in traffic.additional}
    named = {rule.get("canarySubsetName"): traffic.canary_hash, rule.get("stableSubsetName"): traffic.stable_hash}
    hashes = {**experiments, **{name: hash for name, hash in named.items() if name}}
    wanted = with_experiments(switched(mesh.live_rule, services.rollout, hashes, tuple(mesh.sides.other_subsets)), experiments)
    if wanted is mesh.live_rule:
        return Routing()
    if services.unavailable and not (services.canary or services.stable):
        return Routing(problem=f"delaying destination rule switch: ReplicaSet {services.unavailable} not fully available")
    message = f"DestinationRule `{name_of(wanted)}` subsets: canary {traffic.canary_hash or 'none'}, stable {traffic.stable_hash or 'none'}"
    return Routing((Replace(DESTINATION_RULES, wanted),), (Notice("UpdatedDestinationRule", message),))


def _missing(ref: ObjectRef, reason: str) -> Routing:
    message = f"{ref.resource.kind} `{ref.name}` not found"
    return Routing(events=(Notice(reason, message, warning=True),), problem=message)


def _joined(*parts: Routing) -> Routing:
    """All writes and events in order, and the first problem."""
    return Routing(
        tuple(action for part in parts for action in part.actions),
        tuple(event for part in parts for event in part.events),
        next((part.problem for part in parts if part.problem), None),
    )


def _leaves_first(mesh: _Mesh, traffic: Traffic, live: Live) -> bool:
    """Traffic goes to zero while another version than stable shall take the canary's name: no request may meet that one early.

    At promotion both names mean the new version, and re-pointing comes first: else all requests would meet the old one for a moment.
    """
    moving = traffic.weight == 0 and traffic.canary_hash != traffic.stable_hash
    return moving and any(entry.weight(live.get(entry.ref)) for entry in mesh.entries)

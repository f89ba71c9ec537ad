"""Gateway API: the backend weights of HTTPRoutes, GRPCRoutes, TCPRoutes and TLSRoutes, and rules for tagged requests.

The configuration is that of the reference's plugin `argoproj-labs/gatewayAPI` (contract 9.11), so that its manifests work as they are.
Objects: gateway-api.sigs.k8s.io/reference/spec. Google Cloud, Envoy Gateway, Contour, Cilium and others carry them out.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from reconciler.kernel.identity import Manifest, ObjectRef, Resource, name_of, namespace_of
from reconciler.kernel.plan import Action, Replace
from reconciler.kernel.problem import Problem, invalid, required
from reconciler.kernel.shapes import Shapes
from reconciler.rollouts.traffic.marks import carried, mark_of, with_mark
from reconciler.rollouts.traffic.model import HeaderMatch, HeaderRoute, Traffic
from reconciler.rollouts.traffic.router import PLUGINS, Features, InForce, Live, Needs, Notice, Owner, RoutesAsked, Routing, Services
from reconciler.routers.tags import tags_of, wanted_tags

GROUP = "gateway.networking.k8s.io"
HTTP_ROUTES = Resource(GROUP, "v1", "httproutes", "HTTPRoute", optional=True)
GRPC_ROUTES = Resource(GROUP, "v1", "grpcroutes", "GRPCRoute", optional=True)
TCP_ROUTES = Resource(GROUP, "v1alpha2", "tcproutes", "TCPRoute", optional=True)
TLS_ROUTES = Resource(GROUP, "v1alpha2", "tlsroutes", "TLSRoute", optional=True)
NAMED: Mapping[str, Resource] = {"httpRoute": HTTP_ROUTES, "grpcRoute": GRPC_ROUTES, "tcpRoute": TCP_ROUTES, "tlsRoute": TLS_ROUTES}
"""The kinds by the key that names one of them; with an `s` the key of a list of `{name}`."""
TAGGABLE = (HTTP_ROUTES.kind, GRPC_ROUTES.kind)
PLUGIN = "argoproj-labs/gatewayAPI"
FIELD = f"spec.strategy.canary.trafficRouting.{PLUGINS}.{PLUGIN}"
UNNAMED = "no route is named: set httpRoute, httpRoutes, grpcRoutes, tcpRoutes or tlsRoutes"
SERVICES = "Canary service and Stable service must to be set to use Traffic Routing"
MOST_MATCHES = 64
"""How many matches a rule may have."""
UNSAID = 1
"""The weight of a backend that none is written for."""


@dataclass(frozen=True, slots=True)
class _Pair:
    """Between which Services the weights go, and how many there are in all."""

    canary: str
    stable: str
    maximum: int = 100

    def weights(self, canary: int) -> Mapping[str, int]:
        return {self.canary: canary, self.stable: self.maximum - canary}


class GatewayApi:
    """The router of `trafficRouting.plugins."argoproj-labs/gatewayAPI"`: every rule that leads to both Services is the Rollout's."""

    features = Features(
        header=True, maximum=True, shared_fields={kind.kind: (".spec.rules[]?.backendRefs[]?.weight",) for kind in NAMED.values()}
    )
    kinds = tuple(NAMED.values())
    shapes: ClassVar[Shapes] = {
        f"{PLUGINS}.{PLUGIN}": "namespace:text " + " ".join(f"{key}:text {key}s[]:NamedRoute" for key in NAMED) + " configMap:text"
        " disableInProgressLabel inProgressLabelKey:text inProgressLabelValue:text skipManagedRouteCleanup",
        "NamedRoute": "name:text useHeaderRoutes ...",
    }

    def needs(self, config: Manifest, services: Services) -> Needs:
        return Needs(_named(config, services.namespace))

    def route(self, config: Manifest, services: Services, traffic: Traffic, live: Live) -> Routing:
        """One write a route object that is not as wanted yet; none of them while one is missing or leads elsewhere."""
        refs = _named(config, services.namespace)
        problem = UNNAMED if not refs else next(filter(None, (_trouble(ref, live.get(ref), services) for ref in refs)), None)
        if problem is not None:
            return Routing(events=(Notice("RouteNotUsable", problem, warning=True),), problem=problem)
        found = [(ref, manifest) for ref in refs if (manifest := live.get(ref)) is not None]
        wanted = [(ref, manifest, _routed(manifest, services, traffic)) for ref, manifest in found]
        crowded = next((ref for ref, _before, after in wanted if _crowded(after)), None)
        if crowded is not None:
            return Routing(problem=f"{crowded.resource.kind} `{crowded.name}`: a rule would have more than {MOST_MATCHES} matches")
        changed = [(ref, after) for ref, before, after in wanted if after != before]
        told = (Notice(f"Updated{ref.resource.kind}", f"{ref.name} set to desiredWeight '{traffic.weight}'") for ref, _ in changed)
        return Routing(tuple(Replace(ref.resource, after) for ref, after in changed), tuple(told))

    def release(self, owner: Owner, live: Live) -> tuple[Action, ...]:
        """Weights at home, no rule of ours and no mark, wherever one of this Rollout stands."""
        given = ((ref, found, _returned(found, owner)) for ref, found in live.items() if found)
        return tuple(Replace(ref.resource, clean) for ref, found, clean in given if clean is not found)

    def problems(self, config: Manifest, asked: RoutesAsked) -> Iterator[Problem]:
        """No route, missing Services, and tags where no route can tell requests apart."""
        refs = _named(config, "")
        if not refs:
            yield required(FIELD, UNNAMED)
        if not (asked.canary and asked.stable):
            yield invalid(f"spec.strategy.{'canaryService' if asked.stable else 'stableService'}", "", SERVICES)
        if refs and not any(ref.resource.kind in TAGGABLE for ref in refs):
            for field, route in asked.routes:
                yield invalid(field, route.name, "TCPRoutes and TLSRoutes know no headers: name an HTTPRoute or a GRPCRoute too")

    def in_force(self, config: Manifest, services: Services, live: Live) -> InForce:
        """The largest weight of the canary in any rule; the managed routes whose rules are there."""
        refs = _named(config, services.namespace)
        if not refs:
            return InForce(problem=UNNAMED)
        troubled = next(((ref, words) for ref in refs if (words := _trouble(ref, live.get(ref), services))), None)
        found = [manifest for ref in refs if (manifest := live.get(ref)) is not None]
        pair = _Pair(services.canary, services.stable)
        weights = [share for manifest in found for share in _shares(manifest, pair)]
        tagged = [name for manifest in found for name in _tags_in_force(manifest, services.owner)]
        return InForce(
            weight=max(weights, default=None),
            managed_routes=tuple(dict.fromkeys(tagged)),
            subject=troubled[0].name if troubled else refs[0].name,
            problem=troubled[1] if troubled else None,
        )

    def carry(self, config: Manifest, services: Services, desired: Manifest, live: Manifest) -> Manifest:
        """The weights, the rules for tagged requests and the mark as they live."""
        place = (str(desired.get("kind")), namespace_of(desired), name_of(desired))
        if place not in [(ref.resource.kind, ref.namespace, ref.name) for ref in _named(config, services.namespace)]:
            return desired
        pair = _Pair(services.canary, services.stable)
        ours = next((rule for rule in _rules(live) if _is_ours(rule, live, pair)), {})
        leading = {name: _leading(ours, live, name) for name in (pair.canary, pair.stable)}
        shares = {name: _weight(backs[0]) for name, backs in leading.items() if backs}
        wanted = _weighted(desired, pair, shares)
        return carried(_tagged(wanted, pair, tags_of(mark_of(live, services.owner))), live)


def _named(config: Manifest, namespace: str) -> tuple[ObjectRef, ...]:
    home = config.get("namespace")
    home = home if isinstance(home, str) and home else namespace
    found = (ObjectRef(kind, home, name) for key, kind in NAMED.items() for name in _names(config, key))
    return tuple(dict.fromkeys(found))


def _names(config: Manifest, key: str) -> Iterator[str]:
    single, several = config.get(key), config.get(f"{key}s")
    if isinstance(single, str) and single:
        yield single
    for item in several if isinstance(several, list) else ():
        name = item.get("name") if isinstance(item, dict) else None
        if isinstance(name, str) and name:
            yield name


def _trouble(ref: ObjectRef, found: Manifest | None, services: Services) -> str | None:
    """What keeps a route from being used, in words."""
    if found is None:
        return f"{ref.resource.kind} `{ref.name}` not found in namespace {ref.namespace}"
    if not any(_is_ours(rule, found, _Pair(services.canary, services.stable)) for rule in _rules(found)):
        names = f"{services.canary} and {services.stable}"
        return f"{ref.resource.kind} `{ref.name}`: no rule has backendRefs to both Services {names}: add them to the rule to split"
    return None


def _routed(manifest: Manifest, services: Services, traffic: Traffic) -> Manifest:
    """The route as wanted, with a mark while it holds anything of the Rollout."""
    pair = _Pair(services.canary, services.stable, traffic.maximum)
    before = tags_of(mark_of(manifest, services.owner))
    tags = wanted_tags(before, traffic, _conditions) if manifest.get("kind") in (*TAGGABLE, None) else {}
    clean = _returned(manifest, services.owner)
    wanted = _tagged(_weighted(clean, pair, pair.weights(traffic.weight)), pair, tags)
    mark = {"canary": pair.canary, "stable": pair.stable, "maximum": pair.maximum, "tags": tags} if traffic.weight or tags else None
    return with_mark(wanted, services.owner, mark)


def _conditions(route: HeaderRoute) -> list[Manifest]:
    return [_condition(match) for match in route.matches]


def _condition(match: HeaderMatch) -> Manifest:
    """One header condition; a prefix is a regular expression here."""
    if match.exact is not None:
        return {"type": "Exact", "name": match.name, "value": match.exact}
    pattern = match.regex if match.regex is not None else f"{re.escape(match.prefix or '')}.*"
    return {"type": "RegularExpression", "name": match.name, "value": pattern}


def _tagged(manifest: Manifest, pair: _Pair, tags: Mapping[str, list[Manifest]]) -> Manifest:
    """The route with a rule for each managed route before every rule of ours, which it stands for but for its way."""
    if not tags:
        return manifest
    rules: list[Any] = []
    for rule in manifest["spec"]["rules"]:
        if _is_ours(rule, manifest, pair):
            rules += [_stands_for(rule, manifest, pair, conditions) for conditions in tags.values()]
        rules.append(rule)
    return _with_rules(manifest, rules)


def _stands_for(rule: Manifest, manifest: Manifest, pair: _Pair, conditions: list[Manifest]) -> Manifest:
    matches = [match for match in rule.get("matches") or [{}] if isinstance(match, dict)]
    both = [{**match, "headers": [*(match.get("headers") or []), condition]} for match in matches for condition in conditions]
    backs = [{**back, "weight": UNSAID} for back in _leading(rule, manifest, pair.canary)]
    return {**{key: value for key, value in rule.items() if key != "name"}, "matches": both, "backendRefs": backs}


def _shares(manifest: Manifest, pair: _Pair) -> list[int]:
    """The weights of the canary in the rules of ours."""
    ours = [rule for rule in _rules(manifest) if _is_ours(rule, manifest, pair)]
    return [_weight(back) for rule in ours for back in _leading(rule, manifest, pair.canary)]


def _tags_in_force(manifest: Manifest, owner: Owner) -> list[str]:
    """The managed routes on record, if their rules are there."""
    return list(tags_of(mark_of(manifest, owner))) if any(_is_tagged(rule, manifest, owner) for rule in _rules(manifest)) else []


def _is_tagged(rule: Any, manifest: Manifest, owner: Owner) -> bool:
    """True for a rule that was made for tagged requests: only the canary behind it, and a condition on record in each of its matches."""
    mark = mark_of(manifest, owner)
    if mark is None or not isinstance(rule, dict):
        return False
    known = [condition for tag in tags_of(mark_of(manifest, owner)).values() for condition in tag]
    backs, matches = _backs(rule), rule.get("matches")
    if not known or not backs or not isinstance(matches, list) or not matches:
        return False
    canary = str(mark.get("canary"))
    return all(_leads_to(back, manifest, canary) for back in backs) and all(
        isinstance(match, dict) and (match.get("headers") or [None])[-1] in known for match in matches
    )


def _returned(manifest: Manifest, owner: Owner) -> Manifest:
    """Without what is on record for this Rollout; the same object when nothing is."""
    mark = mark_of(manifest, owner)
    if mark is None:
        return manifest
    maximum = mark.get("maximum")
    pair = _Pair(str(mark.get("canary")), str(mark.get("stable")), maximum if isinstance(maximum, int) else 100)
    kept = [rule for rule in manifest["spec"]["rules"] if not _is_tagged(rule, manifest, owner)]
    return with_mark(_weighted(_with_rules(manifest, kept), pair, pair.weights(0)), owner, None)


def _weighted(manifest: Manifest, pair: _Pair, shares: Mapping[str, int]) -> Manifest:
    """The route with these weights by Service in every rule of ours; all else as it is."""

    def weighed(back: Any) -> Any:
        name = next((name for name in shares if isinstance(back, dict) and _leads_to(back, manifest, name)), None)
        return back if name is None else {**back, "weight": shares[name]}

    rules = [
        {**rule, "backendRefs": [weighed(back) for back in rule["backendRefs"]]} if _is_ours(rule, manifest, pair) else rule
        for rule in (manifest.get("spec") or {}).get("rules") or []
    ]
    return _with_rules(manifest, rules) if rules else manifest


def _with_rules(manifest: Manifest, rules: list[Any]) -> Manifest:
    return {**manifest, "spec": {**manifest["spec"], "rules": rules}}


def _rules(manifest: Manifest) -> list[Manifest]:
    spec = manifest.get("spec")
    rules = spec.get("rules") if isinstance(spec, dict) else None
    return [rule for rule in rules if isinstance(rule, dict)] if isinstance(rules, list) else []


def _is_ours(rule: Any, manifest: Manifest, pair: _Pair) -> bool:
    return isinstance(rule, dict) and all(_leading(rule, manifest, name) for name in (pair.canary, pair.stable))


def _leading(rule: Manifest, manifest: Manifest, service: str) -> list[Manifest]:
    return [back for back in _backs(rule) if _leads_to(back, manifest, service)]


def _backs(rule: Manifest) -> list[Manifest]:
    backs = rule.get("backendRefs")
    return [back for back in backs if isinstance(back, dict)] if isinstance(backs, list) else []


def _leads_to(back: Manifest, manifest: Manifest, service: str) -> bool:
    """True for a backend that is the core Service of this name in the route's own namespace."""
    home = namespace_of(manifest)
    found = (back.get("group") or "", back.get("kind") or "Service", back.get("namespace") or home, back.get("name"))
    return found == ("", "Service", home, service)


def _weight(back: Manifest) -> int:
    weight = back.get("weight")
    return weight if isinstance(weight, int) else UNSAID


def _crowded(manifest: Manifest) -> bool:
    return any(len(rule.get("matches") or ()) > MOST_MATCHES for rule in _rules(manifest))

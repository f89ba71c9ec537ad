"""APISIX: backend weights in the rules of an ApisixRoute, and an ApisixRoute of our own for tagged requests (contract 9.9)."""

import re
from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

from reconciler.kernel.identity import Manifest, ObjectRef, Resource, name_of, namespace_of
from reconciler.kernel.plan import Action, Create, Remove, Replace
from reconciler.kernel.problem import Problem, invalid, required
from reconciler.kernel.shapes import Shapes
from reconciler.rollouts.traffic.made import is_ours, made, not_ours, removals, was_made
from reconciler.rollouts.traffic.marks import carried, mark_of, with_mark
from reconciler.rollouts.traffic.model import HeaderMatch, HeaderRoute, Traffic
from reconciler.rollouts.traffic.router import Features, InForce, Live, Needs, Notice, Owner, RoutesAsked, Routing, Services
from reconciler.routers.tags import Tags, tags_of, wanted_tags

APISIX_ROUTES = Resource("apisix.apache.org", "v2", "apisixroutes", "ApisixRoute", optional=True)
FIELD = "spec.strategy.canary.trafficRouting.apisix"
UNNAMED = "route.name is not set: name the ApisixRoute that splits the traffic"
SERVICES = "Canary service and Stable service must to be set to use Traffic Routing"
WEIGHTS = (".spec.http[]?.backends[]?.weight",)
UNSAID = 100
"""The weight of a backend that none is written for."""


class Apisix:
    """The router of `trafficRouting.apisix`. Tagged requests have rules of a higher priority, in a route called as the managed route."""

    features = Features(header=True, shared_fields={APISIX_ROUTES.kind: WEIGHTS}, makes=(APISIX_ROUTES.kind,))
    kinds = (APISIX_ROUTES,)
    shapes: ClassVar[Shapes] = {"apisix": "route:ApisixNamed", "ApisixNamed": "name:text rules[]"}

    def needs(self, config: Manifest, services: Services) -> Needs:
        named = _named(config, services.namespace)
        return Needs(named, tuple(_tagged_ref(name, services) for name in services.managed_routes) if named else ())

    def route(self, config: Manifest, services: Services, traffic: Traffic, live: Live) -> Routing:
        """The routes for tagged requests first, then the weights; nothing while one of them cannot be written."""
        named = _named(config, services.namespace)
        problem = _trouble(config, services, live) if named else UNNAMED
        found = live.get(named[0]) if named else None
        if problem is not None or found is None:
            return Routing(events=(Notice("ApisixRouteNotUsable", str(problem), warning=True),), problem=problem)
        tags = wanted_tags(_known_tags(found, services, live), traffic, _conditions)
        taken = [ref for name in tags if (there := live.get(ref := _tagged_ref(name, services))) and not is_ours(there, services)]
        if taken:
            return Routing(problem=not_ours(taken[0], services))
        actions = [*_tagged(found, config, services, tags, live), *_untagged(services, tags, live)]
        wanted = _wanted(found, config, services, traffic, tags)
        if wanted == found:
            return Routing(tuple(actions))
        told = Notice("UpdatedApisixRoute", f"ApisixRoute `{name_of(found)}` set to desiredWeight '{traffic.weight}'")
        return Routing((*actions, Replace(APISIX_ROUTES, wanted)), (told,))

    def release(self, owner: Owner, live: Live) -> tuple[Action, ...]:
        """Weights at home and no mark; the routes for tagged requests go."""
        given = ((found, _returned(found, owner)) for found in live.values() if found)
        back = tuple(Replace(APISIX_ROUTES, clean) for found, clean in given if clean is not found)
        return (*removals(live, lambda found: was_made(found, owner)), *back)

    def problems(self, config: Manifest, asked: RoutesAsked) -> Iterator[Problem]:
        """A route that is not named, and Services that are missing (contract 12.2)."""
        if not _named(config, ""):
            yield required(f"{FIELD}.route.name", "name the ApisixRoute that splits the traffic")
        for field, route in asked.routes:
            if route.name == _route(config).get("name"):
                yield invalid(field, route.name, "is the name of the ApisixRoute itself: call the managed route otherwise")
        if not (asked.canary and asked.stable):
            yield invalid(f"spec.strategy.{'canaryService' if asked.stable else 'stableService'}", "", SERVICES)

    def in_force(self, config: Manifest, services: Services, live: Live) -> InForce:
        """The largest weight of the canary in the rules named; the managed routes whose own routes are there."""
        named = _named(config, services.namespace)
        if not named:
            return InForce(problem=UNNAMED)
        found = live.get(named[0]) or {}
        backs = (back for rule in _selected(found, config) for back in _backs(rule))
        weights = [_weight(back) for back in backs if back.get("serviceName") == services.canary]
        there = [name for name in services.managed_routes if (route := live.get(_tagged_ref(name, services))) and is_ours(route, services)]
        problem = _trouble(config, services, live)
        return InForce(weight=max(weights, default=None), managed_routes=tuple(there), subject=named[0].name, problem=problem)

    def carry(self, config: Manifest, services: Services, desired: Manifest, live: Manifest) -> Manifest:
        """The weights of both Services and the mark as they live."""
        place = (str(desired.get("kind")), namespace_of(desired), name_of(desired))
        if place not in [(ref.resource.kind, ref.namespace, ref.name) for ref in _named(config, services.namespace)]:
            return desired
        backs = [back for rule in _selected(live, config) for back in _backs(rule)]
        shares: dict[str, int] = {}
        for service in (services.canary, services.stable):
            found = [_weight(back) for back in backs if back.get("serviceName") == service]
            shares |= {service: found[0]} if found else {}
        return carried(_weighted(desired, _rules(config), shares), live)


def _route(config: Manifest) -> Manifest:
    route = config.get("route")
    return route if isinstance(route, dict) else {}


def _named(config: Manifest, namespace: str) -> tuple[ObjectRef, ...]:
    name = _route(config).get("name")
    return (ObjectRef(APISIX_ROUTES, namespace, name),) if isinstance(name, str) and name else ()


def _rules(config: Manifest) -> list[str]:
    """The names of the rules that carry the weights: those listed, else the one that is called like the route."""
    listed = _route(config).get("rules")
    return [str(name) for name in listed] if isinstance(listed, list) and listed else [str(_route(config).get("name"))]


def _tagged_ref(name: str, services: Services) -> ObjectRef:
    return ObjectRef(APISIX_ROUTES, services.namespace, name)


def _trouble(config: Manifest, services: Services, live: Live) -> str | None:
    """What keeps the route from being used, in words."""
    ref = _named(config, services.namespace)[0]
    found = live.get(ref)
    if found is None:
        return f'apisixroutes.apisix.apache.org "{ref.name}" not found'
    by_name = {rule.get("name"): rule for rule in _http(found)}
    for name in _rules(config):
        if name not in by_name:
            return f"ApisixRoute `{ref.name}`: spec.http has no rule called {name}: list the rules to split as route.rules"
        for service in (services.canary, services.stable):
            if not any(back.get("serviceName") == service for back in _backs(by_name[name])):
                return f"ApisixRoute `{ref.name}`: the backends of rule {name} name no Service {service}: add it"
    return None


def _http(manifest: Manifest) -> list[Manifest]:
    spec = manifest.get("spec")
    http = spec.get("http") if isinstance(spec, dict) else None
    return [rule for rule in http if isinstance(rule, dict)] if isinstance(http, list) else []


def _selected(manifest: Manifest, config: Manifest) -> list[Manifest]:
    return [rule for rule in _http(manifest) if rule.get("name") in _rules(config)]


def _backs(rule: Manifest) -> list[Manifest]:
    backs = rule.get("backends")
    return [back for back in backs if isinstance(back, dict)] if isinstance(backs, list) else []


def _weight(back: Manifest) -> int:
    weight = back.get("weight")
    return weight if isinstance(weight, int) else UNSAID


def _weighted(manifest: Manifest, rules: list[str], shares: Mapping[str, int]) -> Manifest:
    """The route with these weights by Service in these rules; the same object when it has them already."""

    def weighed(back: Any) -> Any:
        wanted = shares.get(str(back.get("serviceName"))) if isinstance(back, dict) else None
        return back if wanted is None or back.get("weight") == wanted else {**back, "weight": wanted}

    if not _http(manifest):
        return manifest
    spec = manifest["spec"]
    after = [
        {**rule, "backends": [weighed(back) for back in rule["backends"]]}
        if isinstance(rule, dict) and rule.get("name") in rules and _backs(rule)
        else rule
        for rule in spec["http"]
    ]
    return manifest if after == spec["http"] else {**manifest, "spec": {**spec, "http": after}}


def _wanted(found: Manifest, config: Manifest, services: Services, traffic: Traffic, tags: Tags) -> Manifest:
    """The route with the weights, and a mark while it holds anything of the Rollout."""
    shares = {services.canary: traffic.weight, services.stable: 100 - traffic.weight}
    held = {"canary": services.canary, "stable": services.stable, "rules": _rules(config), "tags": tags}
    wanted = _weighted(_returned(found, services.owner), _rules(config), shares)
    return with_mark(wanted, services.owner, held if traffic.weight or tags else None)


def _returned(manifest: Manifest, owner: Owner) -> Manifest:
    """Without what is on record for this Rollout; the same object when nothing is."""
    mark = mark_of(manifest, owner) or {}
    rules = mark.get("rules")
    if not isinstance(rules, list):  # nothing, or a route for tagged requests, which is not given back but removed
        return manifest
    home = {str(mark.get("canary")): 0, str(mark.get("stable")): 100}
    return with_mark(_weighted(manifest, rules, home), owner, None)


# ---- tagged requests ----


def _known_tags(base: Manifest, services: Services, live: Live) -> Tags:
    """The conditions on record: on the route itself, and on those for tagged requests where another writer took the first away."""
    own = [tags_of(mark_of(found, services.owner)) for name in services.managed_routes if (found := live.get(_tagged_ref(name, services)))]
    return {**{name: tag for tags in own for name, tag in tags.items()}, **tags_of(mark_of(base, services.owner))}


def _conditions(route: HeaderRoute) -> list[Manifest]:
    return [{"subject": {"scope": "Header", "name": match.name}, **_value(match)} for match in route.matches]


def _value(match: HeaderMatch) -> Manifest:
    if match.exact is not None:
        return {"op": "Equal", "value": match.exact}
    return {"op": "RegexMatch", "value": match.regex if match.regex is not None else f"^{re.escape(match.prefix or '')}.*"}


def _tagged(base: Manifest, config: Manifest, services: Services, tags: Tags, live: Live) -> Iterator[Action]:
    """A route for each managed route: the rules of ours with one of its conditions, the canary alone behind them, before all others."""
    for name, conditions in tags.items():
        ref = _tagged_ref(name, services)
        found = live.get(ref)
        new = {"apiVersion": APISIX_ROUTES.api_version, "kind": APISIX_ROUTES.kind, "metadata": {"name": name, "namespace": ref.namespace}}
        rules = [_for_tagged(rule, services, number, one) for rule in _selected(base, config) for number, one in enumerate(conditions)]
        spec = {key: value for key, value in base["spec"].items() if key != "stream"}
        wanted = made({**(found or new), "spec": {**spec, "http": rules}}, services, {"tags": {name: conditions}})
        if wanted != found:
            yield Replace(APISIX_ROUTES, wanted) if found else Create(APISIX_ROUTES, wanted)


def _for_tagged(rule: Manifest, services: Services, number: int, condition: Manifest) -> Manifest:
    match = rule.get("match") if isinstance(rule.get("match"), dict) else {}
    exprs = match.get("exprs") if match else None
    backs = [{**back, "weight": 100} for back in _backs(rule) if back.get("serviceName") == services.canary]
    priority = rule.get("priority")
    return {
        **rule,
        "name": f"{rule['name']}-{number}" if number else rule["name"],
        "priority": (priority if isinstance(priority, int) else 0) + 1,
        "match": {**(match or {}), "exprs": [*(exprs if isinstance(exprs, list) else []), condition]},
        "backends": backs,
    }


def _untagged(services: Services, tags: Tags, live: Live) -> Iterator[Remove]:
    """The end of routes that were made for managed routes which are not wanted any more."""
    refs = [_tagged_ref(name, services) for name in services.managed_routes if name not in tags]
    yield from removals({ref: live.get(ref) for ref in refs}, lambda found: was_made(found, services.owner))

"""HTTPRoutes and GRPCRoutes of the Gateway API → routes by host at the ports of the Gateways that they name (`parentRefs`).

The most exact match is first, whatever its rule (gateway-api.sigs.k8s.io, "HTTPRouteRule.matches"). A GRPCRoute is told by its path: the
pods of the sandbox speak HTTP/1, and so do its clients. A backend without a Service is a 503.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from reconciler_sandbox.mesh.translate.attached_filters import filtered
from reconciler_sandbox.mesh.translate.expressions import duration, regular_expression
from reconciler_sandbox.mesh.translate.hosts import full_host, name_of, namespace_of, narrower
from reconciler_sandbox.mesh.translate.index import Index, cluster_name
from reconciler_sandbox.mesh.translate.retries import retry_policy
from reconciler_sandbox.mesh.translate.terms import NO_TIMEOUT, Json, Refused

GROUP = "gateway.networking.k8s.io"
EVERY_HOST, EVERY_PATH = "*", "/"
UNSAID = 1
"""The weight of a backend that none is written for."""
EXACT, REGEX, PREFIX = range(3)
Order = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class _Found:
    """One route with what tells its place among the others of its host."""

    order: Order
    rendered: Json


def attached_routes(index: Index, port: int) -> Mapping[str, list[Json]]:
    """The routes of every host at one port, the most exact first; of two alike the older object's."""
    found: dict[str, list[_Found]] = {}
    for gateway in index.attachments:
        for listener in gateway["spec"].get("listeners") or []:
            if listener["port"] == port:
                _attach(index, found, (gateway, listener))
    return {host: [one.rendered for one in sorted(routes, key=lambda one: one.order)] for host, routes in found.items()}


def vet_attaching(index: Index, route: Json) -> None:
    """Raise Refused, or what malformed objects raise, where this route cannot be served."""
    list(_routes(index, route, 0))
    for parent in route["spec"].get("parentRefs") or []:
        str(parent["name"])
    for named in route["spec"].get("hostnames") or []:
        if not isinstance(named, str):
            raise Refused(f"hostname {named!r} is no text")


def vet_attachment(gateway: Json) -> None:
    """Raise Refused, or what malformed objects raise, where a Gateway asks for what this mesh does not do."""
    for listener in gateway["spec"].get("listeners") or []:
        int(listener["port"])
        if not isinstance(listener.get("hostname") or "", str):
            raise Refused(f"hostname {listener['hostname']!r} is no text")
        if listener.get("protocol", "HTTP") != "HTTP":
            raise Refused(f"listener {listener.get('name')} speaks {listener['protocol']}: this mesh serves HTTP only")
        if _from(listener) not in ("Same", "All"):
            raise Refused(f"listener {listener.get('name')} selects namespaces by label, which this mesh does not")


def _attach(index: Index, found: dict[str, list[_Found]], place: tuple[Json, Json]) -> None:
    gateway, listener = place
    for age, route in enumerate(index.attaching):
        near = namespace_of(route) == namespace_of(gateway) or _from(listener) == "All"
        if not near or not any(_names(parent, route, gateway, listener) for parent in route["spec"].get("parentRefs") or []):
            continue
        for named in route["spec"].get("hostnames") or [EVERY_HOST]:
            host = narrower(named, listener.get("hostname") or EVERY_HOST)
            if host:
                found.setdefault(host, []).extend(_routes(index, route, age))


def _from(listener: Json) -> str:
    return str(((listener.get("allowedRoutes") or {}).get("namespaces") or {}).get("from") or "Same")


def _names(parent: Json, route: Json, gateway: Json, listener: Json) -> bool:
    """Whether a `parentRef` means this listener."""
    kind = (parent.get("group", GROUP), parent.get("kind", "Gateway"))
    place = (parent.get("namespace") or namespace_of(route), parent["name"])
    section = parent.get("sectionName") in (None, listener.get("name")) and parent.get("port") in (None, listener["port"])
    return kind == (GROUP, "Gateway") and place == (namespace_of(gateway), name_of(gateway)) and section


def _routes(index: Index, route: Json, age: int) -> Iterator[_Found]:
    matched = _grpc if route["kind"] == "GRPCRoute" else _http
    for number, rule in enumerate(route["spec"].get("rules") or [{}]):
        for match in rule.get("matches") or [{}]:
            rendered, exactness = matched(match)
            order = (
                *exactness,
                not match.get("method"),
                -len(match.get("headers") or ()),
                -len(match.get("queryParams") or ()),
                age,
                number,
            )
            yield _Found(order, _route(index, rule, rendered, namespace_of(route)))


def _http(match: Json) -> tuple[Json, Order]:
    rendered: Json
    path = match.get("path") or {}
    value, kind = path.get("value") or EVERY_PATH, path.get("type") or "PathPrefix"
    if kind == "Exact":
        rendered, exactness = {"path": value}, EXACT
    elif kind == "RegularExpression":
        rendered, exactness = {"safe_regex": regular_expression(value)}, REGEX
    else:
        bare = value.rstrip("/")
        rendered, exactness = {"path_separated_prefix": bare} if bare else {"prefix": EVERY_PATH}, PREFIX
    headers = [*_conditions(match.get("headers"))]
    if match.get("method"):
        headers.append({"name": ":method", "string_match": {"exact": match["method"]}})
    parameters = [*_conditions(match.get("queryParams"))]
    return _with(rendered, headers, parameters), (exactness, -len(value))


def _grpc(match: Json) -> tuple[Json, Order]:
    asked = match.get("method") or {}
    rendered: Json
    service, method = asked.get("service") or "", asked.get("method") or ""
    if asked.get("type") == "RegularExpression":
        rendered, exactness = {"safe_regex": regular_expression(f"/{service or '[^/]+'}/{method or '[^/]+'}")}, REGEX
    elif service and method:
        rendered, exactness = {"path": f"/{service}/{method}"}, EXACT
    elif method:
        rendered, exactness = {"safe_regex": regular_expression(f"/[^/]+/{re.escape(method)}")}, REGEX
    else:
        rendered, exactness = {"prefix": f"/{service}/" if service else EVERY_PATH}, PREFIX
    return _with(rendered, [*_conditions(match.get("headers"))], []), (exactness, -len(service), -len(method))


def _with(path: Json, headers: list[Json], parameters: list[Json]) -> Json:
    return {**path, **({"headers": headers} if headers else {}), **({"query_parameters": parameters} if parameters else {})}


def _conditions(wanted: Any) -> Iterator[Json]:
    for one in wanted or ():
        regular = one.get("type") == "RegularExpression"
        yield {
            "name": one["name"],
            "string_match": {"safe_regex": regular_expression(one["value"])} if regular else {"exact": one["value"]},
        }


def _route(index: Index, rule: Json, match: Json, namespace: str) -> Json:
    def cluster(reference: Json) -> str:
        return _cluster(index, reference, namespace)

    changes, action = filtered(rule.get("filters") or [], cluster, "path_separated_prefix" in match)
    if "redirect" in changes:
        return {"match": match, **changes}
    shares = [(cluster(reference), int(reference.get("weight", UNSAID))) for reference in rule.get("backendRefs") or []]
    if any(weight < 0 for _, weight in shares):
        raise Refused("a weight is negative")
    serving = [{"name": name, "weight": weight} for name, weight in shares if weight]
    if not serving:
        return {"match": match, "direct_response": {"status": 503}}
    request = (rule.get("timeouts") or {}).get("request")
    whole = {"timeout": duration(request) if request else NO_TIMEOUT, "retry_policy": retry_policy(None), **action}
    return {"match": match, **changes, "route": {**whole, "weighted_clusters": {"clusters": serving}}}


def _cluster(index: Index, reference: Json, namespace: str) -> str:
    if (reference.get("group") or "", reference.get("kind") or "Service") != ("", "Service"):
        raise Refused(f"backend {reference.get('name')} is a {reference.get('kind')}: this mesh leads to Services only")
    if reference.get("namespace") not in (None, "", namespace):
        raise Refused(f"backend {reference.get('name')} is in another namespace, which needs a ReferenceGrant: not served by this mesh")
    return cluster_name(int(reference["port"]), "", full_host(str(reference["name"]), namespace))

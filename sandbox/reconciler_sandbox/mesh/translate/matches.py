"""HTTPMatchRequest → Envoy's RouteMatch: path, headers, query parameters, method, authority."""

from typing import Any

from reconciler_sandbox.mesh.translate.expressions import regular_expression
from reconciler_sandbox.mesh.translate.terms import Json, Refused

CONDITIONS = ("exact", "prefix", "regex")
PSEUDO_HEADERS = (("method", ":method"), ("authority", ":authority"), ("scheme", ":scheme"))


def route_match(match: Json | None) -> Json:
    """One entry of `match`, all of whose conditions must hold; None matches every request."""
    wanted = match or {}
    rendered = _path(wanted)
    headers = [_header(name, condition) for name, condition in sorted((wanted.get("headers") or {}).items())]
    headers += [_without_header(name, condition) for name, condition in sorted((wanted.get("withoutHeaders") or {}).items())]
    headers += [_header(header, wanted[field]) for field, header in PSEUDO_HEADERS if field in wanted]
    if headers:
        rendered["headers"] = headers
    if wanted.get("queryParams"):
        rendered["query_parameters"] = [_parameter(name, condition) for name, condition in wanted["queryParams"].items()]
    return rendered


def catches_all(rendered: Json) -> bool:
    """Whether this RouteMatch leaves nothing for the routes after it."""
    return rendered.get("prefix") == "/" and not rendered.get("headers") and not rendered.get("query_parameters")


def _path(wanted: Json) -> Json:
    uri = wanted.get("uri")
    if not uri:
        return {"prefix": "/"}
    sensitive = not wanted.get("ignoreUriCase", False)
    if "exact" in uri:
        return {"path": uri["exact"], "case_sensitive": sensitive}
    if "prefix" in uri:
        return {"prefix": uri["prefix"], "case_sensitive": sensitive}
    return {"safe_regex": regular_expression(_condition(uri)["regex"])}


def _header(name: str, condition: Any) -> Json:
    if not name:
        raise Refused("a header match has no name")
    if _only_presence(condition):
        return {"name": name, "present_match": True}
    return {"name": name, "string_match": _string(condition)}


def _without_header(name: str, condition: Any) -> Json:
    rendered = {**_header(name, condition), "invert_match": True}
    if _only_presence(condition):
        return rendered
    return {**rendered, "treat_missing_header_as_empty": True}


def _parameter(name: str, condition: Any) -> Json:
    if _only_presence(condition):
        return {"name": name, "present_match": True}
    return {"name": name, "string_match": _string(condition)}


def _only_presence(condition: Any) -> bool:
    """Istio reads `{}` and the invalid expression `*` as "the header is there"."""
    return not condition or condition.get("regex") == "*" or not any(kind in condition for kind in CONDITIONS)


def _condition(condition: Json) -> Json:
    if "regex" not in condition:
        raise Refused(f"a match needs one of exact, prefix, regex; got {', '.join(condition) or 'nothing'}")
    return condition


def _string(condition: Json) -> Json:
    if "exact" in condition:
        return {"exact": str(condition["exact"])}
    if "prefix" in condition:
        if not condition["prefix"]:
            raise Refused("a prefix match is empty")
        return {"prefix": str(condition["prefix"])}
    return {"safe_regex": regular_expression(condition["regex"])}

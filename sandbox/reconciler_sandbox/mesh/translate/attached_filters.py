"""The filters of one rule of the Gateway API → Envoy: headers, rewrites, redirects, mirrors. Any other is refused by name."""

from collections.abc import Callable, Sequence

from reconciler_sandbox.mesh.translate.routes import header_changes
from reconciler_sandbox.mesh.translate.terms import Json, Refused

MILLION = 1_000_000
CODES = {301: "MOVED_PERMANENTLY", 302: "FOUND"}
MODIFIERS = {
    "RequestHeaderModifier": ("requestHeaderModifier", "request"),
    "ResponseHeaderModifier": ("responseHeaderModifier", "response"),
}
Clusters = Callable[[Json], str]


def filtered(filters: Sequence[Json], cluster: Clusters, prefixed: bool) -> tuple[Json, Json]:
    """What the filters put on the route, and what on its action. `prefixed`: the rule's path is a prefix that can be replaced."""
    changes: Json = {}
    action: Json = {}
    headers: Json = {}
    for one in filters:
        kind = one["type"]
        if kind in MODIFIERS:
            field, side = MODIFIERS[kind]
            headers[side] = _operations(one[field])
        elif kind == "RequestRedirect":
            changes["redirect"] = _redirect(one["requestRedirect"])
        elif kind == "URLRewrite":
            action.update(_rewrite(one["urlRewrite"], prefixed))
        elif kind == "RequestMirror":
            action.setdefault("request_mirror_policies", []).append(_mirror(one["requestMirror"], cluster))
        else:
            raise Refused(f"a filter of type {kind} is not served by this mesh")
    return {**header_changes(headers), **changes}, action


def _operations(modifier: Json) -> Json:
    named = {key: {item["name"]: item["value"] for item in modifier.get(key) or []} for key in ("set", "add")}
    return {**named, "remove": modifier.get("remove") or []}


def _redirect(wanted: Json) -> Json:
    code = wanted.get("statusCode") or 302
    if code not in CODES:
        raise Refused(f"statusCode {code} is none of {', '.join(map(str, CODES))}")
    rendered: Json = {"response_code": CODES[code]}
    for ours, theirs in (("hostname", "host_redirect"), ("scheme", "scheme_redirect"), ("port", "port_redirect")):
        if wanted.get(ours):
            rendered[theirs] = wanted[ours]
    if (wanted.get("path") or {}).get("replaceFullPath"):
        rendered["path_redirect"] = wanted["path"]["replaceFullPath"]
    return rendered


def _rewrite(wanted: Json, prefixed: bool) -> Json:
    rendered: Json = {"host_rewrite_literal": wanted["hostname"]} if wanted.get("hostname") else {}
    path = wanted.get("path") or {}
    if path.get("type") == "ReplaceFullPath":
        rendered["regex_rewrite"] = {"pattern": {"regex": "^/.*$"}, "substitution": path["replaceFullPath"].replace("\\", "\\\\")}
    elif path.get("type") == "ReplacePrefixMatch":
        if not prefixed and path["replacePrefixMatch"] != "/":
            raise Refused("replacePrefixMatch needs a match of type PathPrefix longer than /")
        if prefixed:
            rendered["prefix_rewrite"] = path["replacePrefixMatch"] or "/"
    elif path:
        raise Refused(f"a rewrite of type {path.get('type')} is not served by this mesh")
    return rendered


def _mirror(wanted: Json, cluster: Clusters) -> Json:
    fraction = wanted.get("fraction") or {"numerator": wanted.get("percent", 100)}
    share = int(fraction["numerator"]) * MILLION // int(fraction.get("denominator") or 100)
    if not 0 <= share <= MILLION:
        raise Refused("a mirror's share is not between nothing and everything")
    return {
        "cluster": cluster(wanted["backendRef"]),
        "runtime_fraction": {"default_value": {"numerator": share, "denominator": "MILLION"}},
        "disable_shadow_host_suffix_append": True,
    }

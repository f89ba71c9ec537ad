"""The HTTP routes of one VirtualService → Envoy routes: weights, mirrors, faults, retries, rewrites, headers."""

from collections.abc import Iterator

from reconciler_sandbox.mesh.translate.delegates import is_delegate
from reconciler_sandbox.mesh.translate.expressions import duration, percentage, regular_expression
from reconciler_sandbox.mesh.translate.hosts import gateway_name, namespace_of
from reconciler_sandbox.mesh.translate.index import Index
from reconciler_sandbox.mesh.translate.matches import catches_all, route_match
from reconciler_sandbox.mesh.translate.retries import retry_policy
from reconciler_sandbox.mesh.translate.terms import FAULT, FAULT_FILTER, NO_TIMEOUT, Json, Refused

AUTHORITY = (":authority", "host")
REDIRECTS = {301: "MOVED_PERMANENTLY", 302: "FOUND", 303: "SEE_OTHER", 307: "TEMPORARY_REDIRECT", 308: "PERMANENT_REDIRECT"}
REDIRECT_FIELDS = (("authority", "host_redirect"), ("uri", "path_redirect"), ("scheme", "scheme_redirect"), ("port", "port_redirect"))


def routes(index: Index, virtual_service: Json, gateway: str, port: int) -> list[Json]:
    """The routes that hold for requests arriving through `gateway` on `port`, up to the first that catches everything."""
    rendered: list[Json] = []
    for rule, match in _rules(virtual_service):
        if not _concerns(match, gateway, port, namespace_of(virtual_service)):
            continue
        rendered.append(route(index, rule, match, (namespace_of(virtual_service), port)))
        if catches_all(rendered[-1]["match"]):
            break
    return rendered


def every_route(index: Index, virtual_service: Json) -> list[Json]:
    """All routes of a VirtualService whatever its gateways: rendering them proves that the translator understands them.

    One that delegates is rendered with its delegate.
    """
    own = [(rule, match) for rule, match in _rules(virtual_service) if not _delegates(rule, virtual_service)]
    return [route(index, rule, match, (namespace_of(virtual_service), 80)) for rule, match in own]


def _delegates(rule: Json, virtual_service: Json) -> bool:
    """Whether a route leads to a delegate. Raises Refused where Istio takes none."""
    if not rule.get("delegate"):
        return False
    if rule.get("route") or rule.get("redirect"):
        raise Refused("a rule delegates and says where to go as well: write one of the two")
    if is_delegate(virtual_service):
        raise Refused("a delegate delegates again: there is one level of delegates")
    if not rule["delegate"].get("name"):
        raise Refused("a rule delegates to nobody: delegate.name is empty")
    return True


def route(index: Index, rule: Json, match: Json | None, place: tuple[str, int]) -> Json:
    """One Envoy route; `place` is the namespace that short host names belong to and the port that requests arrive on."""
    rendered: Json = {"name": rule.get("name") or "", "match": route_match(match), **header_changes(rule.get("headers"))}
    if rule.get("redirect"):
        return {**rendered, "redirect": _redirect(rule["redirect"])}
    if rule.get("directResponse"):
        answer = rule["directResponse"]
        return {
            **rendered,
            "direct_response": {"status": answer["status"], "body": {"inline_string": (answer.get("body") or {}).get("string", "")}},
        }
    destinations = _destinations(index, rule, place)
    if not destinations:  # every weight is 0: Envoy would reject the empty list, and with it the whole table
        return {**rendered, "direct_response": {"status": 503}}
    return {**rendered, **_fault(rule.get("fault")), "route": {**_action(index, rule, place), **destinations}}


def header_changes(headers: Json | None) -> Json:
    """Istio's `headers` operations as Envoy's; the authority is not a header here (see `new_authority`)."""
    rendered: Json = {}
    for side in ("request", "response"):
        operations = (headers or {}).get(side) or {}
        added = [
            _header(item, "OVERWRITE_IF_EXISTS_OR_ADD")
            for item in (operations.get("set") or {}).items()
            if item[0].lower() not in AUTHORITY
        ]
        added += [
            _header(item, "APPEND_IF_EXISTS_OR_ADD") for item in (operations.get("add") or {}).items() if item[0].lower() not in AUTHORITY
        ]
        if added:
            rendered[f"{side}_headers_to_add"] = added
        if operations.get("remove"):
            rendered[f"{side}_headers_to_remove"] = list(operations["remove"])
    return rendered


def new_authority(headers: Json | None) -> str | None:
    """The Host that `headers.request.set` asks for, if it does."""
    operations = ((headers or {}).get("request") or {}).get("set") or {}
    return next((str(value) for name, value in operations.items() if name.lower() in AUTHORITY), None)


def _rules(virtual_service: Json) -> Iterator[tuple[Json, Json | None]]:
    for rule in virtual_service["spec"].get("http") or []:
        for match in rule.get("match") or [None]:
            yield rule, match


def _concerns(match: Json | None, gateway: str, port: int, namespace: str) -> bool:
    if not match:
        return True
    if match.get("sourceLabels"):  # the one Envoy stands for every client: it has no labels to match
        return False
    gateways = match.get("gateways")
    if gateways and gateway not in [gateway_name(name, namespace) for name in gateways]:
        return False
    return match.get("port") in (None, 0, port)


def _header(item: tuple[str, object], append_action: str) -> Json:
    return {"header": {"key": item[0], "value": str(item[1])}, "append_action": append_action}


def _redirect(redirect: Json) -> Json:
    code = redirect.get("redirectCode") or 301
    if code not in REDIRECTS:
        raise Refused(f"redirectCode {code} is none of {', '.join(map(str, REDIRECTS))}")
    named = {theirs: redirect[ours] for ours, theirs in REDIRECT_FIELDS if redirect.get(ours)}
    return {**named, "response_code": REDIRECTS[code]}


def _destinations(index: Index, rule: Json, place: tuple[str, int]) -> Json:
    """Where requests go: one cluster whatever its weight, or those with a weight above 0; empty if all weights are 0."""
    wanted = rule.get("route") or []
    if not wanted:
        raise Refused("a rule has neither route nor redirect nor directResponse")
    if len(wanted) == 1:
        return {"cluster": index.destination(wanted[0]["destination"], *place)}
    if any(int(choice.get("weight") or 0) < 0 for choice in wanted):
        raise Refused("a weight is negative")
    weighted = [
        {"name": index.destination(choice["destination"], *place), "weight": int(choice["weight"]), **header_changes(choice.get("headers"))}
        for choice in wanted
        if choice.get("weight")
    ]
    return {"weighted_clusters": {"clusters": weighted}} if weighted else {}


def _action(index: Index, rule: Json, place: tuple[str, int]) -> Json:
    action: Json = {"timeout": duration(rule["timeout"]) if rule.get("timeout") else NO_TIMEOUT, **_rewrite(rule)}
    mirrors = _mirrors(index, rule, place)
    if mirrors:
        action["request_mirror_policies"] = mirrors
    retries = retry_policy(rule.get("retries"))
    if retries:
        action["retry_policy"] = retries
    only = rule["route"][0] if len(rule["route"]) == 1 else {}
    return {**action, **_only_destination(only.get("headers"))}


def _only_destination(headers: Json | None) -> Json:
    authority = new_authority(headers)
    return {"host_rewrite_literal": authority} if authority else {}


def _rewrite(rule: Json) -> Json:
    rewrite = rule.get("rewrite") or {}
    rendered: Json = {}
    if rewrite.get("uriRegexRewrite"):
        wanted = rewrite["uriRegexRewrite"]
        rendered["regex_rewrite"] = {"pattern": regular_expression(wanted["match"]), "substitution": wanted["rewrite"]}
    elif rewrite.get("uri"):
        rendered["prefix_rewrite"] = rewrite["uri"]
    authority = rewrite.get("authority") or new_authority(rule.get("headers"))
    if authority:
        rendered["host_rewrite_literal"] = authority
    return rendered


def _mirrors(index: Index, rule: Json, place: tuple[str, int]) -> list[Json]:
    wanted = list(rule.get("mirrors") or [])
    if rule.get("mirror"):
        wanted.insert(0, {"destination": rule["mirror"], "percentage": rule.get("mirrorPercentage", rule.get("mirrorPercent"))})
    shares = [(mirror, percentage(mirror.get("percentage"), default=100)) for mirror in wanted]
    return [
        {
            "cluster": index.destination(mirror["destination"], *place),
            "runtime_fraction": {"default_value": share},
            "disable_shadow_host_suffix_append": True,  # a copy keeps its Host, as Istio sends it
        }
        for mirror, share in shares
        if share["numerator"]
    ]


def _fault(fault: Json | None) -> Json:
    """The fault filter's configuration for this route; without a percentage nothing is injected (Istio's default)."""
    rendered: Json = {}
    if fault and fault.get("abort"):
        abort = fault["abort"]
        rendered["abort"] = {"http_status": abort["httpStatus"], "percentage": percentage(abort.get("percentage"), default=0)}
    if fault and fault.get("delay"):
        delay = fault["delay"]
        share = percentage(delay.get("percentage", delay.get("percent")), default=0)
        rendered["delay"] = {"fixed_delay": duration(delay["fixedDelay"]), "percentage": share}
    return {"typed_per_filter_config": {FAULT_FILTER: {"@type": FAULT, **rendered}}} if rendered else {}

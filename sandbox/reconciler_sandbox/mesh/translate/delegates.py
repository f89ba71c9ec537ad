"""VirtualServices that delegate, joined with those they delegate to, as Istio joins them (istio.io/latest/docs, "Delegate").

A delegate has no hosts of its own. A route that nobody can join (no such delegate, conditions that exclude each other) is not served.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from reconciler_sandbox.mesh.translate.hosts import full_host, name_of, namespace_of
from reconciler_sandbox.mesh.translate.terms import Json

INHERITED = ("timeout", "retries", "rewrite", "headers", "fault", "mirror", "mirrors", "mirrorPercentage", "corsPolicy")
"""What the delegating route says for all routes of its delegate that do not say it themselves."""
TEXTS = ("uri", "scheme", "method", "authority")
NAMED_TEXTS = ("headers", "withoutHeaders", "queryParams")


def is_delegate(virtual_service: Json) -> bool:
    """True of a VirtualService that is served only through another one."""
    spec = virtual_service.get("spec")
    return isinstance(spec, dict) and not spec.get("hosts")


def joined(virtual_services: Sequence[Json]) -> list[Json]:
    """The VirtualServices with hosts, in their order, with the routes of their delegates in the place where they delegate."""
    delegates = {(namespace_of(found), name_of(found)): found for found in virtual_services if is_delegate(found)}
    return [_joined(root, delegates) for root in virtual_services if not is_delegate(root)]


def _joined(root: Json, delegates: Mapping[tuple[str, str], Json]) -> Json:
    rules = root["spec"].get("http") or []
    if not any(rule.get("delegate") for rule in rules):
        return root
    return {**root, "spec": {**root["spec"], "http": [one for rule in rules for one in _expanded(root, rule, delegates)]}}


def _expanded(root: Json, rule: Json, delegates: Mapping[tuple[str, str], Json]) -> Iterator[Json]:
    if not rule.get("delegate"):
        yield rule
        return
    named = rule["delegate"]
    delegate = delegates.get((named.get("namespace") or namespace_of(root), named.get("name") or ""))
    inherited = {field: rule[field] for field in INHERITED if field in rule}
    for leaf in (delegate["spec"].get("http") or []) if delegate else ():
        pairs = [_both(mine, theirs) for mine in rule.get("match") or [{}] for theirs in leaf.get("match") or [{}]]
        together = [block for block in pairs if block is not None]
        if delegate is not None and together:
            yield {**inherited, **_at_home(leaf, namespace_of(delegate)), "match": together}


def _both(mine: Json, theirs: Json) -> Json | None:
    """One block that holds where both do; None where they exclude each other."""
    block = {**mine, **theirs}
    for field in TEXTS:
        if field in mine and field in theirs and not _within(mine[field], theirs[field]):
            return None
    for field in NAMED_TEXTS:
        ours, others = mine.get(field) or {}, theirs.get(field) or {}
        if any(not _within(ours[name], others[name]) for name in ours.keys() & others.keys()):
            return None
        if ours or others:
            block[field] = {**ours, **others}
    return None if mine.get("port") and theirs.get("port") not in (None, mine["port"]) else block


def _within(wide: Any, narrow: Any) -> bool:
    """True if what is `narrow` is `wide` too, as far as prefixes tell."""
    if wide == narrow or not wide:
        return True
    begins = (wide or {}).get("prefix")
    said = (narrow or {}).get("exact") or (narrow or {}).get("prefix")
    return bool(begins and said and str(said).startswith(str(begins)))


def _at_home(leaf: Json, namespace: str) -> Json:
    """The delegate's route with hosts that mean the same from any namespace."""

    def placed(destination: Json) -> Json:
        return {**destination, "host": full_host(destination["host"], namespace)}

    found = dict(leaf)
    if leaf.get("route"):
        found["route"] = [{**choice, "destination": placed(choice["destination"])} for choice in leaf["route"]]
    if leaf.get("mirror"):
        found["mirror"] = placed(leaf["mirror"])
    if leaf.get("mirrors"):
        found["mirrors"] = [{**one, "destination": placed(one["destination"])} for one in leaf["mirrors"]]
    return found

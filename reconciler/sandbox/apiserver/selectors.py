"""Label and field selectors: text to a predicate over objects (reference apiserver.md §3.5)."""

import re
from collections.abc import Callable, Mapping
from typing import Any

from reconciler.sandbox.apiserver import events
from reconciler.sandbox.apiserver.failures import bad_request
from reconciler.sandbox.apiserver.kinds import Kind

Manifest = dict[str, Any]
Predicate = Callable[[Manifest], bool]
Labels = Mapping[str, str]
Requirement = Callable[[Labels], bool]

KEY = r"[A-Za-z0-9](?:[-A-Za-z0-9_./]*[A-Za-z0-9])?"
SET = re.compile(rf"^({KEY})\s+(in|notin)\s*\(([^()]*)\)$")
COMPARED = re.compile(rf"^({KEY})\s*(==|=|!=|>|<)\s*([-A-Za-z0-9_.]*)$")
PRESENT = re.compile(rf"^(!?)\s*({KEY})$")
PARTS = re.compile(r",(?![^(]*\))")
FIELD = re.compile(r"^([\w.]+)\s*(==|=|!=)\s*([^=,]*)$")
MAX_LENGTH = 16_384

FIELDS: Mapping[str, frozenset[str]] = {
    "pods": frozenset(
        {
            "spec.nodeName",
            "spec.restartPolicy",
            "spec.schedulerName",
            "spec.serviceAccountName",
            "spec.hostNetwork",
            "status.phase",
            "status.podIP",
            "status.nominatedNodeName",
        }
    ),
    "events": events.SELECTABLE,
    "events.events.k8s.io": events.NEWER_SELECTABLE,
    "jobs": frozenset({"status.successful"}),
    "nodes": frozenset({"spec.unschedulable"}),
    "namespaces": frozenset({"status.phase"}),
    "secrets": frozenset({"type"}),
    "replicasets": frozenset({"status.replicas"}),
}
EVERYWHERE = frozenset({"metadata.name", "metadata.namespace"})


def predicate(kind: Kind, label_text: str, field_text: str) -> Predicate | None:
    """What both selectors ask of an object; None if they ask nothing. Raises Failure 400 on a syntax error."""
    labels, fields = label_predicate(label_text), field_predicate(kind, field_text)
    if labels is None or fields is None:
        return labels or fields
    return lambda manifest: labels(manifest) and fields(manifest)


def label_predicate(text: str) -> Predicate | None:
    """The predicate of a label selector; None if it is empty."""
    if not text.strip():
        return None
    requirements = [_requirement(part.strip()) for part in PARTS.split(_bounded(text))]

    def matches(manifest: Manifest) -> bool:
        labels = manifest["metadata"].get("labels") or {}
        return all(requirement(labels) for requirement in requirements)

    return matches


def _bounded(text: str) -> str:
    if len(text) > MAX_LENGTH:
        raise bad_request(f"a selector has at most {MAX_LENGTH} characters")
    return text


def _requirement(part: str) -> Requirement:
    if found := SET.match(part):
        return _membership(found[1], found[2] == "in", frozenset(value.strip() for value in found[3].split(",") if value.strip()))
    if found := COMPARED.match(part):
        return _comparison(found[1], found[2], found[3])
    if found := PRESENT.match(part):
        absent, key = bool(found[1]), found[2]
        return lambda labels: (key in labels) is not absent
    raise bad_request(f'unable to parse requirement: found "{part}", expected: a label selector')


def _membership(key: str, wanted: bool, values: frozenset[str]) -> Requirement:
    return lambda labels: (labels.get(key) in values) is wanted


def _comparison(key: str, operator: str, value: str) -> Requirement:
    if operator in (">", "<"):
        if not value.isdigit():
            raise bad_request(f'for "Gt", "Lt" operators, the value must be an integer: "{value}"')
        limit, sign = int(value), 1 if operator == ">" else -1
        return lambda labels: labels.get(key, "").isdigit() and (int(labels[key]) - limit) * sign > 0
    if operator == "!=":
        return lambda labels: labels.get(key) != value
    return lambda labels: labels.get(key) == value


def field_predicate(kind: Kind, text: str) -> Predicate | None:
    """The predicate of a field selector; None if it is empty. Only the fields that the kind supports may be named."""
    if not text.strip():
        return None
    conditions = [_condition(kind, part.strip()) for part in _bounded(text).split(",")]
    return lambda manifest: all(condition(manifest) for condition in conditions)


def _condition(kind: Kind, part: str) -> Predicate:
    found = FIELD.match(part)
    if not found:
        raise bad_request(f'invalid selector: "{part}"; can\'t understand "{part}"')
    name, operator, value = found[1], found[2], found[3].strip()
    if name not in EVERYWHERE and name not in _fields(kind):
        raise bad_request(_unsupported(kind, name))
    stored = name if kind.face is None else kind.face.path(name)
    path, wanted = tuple(stored.split(".")), operator != "!="
    return lambda manifest: (_field_text(manifest, path) == value) is wanted


def _fields(kind: Kind) -> frozenset[str]:
    if kind.schema is not None:
        return frozenset(kind.selectable)
    return FIELDS.get(kind.qualified, FIELDS.get(kind.plural, frozenset()))


def _unsupported(kind: Kind, name: str) -> str:
    if kind.plural in FIELDS or kind.custom:
        return f"field label not supported: {name}"
    return f'"{name}" is not a known field selector: only "metadata.name", "metadata.namespace"'


def _field_text(manifest: Manifest, path: tuple[str, ...]) -> str:
    value: Any = manifest
    for name in path:
        value = value.get(name) if isinstance(value, dict) else None
    if path == ("source",) and isinstance(value, dict):
        return str(value.get("component") or manifest.get("reportingComponent") or "")
    if isinstance(value, bool):
        return str(value).lower()
    return "" if value is None else str(value)


def from_object(selector: Mapping[str, Any] | None) -> Predicate:
    """The predicate of a LabelSelector object; None matches nothing, an empty one everything."""
    if selector is None:
        return lambda _: False
    requirements = [_comparison(key, "=", str(value)) for key, value in (selector.get("matchLabels") or {}).items()]
    requirements += [_expression(expression) for expression in selector.get("matchExpressions") or ()]

    def matches(manifest: Manifest) -> bool:
        labels = (manifest.get("metadata") or {}).get("labels") or {}
        return all(requirement(labels) for requirement in requirements)

    return matches


def _expression(expression: Mapping[str, Any]) -> Requirement:
    key, operator = str(expression.get("key", "")), expression.get("operator")
    if operator in ("In", "NotIn"):
        return _membership(key, operator == "In", frozenset(expression.get("values") or ()))
    return lambda labels: (key in labels) is (operator == "Exists")


def as_text(selector: Mapping[str, Any] | None) -> str:
    """A LabelSelector object in the text form of the scale subresource."""
    if not selector:
        return ""
    parts = [f"{key}={value}" for key, value in sorted((selector.get("matchLabels") or {}).items())]
    for expression in selector.get("matchExpressions") or ():
        key, operator, values = expression["key"], expression["operator"], ",".join(sorted(expression.get("values") or ()))
        texts = {"In": f"{key} in ({values})", "NotIn": f"{key} notin ({values})", "Exists": key, "DoesNotExist": f"!{key}"}
        parts.append(texts[operator])
    return ",".join(parts)

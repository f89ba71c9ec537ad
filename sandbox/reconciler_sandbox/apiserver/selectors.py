"""Label and field selectors: text to a predicate over objects."""

import re
from collections.abc import Callable, Mapping
from typing import Any

from reconciler_sandbox.apiserver import events
from reconciler_sandbox.apiserver.failures import bad_request
from reconciler_sandbox.apiserver.kinds import Kind
from reconciler_sandbox.apiserver.labelselectors import Requirement, comparison, membership, parse

Manifest = dict[str, Any]
Predicate = Callable[[Manifest], bool]

TERMS = re.compile(r"(?:[^,\\]|\\.)+")
OPERATOR = re.compile(r"!=|==?")
ESCAPED = re.compile(r"\\([\\,=])")
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
    "jobs": frozenset({"status.successful"}),
    "nodes": frozenset({"spec.unschedulable"}),
    "namespaces": frozenset({"status.phase"}),
    "secrets": frozenset({"type"}),
}
EVERYWHERE = frozenset({"metadata.name", "metadata.namespace"})
NOWHERE = frozenset({"nodes", "namespaces"})  # their namespace cannot be asked for


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
    requirements = parse(_bounded(text))

    def matches(manifest: Manifest) -> bool:
        labels = manifest["metadata"].get("labels") or {}
        return all(requirement(labels) for requirement in requirements)

    return matches


def _bounded(text: str) -> str:
    if len(text) > MAX_LENGTH:
        raise bad_request(f"a selector has at most {MAX_LENGTH} characters")
    return text


def field_predicate(kind: Kind, text: str) -> Predicate | None:
    """The predicate of a field selector; None if it is empty. Only the fields that the kind supports may be named."""
    if not text.strip():
        return None
    conditions = [_condition(kind, term) for term in TERMS.findall(_bounded(text))]
    return lambda manifest: all(condition(manifest) for condition in conditions)


def _condition(kind: Kind, term: str) -> Predicate:
    found = OPERATOR.search(term)
    if not found:
        raise bad_request(f"invalid selector: '{term}'; can't understand '{term}'")
    name, operator, value = term[: found.start()], found[0], term[found.end() :]
    odd = re.search(r"[=,]", ESCAPED.sub("", value))
    if odd:
        raise bad_request(f"invalid field selector: unescaped character in value: {ord(odd[0])}")
    value = ESCAPED.sub(r"\1", value)
    if name not in _fields(kind):
        raise bad_request(_unsupported(kind, name))
    path, wanted = tuple(name.split(".")), operator != "!="
    return lambda manifest: (_field_text(manifest, path) == value) is wanted


def _fields(kind: Kind) -> frozenset[str]:
    own = frozenset(kind.selectable) if kind.schema is not None else FIELDS.get(kind.qualified, FIELDS.get(kind.plural, frozenset()))
    return own | (EVERYWHERE - {"metadata.namespace"} if kind.qualified in NOWHERE else EVERYWHERE)


def _unsupported(kind: Kind, name: str) -> str:
    if kind.qualified == "jobs.batch":
        return f'field label "{name}" not supported for Job'
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
    requirements = [comparison(key, "=", str(value)) for key, value in (selector.get("matchLabels") or {}).items()]
    requirements += [_expression(expression) for expression in selector.get("matchExpressions") or ()]

    def matches(manifest: Manifest) -> bool:
        labels = (manifest.get("metadata") or {}).get("labels") or {}
        return all(requirement(labels) for requirement in requirements)

    return matches


def _expression(expression: Mapping[str, Any]) -> Requirement:
    key, operator = str(expression.get("key", "")), expression.get("operator")
    if operator in ("In", "NotIn"):
        return membership(key, operator == "In", frozenset(expression.get("values") or ()))
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

"""Arguments: from a rollout to literals, from templates to a run, and into the texts of metrics (contract 6.2)."""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from reconciler.analysis.model import Argument
from reconciler.expr.text import plain
from reconciler.kernel.errors import Terminal
from reconciler.kernel.identity import Manifest, annotations_of, labels_of, name_of, namespace_of, uid_of

TAG = re.compile(r"\{\{(.*?)\}\}", re.DOTALL)
STEP = re.compile(r"[^.\[\]]+|\[\d+\]")
SUBSCRIPT = re.compile(r"metadata\.(labels|annotations)\['([^']+)'\]")
PLACEHOLDER = "dummy-value"


class Unresolved(Terminal):
    """An argument has no value where one is needed."""


def literals(arguments: Sequence[Manifest], rollout: Manifest, hashes: Mapping[str, str]) -> list[Manifest]:
    """The rollout's arguments as literals (stage A). `hashes` are those of Latest and Stable. Raises Unresolved.

    A path into the Rollout that leads nowhere becomes an empty text; only the last argument may complain (contract 6.2).
    """
    resolved, problem = [], ""
    for argument in arguments:
        value, problem = _literal(argument, rollout, hashes)
        resolved.append({"name": argument.get("name", ""), "value": value})
    if problem:
        raise Unresolved(problem)
    return resolved


def _literal(argument: Manifest, rollout: Manifest, hashes: Mapping[str, str]) -> tuple[str, str]:
    source = argument.get("valueFrom") or {}
    if source.get("podTemplateHashValue"):
        return hashes.get(str(source["podTemplateHashValue"]), ""), ""
    path = str((source.get("fieldRef") or {}).get("fieldPath") or "")
    if not path:
        return str(argument.get("value") or ""), ""
    return (_metadata(path, rollout), "") if path.startswith("metadata") else _walk(path, rollout)


def _metadata(path: str, rollout: Manifest) -> str:
    """The downward API's rules (Kubernetes, "Available fields")."""
    subscript = SUBSCRIPT.fullmatch(path)
    members = {"labels": labels_of(rollout), "annotations": annotations_of(rollout)}
    if subscript:
        return str(members[subscript[1]].get(subscript[2], ""))
    known = {"metadata.name": name_of(rollout), "metadata.namespace": namespace_of(rollout), "metadata.uid": uid_of(rollout)}
    if path in known:
        return known[path]
    if path.removeprefix("metadata.") in members:
        pairs = members[path.removeprefix("metadata.")]
        return "\n".join(f"{key}={json.dumps(str(pairs[key]), ensure_ascii=False)}" for key in sorted(pairs))
    raise Unresolved(f"unsupported fieldPath: {path}")


def _walk(path: str, rollout: Manifest) -> tuple[str, str]:
    value: Any = rollout
    for step in STEP.findall(path):
        value = _member(value, step)
    if value is None or isinstance(value, dict | list):
        return "", f"invalid path {path} in rollout"
    return plain(float(value) if isinstance(value, int) and not isinstance(value, bool) else value), ""


def _member(value: Any, step: str) -> Any:
    if not step.startswith("["):
        return value.get(step) if isinstance(value, dict) else None
    index = int(step[1:-1])
    return value[index] if isinstance(value, list) and index < len(value) else None


def merge_arguments(given: Iterable[Manifest], declared: Sequence[Manifest]) -> list[Manifest]:
    """The templates' arguments with the rollout's values (stage B); what no template declares is dropped. Raises Unresolved."""
    values = {argument["name"]: argument.get("value") for argument in given}
    merged = []
    for argument in declared:
        value = values.get(argument.get("name"))
        full = {**argument, "value": value} if value is not None else dict(argument)
        if full.get("value") is None and not full.get("valueFrom"):
            raise Unresolved(f"args.{argument.get('name')} was not resolved")
        merged.append(full)
    return merged


def with_placeholders(arguments: Iterable[Argument]) -> dict[str, str | None]:
    """Values by name, where a secret is stood in for: enough to check a run before its secrets are read."""
    return {argument.name: PLACEHOLDER if argument.secret else argument.value for argument in arguments}


def substitute(metrics: Iterable[Manifest], values: Mapping[str, str | None]) -> tuple[Manifest, ...]:
    """The metrics with every `{{args.x}}` filled in (stage D), never to be persisted. Raises Unresolved."""
    for name, value in values.items():
        if value is None:
            raise Unresolved(f'argument "{name}" was not supplied')
    return tuple(_filled(metric, values) for metric in metrics)


def _filled(value: Any, values: Mapping[str, str | None]) -> Any:
    if isinstance(value, str):
        return TAG.sub(lambda tag: _value(tag[1], values), value) if "{{" in value else value
    if isinstance(value, dict):
        return {_filled(key, values): _filled(member, values) for key, member in value.items()}
    if isinstance(value, list):
        return [_filled(item, values) for item in value]
    return value


def _value(tag: str, values: Mapping[str, str | None]) -> str:
    name = tag.strip().removeprefix("args.")
    value = values.get(name) if tag.strip().startswith("args.") else None
    if value is None:
        raise Unresolved(f"failed to resolve {{{{{tag}}}}}")
    return value

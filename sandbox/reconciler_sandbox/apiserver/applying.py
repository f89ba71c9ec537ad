"""Server-side apply: merge by list keys, ownership per applying manager, conflicts.

Owned fields are kept as FieldsV1 tries: `f:name`, `k:{"key":"value"}`, `v:"value"`; an empty dict is an owned leaf,
`.` inside a trie says that the item itself is owned. What updates by others mean is in `ownership`.
"""

import operator
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import orjson

from reconciler_sandbox.apiserver.failures import Failure, bad_request
from reconciler_sandbox.apiserver.shapes import Shape

Manifest = dict[str, Any]
Trie = dict[str, Any]
Steps = tuple[str, ...]
Owner = tuple[str, str, str]
"""Manager, operation (Apply or Update) and subresource."""

MOST_SHARED = 16 * 1024
UNOWNED_METADATA = ("name", "namespace", "uid", "resourceVersion", "generation", "creationTimestamp", "deletionTimestamp", "managedFields")


@dataclass(frozen=True, slots=True)
class Applied:
    """Who applies, through which subresource, and when; `force` takes over what others own, without it only the `ceded` places."""

    manager: str
    api_version: str
    subresource: str
    moment: str
    force: bool
    ceded: frozenset[Steps] = frozenset()


def apply(live: Manifest, config: Manifest, shape: Shape, applied: Applied) -> Manifest:
    """The object after an apply, with managedFields. Raises Failure 409 naming each field that another manager owns."""
    if (config.get("metadata") or {}).get("managedFields") is not None:
        raise bad_request("metadata.managedFields must be nil")
    owners = {owner_of(entry): entry for entry in live.get("metadata", {}).get("managedFields") or ()}
    mine = (applied.manager, "Apply", applied.subresource)
    wanted = fields_of(owned_part(config), shape)
    others = {owner: entry.get("fieldsV1") or {} for owner, entry in owners.items() if owner != mine}
    disputed = {owner: list(_disputed(wanted, trie, (live, config), shape)) for owner, trie in others.items()}
    kept = {owner: [path for path in paths if path not in applied.ceded] for owner, paths in disputed.items()}
    if any(kept.values()) and not applied.force:
        raise _conflict([(owners[owner], paths) for owner, paths in kept.items() if paths])
    others = {owner: without(trie, set(disputed[owner])) for owner, trie in others.items()}
    merged = _merge(live, config, shape)
    held = owners.get(mine, {}).get("fieldsV1") or {}
    merged = _drop(merged, _only_in(held, [wanted, *others.values()]), shape)
    entries = [{**owners[owner], "fieldsV1": trie} for owner, trie in others.items() if trie]
    own = [_entry(applied, wanted, owners.get(mine))] if wanted else []  # who asks for nothing owns nothing
    return with_owners(merged, [*entries, *own])


def owner_of(entry: Manifest) -> Owner:
    """Who an entry is of: manager, operation and subresource."""
    return (str(entry.get("manager")), str(entry.get("operation", "Apply")), str(entry.get("subresource", "")))


def owned_part(config: Manifest) -> Manifest:
    """The part of an object that somebody can own."""
    metadata = {name: inner for name, inner in (config.get("metadata") or {}).items() if name not in UNOWNED_METADATA}
    part = {name: inner for name, inner in config.items() if name not in ("apiVersion", "kind", "metadata")}
    return {**part, **({"metadata": metadata} if metadata else {})}


def _entry(applied: Applied, wanted: Trie, before: Manifest | None) -> Manifest:
    """The manager's entry; its time only moves with its fields, so that a repeated apply changes nothing."""
    if before and before.get("fieldsV1") == wanted and before.get("apiVersion") == applied.api_version:
        return before
    subresource = {"subresource": applied.subresource} if applied.subresource else {}
    fields = {"fieldsType": "FieldsV1", "fieldsV1": shared(wanted)}
    who = {"manager": applied.manager, "operation": "Apply", "apiVersion": applied.api_version}
    return {**who, "time": applied.moment, **fields, **subresource}


def shared(trie: Trie) -> Trie:
    """The same trie for the same places: those of a kind's objects are mostly alike, and of more parts than the objects."""
    text = orjson.dumps(trie)
    return _trie(text) if len(text) <= MOST_SHARED else trie


@lru_cache(512)
def _trie(text: bytes) -> Trie:
    return dict(orjson.loads(text))


def with_owners(manifest: Manifest, entries: list[Manifest]) -> Manifest:
    """The object with these entries, in a fixed order."""
    ordered = sorted(entries, key=owner_of)
    return {**manifest, "metadata": {**(manifest.get("metadata") or {}), "managedFields": ordered}}


def fields_of(value: Any, shape: Shape) -> Trie:
    """The fields that a configuration sets."""
    if isinstance(value, dict) and value and not shape.atomic:
        return {f"f:{name}": fields_of(inner, shape.field(name)) for name, inner in value.items()}
    if isinstance(value, list) and value:
        if shape.is_set:
            return {f"v:{_text(one)}": {} for one in value}
        if keys := shape.keys(value):
            return {_key_step(keys, one): {".": {}, **fields_of(one, shape.item())} for one in value if isinstance(one, dict)}
    return {}


def _text(value: Any) -> str:
    return orjson.dumps(value).decode()


def _identity(keys: tuple[str, ...], item: Manifest) -> Manifest:
    return {key: item.get(key, "TCP" if key == "protocol" else None) for key in keys}


def _key_step(keys: tuple[str, ...], item: Manifest) -> str:
    return f"k:{_text(_identity(keys, item))}"


def _merge(live: Any, config: Any, shape: Shape) -> Any:
    """The live value with the configuration's on top; the very same one where nothing changes, so that nobody looks at it again."""
    if isinstance(config, dict) and isinstance(live, dict) and not shape.atomic:
        changed = {name: _merge(live.get(name), inner, shape.field(name)) for name, inner in config.items()}
        if all(inner is not None and inner is live.get(name) for name, inner in changed.items()):
            return live
        return {name: inner for name, inner in {**live, **changed}.items() if inner is not None or name not in config}
    if isinstance(config, list) and isinstance(live, list):
        if shape.is_set:
            return [*live, *(one for one in config if one not in live)]
        if keys := shape.keys([*config, *live]):
            return _merge_items(live, config, keys, shape)
    return live if type(live) is type(config) and isinstance(live, str | int) and live == config else config


def _merge_items(live: list[Any], config: list[Any], keys: tuple[str, ...], shape: Shape) -> list[Any]:
    """Known items merged where they are, then the new ones."""
    places = {_key_step(keys, one): index for index, one in enumerate(live) if isinstance(one, dict)}
    result, seen = list(live), set()
    for item in config:
        if not isinstance(item, dict):
            raise bad_request(f"expected a map with the keys {', '.join(keys)}")
        step = _key_step(keys, item)
        if step in seen:
            raise bad_request(f"failed to create typed patch object: duplicate entries for key {step.removeprefix('k:')}")
        seen.add(step)
        if step in places:
            result[places[step]] = _merge(result[places[step]], item, shape.item())
        else:
            result.append(item)
    return live if all(map(operator.is_, result, live)) and len(result) == len(live) else result


def _disputed(wanted: Trie, held: Trie, values: tuple[Any, Any], shape: Shape, path: Steps = ()) -> Iterator[Steps]:
    """The leaves that both own and that the apply would change."""
    for step in wanted.keys() & held.keys() - {"."}:
        (before, inside), (after, _) = (entered(value, step, shape) for value in values)
        if _merge(before, after, inside) == before:  # so does an empty map on top of a full one
            continue
        if wanted[step] and held[step]:
            yield from _disputed(wanted[step], held[step], (before, after), inside, (*path, step))
        else:
            yield (*path, step)


def at(value: Any, steps: Steps, shape: Shape) -> Any:
    """The value of one owned place; None if it is not there."""
    for step in steps:
        value, shape = entered(value, step, shape)
    return value


def entered(value: Any, step: str, shape: Shape) -> tuple[Any, Shape]:
    """The value one step further, None if it is not there, and its shape."""
    if step.startswith("f:"):
        name = step[2:]
        return (value.get(name) if isinstance(value, dict) else None), shape.field(name)
    if not isinstance(value, list):
        return None, shape.item()
    wanted = orjson.loads(step[2:])
    if step.startswith("k:"):
        return next((one for one in value if isinstance(one, dict) and _matches(one, wanted)), None), shape.item()
    return (wanted if wanted in value else None), shape.item()


def _matches(item: Manifest, wanted: Mapping[str, Any]) -> bool:
    return _identity(tuple(wanted), item) == wanted


def without(trie: Trie, gone: set[Steps], path: Steps = ()) -> Trie:
    """A trie without some of its leaves."""
    result: Trie = {}
    for step, inner in trie.items():
        if (*path, step) in gone:
            continue
        kept = without(inner, gone, (*path, step)) if inner else {}
        if kept or not inner:
            result[step] = kept
    return result


def _only_in(held: Trie, others: list[Trie]) -> Trie:
    """The part of a trie that no other trie has."""
    result: Trie = {}
    for step, inner in held.items():
        below = [other[step] for other in others if step in other]
        if not below:
            result[step] = inner
        elif inner and (rest := _only_in(inner, below)):
            result[step] = rest
    return result


def _drop(value: Any, gone: Trie, shape: Shape) -> Any:
    """The value without what nobody owns any more; a list item leaves when the item itself was owned only here."""
    if isinstance(value, dict):
        result = {}
        for name, inner in value.items():
            left = gone.get(f"f:{name}")
            if left is None:
                result[name] = inner
            elif left and not shape.field(name).atomic and (rest := _drop(inner, left, shape.field(name))):
                result[name] = rest
        return result
    if isinstance(value, list):
        return _drop_items(value, gone, shape)
    return value


def _drop_items(items: list[Any], gone: Trie, shape: Shape) -> list[Any]:
    keys = shape.keys(items)
    result = []
    for item in items:
        step = _key_step(keys, item) if keys and isinstance(item, dict) else f"v:{_text(item)}"
        left = gone.get(step)
        if left is None:
            result.append(item)
        elif left and "." not in left:
            result.append(_drop(item, left, shape.item()))
    return result


def _who(entry: Manifest) -> str:
    """An owner in the words of conflict messages; an update is told with its version."""
    manager, operation, subresource = owner_of(entry)
    text = f'"{manager}"' + (f' with subresource "{subresource}"' if subresource else "")
    return text if operation != "Update" else f"{text} using {entry.get('apiVersion')}"


def _conflict(disputed: Iterable[tuple[Manifest, list[Steps]]]) -> Failure:
    found = sorted((_who(entry), sorted(dotted(path) for path in paths)) for entry, paths in disputed)
    causes = [
        {"reason": "FieldManagerConflict", "message": f"conflict with {who}", "field": path} for who, paths in found for path in paths
    ]
    if len(causes) == 1:
        text = f"1 conflict: {causes[0]['message']}: {causes[0]['field']}"
    else:
        text = f"{len(causes)} conflicts: " + "\n".join(line for who, paths in found for line in _listed(who, paths))
    return Failure(409, "Conflict", f"Apply failed with {text}", {"causes": causes})


def _listed(who: str, paths: list[str]) -> list[str]:
    return [f"conflicts with {who}:", *(f"- {path}" for path in paths)]


def dotted(steps: Steps) -> str:
    """An owned place in the words of conflict messages."""
    text = ""
    for step in steps:
        if step.startswith("f:"):
            text += f".{step[2:]}"
        elif step.startswith("k:"):
            text += "[" + ",".join(f"{key}={_text(value)}" for key, value in orjson.loads(step[2:]).items()) + "]"
        else:
            text += f"[={step[2:]}]"
    return text

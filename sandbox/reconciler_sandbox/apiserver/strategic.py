"""Strategic merge patches of built-in kinds: list keys and directives.

The keys go by field name, as they are the same wherever a field of that name occurs.
"""

from collections.abc import Mapping
from typing import Any

from reconciler_sandbox.apiserver.failures import Failure, bad_request

Manifest = dict[str, Any]

MERGE_KEYS: Mapping[str, str] = {
    **dict.fromkeys(
        ("containers", "initContainers", "ephemeralContainers", "env", "imagePullSecrets", "secrets", "resourceClaims", "schedulingGates"),
        "name",
    ),
    "volumes": "name",
    "volumeMounts": "mountPath",
    "volumeDevices": "devicePath",
    "hostAliases": "ip",
    "podIPs": "ip",
    "topologySpreadConstraints": "topologyKey",
    "conditions": "type",
    "ownerReferences": "uid",
}
PRIMITIVE_LISTS = frozenset({"finalizers"})
ORDER = "$setElementOrder/"
REMOVE = "$deleteFromPrimitiveList/"
RETAIN = "$retainKeys"
DIRECTIVE = "$patch"


def merge(value: Any, patch: Any) -> Any:
    """The value with a strategic merge patch applied; untouched parts are shared with it. Raises Failure 400 or 500."""
    if not isinstance(patch, dict):
        return patch
    if patch.get(DIRECTIVE) == "replace":
        return {name: inner for name, inner in patch.items() if name != DIRECTIVE}
    if patch.get(DIRECTIVE) == "delete":
        return {}
    result = _retained(dict(value) if isinstance(value, dict) else {}, patch)
    for name, inner in patch.items():
        _merge_field(result, name, inner)
    for name, order in patch.items():
        if name.startswith(ORDER) and isinstance(result.get(name.removeprefix(ORDER)), list):
            plain = name.removeprefix(ORDER)
            result[plain] = _ordered(plain, result[plain], order)
    return result


def _retained(result: Manifest, patch: Manifest) -> Manifest:
    kept = patch.get(RETAIN)
    if kept is None:
        return result
    if not isinstance(kept, list):
        raise bad_request("invalid patch: $retainKeys is a list of field names")
    return {name: inner for name, inner in result.items() if name in kept}


def _merge_field(result: Manifest, name: str, inner: Any) -> None:
    if name.startswith(REMOVE):
        plain = name.removeprefix(REMOVE)
        result[plain] = [one for one in result.get(plain) or () if one not in inner]
    elif name.startswith("$"):
        return
    elif inner is None:
        result.pop(name, None)
    elif isinstance(inner, list):
        result[name] = _merge_list(name, result.get(name) or [], inner)
    elif isinstance(inner, dict) and inner.get(DIRECTIVE) == "delete":
        result.pop(name, None)
    else:
        result[name] = merge(result.get(name), inner)


def merge_key(name: str, items: list[Any]) -> str | None:
    """The field that tells the items of a list apart; None for a list that is replaced as a whole."""
    if name == "ports":
        known = next((key for item in items if isinstance(item, dict) for key in ("containerPort", "port") if key in item), None)
        return known or "port"
    if name == "addresses":
        return "type" if any(isinstance(item, dict) and "type" in item for item in items) else None
    return MERGE_KEYS.get(name)


def _merge_list(name: str, current: list[Any], patch: list[Any]) -> list[Any]:
    if name in PRIMITIVE_LISTS:
        return [*(one for one in patch if one not in current), *current]
    key = merge_key(name, [*patch, *current])
    if key is None or not all(isinstance(one, dict) for one in patch):
        return patch
    if any(one.get(DIRECTIVE) == "replace" for one in patch):
        return [one for one in patch if DIRECTIVE not in one]
    return _merge_items(name, key, current, patch)


def _merge_items(name: str, key: str, current: list[Any], patch: list[Manifest]) -> list[Any]:
    """Known items are merged in place, new ones are put in front."""
    result, new = list(current), []
    for item in patch:
        if key not in item:
            raise Failure(500, "InternalError", f"map: {item} does not contain declared merge key: {key} ({name})"[:500])
        index = next((index for index, one in enumerate(result) if one.get(key) == item[key]), None)
        if item.get(DIRECTIVE) == "delete":
            result = [one for one in result if one.get(key) != item[key]]
        elif index is None:
            new.append(merge({}, item))
        else:
            result[index] = merge(result[index], item)
    return new + result


def _ordered(name: str, items: list[Any], order: Any) -> list[Any]:
    """The items in the wanted order; one that the order does not name stays behind the item before it."""
    if not isinstance(order, list):
        raise bad_request(f"invalid patch: {ORDER}{name} is a list")
    key = merge_key(name, items)
    rank = {repr(_identity(key, one)): index for index, one in enumerate(order)}
    position, ranked = -1, []
    for item in items:
        position = rank.get(repr(_identity(key, item)), position)
        ranked.append((position, item))
    return [item for _, item in sorted(ranked, key=lambda pair: pair[0])]


def _identity(key: str | None, item: Any) -> Any:
    return item.get(key) if key and isinstance(item, dict) else item

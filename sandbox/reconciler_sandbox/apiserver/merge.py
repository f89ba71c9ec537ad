"""Merge patches (RFC 7386) and JSON patches (RFC 6902) on values that are never changed in place."""

from collections.abc import Callable, Mapping
from typing import Any

from reconciler_sandbox.apiserver.failures import bad_patch, bad_request

MAX_OPERATIONS = 10_000


def merge(value: Any, patch: Any) -> Any:
    """The value with a merge patch applied; untouched parts are shared with it."""
    if not isinstance(patch, dict):
        return patch
    result = dict(value) if isinstance(value, dict) else {}
    for name, inner in patch.items():
        if inner is None:
            result.pop(name, None)
        else:
            result[name] = merge(result.get(name), inner)
    return result


def apply_operations(value: Any, operations: Any) -> Any:
    """The value after a JSON patch. Raises Failure 400 for what is no patch, 422 for one that does not fit."""
    if not isinstance(operations, list) or not all(isinstance(one, dict) for one in operations):
        raise bad_request("json: cannot unmarshal into Go value of type jsonpatch.Patch: a JSON patch is a list of operations")
    if len(operations) > MAX_OPERATIONS:
        raise bad_request(f"The allowed maximum operations in a JSON patch is {MAX_OPERATIONS}, got {len(operations)}")
    for operation in operations:
        value = _operate(value, operation)
    return value


def _operate(value: Any, operation: Mapping[str, Any]) -> Any:
    carry_out = OPERATIONS.get(str(operation.get("op")))
    if carry_out is None:
        raise bad_patch(f"Unexpected kind: {operation.get('op')}")
    return carry_out(value, _pointer(operation.get("path")), operation)


def _pointer(path: Any) -> tuple[str, ...]:
    if path == "":
        return ()
    if not isinstance(path, str) or not path.startswith("/"):
        raise bad_patch(f"the path {path!r} is no JSON pointer")
    return tuple(part.replace("~1", "/").replace("~0", "~") for part in path[1:].split("/"))


def _operand(operation: Mapping[str, Any]) -> Any:
    if "value" not in operation:
        raise bad_patch(f"the operation {operation.get('op')} on {operation.get('path')} has no value")
    return operation["value"]


def _test(value: Any, path: tuple[str, ...], operation: Mapping[str, Any]) -> Any:
    if _found(value, path, missing=None) != operation.get("value"):
        raise bad_patch(f"testing value {operation.get('path')} failed")
    return value


def _move(value: Any, path: tuple[str, ...], operation: Mapping[str, Any]) -> Any:
    source = _pointer(operation.get("from"))
    if path[: len(source)] == source and path != source:
        raise bad_patch("cannot move a value into itself")
    moved = _found(value, source)
    return _change(_change(value, source, _removed, None), path, _added, moved)


OPERATIONS: Mapping[str, Callable[[Any, tuple[str, ...], Mapping[str, Any]], Any]] = {
    "add": lambda value, path, operation: _change(value, path, _added, _operand(operation)),
    "replace": lambda value, path, operation: _change(value, path, _replaced, _operand(operation)),
    "remove": lambda value, path, operation: _change(value, path, _removed, None),
    "copy": lambda value, path, operation: _change(value, path, _added, _found(value, _pointer(operation.get("from")))),
    "move": _move,
    "test": _test,
}


class _Absent:
    """Marks that a missing value is an error."""


def _found(value: Any, path: tuple[str, ...], missing: Any = _Absent) -> Any:
    for part in path:
        if isinstance(value, dict) and part in value:
            value = value[part]
        elif isinstance(value, list) and part.isdigit() and int(part) < len(value):
            value = value[int(part)]
        elif missing is _Absent:
            raise _missing(path)
        else:
            return missing
    return value


def _missing(path: tuple[str, ...]) -> Exception:
    return bad_patch(f"the path /{'/'.join(path)} does not exist")


Change = Callable[[Any, str, Any], Any]


def _change(value: Any, path: tuple[str, ...], change: Change, operand: Any) -> Any:
    """The value with one place changed; the containers on the way to it are copied."""
    if not path:
        return operand
    first, rest = path[0], path[1:]
    if not rest:
        return change(value, first, operand)
    inner = _found(value, (first,))
    changed = _change(inner, rest, change, operand)
    if isinstance(value, dict):
        return {**value, first: changed}
    index = int(first)
    return [*value[:index], changed, *value[index + 1 :]]


def _index(value: list[Any], part: str, limit: int) -> int:
    if part == "-" and limit > len(value) - 1:
        return len(value)
    if not part.isdigit() or int(part) > limit:
        raise _missing((part,))
    return int(part)


def _added(value: Any, part: str, operand: Any) -> Any:
    if isinstance(value, dict):
        return {**value, part: operand}
    if isinstance(value, list):
        index = _index(value, part, len(value))
        return [*value[:index], operand, *value[index:]]
    raise _missing((part,))


def _replaced(value: Any, part: str, operand: Any) -> Any:
    if isinstance(value, dict) and part in value:
        return {**value, part: operand}
    if isinstance(value, list):
        index = _index(value, part, len(value) - 1)
        return [*value[:index], operand, *value[index + 1 :]]
    raise _missing((part,))


def _removed(value: Any, part: str, _: Any) -> Any:
    if isinstance(value, dict) and part in value:
        return {name: inner for name, inner in value.items() if name != part}
    if isinstance(value, list):
        index = _index(value, part, len(value) - 1)
        return [*value[:index], *value[index + 1 :]]
    raise _missing((part,))

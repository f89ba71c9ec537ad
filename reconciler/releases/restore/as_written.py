"""A pod template that was read from the cluster, without what its API server filled in: only what a person wrote goes into Git. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from reconciler.kernel.identity import Manifest
from reconciler.rollouts.replicas.template import semantically_equal

Place = tuple[str | int, ...]
"""A field, from the template's root: keys and positions in lists."""


def as_written(live: Mapping[str, Any], written: Mapping[str, Any]) -> Manifest:
    """The live template without each field that `written`, the same template in Git's words, has not and that changes nothing.

    What would mean other pods without it stays, written or not.
    """
    kept: Manifest = dict(live)
    for place in tuple(_unwritten(live, written, ())):
        shorter = _without(kept, place)
        if semantically_equal(shorter, dict(live)):
            kept = shorter
    return kept


def _unwritten(live: Any, written: Any, place: Place) -> Iterator[Place]:
    """The outermost fields that only the live one has; entries of lists that have names are held against those of their name."""
    if isinstance(live, Mapping) and isinstance(written, Mapping):
        for key, value in live.items():
            if key in written:
                yield from _unwritten(value, written[key], (*place, key))
            else:
                yield (*place, key)
    elif _listed(live) and _listed(written):
        for index, entry in enumerate(live):
            yield from _unwritten(entry, _counterpart(entry, index, written), (*place, index))


def _listed(value: Any) -> bool:
    return isinstance(value, Sequence) and not isinstance(value, str)


def _counterpart(entry: Any, index: int, written: Sequence[Any]) -> Any:
    name = entry.get("name") if isinstance(entry, Mapping) else None
    if name is not None:
        return next((one for one in written if isinstance(one, Mapping) and one.get("name") == name), None)
    return written[index] if index < len(written) else None


def _without(node: Any, place: Place) -> Any:
    """The same with one field less; nothing of the original is changed."""
    head, *rest = place
    if isinstance(node, Mapping):
        if not rest:
            return {key: value for key, value in node.items() if key != head}
        return {key: _without(value, tuple(rest)) if key == head else value for key, value in node.items()}
    return [_without(entry, tuple(rest)) if index == head else entry for index, entry in enumerate(node)]

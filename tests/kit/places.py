"""Every place of a document, and the document with something else there."""

from collections.abc import Iterator
from typing import Any

Place = tuple[str | int, ...]


def places(value: Any, at: Place = ()) -> Iterator[Place]:
    """The document itself, then every member at any depth."""
    yield at
    members: list[tuple[Any, Any]] = []
    if isinstance(value, dict):
        members = list(value.items())
    elif isinstance(value, list):
        members = list(enumerate(value))
    for key, member in members:
        yield from places(member, (*at, key))


def put(value: Any, at: Place, wrong: Any) -> Any:
    """A copy with `wrong` at a place."""
    if not at:
        return wrong
    made: Any = value.copy()
    made[at[0]] = put(made[at[0]], at[1:], wrong)
    return made

"""What installed packages of other people offer under a group of entry points: each name once, or why it cannot be used."""

from collections.abc import Iterable
from dataclasses import dataclass
from importlib.metadata import EntryPoint
from typing import Any


@dataclass(frozen=True, slots=True)
class Installed:
    """What an entry point leads to; `factory` is None when there is a `reason`."""

    name: str
    factory: Any
    reason: str = ""


def loaded(points: Iterable[EntryPoint]) -> tuple[Installed, ...]:
    """What entry points lead to, by name. One that cannot be used is one that says why."""
    found: dict[str, list[EntryPoint]] = {}
    for point in points:
        found.setdefault(point.name, []).append(point)
    return tuple(_loaded(name, same) for name, same in sorted(found.items()))


def _loaded(name: str, points: list[EntryPoint]) -> Installed:
    values = sorted({point.value for point in points})
    if len(values) > 1:
        return Installed(name, None, f"is installed more than once ({', '.join(values)}): remove all packages but one")
    try:
        factory = points[0].load()
    except (Exception, SystemExit) as error:
        return Installed(name, None, f"cannot be loaded from {values[0]}: {words(error)}")
    return Installed(name, factory) if callable(factory) else Installed(name, None, f"{values[0]} is no class or function")


def words(error: BaseException) -> str:
    """What other people's code raised, in one short line."""
    return f"{type(error).__name__}: {error}"[:300]

"""What another edition of the code decides from the same facts, beside what was decided then. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

Json = Any
SHORT = 120
MOST = 20
ABSENT = "nothing"


@dataclass(frozen=True, slots=True)
class Replanned:
    """One pass planned again: `differences` is empty where it decides the same; `problem` is why it could not be planned."""

    at: str
    kind: str
    about: str
    differences: tuple[str, ...] = ()
    problem: str = ""

    @property
    def same(self) -> bool:
        return not self.differences and not self.problem

    def lines(self) -> Iterator[str]:
        """For people: which pass, then each difference."""
        yield f"{self.at}  {self.kind} {self.about}"
        if self.problem:
            yield f"  cannot be planned again: {self.problem}"
        yield from (f"  {one}" for one in self.differences[:MOST])
        if len(self.differences) > MOST:
            yield f"  and {len(self.differences) - MOST} more"


def differences(then: Json, now: Json, path: str = "") -> Iterator[str]:
    """Each place where two packed plans differ: where, then and now. The marks of the packing are left out of the paths."""
    then, now = _bare(then), _bare(now)
    if isinstance(then, dict) and isinstance(now, dict):
        for name in sorted({*then, *now}):
            yield from differences(then.get(name), now.get(name), f"{path}.{name}" if path else name)
    elif isinstance(then, list) and isinstance(now, list):
        for place in range(max(len(then), len(now))):
            yield from differences(_at(then, place), _at(now, place), f"{path}[{place}]")
    elif then != now:
        yield f"{path or 'it'}: {_short(then)} -> {_short(now)}"


def _bare(value: Json) -> Json:
    """A record of one class keeps its name as a field of its own, so that another class in its place is a difference."""
    if not isinstance(value, dict) or "!" not in value:
        return value
    if "fields" in value:
        return {"is": value["!"].rpartition(":")[2], **value["fields"]}
    return value.get("items", value.get("value", {name: one for name, one in value.items() if name != "!"}))


def _at(values: list[Json], place: int) -> Json:
    return values[place] if place < len(values) else None


def _short(value: Json) -> str:
    text = ABSENT if value in (None, "") else str(value)
    return text if len(text) <= SHORT else f"{text[:SHORT]}…"

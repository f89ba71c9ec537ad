"""Functions of conditions that walk a list with an expression for each element: `#`, `#index`, `#acc` (contract 6.9)."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cmp_to_key
from typing import Any

from reconciler.expr.syntax import ExpressionError, SyntaxNode
from reconciler.expr.values import Value, arithmetic, is_number, ordered, type_name


@dataclass(frozen=True, slots=True)
class Walk:
    """Where a closure stands in its list."""

    current: Value
    index: int
    accumulated: Value = None

    def pointed(self, word: str) -> Value:
        """What `#`, `#index` or `#acc` means here."""
        pointers = {"": self.current, "index": self.index, "acc": self.accumulated}
        if word not in pointers:
            raise ExpressionError(f"unknown pointer #{word}")
        return pointers[word]


At = Callable[[Walk, SyntaxNode], Value]
"""The value of an expression at one place of a walk."""


@dataclass(frozen=True, slots=True)
class Closure:
    """A walk and how many arguments it takes, the list included."""

    call: Callable[[list[Value], Sequence[SyntaxNode], At], Value]
    least: int = 2
    most: int = 2
    sorts: bool = False

    def check_count(self, name: str, count: int) -> None:
        if not self.least <= count <= self.most:
            raise ExpressionError(f"invalid number of arguments for {name} (expected {self.least}, got {count})")


def compared(left: Value, right: Value) -> int:
    """-1, 0 or 1; raises ExpressionError for what has no order."""
    return -1 if ordered("<", left, right) else int(ordered("<", right, left))


def sorting_cost(items: Sequence[Value]) -> int:
    """How many comparisons sorting takes at most."""
    return len(items) * len(items).bit_length()


def descending(order: Value) -> bool:
    if order not in ("asc", "desc"):
        raise ExpressionError('invalid order, expected "asc" or "desc"')
    return bool(order == "desc")


def _flag(value: Value) -> bool:
    if not isinstance(value, bool):
        raise ExpressionError(f"predicate should return boolean (got {type_name(value)})")
    return value


def _matching(items: list[Value], predicate: SyntaxNode, at: At) -> list[int]:
    return [index for index, item in enumerate(items) if _flag(at(Walk(item, index), predicate))]


def _all(items: list[Value], parts: Sequence[SyntaxNode], at: At) -> Value:
    return all(_flag(at(Walk(item, index), parts[0])) for index, item in enumerate(items))


def _any(items: list[Value], parts: Sequence[SyntaxNode], at: At) -> Value:
    return any(_flag(at(Walk(item, index), parts[0])) for index, item in enumerate(items))


def _none(items: list[Value], parts: Sequence[SyntaxNode], at: At) -> Value:
    return not _any(items, parts, at)


def _one(items: list[Value], parts: Sequence[SyntaxNode], at: At) -> Value:
    return len(_matching(items, parts[0], at)) == 1


def _map(items: list[Value], parts: Sequence[SyntaxNode], at: At) -> Value:
    return [at(Walk(item, index), parts[0]) for index, item in enumerate(items)]


def _filter(items: list[Value], parts: Sequence[SyntaxNode], at: At) -> Value:
    return [items[index] for index in _matching(items, parts[0], at)]


def _count(items: list[Value], parts: Sequence[SyntaxNode], at: At) -> Value:
    return len(_matching(items, parts[0], at)) if parts else sum(_flag(item) for item in items)


def _find(place: int, *, index: bool) -> Callable[[list[Value], Sequence[SyntaxNode], At], Value]:
    def find(items: list[Value], parts: Sequence[SyntaxNode], at: At) -> Value:
        found = _matching(items, parts[0], at)
        if not found:
            return None
        return found[place] if index else items[found[place]]

    return find


def _sum(items: list[Value], parts: Sequence[SyntaxNode], at: At) -> Value:
    total: Any = 0
    for value in _map(items, parts, at) if parts else items:
        if not is_number(value):
            raise ExpressionError(f"invalid argument for sum (type {type_name(value)})")
        total = arithmetic("+", total, value)
    return total


def _group(items: list[Value], parts: Sequence[SyntaxNode], at: At) -> Value:
    groups: dict[str, list[Value]] = {}
    for key, item in zip(_map(items, parts, at), items, strict=True):
        if not isinstance(key, str):
            raise ExpressionError(f"groupBy needs strings as keys (got {type_name(key)})")
        groups.setdefault(key, []).append(item)
    return groups


def _sort(items: list[Value], parts: Sequence[SyntaxNode], at: At) -> Value:
    keys = _map(items, parts, at)
    reverse = len(parts) > 1 and descending(at(Walk(None, 0), parts[1]))
    places = sorted(range(len(items)), key=cmp_to_key(lambda one, other: compared(keys[one], keys[other])), reverse=reverse)
    return [items[place] for place in places]


def _reduce(items: list[Value], parts: Sequence[SyntaxNode], at: At) -> Value:
    if len(parts) == 1 and not items:
        raise ExpressionError("reduce of empty array with no initial value")
    started = len(parts) > 1
    accumulated = at(Walk(None, 0), parts[1]) if started else items[0]
    for index in range(0 if started else 1, len(items)):
        accumulated = at(Walk(items[index], index, accumulated), parts[0])
    return accumulated


CLOSURES: Mapping[str, Closure] = {
    "all": Closure(_all),
    "any": Closure(_any),
    "one": Closure(_one),
    "none": Closure(_none),
    "map": Closure(_map),
    "filter": Closure(_filter),
    "find": Closure(_find(0, index=False)),
    "findIndex": Closure(_find(0, index=True)),
    "findLast": Closure(_find(-1, index=False)),
    "findLastIndex": Closure(_find(-1, index=True)),
    "count": Closure(_count, 1, 2),
    "sum": Closure(_sum, 1, 2),
    "groupBy": Closure(_group),
    "sortBy": Closure(_sort, 2, 3, sorts=True),
    "reduce": Closure(_reduce, 2, 3),
}

"""A condition with its values in it: what was compared with what, for people who ask why it holds or does not. Decides nothing.

What was not looked at, because the answer was known before, is `…`.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime

from reconciler.expr.checks import check
from reconciler.expr.evaluate import Budget, Scope, value_of
from reconciler.expr.syntax import SyntaxNode, parse
from reconciler.expr.text import plain
from reconciler.expr.values import Value

LONGEST = 100
UNSEEN = "…"


def working(text: str, result: Value, now: datetime) -> str:
    """The condition with every operand as its value: `0.913 >= 0.95`. Raises ExpressionError where it cannot be evaluated."""
    tree = parse(text)
    check(tree, result)
    return _worked(tree, Scope({"result": result}, now, Budget()))


def _worked(node: SyntaxNode, scope: Scope) -> str:
    shape = SHAPES.get(node.kind)
    return shape(node, scope) if shape else spelled(value_of(node, scope))


def _joined(word: str, decided: bool) -> Callable[[SyntaxNode, Scope], str]:
    """Parts until the first that decides alone."""

    def join(node: SyntaxNode, scope: Scope) -> str:
        shown: list[str] = []
        for part in node.parts:
            shown.append(_within(part, scope))
            if value_of(part, scope) is decided:
                break
        return f" {word} ".join([*shown, *([UNSEEN] if len(shown) < len(node.parts) else [])])

    return join


def _within(part: SyntaxNode, scope: Scope) -> str:
    shown = _worked(part, scope)
    return f"({shown})" if part.kind in ("or", "and", "choose", "elvis") else shown


def _compare(node: SyntaxNode, scope: Scope) -> str:
    shown = [spelled(value_of(node.parts[0], scope))]
    for word, part in zip(node.word, node.parts[1:], strict=True):
        shown += [word, spelled(value_of(part, scope))]
    return " ".join(shown)


def _negate(node: SyntaxNode, scope: Scope) -> str:
    shown = _within(node.parts[0], scope)
    return f"!({shown})" if node.parts[0].kind == "compare" else f"!{shown}"


def _choose(node: SyntaxNode, scope: Scope) -> str:
    condition, then, otherwise = node.parts
    if value_of(condition, scope) is True:
        return f"{_within(condition, scope)} ? {_within(then, scope)} : {UNSEEN}"
    return f"{_within(condition, scope)} ? {UNSEEN} : {_within(otherwise, scope)}"


def _elvis(node: SyntaxNode, scope: Scope) -> str:
    condition, otherwise = node.parts
    return f"{_within(condition, scope)} ?: {UNSEEN if value_of(condition, scope) is True else _within(otherwise, scope)}"


def _let(node: SyntaxNode, scope: Scope) -> str:
    value, body = node.parts
    return _worked(body, replace(scope, names={**scope.names, node.word: value_of(value, scope)}))


def _last(node: SyntaxNode, scope: Scope) -> str:
    return _worked(node.parts[-1], scope)


def _call(node: SyntaxNode, scope: Scope) -> str:
    """A call with what it was given; what it says of each element is left out."""
    return f"{node.word}({', '.join(UNSEEN if _by_element(part) else spelled(value_of(part, scope)) for part in node.parts)})"


def _by_element(node: SyntaxNode) -> bool:
    return node.kind == "pointer" or any(map(_by_element, node.parts))


def spelled(value: Value) -> str:
    """A value as it would stand in a condition, in one line and not without end."""
    if isinstance(value, list):
        return _cut(f"[{', '.join(spelled(item) for item in value[:LONGEST])}]")
    if isinstance(value, dict | str):
        return _cut(json.dumps(value, ensure_ascii=False, default=str))
    return "nil" if value is None else plain(value)


def _cut(text: str) -> str:
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}{UNSEEN}"


SHAPES: Mapping[str, Callable[[SyntaxNode, Scope], str]] = {
    "or": _joined("||", True),
    "and": _joined("&&", False),
    "compare": _compare,
    "negate": _negate,
    "choose": _choose,
    "elvis": _elvis,
    "let": _let,
    "last": _last,
    "call": _call,
}

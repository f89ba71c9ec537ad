"""PromQL understood before it is asked: what is wrong with it, the kind of its answer, and what it answers without data. Pure.

The parser speaks Prometheus's language. A server of another kind may take more (MetricsQL has words of its own), so what it does not
understand is not always wrong. It is written in Rust and recurses: what is too deep never reaches it.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from itertools import product
from typing import TYPE_CHECKING, Any

from reconciler.analysis.arguments import TAG

if TYPE_CHECKING:
    import promql_parser

LONGEST, DEEPEST = 20_000, 300
"""Characters and steps of a query that is still parsed; a stack of Rust ends at some thousand steps, and with it the process."""
STEPS = re.compile(r"[(+\-*/%^<>=!]|\b(?:and|or|unless|atan2)\b", re.IGNORECASE)
STRING = re.compile(r'"(?:[^"\\\n]|\\.)*"|\'(?:[^\'\\\n]|\\.)*\'|`[^`]*`')
ESCAPE = re.compile(r"\\(.)", re.DOTALL)
ESCAPED = frozenset("abfnrtv\\'\"01234567xuU")
OWN_WORDS = re.compile(r"\b(?:WITH\s*\(|keep_metric_names|default|ifnot|if|limit|rollup\w*)\b|expected type matrix|unknown function")
"""Words of MetricsQL, and what it allows beyond Prometheus: a query with one of them may be right elsewhere."""
FILLERS = ("1", "x", "5m", 'x="y"')
"""What may stand for an argument outside of a string: a number, a name, a span, a matcher."""
MOST_OPEN = 3
ABSENT = frozenset({"absent", "absent_over_time"})


class AnswerKind(StrEnum):
    """What a query answers with."""

    SCALAR = "scalar"
    VECTOR = "vector"
    MATRIX = "matrix"
    STRING = "string"


@dataclass(frozen=True, slots=True)
class Understood:
    """A query that was parsed."""

    kind: AnswerKind
    fallback: float | None
    """The number that it answers where there is no data; None: it answers nothing then, or what cannot be known."""
    bare: str
    """The query whose answer is empty exactly where only the fallback speaks; empty: it has none."""


@dataclass(frozen=True, slots=True)
class Misread:
    """Why a query was not understood; `sure` when no server understands it."""

    words: str
    sure: bool


def understand(query: str) -> Understood | None:
    """None for what the parser does not take, and for what is too long or too deep for it."""
    found = _read(query)
    return found if isinstance(found, Understood) else None


def misread(query: str) -> Misread | None:
    """What is wrong with a query whose arguments stand in it as `{{args.NAME}}`, whatever they are; None: nothing that can be seen."""
    open_ones = sorted(set(TAG.findall(STRING.sub("", query))))
    if len(open_ones) > MOST_OPEN:
        return None
    first: Misread | None = None
    for values in product(FILLERS, repeat=len(open_ones)):
        found = _read(_filled(query, dict(zip(open_ones, values, strict=True))))
        if not isinstance(found, Misread):
            return None
        first = first or found
    return first


def _filled(query: str, values: Mapping[str, str]) -> str:
    return TAG.sub(lambda tag: values.get(tag[1], tag[0]), query)


@lru_cache(maxsize=1024)
def _read(query: str) -> Understood | Misread | None:
    tree = _tree(query)
    if tree is None or isinstance(tree, Misread):
        return tree
    needs = _presence(tree)
    return Understood(_kind(tree), _in_silence(tree) if needs.found else None, _bare(needs))


def _tree(query: str) -> Any:
    """The query as a tree; Misread with the parser's word; None when it was not asked, or is known to err."""
    import promql_parser

    if len(query) > LONGEST or len(STEPS.findall(query)) > DEEPEST:
        return None
    try:
        return promql_parser.parse(query)
    except (RecursionError, OverflowError):
        return None
    except ValueError as error:
        words = str(error)
    if "escape" in words and all(set(ESCAPE.findall(text)) <= ESCAPED for text in STRING.findall(query) if not text.startswith("`")):
        return None  # the parser takes what a string holds for what was written: `"\\d"` is right
    return Misread(words[:200], not OWN_WORDS.search(f"{STRING.sub('', query)} {words}"))


@dataclass(frozen=True, slots=True)
class _Presence:
    """What has to be there for a part to answer by data: a query, empty for a constant; `found` when the part has a fallback."""

    query: str
    found: bool = False


def _presence(node: Any) -> _Presence:
    """Follows the one operand on which it hangs if a part answers; where two are needed, a fallback in one of them never speaks alone."""
    import promql_parser as parser

    match node:
        case parser.NumberLiteral() | parser.StringLiteral():
            return _Presence("")
        case parser.ParenExpr() | parser.UnaryExpr() | parser.AggregateExpr():
            return _kept(node, _presence(node.expr))
        case parser.Call():
            return _of_call(node)
        case parser.BinaryExpr():
            return _of_pair(str(node.op), node)
        case _:
            return _Presence(node.prettify())


def _kept(node: Any, inner: _Presence) -> _Presence:
    """The whole part, unless it is empty only where something inside is not."""
    return inner if inner.found or not inner.query else _Presence(node.prettify())


def _of_call(node: Any) -> _Presence:
    import promql_parser as parser

    vectors = [argument for argument, kind in zip(node.args, node.func.arg_types, strict=False) if kind == parser.ValueType.Vector]
    if not node.args:
        return _Presence("")
    if node.func.name in ("vector", "scalar"):
        return _presence(node.args[0])
    if node.func.name in ABSENT or len(vectors) != 1:
        return _Presence(node.prettify())
    return _kept(node, _presence(vectors[0]))


def _of_pair(operator: str, node: "promql_parser.BinaryExpr") -> _Presence:
    left, right = _presence(node.lhs), _presence(node.rhs)
    if operator == "or":
        if left.query and right.query:
            return _Presence(_either(left, right), left.found or right.found)
        return _Presence(left.query or right.query, True) if left.query or right.query else _Presence("")
    if operator == "unless":
        return _kept(node, left)
    if not left.query or not right.query:  # one of them is a constant
        return _kept(node, left if left.query else right)
    if left.found and right.found:
        return _Presence(_either(left, right), True)
    return _Presence(node.prettify())


def _either(left: _Presence, right: _Presence) -> str:
    return f"({left.query}) or ({right.query})"


def _bare(needs: _Presence) -> str:
    return " ".join(needs.query.split("\n")) if needs.found else ""


def _kind(node: Any) -> AnswerKind:
    import promql_parser as parser

    match node:
        case parser.NumberLiteral():
            return AnswerKind.SCALAR
        case parser.StringLiteral():
            return AnswerKind.STRING
        case parser.MatrixSelector() | parser.SubqueryExpr():
            return AnswerKind.MATRIX
        case parser.ParenExpr() | parser.UnaryExpr():
            return _kind(node.expr)
        case parser.Call():
            return AnswerKind(str(node.func.return_type).rpartition(".")[2].lower())
        case parser.BinaryExpr():
            scalars = {_kind(node.lhs), _kind(node.rhs)} == {AnswerKind.SCALAR}
            return AnswerKind.SCALAR if scalars else AnswerKind.VECTOR
        case _:
            return AnswerKind.VECTOR


ARITHMETIC = {
    "+": lambda left, right: left + right,
    "-": lambda left, right: left - right,
    "*": lambda left, right: left * right,
    "/": lambda left, right: left / right,
}
KEEPING = frozenset({"sum", "min", "max", "avg"})
"""Aggregations that answer one series with its own value."""


def _in_silence(node: Any) -> float | None:
    """The number that a part answers where no series has data; None: nothing, or what is not worked out here."""
    import promql_parser as parser

    match node:
        case parser.NumberLiteral():
            return float(node.val)
        case parser.ParenExpr():
            return _in_silence(node.expr)
        case parser.UnaryExpr():
            inner = _in_silence(node.expr)
            return None if inner is None else -inner
        case parser.AggregateExpr():
            return _in_silence(node.expr) if str(node.op) in KEEPING else None
        case parser.Call():
            return _in_silence(node.args[0]) if node.func.name == "vector" else None
        case parser.BinaryExpr():
            return _pair_in_silence(str(node.op), _in_silence(node.lhs), _in_silence(node.rhs))
        case _:
            return None


def _pair_in_silence(operator: str, left: float | None, right: float | None) -> float | None:
    if operator == "or":
        return right if left is None else left
    work = ARITHMETIC.get(operator)
    if work is None or left is None or right is None or (operator == "/" and not right):
        return None
    return float(work(left, right))

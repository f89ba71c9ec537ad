"""Queries against the store: instant and range, step by step over the tree that promql-parser returns."""

import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import promql_parser as parser

from reconciler_sandbox.metrics.labels import NAME, Labels, labels, nameless, value_of
from reconciler_sandbox.metrics.promql import aggregate, functions, matching
from reconciler_sandbox.metrics.promql.values import BadQuery, Matrix, Sample, Value, Vector, Window
from reconciler_sandbox.metrics.store import Matcher, Store

LOOKBACK_MS = 300_000
MOST_STEPS = 11_000
Points = list[tuple[int, float]]


@dataclass(frozen=True, slots=True)
class Moment:
    """The time of one evaluation step, and the first and last step of the query, in ms."""

    now: int
    start: int
    end: int


def parse(query: str) -> Any:
    """The query's tree; raises BadQuery with the reason, naming what this evaluator does not have."""
    try:
        tree = parser.parse(query)
    except ValueError as error:
        raise BadQuery(_reason(str(error))) from error
    _must_be_supported(tree)
    return tree


def instant(store: Store, query: str, time: int) -> Value:
    """The value of a query at one time (ms)."""
    return _evaluate(store, parse(query), Moment(time, time, time))


def is_range(query: str) -> bool:
    """Whether the value of a query is a range vector, also when nothing is in it."""
    tree = parse(query)
    while isinstance(tree, parser.ParenExpr):
        tree = tree.expr
    return isinstance(tree, parser.MatrixSelector)


def over_range(store: Store, query: str, start: int, end: int, step: int) -> list[tuple[Labels, Points]]:
    """The values of a query at each step from start to end (ms); raises BadQuery for strings, range vectors and too many steps."""
    if step <= 0 or end < start or (end - start) // step >= MOST_STEPS:
        raise BadQuery(f"the range needs a positive step, an end not before its start and fewer than {MOST_STEPS} steps")
    if is_range(query):
        raise BadQuery("a range query needs a scalar or an instant vector")
    tree = parse(query)
    found: dict[Labels, Points] = {}
    for now in range(start, end + 1, step):
        for sample in _samples(_evaluate(store, tree, Moment(now, start, end))):
            found.setdefault(sample.labels, []).append((now, sample.value))
    return sorted(found.items())


def _samples(value: Value) -> Vector:
    if isinstance(value, float):
        return [Sample((), value)]
    if isinstance(value, str):
        raise BadQuery("a range query needs a scalar or an instant vector")
    return [element for element in value if isinstance(element, Sample)]


def _reason(message: str) -> str:
    """The parser's message; an unknown function is one that we do not support."""
    unknown = re.search(r"unknown function with name '(\w+)'", message)
    return f'unsupported function "{unknown[1]}"' if unknown else f"parse error: {message}"


def _must_be_supported(tree: Any) -> None:
    """Refuse before evaluating: a query over no series must not hide what we cannot do."""
    refusals: list[str] = []

    def look(node: Any) -> bool:
        refusals.extend(filter(None, [_refusal(node)]))
        return True

    parser.walk(tree, look)
    if refusals:
        raise BadQuery(refusals[0])


def _refusal(node: Any) -> str:
    kind = type(node).__name__
    if kind not in EVALUATORS:
        return f'unsupported expression "{kind}"'
    if kind == "Call" and not functions.known(node.func.name):
        return f'unsupported function "{node.func.name}"'
    if kind == "AggregateExpr" and str(node.op) not in aggregate.REDUCTIONS:
        return f'unsupported aggregation "{node.op}"'
    if kind == "BinaryExpr" and str(node.op) not in matching.OPERATORS:
        return f'unsupported operator "{node.op}"'
    if kind == "BinaryExpr" and node.modifier and node.modifier.fill_values and _fills(node.modifier.fill_values):
        return 'unsupported modifier "fill"'
    return ""


def _fills(fill: Any) -> bool:
    return fill.lhs is not None or fill.rhs is not None


def _evaluate(store: Store, node: Any, moment: Moment) -> Value:
    return EVALUATORS[type(node).__name__](store, node, moment)


def _vector_selector(store: Store, node: Any, moment: Moment) -> Vector:
    at = _time(node, moment)
    found = ((series.labels, series.latest(at - LOOKBACK_MS, at)) for series in store.select(*_selection(node)))
    return [Sample(label_set, value) for label_set, value in found if value is not None]


def _matrix_selector(store: Store, node: Any, moment: Moment) -> Matrix:
    selector = node.vector_selector
    end = _time(selector, moment)
    start = end - _milliseconds(node.range)
    windows = (Window(series.labels, tuple(series.between(start, end)), start, end) for series in store.select(*_selection(selector)))
    return [window for window in windows if window.points]


def _call(store: Store, node: Any, moment: Moment) -> Value:
    name = node.func.name
    arguments = [_evaluate(store, argument, moment) for argument in node.args]
    if name in ("absent", "absent_over_time"):
        return [] if arguments[0] else [Sample(_equal_labels(node.args[0]), 1.0)]
    return functions.call(name, arguments, moment.now / 1000)


def _aggregate(store: Store, node: Any, moment: Moment) -> Vector:
    vector = _samples(_evaluate(store, node.expr, moment))
    modifier = node.modifier
    without = bool(modifier) and modifier.type == parser.AggModifierType.Without
    group = aggregate.grouping(list(modifier.labels) if modifier else None, without=without)
    return aggregate.aggregate(str(node.op), vector, group)


def _binary(store: Store, node: Any, moment: Moment) -> Value:
    left, right = _evaluate(store, node.lhs, moment), _evaluate(store, node.rhs, moment)
    return matching.combine(str(node.op), left, right, _matching(node.modifier))


def _matching(modifier: Any) -> matching.Matching:
    if modifier is None:
        return matching.Matching()
    sides = ((parser.VectorMatchCardinality.ManyToOne, "left"), (parser.VectorMatchCardinality.OneToMany, "right"))
    many = next((side for cardinality, side in sides if modifier.card == cardinality), "")
    written = modifier.matching
    return matching.Matching(
        labels=tuple(written.labels) if written else (),
        on=bool(written) and written.type == parser.LabelModifierType.Include,
        many=many,
        include=tuple(modifier.group_labels or ()),
        returns_bool=modifier.return_bool,
    )


def _unary(store: Store, node: Any, moment: Moment) -> Value:
    value = _evaluate(store, node.expr, moment)
    if isinstance(value, float):
        return -value
    return functions.distinct([Sample(nameless(sample.labels), -sample.value) for sample in _samples(value)])


def _inner(store: Store, node: Any, moment: Moment) -> Value:
    return _evaluate(store, node.expr, moment)


def _literal(store: Store, node: Any, moment: Moment) -> Value:
    value: float | str = node.val
    return value


def _time(selector: Any, moment: Moment) -> int:
    """When a selector looks: `@` instead of the step's time, then `offset` back."""
    offset = _milliseconds(selector.offset) if selector.offset is not None else 0
    if selector.at is None:
        return moment.now - offset
    if selector.at.type == parser.AtModifierType.Start:
        return moment.start - offset
    if selector.at.type == parser.AtModifierType.End:
        return moment.end - offset
    written: float = selector.at.at.timestamp() * 1000
    return math.floor(written + 0.5) - offset


def _milliseconds(duration: timedelta) -> int:
    return duration // timedelta(milliseconds=1)


def _selection(selector: Any) -> tuple[str, Sequence[Matcher]]:
    """The metric name if one is written, and a predicate for every other matcher."""
    groups = [selector.matchers.matchers, *selector.matchers.or_matchers]
    groups = [[_matcher(matcher) for matcher in group] for group in groups if group]
    if len(groups) <= 1:
        return selector.name or "", groups[0] if groups else []
    return selector.name or "", [lambda label_set: any(all(match(label_set) for match in group) for group in groups)]


def _matcher(matcher: Any) -> Matcher:
    name, wanted = matcher.name, matcher.value
    if matcher.op == parser.MatchOp.Equal:
        return lambda label_set: value_of(label_set, name) == wanted
    if matcher.op == parser.MatchOp.NotEqual:
        return lambda label_set: value_of(label_set, name) != wanted
    try:
        expression = re.compile(wanted, re.DOTALL)
    except re.error as error:
        raise BadQuery(f'unsupported regular expression "{wanted}": {error}') from error
    if matcher.op == parser.MatchOp.Re:
        return lambda label_set: expression.fullmatch(value_of(label_set, name)) is not None
    return lambda label_set: expression.fullmatch(value_of(label_set, name)) is None


def _equal_labels(node: Any) -> Labels:
    """The labels that `absent` can know: those that the selector fixes with exactly one `=`."""
    selector = getattr(node, "vector_selector", node)
    written = getattr(selector, "matchers", None)
    if written is None:
        return ()
    names = [matcher.name for matcher in written.matchers]
    fixed = [m for m in written.matchers if m.op == parser.MatchOp.Equal and names.count(m.name) == 1 and m.name != NAME]
    return labels({matcher.name: matcher.value for matcher in fixed})


EVALUATORS: Mapping[str, Callable[[Store, Any, Moment], Value]] = {
    "VectorSelector": _vector_selector,
    "MatrixSelector": _matrix_selector,
    "Call": _call,
    "AggregateExpr": _aggregate,
    "BinaryExpr": _binary,
    "UnaryExpr": _unary,
    "ParenExpr": _inner,
    "NumberLiteral": _literal,
    "StringLiteral": _literal,
}

"""The meaning of conditions: a tree and a result to true, false or an error (contract 6.9).

Nothing is ever handed to Python: each kind of node has a row here, and every step, element and letter is paid for from one budget.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from reconciler.expr.builtins import FUNCTIONS, METHODS
from reconciler.expr.calling import Calling
from reconciler.expr.checks import check
from reconciler.expr.closures import CLOSURES, Walk, sorting_cost
from reconciler.expr.patterns import InvalidPattern, compile_pattern
from reconciler.expr.syntax import ExpressionError, SyntaxNode, parse
from reconciler.expr.values import Value, arithmetic, cost, element, equal, member, mismatch, ordered, type_name

WORK = 500_000
"""Steps: about half a second, in which nothing else happens."""
LONGEST_RANGE = 100_000


@dataclass(slots=True)
class Budget:
    """How much work one condition may still do."""

    left: int = WORK

    def spend(self, amount: int) -> None:
        self.left -= amount
        if self.left < 0:
            raise ExpressionError("memory budget exceeded: the expression takes too much work")


@dataclass(frozen=True, slots=True)
class Scope:
    """What names and pointers mean at one place of an expression."""

    names: Mapping[str, Value]
    now: datetime
    budget: Budget
    walk: Walk | None = None

    @property
    def calling(self) -> Calling:
        return Calling(self.names["result"], self.now, self.budget.spend)


def holds(text: str, result: Value, now: datetime) -> bool:
    """True when a condition holds for a result. Raises ExpressionError; a condition that yields no boolean is one."""
    answer = evaluate(text, result, now)
    if not isinstance(answer, bool):
        raise ExpressionError(f"expected bool, but got {type_name(answer)}")
    return answer


def evaluate(text: str, result: Value, now: datetime) -> Value:
    """The value of an expression in the environment of analyses."""
    tree = parse(text)
    check(tree, result)
    return value_of(tree, Scope({"result": result}, now, Budget()))


def moment(text: str, now: datetime) -> datetime:
    """The time an expression names, as in a range query (contract 7.1)."""
    answer = evaluate(text, None, now)
    if not isinstance(answer, datetime):
        raise ExpressionError(f"expected time.Time, but got {type_name(answer)}")
    return answer


def value_of(node: SyntaxNode, scope: Scope) -> Value:
    """The value of one part of an expression at its place."""
    scope.budget.spend(1)
    return KINDS[node.kind](node, scope)


def _constant(node: SyntaxNode, scope: Scope) -> Value:
    return node.word


def _name(node: SyntaxNode, scope: Scope) -> Value:
    if node.word == "$env":
        return dict(scope.names)
    if node.word not in scope.names:
        raise ExpressionError(f"unknown name {node.word}")
    return scope.names[node.word]


def _let(node: SyntaxNode, scope: Scope) -> Value:
    value, body = node.parts
    return value_of(body, replace(scope, names={**scope.names, node.word: value_of(value, scope)}))


def _last(node: SyntaxNode, scope: Scope) -> Value:
    return [value_of(part, scope) for part in node.parts][-1]


def _boolean(node: SyntaxNode, scope: Scope, what: str) -> bool:
    value = value_of(node, scope)
    if not isinstance(value, bool):
        raise ExpressionError(f"invalid operation: {what} (mismatched type {type_name(value)})")
    return value


def _choose(node: SyntaxNode, scope: Scope) -> Value:
    condition, then, otherwise = node.parts
    return value_of(then if _boolean(condition, scope, "?:") else otherwise, scope)


def _elvis(node: SyntaxNode, scope: Scope) -> Value:
    condition, otherwise = node.parts
    return _boolean(condition, scope, "?:") or value_of(otherwise, scope)


def _or(node: SyntaxNode, scope: Scope) -> Value:
    return any(_boolean(part, scope, "||") for part in node.parts)


def _and(node: SyntaxNode, scope: Scope) -> Value:
    return all(_boolean(part, scope, "&&") for part in node.parts)


def _negate(node: SyntaxNode, scope: Scope) -> Value:
    return not _boolean(node.parts[0], scope, "!")


def _coalesce(node: SyntaxNode, scope: Scope) -> Value:
    """The first that is not nil; a failing member access counts as nil, as in the reference."""
    value = None
    for part in node.parts:
        value = value_of(part, scope)
        if value is not None:
            return value
    return value


def _compare(node: SyntaxNode, scope: Scope) -> Value:
    """Comparisons in a row: `<` and the like bind neighbours, all others go from left to right."""
    left = value_of(node.parts[0], scope)
    answer: Value = left
    for index, (operator, part) in enumerate(zip(node.word, node.parts[1:], strict=True)):
        right = value_of(part, scope)
        chained = index > 0 and operator in ORDERING and node.word[index - 1] in ORDERING
        result = _compared(operator, left if chained or index == 0 else answer, right, scope)
        answer = answer and result if chained else result
        left = right
    return answer


def _compared(operator: str, left: Value, right: Value, scope: Scope) -> bool:
    if operator in ORDERING:
        scope.budget.spend(cost(left))
        return ordered(operator, left, right)
    if operator in ("==", "!="):
        return equal(left, right, scope.budget.spend) is (operator == "==")
    negated, _, name = operator.rpartition(" ")
    return WORDS[name](left, right, scope) is not bool(negated)


def _within(left: Value, right: Value, scope: Scope) -> bool:
    if right is None:
        return False
    if isinstance(right, list):
        return any(equal(left, item, scope.budget.spend) for item in right)
    if isinstance(right, dict):
        return isinstance(left, str) and left in right
    raise ExpressionError(f'operator "in" not defined on {type_name(right)}')


def _matches(left: Value, right: Value, scope: Scope) -> bool:
    if left is None or right is None:
        return False
    if not isinstance(left, str) or not isinstance(right, str):
        raise mismatch("matches", left, right)
    try:
        pattern = compile_pattern(right)
        scope.budget.spend(len(right) + pattern.cost(left))
        return pattern.search(left)
    except InvalidPattern as error:
        raise ExpressionError(str(error)) from error


def _texts(operator: str, found: Callable[[str, str], bool]) -> Callable[[Value, Value, Scope], bool]:
    def compare(left: Value, right: Value, scope: Scope) -> bool:
        if left is None or right is None:
            return False
        if not isinstance(left, str) or not isinstance(right, str):
            raise mismatch(operator, left, right)
        scope.budget.spend(cost(left))
        return found(left, right)

    return compare


def _range(node: SyntaxNode, scope: Scope) -> Value:
    first, last = (value_of(part, scope) for part in node.parts)
    if type(first) is not int or type(last) is not int:
        raise mismatch("..", first, last)
    if last - first >= LONGEST_RANGE:
        raise ExpressionError(f"memory budget exceeded: a range holds at most {LONGEST_RANGE} numbers")
    scope.budget.spend(max(last - first, 0))
    return list(range(first, last + 1))


def _sum(node: SyntaxNode, scope: Scope) -> Value:
    value = value_of(node.parts[0], scope)
    for operator, part in zip(node.word, node.parts[1:], strict=True):
        value = arithmetic(operator, value, value_of(part, scope))
        scope.budget.spend(cost(value))
    return value


def _power(node: SyntaxNode, scope: Scope) -> Value:
    left, right = (value_of(part, scope) for part in node.parts)
    return arithmetic("**", left, right)


def _sign(node: SyntaxNode, scope: Scope) -> Value:
    value = value_of(node.parts[0], scope)
    if isinstance(value, timedelta):
        return -value if node.word == "-" else value
    return arithmetic("*", -1 if node.word == "-" else 1, value)


def _pointer(node: SyntaxNode, scope: Scope) -> Value:
    if scope.walk is None:
        raise ExpressionError("cannot use pointer accessor outside closure")
    return scope.walk.pointed(node.word)


def _array(node: SyntaxNode, scope: Scope) -> Value:
    return [value_of(part, scope) for part in node.parts]


def _map(node: SyntaxNode, scope: Scope) -> Value:
    pairs = [(value_of(pair.parts[0], scope), value_of(pair.parts[1], scope)) for pair in node.parts]
    if not all(isinstance(key, str) for key, _ in pairs):
        raise ExpressionError("a map key must be a string")
    return dict(pairs)


def _chain(node: SyntaxNode, scope: Scope) -> Value:
    return _steps(value_of(node.parts[0], scope), node.parts[1:], scope)


def _steps(value: Value, steps: tuple[SyntaxNode, ...], scope: Scope) -> Value:
    """Members, indices and slices from left to right; a `?.` on nil ends the chain with nil."""
    for step in steps:
        scope.budget.spend(1)
        if step.kind.startswith("optional") and value is None:
            return None
        value = STEPS[step.kind](value, step, scope)
    return value


def _slice(value: Value, step: SyntaxNode, scope: Scope) -> Value:
    if not isinstance(value, list | str):
        raise ExpressionError(f"cannot slice {type_name(value)}")
    ends = [None if part.kind == "nothing" else value_of(part, scope) for part in step.parts]
    if not all(end is None or type(end) is int for end in ends):
        raise ExpressionError("a slice is bounded by integers")
    scope.budget.spend(cost(value))
    return value[ends[0] : ends[1]]


def _method(value: Value, step: SyntaxNode, scope: Scope) -> Value:
    method = METHODS.get((type(value), step.word))
    if method is None or step.parts:
        raise ExpressionError(f"type {type_name(value)} has no method {step.word}")
    return method(value)


def _call(node: SyntaxNode, scope: Scope) -> Value:
    if node.word in CLOSURES:
        return _closure(node, scope)
    function = FUNCTIONS.get(node.word)
    if function is None:
        raise ExpressionError(f"unknown name {node.word}")
    function.check_count(node.word, len(node.parts))
    arguments = [value_of(part, scope) for part in node.parts]
    scope.budget.spend(sum(map(cost, arguments)))
    value = function.call(scope.calling, *arguments)
    scope.budget.spend(cost(value))
    return value


def _closure(node: SyntaxNode, scope: Scope) -> Value:
    closure = CLOSURES[node.word]
    closure.check_count(node.word, len(node.parts))
    items = value_of(node.parts[0], scope) if node.parts else None
    if not isinstance(items, list):
        raise ExpressionError(f"builtin {node.word} takes only array (got {type_name(items)})")

    def at(walk: Walk, part: SyntaxNode) -> Value:
        return value_of(part, replace(scope, walk=walk))

    scope.budget.spend(sorting_cost(items) if closure.sorts else len(items))
    return closure.call(items, node.parts[1:], at)


ORDERING = frozenset({"<", "<=", ">", ">="})
WORDS: Mapping[str, Callable[[Value, Value, Scope], bool]] = {
    "in": _within,
    "matches": _matches,
    "contains": _texts("contains", lambda left, right: right in left),
    "startsWith": _texts("startsWith", str.startswith),
    "endsWith": _texts("endsWith", str.endswith),
}
STEPS: Mapping[str, Callable[[Value, SyntaxNode, Scope], Value]] = {
    "member": lambda value, step, scope: member(value, step.word),
    "optional member": lambda value, step, scope: member(value, step.word),
    "index": lambda value, step, scope: element(value, value_of(step.parts[0], scope)),
    "optional index": lambda value, step, scope: element(value, value_of(step.parts[0], scope)),
    "slice": _slice,
    "method": _method,
}
KINDS: Mapping[str, Callable[[SyntaxNode, Scope], Any]] = {
    "constant": _constant,
    "name": _name,
    "let": _let,
    "last": _last,
    "choose": _choose,
    "elvis": _elvis,
    "or": _or,
    "and": _and,
    "negate": _negate,
    "coalesce": _coalesce,
    "compare": _compare,
    "range": _range,
    "sum": _sum,
    "product": _sum,
    "power": _power,
    "sign": _sign,
    "pointer": _pointer,
    "array": _array,
    "map": _map,
    "chain": _chain,
    "call": _call,
}

"""What is wrong with a condition before it is evaluated: unknown names and operands that can never go together (contract 6.9).

The kinds of literals, of the result and of what functions return are known; whatever comes out of a JSON document is `any`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from reconciler.expr.builtins import FUNCTIONS
from reconciler.expr.closures import CLOSURES
from reconciler.expr.syntax import ExpressionError, SyntaxNode
from reconciler.expr.values import Value, type_name

ANY = "any"
NUMBERS = frozenset({"int", "float64"})
BOOLEAN = frozenset({"bool"})
ORDERED = frozenset({"int", "float64", "string", "time.Time", "time.Duration"})
ADDED = ORDERED
RETURNS: Mapping[str, str] = {
    **dict.fromkeys(("asInt", "len", "int", "count", "indexOf", "lastIndexOf", "findIndex", "findLastIndex"), "int"),
    **dict.fromkeys(("asFloat", "float", "ceil", "floor", "round", "mean", "median"), "float64"),
    **dict.fromkeys(("isNaN", "isInf", "isNil", "all", "any", "one", "none", "hasPrefix", "hasSuffix"), "bool"),
    **dict.fromkeys(("trim", "upper", "lower", "replace", "repeat", "string", "type", "toJSON", "join"), "string"),
    "now": "time.Time",
    "date": "time.Time",
    "duration": "time.Duration",
}


@dataclass(frozen=True, slots=True)
class Known:
    """The kinds of names in scope, what the elements of the result are, and whether a closure surrounds the place."""

    names: Mapping[str, str]
    elements: str = ANY
    inside: bool = False


def check(tree: SyntaxNode, result: Value) -> None:
    """Raises ExpressionError for what the reference refuses without evaluating."""
    _kind(tree, Known({"result": ANY if result is None else type_name(result), "$env": ANY}, _elements(result)))


def _elements(result: Value) -> str:
    """Providers of numbers return lists of floats; any other list came out of JSON, where elements may be anything."""
    return "float64" if isinstance(result, list) and result and all(type(item) is float for item in result) else ANY


def _kind(node: SyntaxNode, known: Known) -> str:
    """What kind of value a node yields, `any` when only the evaluation can tell."""
    if node.kind == "constant":
        return type_name(node.word)
    if node.kind == "name":
        return _named(node, known)
    if node.kind == "let":
        kind = _kind(node.parts[0], known)
        return _kind(node.parts[1], replace(known, names={**known.names, node.word: kind}))
    if node.kind == "call":
        return _called(node, known)
    if node.kind == "pointer" and not known.inside:
        raise ExpressionError("cannot use pointer accessor outside closure")
    return _combined(node, [_kind(part, known) for part in node.parts], known)


def _named(node: SyntaxNode, known: Known) -> str:
    if node.word not in known.names:
        raise ExpressionError(f"unknown name {node.word}")
    return known.names[node.word]


def _called(node: SyntaxNode, known: Known) -> str:
    function = FUNCTIONS.get(node.word) or CLOSURES.get(node.word)
    if function is None:
        raise ExpressionError(f"unknown name {node.word}")
    function.check_count(node.word, len(node.parts))
    inner = replace(known, inside=known.inside or node.word in CLOSURES)
    kinds = [_kind(part, inner) for part in node.parts]
    if node.word in ("isNaN", "isInf") and kinds[0] not in (ANY, "float64"):
        raise ExpressionError(f"cannot use {kinds[0]} as argument (type float64) to call {node.word}")
    return RETURNS.get(node.word, ANY)


def _combined(node: SyntaxNode, kinds: list[str], known: Known) -> str:
    match node.kind:
        case "or" | "and":
            _demand("||" if node.kind == "or" else "&&", kinds, BOOLEAN)
            return "bool"
        case "negate":
            _demand("!", kinds, BOOLEAN)
            return "bool"
        case "compare":
            return _compared(node, kinds)
        case "sum" | "product":
            return _arithmetic(node, kinds)
        case "chain":
            return _chained(node, known)
        case "array":
            return "[]interface {}"
        case _:
            return ANY


def _demand(operator: str, kinds: list[str], allowed: frozenset[str]) -> None:
    wrong = next((kind for kind in kinds if kind not in allowed and kind != ANY), None)
    if wrong is not None:
        raise ExpressionError(f"invalid operation: {operator} (mismatched type {wrong})")


def _compared(node: SyntaxNode, kinds: list[str]) -> str:
    for operator, left, right in zip(node.word, kinds, kinds[1:], strict=False):
        if len(node.word) > 1 and operator in ("==", "!="):
            break
        if operator in ("<", "<=", ">", ">="):
            _demand(operator, [left, right], ORDERED)
        if operator in ("<", "<=", ">", ">=", "==", "!=") and not _comparable(left, right):
            raise ExpressionError(f"invalid operation: {operator} (mismatched types {left} and {right})")
    return "bool"


def _comparable(left: str, right: str) -> bool:
    return left == right or ANY in (left, right) or "nil" in (left, right) or {left, right} <= NUMBERS


def _arithmetic(node: SyntaxNode, kinds: list[str]) -> str:
    for operator, left, right in zip(node.word, kinds, kinds[1:], strict=False):
        _demand(operator, [left, right], ADDED)
        texts = "string" in (left, right) and ANY not in (left, right)
        if texts and (left != right or operator != "+"):
            raise ExpressionError(f"invalid operation: {operator} (mismatched types {left} and {right})")
    if any(kind not in NUMBERS for kind in kinds):
        return kinds[0] if set(kinds) == {"string"} else ANY
    return "float64" if "float64" in kinds or "/" in node.word else "int"


def _chained(node: SyntaxNode, known: Known) -> str:
    """An index into the result's own list has the kind of its elements; every other step leads to anything."""
    root, *steps = node.parts
    if root.kind == "name" and root.word == "result" and [step.kind for step in steps] == ["index"]:
        return known.elements
    return ANY

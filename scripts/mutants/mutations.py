"""The mutations of one source text: an operand dropped, a comparison swapped, an early return removed. Pure."""

import ast
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

SWAPS: dict[type[ast.cmpop], str] = {ast.Lt: "<=", ast.LtE: "<", ast.Gt: ">=", ast.GtE: ">", ast.Eq: "!=", ast.NotEq: "=="}
WORDS = {ast.And: " and ", ast.Or: " or "}


@dataclass(frozen=True, slots=True)
class Mutant:
    """One change.

    line: where it stands
    before: that line as it is, stripped
    after: that line as it becomes, stripped
    text: the whole module after the change
    within: the qualified name and the first line of the function of a module or class that it stands in, ("", 0) outside of functions
    """

    line: int
    before: str
    after: str
    text: str
    within: tuple[str, int]


@dataclass(frozen=True, slots=True)
class Trial:
    """One mutant of one module, the path relative to the project."""

    path: str
    mutant: Mutant


@dataclass(frozen=True, slots=True)
class Edit:
    """Bytes `start` to `end` of the text become `words`."""

    line: int
    start: int
    end: int
    words: str


def mutants(text: str) -> tuple[Mutant, ...]:
    """Every mutant of a module, in the order of its lines."""
    source = text.encode()
    starts = _line_starts(source)
    tree = ast.parse(text)
    edits = sorted(_edits(tree, source, starts), key=lambda edit: (edit.line, edit.start, edit.words))
    functions = tuple(_functions(tree.body, ""))
    return tuple(_mutant(source, starts, edit, functions) for edit in edits)


def _functions(body: Sequence[ast.stmt], prefix: str) -> Iterator[tuple[range, tuple[str, int]]]:
    """The lines that each function of a module or class runs when it is called, with its qualified name and first line."""
    for statement in body:
        if isinstance(statement, ast.ClassDef):
            yield from _functions(statement.body, f"{prefix}{statement.name}.")
        elif isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef):
            first = min([statement.lineno, *(decorator.lineno for decorator in statement.decorator_list)])
            lines = range(statement.body[0].lineno, (statement.end_lineno or statement.lineno) + 1)
            yield lines, (f"{prefix}{statement.name}", first)


def _line_starts(source: bytes) -> list[int]:
    starts = [0]
    for line in source.splitlines(keepends=True):
        starts.append(starts[-1] + len(line))
    return starts


def _mutant(source: bytes, starts: list[int], edit: Edit, functions: Sequence[tuple[range, tuple[str, int]]]) -> Mutant:
    changed = source[: edit.start] + edit.words.encode() + source[edit.end :]
    begin, end = starts[edit.line - 1], starts[edit.line]
    after = changed[begin : changed.find(b"\n", edit.start + len(edit.words.encode()))]
    within = next((place for lines, place in functions if edit.line in lines), ("", 0))
    return Mutant(edit.line, source[begin:end].decode().strip(), " ".join(after.decode().split()), changed.decode(), within)


def _edits(tree: ast.Module, source: bytes, starts: list[int]) -> Iterator[Edit]:
    for node in ast.walk(tree):
        match node:
            case ast.BoolOp():
                yield from _dropped(node, source, starts)
            case ast.Compare(ops=[op]) if type(op) in SWAPS:
                yield _swapped(node, source, starts)
            case ast.FunctionDef() | ast.AsyncFunctionDef():
                yield from _removed(node, starts)


def _span(node: ast.expr | ast.stmt, starts: list[int]) -> tuple[int, int]:
    return starts[node.lineno - 1] + node.col_offset, starts[(node.end_lineno or node.lineno) - 1] + (node.end_col_offset or 0)


def _dropped(node: ast.BoolOp, source: bytes, starts: list[int]) -> Iterator[Edit]:
    """Each operand left out once."""
    begin, end = _span(node, starts)
    pieces = [_parenthesised(value, source, starts) for value in node.values]
    for index in range(len(pieces)):
        kept = WORDS[type(node.op)].join(pieces[:index] + pieces[index + 1 :])
        yield Edit(node.lineno, begin, end, f"({kept})")


def _parenthesised(node: ast.expr, source: bytes, starts: list[int]) -> str:
    begin, end = _span(node, starts)
    return f"({source[begin:end].decode()})"


def _swapped(node: ast.Compare, source: bytes, starts: list[int]) -> Edit:
    left, right = _parenthesised(node.left, source, starts), _parenthesised(node.comparators[0], source, starts)
    begin, end = _span(node, starts)
    return Edit(node.lineno, begin, end, f"({left} {SWAPS[type(node.ops[0])]} {right})")


def _removed(function: ast.FunctionDef | ast.AsyncFunctionDef, starts: list[int]) -> Iterator[Edit]:
    """Each `return` at the end of an `if` without `else` that something stands after."""
    for block in _blocks(function):
        for statement in block[:-1]:
            if isinstance(statement, ast.If) and not statement.orelse and isinstance(statement.body[-1], ast.Return):
                begin, end = _span(statement.body[-1], starts)
                yield Edit(statement.body[-1].lineno, begin, end, "pass")


def _blocks(function: ast.FunctionDef | ast.AsyncFunctionDef) -> Iterator[list[ast.stmt]]:
    yield function.body
    for node in ast.walk(function):
        if isinstance(node, ast.For | ast.While | ast.If | ast.With) and node.body:
            yield node.body

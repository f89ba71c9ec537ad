"""Nothing of the product lives for its tests alone: from the entry points every definition is reached by name."""

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from tests.kit.source import parsed

ROOT = Path(__file__).resolve().parent.parent
# What a library calls by name: no line of ours does.
CALLED_BY_NAME = {
    "main": "the console script",
    "on_any_event": "watchdog",
    "write_with_length": "aiohttp",
    **dict.fromkeys(("connection_made", "data_received", "eof_received", "pause_writing", "resume_writing"), "asyncio"),
    **dict.fromkeys(("decimal", "integer_pair", "named_pair", "optional_index", "optional_member", "string_pair"), "lark"),
}
Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True)
class Definition:
    """One thing that a module or a class defines, and the names that it mentions when it is used."""

    place: str
    name: str
    mentions: frozenset[str]
    inner: tuple["Definition", ...] = field(default=())


def mentions(*nodes: ast.AST) -> frozenset[str]:
    """Every identifier that is used: names, attributes, and texts that could be looked up; imports use nothing by themselves."""
    found: set[str] = set()
    for node in (inner for root in nodes for inner in ast.walk(root)):
        match node:
            case ast.Name(id=name) | ast.Attribute(attr=name) | ast.keyword(arg=str(name)):
                found.add(name)
            case ast.Constant(value=str(text)) if " " not in text:  # quoted annotations, getattr, "module:name"
                found |= set(re.findall(r"[A-Za-z_]\w*", text))
            case ast.MatchClass(kwd_attrs=names):
                found |= set(names)
    return frozenset(found)


def code_of(node: ast.Module | ast.ClassDef | Function) -> list[ast.stmt]:
    """A body without its docstring."""
    return node.body[1:] if ast.get_docstring(node, clean=False) is not None else node.body


def strip_docstrings(tree: ast.Module) -> ast.Module:
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            node.body = code_of(node) or [ast.Pass()]
    return tree


def targets(statement: ast.stmt) -> list[str]:
    match statement:
        case ast.Assign(targets=[*several]):
            return [name.id for target in several for name in ast.walk(target) if isinstance(name, ast.Name)]
        case ast.AnnAssign(target=ast.Name(id=name)):
            return [name]
    return []


def defined(place: str, source: str) -> Iterator[Definition]:
    """The definitions of a module; what runs on import is a definition without a name."""
    for statement in strip_docstrings(parsed(source)).body:
        match statement:
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
                yield Definition(place, name, mentions(statement))
            case ast.ClassDef(name=name):
                methods = [node for node in statement.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
                rest = [node for node in statement.body if node not in methods]
                inner = tuple(Definition(place, method.name, mentions(method)) for method in methods)
                yield Definition(place, name, mentions(*statement.bases, *statement.decorator_list, *statement.keywords, *rest), inner)
            case ast.Import() | ast.ImportFrom():
                continue
            case _ if names := targets(statement):
                for name in names:
                    yield Definition(place, name, mentions(statement) - set(names))
            case _:
                yield Definition(place, "", mentions(statement))


def dunder(name: str) -> bool:
    return name.startswith("__") and name.endswith("__")


def seen(place: str, names: frozenset[str]) -> set[str]:
    """What a mention reaches: a private name only what is defined in the same file."""
    return {f"{place}: {name}" if name.startswith("_") else name for name in names}


def is_reached(definition: Definition, reached: set[str]) -> bool:
    name = definition.name
    return (f"{definition.place}: {name}" if name.startswith("_") and not dunder(name) else name) in reached or dunder(name)


def unreached(product: list[Definition], entries: set[str]) -> list[str]:
    """What is mentioned by nothing that is reached itself, as `file: name`."""
    reached = entries | {name for d in product if not d.name for name in seen(d.place, d.mentions)}
    waiting = [d for d in product if d.name]
    while news := [d for d in waiting if is_reached(d, reached)]:
        for definition in news:
            reached |= seen(definition.place, definition.mentions)
        done = {id(d) for d in news}
        waiting = [d for d in waiting if id(d) not in done] + [inner for d in news for inner in d.inner]
    return sorted({f"{d.place}: {d.name}" for d in waiting})


@cache
def dead() -> list[str]:
    """What no entry point of the product reaches; the sandbox, the benchmarks and the scripts are users of it."""
    product = [d for path in sorted((ROOT / "reconciler").rglob("*.py")) for d in defined(str(path.relative_to(ROOT)), path.read_text())]
    users = [path for folder in ("sandbox", "benchmarks", "scripts") for path in sorted((ROOT / folder).rglob("*.py"))]
    used = {name for path in users for name in mentions(strip_docstrings(parsed(path.read_text())))}
    return unreached(product, used | set(CALLED_BY_NAME))


def test_nothing_is_reached_by_tests_alone() -> None:
    assert not list(dead())


def test_a_name_that_a_library_calls_is_still_defined() -> None:
    trees = [parsed(path.read_text()) for path in (ROOT / "reconciler").rglob("*.py")]
    names = {node.name for tree in trees for node in ast.walk(tree) if isinstance(node, Function)}
    assert set(CALLED_BY_NAME) <= names


def test_the_search_finds_what_only_itself_or_the_dead_mention() -> None:
    source = "LIMIT = 3\n\n\ndef lonely() -> int:\n    return lonely() + LIMIT\n\n\ndef _own() -> int:\n    return 1\n"
    found = list(defined("a.py", source))
    assert unreached(found, {"other", "b.py: _own"}) == ["a.py: LIMIT", "a.py: _own", "a.py: lonely"]
    assert unreached(found, {"lonely"}) == ["a.py: _own"]

"""The house rules that a machine can check: sizes, docstrings, words, names, what a module may reach (ADR 0007)."""

import ast
import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import grimp
import pytest

from tests.kit.each import for_each
from tests.kit.source import parsed

ROOT = Path(__file__).resolve().parent.parent
SOURCES = sorted((ROOT / "reconciler").rglob("*.py"))
TESTS = sorted((ROOT / "tests").rglob("*.py"))
BANNED = {"get", "handle", "process", "manage", "do", "util", "utils", "helper", "helpers", "common", "base", "manager", "data", "info"}
# Words that other systems define: Kubernetes verbs, HTTP methods, Argo fields, Python protocols, CLI commands.
EXEMPT = {
    "get",
    "data_received",
    "do_GET",
    "do_POST",
    "do_PUT",
    "do_PATCH",
    "do_DELETE",
    "process",
    "rollout_info",
    "controller_info",
    "data",
    "base",
}

# Words that meant something only here, and the word of the field for each.
PRIVATE = {
    "beat": "step of a pass", "turn": "pass", "settle": "finish", "passage": "template decision", "lapse": "override to end",
    "wardrobe": "pod metadata", "purse": "budget", "following": "source", "followed": "git source", "openings": "release opener",
    "gatekeeping": "template gate", "histories": "release history",
}  # fmt: skip
NO_SUBJECT = re.compile(r"\b(whoever|nobody|somebody)\b", re.IGNORECASE)

# What a decision may not reach, by any detour: what waits, and what answers differently when asked twice.
WAITS = {"asyncio", "subprocess", "socket", "httpx", "aiohttp", "git", "kubernetes", "threading", "logging", "structlog"}
DIFFERS = {"random", "os", "time", "pathlib", "uuid", "secrets", "tempfile", "shutil", "platform", "reconciler.kernel.clock"}
HANDS = ("reconciler.kube", "reconciler.git", "reconciler.web", "reconciler.runtime")
NOUNS = {"analysis", "rollouts", "experiments", "sources", "releases", "sync"}
ALWAYS_PURE = {"views", "routers", "expr", "yamledit", "kernel"}
DOING = ("observe", "controller", "apply", "restoring", "follow")


def relative(path: Path) -> str:
    return str(path.relative_to(ROOT))


def functions(path: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(parsed(path.read_text())):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def defined_names(path: Path) -> Iterator[str]:
    yield path.stem
    for node in ast.walk(parsed(path.read_text())):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield node.name


@for_each(SOURCES + TESTS, relative)
def test_a_file_has_at_most_400_lines(path: Path) -> None:
    assert len(path.read_text().splitlines()) <= 400


@for_each(SOURCES, relative)
def test_a_function_has_at_most_50_lines(path: Path) -> None:
    long = {f.name: f.end_lineno - f.lineno + 1 for f in functions(path) if f.end_lineno and f.end_lineno - f.lineno + 1 > 50}
    assert not long


@for_each(SOURCES, relative)
def test_a_module_says_its_idea(path: Path) -> None:
    assert ast.get_docstring(parsed(path.read_text()))


def words_of(name: str) -> set[str]:
    return set(re.split(r"_+", re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).strip("_").lower()))


@for_each(SOURCES, relative)
def test_names_say_something(path: Path) -> None:
    assert not [name for name in defined_names(path) if name not in EXEMPT and words_of(name) & BANNED]


@for_each(SOURCES, relative)
def test_names_are_the_fields_words(path: Path) -> None:
    assert not {name: PRIVATE[word] for name in given_names(path) for word in sorted(words_of(name) & set(PRIVATE))}


def given_names(path: Path) -> Iterator[str]:
    """Every name that a module gives to something: definitions, parameters, variables, attributes."""
    yield path.stem
    for node in ast.walk(parsed(path.read_text())):
        match node:
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name) | ast.arg(arg=name):
                yield name
            case ast.Name(id=name, ctx=ast.Store()) | ast.Attribute(attr=name, ctx=ast.Store()):
                yield name


def docstrings(path: Path) -> Iterator[str]:
    for node in ast.walk(parsed(path.read_text())):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) and (text := ast.get_docstring(node)):
            yield text


@for_each(SOURCES, relative)
def test_a_docstring_says_what_it_returns(path: Path) -> None:
    assert not [text for text in docstrings(path) if text.startswith("Whether")]


@for_each(SOURCES, relative)
def test_a_docstring_names_what_acts(path: Path) -> None:
    """`whoever`, `nobody` and `somebody` hide the thing that acts."""
    assert not [text for text in docstrings(path) if NO_SUBJECT.search(re.sub(r"`[^`]*`", "", text))]


def is_pure(module: str) -> bool:
    """True of the modules that think: all but the clock below, all but what reads, loops and writes in a noun's folder."""
    folder, *inner = module.removeprefix("reconciler.").split(".")
    if folder in NOUNS:
        return not any(room.startswith(DOING) for room in inner)
    return folder in ALWAYS_PURE and module != "reconciler.kernel.clock"


def is_forbidden(module: str) -> bool:
    """True of what waits, differs or touches the outside; the nouns of the hands are plain data."""
    if module in ("reconciler.git.objects", "reconciler.kube.errors"):
        return False
    return module in WAITS | DIFFERS or any(module == hand or module.startswith(f"{hand}.") for hand in HANDS)


@pytest.fixture(scope="module")
def graph() -> grimp.ImportGraph:
    return grimp.build_graph("reconciler", include_external_packages=True, cache_dir=None)


def test_a_pure_module_reaches_nothing_that_waits_or_differs(graph: grimp.ImportGraph) -> None:
    pure = [module for module in sorted(graph.modules) if module.startswith("reconciler.") and is_pure(module)]
    detours = [
        graph.find_shortest_chain(module, reached)
        for module in pure
        # A package is imported with each of its modules, so what its `__init__` imports is reached as well.
        for reached in sorted(graph.find_upstream_modules(module))
        if is_forbidden(reached)
    ]
    assert len(pure) > 100
    assert not [" > ".join(detour) for detour in detours if detour]


def test_what_does_the_reading_and_writing_reaches_the_outside(graph: grimp.ImportGraph) -> None:
    """The same look at a controller finds what is forbidden: the rule above is not green because it sees nothing."""
    reached = graph.find_upstream_modules("reconciler.rollouts.controller")
    assert {"reconciler.kube.client", "reconciler.kernel.clock", "structlog"} <= {module for module in reached if is_forbidden(module)}
    assert not is_pure("reconciler.rollouts.controller")
    assert not is_pure("reconciler.sync.apply_adoption")
    assert is_pure("reconciler.rollouts.pods.creation")


PURE_FILES = [p for p in SOURCES if is_pure(".".join(p.relative_to(ROOT).with_suffix("").parts))]
IMPURE_CALLS = {"open", "print", "input", "now", "utcnow", "today"}


@for_each(PURE_FILES, relative)
def test_a_pure_module_awaits_nothing(path: Path) -> None:
    assert not [f.name for f in functions(path) if isinstance(f, ast.AsyncFunctionDef) and not is_declaration(f)]


@for_each(PURE_FILES, relative)
def test_a_pure_module_asks_no_clock_and_opens_no_file(path: Path) -> None:
    def called(call: ast.Call) -> str:
        match call.func:
            case ast.Name(name):
                return name if name in {"open", "print", "input"} else ""
            case ast.Attribute(value=ast.Name("datetime" | "date"), attr=name):
                return name
        return ""

    calls = {called(node) for node in ast.walk(parsed(path.read_text())) if isinstance(node, ast.Call)}
    assert not calls & IMPURE_CALLS


def is_declaration(function: ast.AsyncFunctionDef) -> bool:
    """True of a protocol's method: a docstring, `...`, nothing else."""
    return all(isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant) for statement in function.body)


def test_one_class_name_is_one_thing() -> None:
    homes: dict[str, set[str]] = defaultdict(set)
    for path in SOURCES:
        for node in ast.walk(parsed(path.read_text())):
            if isinstance(node, ast.ClassDef):
                homes[node.name.strip("_")].add(relative(path))
    doubled = {name: sorted(places) for name, places in homes.items() if len(places) > 1}
    assert not doubled


def test_the_demo_loads_the_sandbox_only_when_it_is_typed() -> None:
    page = parsed((ROOT / "reconciler" / "app" / "cli" / "demo.py").read_text())
    imported = [node for node in page.body if isinstance(node, ast.Import | ast.ImportFrom)]
    assert "reconciler_sandbox" not in " ".join(ast.unparse(node) for node in imported)


def test_every_package_has_one_line_on_the_architecture_page() -> None:
    """Two edits of one line, merged, leave both."""
    page = (ROOT / "docs" / "architecture.md").read_text()
    table = page.partition("## Packages")[2].partition("\n## ")[0]
    first = [line.split("|")[1].strip() for line in table.splitlines() if line.startswith("| `")]
    assert len(first) > 20 and sorted(first) == sorted(set(first))


def test_every_package_is_on_the_architecture_page() -> None:
    page = (ROOT / "docs" / "architecture.md").read_text()
    packages = {str(p.parent.relative_to(ROOT / "reconciler")) for p in SOURCES if p.name == "__init__.py"} - {"."}
    assert not [package for package in sorted(packages) if f"`{package}`" not in page]


def test_every_dependency_says_what_it_is_for() -> None:
    page = (ROOT / "docs" / "dependencies.md").read_text().lower()
    project = (ROOT / "pyproject.toml").read_text()
    named = re.findall(
        r'"([a-z0-9.-]+)(?:\[[a-z]+\])?(?:[>=<][^"]*)?"', project.split("[project.scripts]")[0].split("dependencies", 1)[1].lower()
    )
    assert not [name for name in named if f"`{name}`" not in page]

"""The house rules that a machine can check: sizes, docstrings, mirrors, words (ADR 0007)."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
SOURCES = sorted((ROOT / "reconciler").rglob("*.py"))
TESTS = sorted((ROOT / "tests").rglob("*.py"))
BANNED = {"get", "handle", "process", "manage", "do", "util", "utils", "helper", "helpers", "common", "base", "manager", "data", "info"}
# Words that other systems define: Kubernetes verbs, HTTP methods, Argo fields, Python protocols, CLI commands.
EXEMPT = {"get", "do_GET", "do_POST", "do_PUT", "do_PATCH", "do_DELETE", "process", "rollout_info", "controller_info", "data", "base"}


def relative(path: Path) -> str:
    return str(path.relative_to(ROOT))


def functions(path: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def defined_names(path: Path) -> Iterator[str]:
    yield path.stem
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield node.name


@pytest.mark.parametrize("path", SOURCES + TESTS, ids=relative)
def test_a_file_has_at_most_400_lines(path: Path) -> None:
    assert len(path.read_text().splitlines()) <= 400


@pytest.mark.parametrize("path", SOURCES, ids=relative)
def test_a_function_has_at_most_50_lines(path: Path) -> None:
    long = {f.name: f.end_lineno - f.lineno + 1 for f in functions(path) if f.end_lineno and f.end_lineno - f.lineno + 1 > 50}
    assert not long


@pytest.mark.parametrize("path", SOURCES, ids=relative)
def test_a_module_says_its_idea(path: Path) -> None:
    assert ast.get_docstring(ast.parse(path.read_text()))


def test_every_module_has_a_mirror_test() -> None:
    def mirror(path: Path) -> Path:
        inside = path.relative_to(ROOT / "reconciler")
        return ROOT / "tests" / inside.parent / f"test_{inside.name}"

    missing = [relative(p) for p in SOURCES if p.name not in {"__init__.py", "__main__.py"} and has_code(p) and not mirror(p).exists()]
    assert not missing


def has_code(path: Path) -> bool:
    """Whether a module holds behaviour: one with only constants, dataclass fields or protocols needs no mirror."""
    return any(statements(f) for f in functions(path))


def statements(function: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    body = [s for s in function.body if not (isinstance(s, ast.Expr) and isinstance(s.value, ast.Constant))]
    return len(body) > 1


@pytest.mark.parametrize("path", SOURCES, ids=relative)
def test_names_say_something(path: Path) -> None:
    def lies(name: str) -> bool:
        words = set(re.split(r"_+", re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).strip("_").lower()))
        return name not in EXEMPT and bool(words & BANNED)

    assert not [name for name in defined_names(path) if lies(name)]


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

"""The two libraries inside say what they promise in a README that travels with them; its examples run."""

import re
from pathlib import Path

import pytest

PRODUCT = Path(__file__).resolve().parent.parent / "reconciler"
EXAMPLES = [
    (library, code)
    for library in ("expr", "yamledit")
    for code in re.findall(r"```python\n(.*?)```", (PRODUCT / library / "README.md").read_text(), re.S)
]


@pytest.mark.parametrize(("library", "code"), EXAMPLES, ids=[library for library, _ in EXAMPLES])
def test_the_example_of_a_library_runs(library: str, code: str) -> None:
    assert "assert " in code
    exec(compile(code, f"{library}/README.md", "exec"), {})


@pytest.mark.parametrize("library", ["expr", "yamledit"])
def test_a_library_names_each_of_its_modules(library: str) -> None:
    page = (PRODUCT / library / "README.md").read_text()
    named = set(re.findall(r"`(\w+)`", page))
    modules = {path.stem for path in (PRODUCT / library).glob("*.py")} - {"__init__"}
    assert modules - named <= {"pattern_syntax"}  # an inner room of `patterns`


@pytest.mark.parametrize("limit", ["DEEPEST = 60", "LONGEST = 10_000", "WORK = 500_000"])
def test_the_limits_of_conditions_are_those_of_the_code(limit: str) -> None:
    source = "".join(path.read_text() for path in (PRODUCT / "expr").glob("*.py"))
    assert re.search(rf"^{limit}$", source, re.M)
    assert f"{int(limit.split('= ')[1].replace('_', '')):,}" in (PRODUCT / "expr" / "README.md").read_text()


@pytest.mark.parametrize("limit", ["DEEPEST = 200", "MOST_NODES = 100_000"])
def test_the_limits_of_edits_are_those_of_the_code(limit: str) -> None:
    source = "".join(path.read_text() for path in (PRODUCT / "yamledit").glob("*.py"))
    assert re.search(rf"^{limit}$", source, re.M)
    assert f"{int(limit.split('= ')[1].replace('_', '')):,}" in (PRODUCT / "yamledit" / "README.md").read_text()

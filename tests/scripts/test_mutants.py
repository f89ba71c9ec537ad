"""What `make mutants` breaks, and what it lets pass."""

import ast

from scripts.mutants.__main__ import argued, trials
from scripts.mutants.mutations import mutants

SOURCE = '''def f(a, b, c):
    """Ä."""
    if a < 1:
        return 2
    if (a and b) or c == 3:
        return 4
    return 5
'''


def test_every_guard_is_broken_in_each_of_its_ways() -> None:
    afters = [(mutant.line, mutant.after) for mutant in mutants(SOURCE)]
    assert sorted(afters) == [
        (3, "if ((a) <= (1)):"),
        (4, "pass"),
        (5, "if (((a))) or c == 3:"),
        (5, "if (((b))) or c == 3:"),
        (5, "if ((a and b)):"),
        (5, "if ((c == 3)):"),
        (5, "if (a and b) or ((c) != (3)):"),
        (6, "pass"),
    ]


def test_every_mutant_is_a_module_that_differs_on_its_line() -> None:
    for mutant in mutants(SOURCE):
        ast.parse(mutant.text)
        assert mutant.text != SOURCE and mutant.before in SOURCE


def test_modules_that_read_or_write_are_left_alone() -> None:
    paths = {trial.path for trial in trials("rollouts")}
    assert "reconciler/rollouts/canary.py" in paths
    assert not any("observe" in path or "controller" in path for path in paths)


def test_an_argument_names_the_file_and_the_line() -> None:
    rows = ["# a remark", "", "a.py :: if x: :: because"]
    assert argued(rows) == {("a.py", "if x:"): "because"}

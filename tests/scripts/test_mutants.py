"""What `make mutants` breaks, and what it lets pass."""

import ast
import importlib.util
import os
import re
import signal
import time
from pathlib import Path
from types import ModuleType

from scripts.mutants.__main__ import ARGUED, COPIED, ROOT, argued, trials
from scripts.mutants.mutations import Mutant, mutants
from scripts.mutants.reached import recorded
from scripts.mutants.sieve import in_fork
from scripts.mutants.swap import living, swapped

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


def test_an_argument_names_the_file_the_line_and_what_became_of_it() -> None:
    rows = ["# a remark", "", "a.py :: if x and y: :: if ((x)): :: because"]
    assert argued(rows) == {("a.py", "if x and y:", "if ((x)):"): "because"}


def test_every_argument_is_about_a_mutant_that_there_is() -> None:
    known = argued(ARGUED.read_text().splitlines())
    folders = {Path(path).parts[1] for path, _, _ in known}
    present = {(trial.path, trial.mutant.before, trial.mutant.after) for folder in folders for trial in trials(folder)}
    assert known.keys() <= present


WALLET = """from functools import cache

LIMIT = 3 if 1 < 2 else 4


class Wallet:
    @property
    def empty(self):
        return self.coins == 0 and self.notes == 0

    coins = notes = 0


@cache
def rich(coins):
    if coins > 3:
        return "rich"
    return "poor"
"""


def loaded(path: Path) -> ModuleType:
    path.write_text(WALLET)
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def mutant_with(after: str) -> Mutant:
    [found] = [mutant for mutant in mutants(WALLET) if mutant.after == after]
    return found


def test_a_mutant_takes_the_place_of_a_loaded_method_and_of_a_wrapped_function(tmp_path: Path) -> None:
    path = tmp_path / "wallet.py"
    module = loaded(path)
    wallet = module.Wallet()
    wallet.notes = 1
    assert (wallet.empty, module.rich.__wrapped__(3)) == (False, "poor")
    for after in ("return ((self.coins == 0))", "if ((coins) >= (3)):"):
        assert swapped(living(str(tmp_path)), str(path), mutant_with(after))
    assert (wallet.empty, module.rich.__wrapped__(3)) == (True, "rich")


def test_a_mutant_outside_of_functions_takes_nobodys_place(tmp_path: Path) -> None:
    path = tmp_path / "wallet.py"
    loaded(path)
    outside = mutant_with("LIMIT = 3 if ((1) <= (2)) else 4")
    assert outside.within == ("", 0)
    assert not swapped(living(str(tmp_path)), str(path), outside)


def test_only_functions_below_the_path_are_reached(tmp_path: Path) -> None:
    module = loaded(tmp_path / "wallet.py")
    with recorded(str(tmp_path)) as reached:
        module.rich(1)
        mutants(SOURCE)
    assert reached == {(str(tmp_path / "wallet.py"), "rich")}


def test_a_fork_answers_and_one_that_dies_or_hangs_answers_otherwise() -> None:
    assert in_fork(lambda: "survived", 60, "noticed") == "survived"
    assert in_fork(lambda: os._exit(0), 60, "noticed") == "noticed"  # type: ignore[func-returns-value]
    assert in_fork(lambda: 1 / 0, 60, "noticed") == "noticed"
    assert in_fork(lambda: time.sleep(600), 1, "noticed") == "noticed"  # type: ignore[func-returns-value]


def test_a_fork_that_sets_an_alarm_of_its_own_is_ended_in_time_all_the_same() -> None:
    def hang() -> str:
        signal.setitimer(signal.ITIMER_REAL, 600)
        time.sleep(600)
        return "survived"

    began = time.monotonic()
    assert in_fork(hang, 0.2, "noticed") == "noticed"
    assert time.monotonic() - began < 300


def test_what_the_tests_read_beside_code_is_copied_too() -> None:
    """Tests read the contract, pages and manifests by their place: without them they fail before a guard is broken."""
    tops = {path.name for path in ROOT.iterdir() if path.is_dir()}
    read = re.compile(r'(?:ROOT|parents?\[\d\]|parent) / "([\w-]+)"')
    named = {name for page in (ROOT / "tests").rglob("*.py") for name in read.findall(page.read_text(encoding="utf-8"))}
    assert "docs" in named and (named & tops) - set(COPIED) == set()

"""Runs a seeded sample of mutants of a folder's pure modules against that folder's tests and names the survivors.

The project is copied first: nothing here touches the working tree. Exit 1 when more than 5 % survive without an argument.
"""

import argparse
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path

import pytest

from scripts.mutants.mutations import Trial, mutants
from scripts.mutants.sieve import Limits, Sieve

ROOT = Path(__file__).resolve().parents[2]
ARGUED = Path(__file__).with_name("argued.txt")
IMPURE = ("observe", "controller", "apply", "restoring", "follow")
COPIED = ("reconciler", "sandbox", "tests", "scripts", "benchmarks", "policies", "deploy", "sample-repo", "docs")
LARGEST_SHARE = 0.05


def trials(folder: str) -> Iterator[Trial]:
    """Every mutant of the pure modules of a folder."""
    for path in sorted((ROOT / "reconciler" / folder).rglob("*.py")):
        if not path.stem.startswith(IMPURE):
            for mutant in mutants(path.read_text()):
                yield Trial(str(path.relative_to(ROOT)), mutant)


def argued(lines: Sequence[str]) -> dict[tuple[str, str, str], str]:
    """The allow-list: `path :: line before :: line after :: why it may survive`."""
    rows = [line.split(" :: ") for line in lines if line.strip() and not line.startswith("#")]
    return {(path.strip(), before.strip(), after.strip()): why.strip() for path, before, after, why in rows}


def copied(place: Path) -> None:
    for name in COPIED:
        if (ROOT / name).exists():
            shutil.copytree(ROOT / name, place / name, ignore=shutil.ignore_patterns("__pycache__", "*.egg-info"))
    for name in ("pyproject.toml", "README.md"):
        shutil.copy(ROOT / name, place / name)


def survives(place: Path, trial: Trial, folder: str, seconds: float) -> bool:
    """Whether the folder's tests pass although the mutant is in place; a run that takes too long noticed it."""
    module = place / trial.path
    original = module.read_text()
    module.write_text(trial.mutant.text)
    try:
        return _passes(place, _nearest_first(place, trial.path, folder), seconds)
    finally:
        module.write_text(original)


def _nearest_first(place: Path, path: str, folder: str) -> tuple[str, ...]:
    """The tests of the folder, those named after the module first: most mutants die there."""
    near = sorted((place / "tests" / folder).rglob(f"test_{Path(path).stem}.py"))
    return (*(str(found.relative_to(place)) for found in near), *tests_of(place, folder))


def tests_of(place: Path, folder: str) -> tuple[str, ...]:
    """The tests of a folder, and the contract of its plug-ins where there is one."""
    contract = f"tests/contracts/test_{folder.removesuffix('s')}_contract.py"
    return (f"tests/{folder}", contract) if (place / contract).exists() else (f"tests/{folder}",)


def _passes(place: Path, tests: Sequence[str], seconds: float) -> bool:
    command = [sys.executable, "-m", "pytest", "-x", "-q", "-n", "0", "-p", "no:cacheprovider", *tests]
    environment = {**os.environ, "PYTHONPATH": f"{place}:{place / 'sandbox'}", "PYTHONDONTWRITEBYTECODE": "1"}
    try:
        ran = subprocess.run(command, cwd=place, env=environment, capture_output=True, timeout=seconds, check=False)
    except subprocess.TimeoutExpired:
        return False
    return ran.returncode == 0


class Tally:
    """Counts the mutants of one folder and names each survivor as soon as it is known."""

    def __init__(self, known: dict[tuple[str, str, str], str]) -> None:
        self._known = known
        self._out = sys.stdout  # pytest's own words are kept away from it
        self.tried = self.lived = self.argued = 0
        self.unsure: list[Trial] = []

    def tell(self, trial: Trial, alive: bool | None) -> None:
        """Count one answer; one that only a fresh process knows is kept for later."""
        if alive is None:
            self.unsure.append(trial)
            return
        self.tried += 1
        if alive:
            reason = self._known.get((trial.path, trial.mutant.before, trial.mutant.after))
            self.lived, self.argued = self.lived + (reason is None), self.argued + (reason is not None)
            mutant = trial.mutant
            print(f"{trial.path}:{mutant.line}  {mutant.before}  →  {mutant.after}  {reason or ''}".rstrip(), file=self._out, flush=True)


def sieve(folder: str, sample: Sequence[Trial], limits: Limits, tally: Tally) -> None:
    """The mutants that one process can tell of, each in a fork of it."""
    with tempfile.TemporaryDirectory() as temporary:
        plugin = Sieve(ROOT, sample, limits, tally.tell)
        words = ["-s", "-p", "no:cacheprovider", "-n", "0", f"--basetemp={temporary}/tests", *tests_of(ROOT, folder)]
        with redirect_stdout(StringIO()) as said:
            ended = pytest.main(words, plugins=[plugin])
        if ended != pytest.ExitCode.OK:
            sys.exit(f"{said.getvalue()}\nthe tests of {folder} do not pass without a mutant")


def try_afresh(folder: str, limits: Limits, tally: Tally) -> None:
    """The mutants of code that runs while modules are imported, each in a process of its own on a copy of the project."""
    with tempfile.TemporaryDirectory() as temporary:
        place = Path(temporary)
        copied(place)
        for trial in tuple(tally.unsure):
            if time.monotonic() < limits.deadline:
                tally.tell(trial, survives(place, trial, folder, limits.seconds))


def report(folder: str, arguments: argparse.Namespace) -> float:
    """Tell the survivors of one folder; the share that nothing argues for."""
    every = list(trials(folder))
    sample = random.Random(arguments.seed).sample(every, min(arguments.sample, len(every)))
    limits = Limits(time.monotonic() + 60 * arguments.minutes, arguments.timeout, arguments.within)
    tally = Tally(argued(ARGUED.read_text().splitlines()))
    sieve(folder, sample, limits, tally)
    if tally.unsure:
        try_afresh(folder, limits, tally)
    share = tally.lived / tally.tried if tally.tried else 0.0
    print(
        f"{folder}: {tally.tried} of {len(every)} mutants tried (seed {arguments.seed}),"
        f" {tally.lived} survived ({share:.0%}), {tally.argued} argued",
        flush=True,
    )
    return share


def main(words: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="mutants", description=__doc__)
    parser.add_argument("--only", nargs="+", default=["rollouts", "analysis"], metavar="FOLDER", help="folders below reconciler/")
    parser.add_argument("--sample", type=int, default=100, help="mutants a folder")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--timeout", type=int, default=120, help="seconds a run of the tests may take")
    parser.add_argument(
        "--within", type=float, default=float("inf"), help="seconds of tests a mutant: the quickest first; slower tests may miss a survivor"
    )
    parser.add_argument("--minutes", type=float, default=30.0, help="minutes a folder may take")
    arguments = parser.parse_args(words)
    shares = [report(folder, arguments) for folder in arguments.only]
    return int(max(shares) > LARGEST_SHARE)


if __name__ == "__main__":
    sys.exit(main())

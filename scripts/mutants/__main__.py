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
from dataclasses import dataclass
from pathlib import Path

from scripts.mutants.mutations import Mutant, mutants

ROOT = Path(__file__).resolve().parents[2]
ARGUED = Path(__file__).with_name("argued.txt")
IMPURE = ("observe", "controller", "apply", "restoring", "follow")
COPIED = ("reconciler", "sandbox", "tests", "scripts", "benchmarks", "policies", "deploy", "sample-repo")
LARGEST_SHARE = 0.05


@dataclass(frozen=True, slots=True)
class Trial:
    """One mutant of one module, the path relative to the project."""

    path: str
    mutant: Mutant


def trials(folder: str) -> Iterator[Trial]:
    """Every mutant of the pure modules of a folder."""
    for path in sorted((ROOT / "reconciler" / folder).rglob("*.py")):
        if not path.stem.startswith(IMPURE):
            for mutant in mutants(path.read_text()):
                yield Trial(str(path.relative_to(ROOT)), mutant)


def argued(lines: Sequence[str]) -> dict[tuple[str, str], str]:
    """The allow-list: `path :: source line :: why it may survive`."""
    rows = [line.split(" :: ") for line in lines if line.strip() and not line.startswith("#")]
    return {(path.strip(), source.strip()): why.strip() for path, source, why in rows}


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
    return (*(str(found.relative_to(place)) for found in near), f"tests/{folder}")


def _passes(place: Path, tests: Sequence[str], seconds: float) -> bool:
    command = [sys.executable, "-m", "pytest", "-x", "-q", "-n", "0", "-p", "no:cacheprovider", *tests]
    environment = {**os.environ, "PYTHONPATH": f"{place}:{place / 'sandbox'}", "PYTHONDONTWRITEBYTECODE": "1"}
    try:
        ran = subprocess.run(command, cwd=place, env=environment, capture_output=True, timeout=seconds, check=False)
    except subprocess.TimeoutExpired:
        return False
    return ran.returncode == 0


def survivors(folder: str, sample: Sequence[Trial], deadline: float, seconds: float) -> Iterator[tuple[Trial, bool]]:
    """Each trial that there was time for, and whether it survived."""
    with tempfile.TemporaryDirectory() as temporary:
        place = Path(temporary)
        copied(place)
        if not _passes(place, (f"tests/{folder}",), 3 * seconds):
            sys.exit(f"tests/{folder} does not pass without a mutant")
        for trial in sample:
            if time.monotonic() > deadline:
                return
            yield trial, survives(place, trial, folder, seconds)


def report(folder: str, arguments: argparse.Namespace) -> float:
    """Tell the survivors of one folder; the share that nothing argues for."""
    known = argued(ARGUED.read_text().splitlines())
    every = list(trials(folder))
    sample = random.Random(arguments.seed).sample(every, min(arguments.sample, len(every)))
    deadline = time.monotonic() + 60 * arguments.minutes
    tried = lived = excused = 0
    for trial, alive in survivors(folder, sample, deadline, arguments.timeout):
        tried += 1
        reason = known.get((trial.path, trial.mutant.before))
        if alive:
            lived, excused = lived + (reason is None), excused + (reason is not None)
            print(f"{trial.path}:{trial.mutant.line}  {trial.mutant.before}  →  {trial.mutant.after}  {reason or ''}".rstrip(), flush=True)
    share = lived / tried if tried else 0.0
    print(f"{folder}: {tried} of {len(every)} mutants tried (seed {arguments.seed}), {lived} survived ({share:.0%}), {excused} argued")
    return share


def main(words: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="mutants", description=__doc__)
    parser.add_argument("--only", nargs="+", default=["rollouts", "analysis"], metavar="FOLDER", help="folders below reconciler/")
    parser.add_argument("--sample", type=int, default=100, help="mutants a folder")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--timeout", type=float, default=120.0, help="seconds a run of the tests may take")
    parser.add_argument("--minutes", type=float, default=30.0, help="minutes a folder may take")
    arguments = parser.parse_args(words)
    shares = [report(folder, arguments) for folder in arguments.only]
    return int(max(shares) > LARGEST_SHARE)


if __name__ == "__main__":
    sys.exit(main())

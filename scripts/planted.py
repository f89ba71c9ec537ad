"""Inverts guards of the product one at a time in a copy, and shows that a law of the hunter notices each: the proof that the laws can see.

Each row of `planted.txt` says where, what stands there, what is put in its place, which tale meets it, and the law that breaks.
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
COPIED = ("reconciler", "sandbox", "scripts")
TABLE = Path(__file__).with_name("planted.txt")
SECONDS = 300.0
BROKEN = "  ✗ "


@dataclass(frozen=True, slots=True)
class Planted:
    """One guard: its file, its text before and after, the seed whose tale meets it, and the name of the law."""

    path: str
    before: str
    after: str
    seed: str
    law: str


def rows(text: str) -> Iterator[Planted]:
    """The table: `path :: before :: after :: seed :: law`, one a line."""
    for line in text.splitlines():
        if line.strip() and not line.startswith("#"):
            path, before, after, seed, law = (part for part in line.split(" :: "))
            yield Planted(path, before.replace("\\n", "\n"), after.replace("\\n", "\n"), seed, law)


def broken_laws(place: Path, seed: str) -> list[str]:
    """The names of the laws that a tale breaks, played by the code of a copy."""
    environment = {**os.environ, "PYTHONPATH": f"{place}:{place / 'sandbox'}", "PYTHONDONTWRITEBYTECODE": "1"}
    command = [sys.executable, "-m", "scripts.hunt", "--seed", seed]
    ran = subprocess.run(command, cwd=place, env=environment, capture_output=True, text=True, timeout=SECONDS, check=False)
    if ran.returncode not in (0, 1) or "Traceback" in ran.stderr:
        sys.exit(f"the copy does not run: {ran.stderr[-2000:]}")
    return [line.removeprefix(BROKEN).partition(":")[0] for line in ran.stdout.splitlines() if line.startswith(BROKEN)]


def noticed(row: Planted) -> list[str]:
    """The laws that break once a row is in place in a copy."""
    with tempfile.TemporaryDirectory(prefix="planted-") as folder:
        place = Path(folder)
        for name in COPIED:
            shutil.copytree(ROOT / name, place / name, ignore=shutil.ignore_patterns("__pycache__", "*.egg-info"))
        module = place / row.path
        original = module.read_text()
        if original.count(row.before) != 1:
            sys.exit(f"{row.path}: {row.before!r} stands there {original.count(row.before)} times; correct {TABLE.name}")
        module.write_text(original.replace(row.before, row.after))
        return broken_laws(place, row.seed)


def main(words: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="planted", description=__doc__)
    parser.add_argument("--only", default="", help="rows whose path holds this text")
    chosen = [row for row in rows(TABLE.read_text()) if parser.parse_args(words).only in row.path]
    missed = 0
    with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        for row, found in zip(chosen, pool.map(noticed, chosen), strict=True):
            missed += row.law not in found
            law = row.law if row.law in found else f"{row.law} does NOT break; these do: {', '.join(dict.fromkeys(found)) or 'none'}"
            print(f"{row.path}  {row.before.strip()!r} → {row.after.strip()!r}\n    seed {row.seed}: {law}", flush=True)
    print(f"{len(chosen)} guards inverted, {len(chosen) - missed} noticed by their law")
    return int(missed > 0)


if __name__ == "__main__":
    sys.exit(main())

"""Inverts guards of the product one at a time in a copy, and shows that a law of the hunter notices each: the proof that the laws can see.

Each guard of `planted.toml` says where, what stands there, what is put in its place, which tale meets it, and the law that breaks. `--page`
writes the tables of docs/hunt.md.
"""

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
COPIED = ("reconciler", "sandbox", "scripts")
TABLE = Path(__file__).with_name("planted.toml")
PAGE, FAULTS = ROOT / "docs" / "hunt.md", ROOT / "docs" / "faults.md"
BEGIN, END = "<!-- planted: written by `python -m scripts.planted --page` -->", "<!-- end -->"
KINDS = re.compile(r"^\| (K[1-4]\.\d+) \|", re.MULTILINE)
SECONDS = 300.0
BROKEN = "  ✗ "


@dataclass(frozen=True, slots=True, kw_only=True)
class Planted:
    """One guard: its file, its text before and after, the tale that meets it, and the name of the law."""

    path: str
    before: str
    after: str
    tale: str
    """Its seed; `brief 12` for a brief one."""
    law: str
    rows: Sequence[str] = ()
    """The lines of docs/faults.md that it mends."""
    needed: int | None = None
    """Tales that were played until one noticed, of those that hold the deed in question; None where nobody counted."""


@dataclass(frozen=True, slots=True)
class Unseen:
    """Lines of docs/faults.md whose mend no tale misses, and why."""

    rows: Sequence[str]
    why: str


def guards(text: str) -> list[Planted]:
    """The guards of the table, in its order."""
    return [Planted(**row) for row in tomllib.loads(text)["guard"]]


def unseen(text: str) -> list[Unseen]:
    """What no law sees."""
    return [Unseen(**row) for row in tomllib.loads(text)["unseen"]]


def options_of(tale: str) -> list[str]:
    """How the hunter is asked for a tale."""
    kind, _, seed = tale.rpartition(" ")
    return [*(["--brief"] if kind else []), "--seed", seed]


def broken_laws(place: Path, tale: str) -> list[str]:
    """The names of the laws that a tale breaks, played by the code of a copy."""
    environment = {**os.environ, "PYTHONPATH": f"{place}:{place / 'sandbox'}", "PYTHONDONTWRITEBYTECODE": "1"}
    command = [sys.executable, "-m", "scripts.hunt", *options_of(tale)]
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
        return broken_laws(place, row.tale)


def page(text: str) -> Iterator[str]:
    """The two tables: every guard, and every line of K1 to K4 with the law that finds it, or why none does."""
    found = guards(text)
    yield "| what is taken out or changed | lines of [faults](faults.md) | law that breaks | tale | tales needed |\n|---|---|---|---|---|"
    for guard in found:
        words = " ".join(guard.before.split()).replace("|", "\\|")
        needed = "not counted" if guard.needed is None else str(guard.needed)
        place = f"`{words}` ({guard.path.removeprefix('reconciler/')})"
        yield f"| {place} | {', '.join(guard.rows) or '–'} | {guard.law} | {guard.tale} | {needed} |"
    yield "\n| line | found by the hunter when its mend is taken out |\n|---|---|"
    seen = laws_by_row(found)
    why = {row: one.why for one in unseen(text) for row in one.rows}
    for row in KINDS.findall(FAULTS.read_text()):
        yield f"| {row} | {', '.join(seen[row]) if row in seen else f'no: {why[row]}'} |"


def laws_by_row(found: Sequence[Planted]) -> Mapping[str, Sequence[str]]:
    """The laws that see each line of docs/faults.md."""
    rows = dict.fromkeys(row for guard in found for row in guard.rows)
    return {row: list(dict.fromkeys(guard.law for guard in found if row in guard.rows)) for row in rows}


def written(document: str, text: str) -> str:
    """The page with the tables of today."""
    return re.sub(f"{re.escape(BEGIN)}.*?{END}", lambda _: "\n".join((BEGIN, "", *page(text), "", END)), document, flags=re.DOTALL)


def main(words: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="planted", description=__doc__)
    parser.add_argument("--only", default="", help="rows whose path holds this text")
    parser.add_argument("--page", action="store_true", help="write the tables of docs/hunt.md, and play nothing")
    arguments = parser.parse_args(words)
    if arguments.page:
        PAGE.write_text(written(PAGE.read_text(), TABLE.read_text()))
        return 0
    chosen = [row for row in guards(TABLE.read_text()) if arguments.only in row.path]
    missed = 0
    with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        for row, found in zip(chosen, pool.map(noticed, chosen), strict=True):
            missed += row.law not in found
            law = row.law if row.law in found else f"{row.law} does NOT break; these do: {', '.join(dict.fromkeys(found)) or 'none'}"
            print(f"{row.path}  {row.before.strip()!r} → {row.after.strip()!r}\n    tale {row.tale}: {law}", flush=True)
    print(f"{len(chosen)} guards inverted, {len(chosen) - missed} noticed by their law")
    return int(missed > 0)


if __name__ == "__main__":
    sys.exit(main())

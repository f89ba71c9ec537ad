"""Plays tales by seed, side by side, and prints which law each one broke, with the one command that shows the shortest such tale again."""

import argparse
import os
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

from reconciler_sandbox.rehearsal.hunt.play import Ending, play
from reconciler_sandbox.rehearsal.hunt.shrink import shortest
from reconciler_sandbox.rehearsal.hunt.tale import Tale, tale_of

from reconciler.runtime.journal import FileJournal

OUT = Path("hunt-out")
JOURNAL = 256 << 20


def told(ending: Ending) -> Iterator[str]:
    """A tale with its transcript, and what did not hold."""
    yield str(ending.tale)
    yield from (f"  {moment}" for moment in ending.moments)
    yield from (f"  ✗ {wrong}" for wrong in ending.wrong)
    yield "" if ending.wrong else "  ✓ every law held"


def again(tale: Tale, law: str) -> str:
    """The command that shows the shortest tale which still breaks a law."""

    def breaks(places: Sequence[int]) -> bool:
        return law in play(tale.only(places)).laws

    kept = shortest(range(len(tale.happenings)), breaks)
    play(tale.only(kept), journal := FileJournal(journal_of(tale.seed, law), JOURNAL))
    journal.close()
    return (
        f"python -m scripts.hunt --seed {tale.seed} --only {','.join(map(str, kept)) or 'none'}   # journal: {journal_of(tale.seed, law)}"
    )


def journal_of(seed: int, law: str) -> Path:
    """Where the passes of a tale that breaks a law are kept, for `reconciler replay`."""
    return OUT / f"{seed}-{law.replace(' ', '-')}.jsonl"


def hunted(seed: int) -> tuple[int, list[str], list[str]]:
    """One seed: what was wrong in words, and for each broken law the command."""
    tale = tale_of(seed)
    ending = play(tale)
    return seed, ending.wrong, [f"{law}\n      {again(tale, law)}" for law in ending.laws]


def hunt(seeds: Sequence[int]) -> bool:
    """Play many; True when every law held in all of them."""
    broken = 0
    with ProcessPoolExecutor(min(os.cpu_count() or 1, len(seeds))) as pool:
        for seed, wrong, commands in pool.map(hunted, seeds):
            broken += bool(wrong)
            if wrong:
                lines = (f"\nseed {seed}", *(f"  ✗ {line}" for line in wrong), *(f"    {command}" for command in commands))
                print(*lines, sep="\n", flush=True)
    print(f"\n{len(seeds)} tales, {broken} of them broke a law")
    return not broken


def main(words: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="hunt", description=__doc__)
    parser.add_argument("--runs", type=int, default=50, help="how many seeds")
    parser.add_argument("--first", type=int, default=1, help="the first seed")
    parser.add_argument("--seed", type=int, help="play this one and print its transcript")
    parser.add_argument("--only", help="some of its happenings by their place, such as 0,3,4, or none")
    arguments = parser.parse_args(words)
    if arguments.seed is None:
        return int(not hunt(range(arguments.first, arguments.first + max(arguments.runs, 1))))
    tale = tale_of(arguments.seed)
    if arguments.only is not None:
        tale = tale.only([int(place) for place in arguments.only.split(",") if place.isdigit()])
    ending = play(tale)
    print(*told(ending), sep="\n")
    return int(bool(ending.wrong))


if __name__ == "__main__":
    sys.exit(main())

"""Plays tales by seed, side by side, and prints which law each one broke, with the one command that shows the shortest such tale again."""

import argparse
import os
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from itertools import chain
from pathlib import Path

from reconciler_sandbox.rehearsal.hunt.brief import CHAPTER, brief_of
from reconciler_sandbox.rehearsal.hunt.forked import play_together
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
    option, places = " --brief" if tale.brief else "", ",".join(map(str, kept)) or "none"
    return f"python -m scripts.hunt{option} --seed {tale.seed} --only {places}   # journal: {journal_of(tale.seed, law)}"


def journal_of(seed: int, law: str) -> Path:
    """Where the passes of a tale that breaks a law are kept, for `reconciler replay`."""
    return OUT / f"{seed}-{law.replace(' ', '-')}.jsonl"


def hunted(tales: Sequence[Tale]) -> list[tuple[int, list[str], list[str]]]:
    """Of each tale its seed, what was wrong in words, and for each broken law the command."""
    endings = play_together(tales) if tales[0].brief else [play(tale) for tale in tales]
    return [(ending.tale.seed, ending.wrong, [f"{law}\n      {again(ending.tale, law)}" for law in ending.laws]) for ending in endings]


def hunt(seeds: Sequence[int], *, brief: bool = False) -> bool:
    """Play many; True when every law held in all of them."""
    broken, size = 0, CHAPTER if brief else 1
    made = brief_of if brief else tale_of
    portions = [[made(seed) for seed in seeds[start : start + size]] for start in range(0, len(seeds), size)]
    with ProcessPoolExecutor(min(os.cpu_count() or 1, len(portions))) as pool:
        for seed, wrong, commands in chain.from_iterable(pool.map(hunted, portions)):
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
    parser.add_argument("--brief", action="store_true", help="brief tales: one push and one to three things that meet it")
    parser.add_argument("--only", help="some of its happenings by their place, such as 0,3,4, or none")
    arguments = parser.parse_args(words)
    if arguments.seed is None:
        return int(not hunt(range(arguments.first, arguments.first + max(arguments.runs, 1)), brief=arguments.brief))
    tale = (brief_of if arguments.brief else tale_of)(arguments.seed)
    if arguments.only is not None:
        tale = tale.only([int(place) for place in arguments.only.split(",") if place.isdigit()])
    ending = play(tale)
    print(*told(ending), sep="\n")
    return int(bool(ending.wrong))


if __name__ == "__main__":
    sys.exit(main())

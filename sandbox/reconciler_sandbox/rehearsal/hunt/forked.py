"""Brief tales that begin alike: what they share is played once, and each goes on from there in a child process of its own.

A child is a copy of the whole world at that moment, so a tale goes as it goes alone (a test compares them). One child runs at a time.
"""

import asyncio
import gc
import os
import pickle
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from reconciler_sandbox.rehearsal.hunt.brief import alike
from reconciler_sandbox.rehearsal.hunt.play import Ending, play_parting
from reconciler_sandbox.rehearsal.hunt.tale import Tale


@dataclass(slots=True)
class Fork:
    """Where the parent becomes children. `writes` is set in a child: where it tells how its tale ended."""

    endings: dict[int, Ending] = field(default_factory=dict)
    writes: int | None = None

    def part(self, tale: Tale) -> bool:
        """True in a child that goes on with the tale; False in the parent, once the child has ended."""
        loop = asyncio.get_running_loop()
        reads, writes = os.pipe()
        if not (child := os.fork()):
            os.close(reads)
            self.writes = writes
            asyncio._set_running_loop(loop)  # which is known by its process
            return True
        os.close(writes)
        with os.fdopen(reads, "rb") as pipe:
            said = pipe.read()
        os.waitpid(child, 0)
        lost = Ending(tale, wrong=["the daemon lives on: its process is gone"])
        self.endings[tale.seed] = pickle.loads(said) if said else lost  # noqa: S301 - our own child's words
        return False


def play_together(tales: Sequence[Tale]) -> list[Ending]:
    """Play brief tales; how each ended, in their order. What is common to some of them is played once."""
    found: dict[int, Ending] = {}
    with _without_collector():
        for group in alike(tales):
            found |= _group(group)
    return [found[tale.seed] for tale in tales]


def _group(tales: Sequence[Tale]) -> dict[int, Ending]:
    fork, ending = Fork(), None
    try:
        ending = play_parting(tales, fork.part)
    finally:
        if fork.writes is not None:
            _tell(fork.writes, ending)
    return {tale.seed: fork.endings.get(tale.seed) or Ending(tale, ending.moments, ending.wrong) for tale in tales}


def _tell(place: int, ending: Ending | None) -> None:
    """The end of a child: nothing of what the parent would clean up is touched."""
    try:
        with os.fdopen(place, "wb") as pipe:
            pipe.write(pickle.dumps(ending) if ending is not None else b"")
    finally:
        os._exit(0)


@contextmanager
def _without_collector() -> Iterator[None]:
    """What is there already stays where it is: children share its memory."""
    gc.freeze()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
        gc.unfreeze()

"""`python -m scripts.real [SECONDS]`: obtain everything once; a second call finds it. What cannot be had is one line, and exit code 75."""

import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from types import FrameType

from scripts.real.binaries import control_plane, helm, kubeconfig, prometheus
from scripts.real.cache import Piece
from scripts.real.errors import NotObtained

NOT_RUN = 75  # EX_TEMPFAIL of sysexits.h: what is missing is not ours
Say = Callable[[str], None]


def obtain(say: Say) -> None:
    """Obtain what is not given. Raises NotObtained."""

    def now(piece: Piece) -> Path:
        return piece.obtain(say)

    prometheus(now)
    if kubeconfig() is None:
        control_plane(now)
    try:
        helm(now)  # last, and alone: it needs a newer Go than all others
    except NotObtained as reason:
        say(f"the tests of Helm are skipped: {reason}")


def main(words: Sequence[str], work: Callable[[Say], None] = obtain) -> int:
    try:
        with _within(int(words[0]) if words else 0):
            work(partial(print, flush=True))
    except NotObtained as reason:
        print(f"REAL TIER NOT RUN: {reason}")
        return NOT_RUN
    return 0


@contextmanager
def _within(seconds: int) -> Iterator[None]:
    """Raises NotObtained out of what is done inside when the seconds are over; 0 is no limit."""

    def late(number: int, frame: FrameType | None) -> None:
        raise NotObtained(f"it was not obtained within {seconds} s")

    before = signal.signal(signal.SIGALRM, late)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

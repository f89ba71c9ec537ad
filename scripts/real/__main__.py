"""`python -m scripts.real`: obtain everything once; a second call finds it. What cannot be had is one line, and no failure."""

import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

from scripts.real.binaries import control_plane, kubeconfig, prometheus
from scripts.real.cache import Piece
from scripts.real.errors import NotObtained

Say = Callable[[str], None]


def obtain(say: Say) -> None:
    """Obtain what is not given. Raises NotObtained."""

    def now(piece: Piece) -> Path:
        return piece.obtain(say)

    prometheus(now)
    if kubeconfig() is None:
        control_plane(now)


def main() -> int:
    try:
        obtain(partial(print, flush=True))
    except NotObtained as reason:
        print(f"REAL TIER NOT RUN: {reason}")
    return 0


if __name__ == "__main__":
    sys.exit(main())

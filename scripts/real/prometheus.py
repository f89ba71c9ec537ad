"""Prometheus from Debian's package, unpacked and not installed."""

import shutil
from pathlib import Path

from scripts.real.cache import Piece
from scripts.real.debian import Apt

PACKAGE = "prometheus"


def make(folder: Path) -> None:
    work = folder / "work"
    work.mkdir()
    Apt(work / "apt").prepare().download([PACKAGE], work / "package")
    shutil.copy2(work / "package/usr/bin" / PACKAGE, folder / PACKAGE)
    shutil.rmtree(work)


PROMETHEUS = Piece("prometheus", [PACKAGE], (PACKAGE,), make)

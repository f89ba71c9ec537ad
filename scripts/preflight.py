"""Says in one line what this machine lacks, before any set-up starts. Standard library only, any Python 3."""

from __future__ import annotations

import importlib.util
import shutil
import sys

NEEDED_MIB = 1500


def complaint() -> str | None:
    """The first reason why set-up cannot work here, with what to do; None when all is well."""
    if sys.version_info < (3, 11):  # noqa: UP036 -- this file also runs on Pythons that are too old for the rest
        return f"Python {sys.version.split()[0]} is too old: use Python 3.11 or newer (make PYTHON=python3.12 ...)"
    if importlib.util.find_spec("venv") is None or importlib.util.find_spec("ensurepip") is None:
        return "this Python has no venv module: install it (Debian: apt install python3-venv)"
    if shutil.which("git") is None:
        return "git is not on PATH: install it (Debian: apt install git)"
    free = shutil.disk_usage(".").free // (1 << 20)
    if free < NEEDED_MIB:
        return f"only {free} MiB free on this disk, {NEEDED_MIB} MiB are needed: free some space"
    return None


if __name__ == "__main__":
    reason = complaint()
    if reason:
        print(f"preflight: {reason}", file=sys.stderr)
        sys.exit(1)

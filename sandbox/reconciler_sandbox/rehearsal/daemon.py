"""The daemon under rehearsal: a real child process that is started, stopped and killed as a person would."""

import asyncio
import os
import signal
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import aiohttp

from reconciler_sandbox.rehearsal.child import dies_with_parent, environment

READY_SECONDS = 60.0
STOP_SECONDS = 5.0
LOOK_AGAIN_SECONDS = 0.05
LOG_TAIL_BYTES = 4000


class Daemon:
    """One daemon: `command` runs it, `ready_url` answers 200 once it works, everything it prints goes to `log`."""

    def __init__(self, command: Sequence[str], folder: Path, ready_url: str) -> None:
        self.log = folder / "daemon.log"
        self._command = command
        self._folder = folder
        self.ready_url = ready_url
        self._child: asyncio.subprocess.Process | None = None
        self._expected_to_run = False
        self._starting = asyncio.Lock()  # several lanes may want it at once, and there is one

    @property
    def pid(self) -> int | None:
        """The process, while there is one."""
        return self._child.pid if self._child and self._child.returncode is None else None

    @property
    def failure(self) -> str:
        """Why it is gone although nobody stopped it; empty if all is well."""
        if not self._expected_to_run or self._child is None or self._child.returncode is None:
            return ""
        return f"the daemon ended by itself with {self._child.returncode}: {self.last_words()}"

    async def start(self) -> None:
        """Start it unless it runs; returns at once."""
        async with self._starting:
            if self.pid is None:
                await self._spawn()
        self._expected_to_run = True

    async def _spawn(self) -> None:
        with self.log.open("ab") as log:
            self._child = await asyncio.create_subprocess_exec(
                *self._command,
                cwd=self._folder,
                env=environment(self._folder),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                preexec_fn=dies_with_parent(),
            )

    async def ready(self) -> str:
        """Wait until it says it is ready; the answer is "ready", or what is the matter."""
        deadline = asyncio.get_running_loop().time() + READY_SECONDS
        seen = "no answer"
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=2)) as session:
            while asyncio.get_running_loop().time() < deadline and not self.failure:
                seen = await self._look(session)
                if seen == "ready":
                    return seen
                await asyncio.sleep(LOOK_AGAIN_SECONDS)
        return self.failure or f"{seen} after {READY_SECONDS:g} s"

    async def stop(self) -> float | None:
        """SIGTERM; the seconds until it was gone, or None if it had to be killed."""
        began = asyncio.get_running_loop().time()
        self._expected_to_run = False
        if self._child is None or self.pid is None:
            return 0.0
        with suppress(ProcessLookupError):
            self._child.send_signal(signal.SIGTERM)
        try:
            await asyncio.wait_for(self._child.wait(), STOP_SECONDS)
        except TimeoutError:
            await self.kill()
            return None
        return asyncio.get_running_loop().time() - began

    async def kill(self) -> None:
        """SIGKILL to it and its children, as if the machine had lost power."""
        self._expected_to_run = False
        if self._child is None or self.pid is None:
            return
        with suppress(ProcessLookupError):
            os.killpg(self._child.pid, signal.SIGKILL)
        await self._child.wait()

    def last_words(self) -> str:
        """The end of its log in one line."""
        text = self.log.read_bytes()[-LOG_TAIL_BYTES:].decode(errors="replace") if self.log.exists() else ""
        return " ".join(text.split())[-600:] or "its log is empty"

    async def _look(self, session: aiohttp.ClientSession) -> str:
        try:
            async with session.get(self.ready_url) as response:
                return "ready" if response.status == 200 else f"/readyz answers {response.status}"
        except (aiohttp.ClientError, OSError, TimeoutError):
            return "/readyz does not answer"

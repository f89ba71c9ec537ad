"""A program that runs beside the tests: dies with them, is asked to end first, and keeps what it printed."""

import os
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Sequence
from pathlib import Path

from reconciler_sandbox.rehearsal.child import dies_with_parent

STOP_SECONDS = 10.0
LOOK_AGAIN_SECONDS = 0.05


class Program:
    """One running program; what it says goes to `log`."""

    def __init__(self, words: Sequence[str], log: Path) -> None:
        self.log = log
        self._words = [str(word) for word in words]
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                self._words,
                cwd=self.log.parent,
                env={"PATH": os.defpath, "HOME": str(self.log.parent)},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                preexec_fn=dies_with_parent(),
            )

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def until(self, ready: Callable[[], bool], within: float) -> None:
        """Wait until it is ready; fails with its last words when it ends or is too slow."""
        deadline = time.monotonic() + within
        while not ready():
            assert self._process is not None and self._process.poll() is None, f"{self._words[0]} ended: {self.last_words()}"
            assert time.monotonic() < deadline, f"{self._words[0]} was not ready after {within:g} s: {self.last_words()}"
            time.sleep(LOOK_AGAIN_SECONDS)

    def stop(self, number: int = signal.SIGTERM) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        process.send_signal(number)
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(STOP_SECONDS)

    def last_words(self) -> str:
        text = self.log.read_text(errors="replace")[-4000:] if self.log.exists() else ""
        return " ".join(text.split())[-1500:] or "it said nothing"


def free_port() -> int:
    """A loopback port nobody listens on at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def answers(url: str) -> bool:
    """Whether a URL without TLS answers 200."""
    try:
        with urllib.request.urlopen(url, timeout=2) as response:
            return bool(response.status == 200)
    except (urllib.error.URLError, OSError):
        return False

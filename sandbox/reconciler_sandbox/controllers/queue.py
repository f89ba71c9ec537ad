"""A work queue of keys: coalescing, one worker per key at a time, later additions and exponential back-off."""

import asyncio
from collections import deque

from reconciler_sandbox.controllers.objects import Key

FIRST_RETRY = 0.01
LONGEST_RETRY = 2.0


class WorkQueue:
    """Keys waiting for a pass. A key added while its pass runs is handed out again afterwards, once."""

    def __init__(self) -> None:
        self._ready: deque[Key] = deque()
        self._dirty: set[Key] = set()
        self._running: set[Key] = set()
        self._failures: dict[Key, int] = {}
        self._timers: dict[Key, asyncio.TimerHandle] = {}
        self._wake = asyncio.Event()

    def add(self, key: Key) -> None:
        """Ask for a pass soon."""
        if key in self._dirty:
            return
        self._dirty.add(key)
        if key not in self._running:
            self._offer(key)

    def add_after(self, key: Key, delay: float) -> None:
        """Ask for a pass in `delay` seconds; the earliest request wins."""
        loop = asyncio.get_running_loop()
        known = self._timers.get(key)
        if known is not None and known.when() <= loop.time() + delay:
            return
        if known is not None:
            known.cancel()
        self._timers[key] = loop.call_later(delay, self._due, key)

    def retry(self, key: Key) -> None:
        """Ask again after a back-off that doubles with each failure in a row."""
        failures = self._failures.get(key, 0)
        self._failures[key] = failures + 1
        self.add_after(key, min(FIRST_RETRY * 2**failures, LONGEST_RETRY))

    def forget(self, key: Key) -> None:
        """The last pass went well: the next failure starts the back-off anew."""
        self._failures.pop(key, None)

    async def take(self) -> Key:
        """The next key; the caller promises to call `finish`."""
        while not self._ready:
            self._wake.clear()
            await self._wake.wait()
        key = self._ready.popleft()
        self._dirty.discard(key)
        self._running.add(key)
        return key

    def finish(self, key: Key) -> None:
        """The pass for this key is over."""
        self._running.discard(key)
        if key in self._dirty:
            self._offer(key)

    def close(self) -> None:
        """Drop all timers."""
        for timer in self._timers.values():
            timer.cancel()
        self._timers.clear()

    def _due(self, key: Key) -> None:
        self._timers.pop(key, None)
        self.add(key)

    def _offer(self, key: Key) -> None:
        self._ready.append(key)
        self._wake.set()

"""Keys waiting to be worked on: each at most once, one worker a key, later ones sorted by time (as in controller-runtime).

Each controller has a bound of its own, as it has a queue of its own in controller-runtime: measurements of providers that hang are passes
too, and none of them may keep a rollout from bringing traffic home.
"""

import asyncio
import heapq
import itertools
from collections import Counter, deque
from contextlib import suppress

from reconciler.kernel.clock import Clock
from reconciler.kernel.identity import Key

FIRST_PAUSE, LONGEST_PAUSE = 0.05, 30.0
PER_CONTROLLER = 16
"""Keys of one controller that are worked on at a time."""
CLOCK_LOOK, CLOCK_STEP = 30.0, 1.0
"""Seconds between two looks at the wall clock while keys wait, and that it has to have been set by to count."""
COUNTED = 16
"""Failures in a row that are counted: the pause is the longest by then, and what fails for days must not end in a number too large."""


class Queue:
    """Coalesces keys. A key added while it is being worked on is handed out again afterwards.

    What waits does so for a span that was counted from the wall clock. Once that clock was set, or the machine slept, the span is wrong, by
    hours perhaps: then everything that waits is handed out, and each pass counts anew.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._ready: dict[str, deque[tuple[int, Key]]] = {}
        self._busy: Counter[str] = Counter()
        self._waiting: set[Key] = set()
        self._working: set[Key] = set()
        self._again: set[Key] = set()
        self._failures: dict[Key, int] = {}
        self._later: list[tuple[float, int, Key]] = []
        self._due: dict[Key, float] = {}
        self._order = itertools.count()
        self._idle: deque[asyncio.Future[None]] = deque()
        self._alarm: asyncio.TimerHandle | None = None
        self._ahead = self._wall_ahead()

    def add(self, key: Key) -> None:
        """Work on this key as soon as a worker is free."""
        if key in self._working:
            self._again.add(key)
        elif key not in self._waiting:
            self._waiting.add(key)
            self._ready.setdefault(key.controller, deque()).append((next(self._order), key))
            self._wake()

    def add_after(self, key: Key, seconds: float) -> None:
        """Work on this key in so many seconds, or sooner when something else asks for it."""
        due = self._clock.monotonic() + max(seconds, 0.0)
        if self._due.get(key, float("inf")) <= due:
            return
        self._due[key] = due
        heapq.heappush(self._later, (due, next(self._order), key))
        if self._idle and self._later[0][2] == key:
            self._set_alarm()

    def retry(self, key: Key, after: float | None = None) -> None:
        """Work on this key again after an exponential pause, or after what the other side asked for."""
        failures = self._failures[key] = min(self._failures.get(key, 0) + 1, COUNTED)
        pause = min(FIRST_PAUSE * 2 ** (failures - 1), LONGEST_PAUSE)
        self.add_after(key, max(pause, after or 0.0))

    def forget(self, key: Key) -> None:
        """The key went well: its next failure starts with the shortest pause."""
        self._failures.pop(key, None)

    async def take(self) -> Key:
        """The next key; it is this caller's alone until `done`."""
        while True:
            self._promote()
            free = [keys for name, keys in self._ready.items() if keys and self._busy[name] < PER_CONTROLLER]
            if free:
                _, key = min(free, key=lambda keys: keys[0][0]).popleft()
                self._waiting.discard(key)
                self._working.add(key)
                self._busy[key.controller] += 1
                return key
            await self._sleep()

    def done(self, key: Key) -> None:
        self._working.discard(key)
        self._busy[key.controller] -= 1
        if key in self._again:
            self._again.discard(key)
            self.add(key)
        elif self._due.get(key, float("inf")) <= self._clock.monotonic():
            self._wake()

    def __len__(self) -> int:
        return sum(map(len, self._ready.values()))

    @property
    def idle(self) -> bool:
        """Nothing is ready and nothing is being worked on."""
        return not len(self) and not self._working

    def _wall_ahead(self) -> float:
        """Seconds from the clock that is never set to the one that may be."""
        return self._clock.now().timestamp() - self._clock.monotonic()

    def _clock_was_set(self) -> bool:
        """True once for each time that the wall clock was set."""
        before, self._ahead = self._ahead, self._wall_ahead()
        return abs(self._ahead - before) > CLOCK_STEP

    def _promote(self) -> None:
        now = float("inf") if self._clock_was_set() else self._clock.monotonic()
        while self._later and self._later[0][0] <= now:
            due, _, key = heapq.heappop(self._later)
            if self._due.get(key) == due:
                del self._due[key]
                self.add(key)

    async def _sleep(self) -> None:
        """Until something is ready. One worker is woken for each key: waking all of them for one costs more than most passes."""
        self._set_alarm()
        woken = asyncio.get_running_loop().create_future()
        self._idle.append(woken)
        try:
            await woken
        except asyncio.CancelledError:
            if woken.done() and not woken.cancelled():
                self._wake()  # what this worker was woken for is another one's now
            raise
        finally:
            with suppress(ValueError):
                self._idle.remove(woken)

    def _wake(self) -> None:
        while self._idle:
            woken = self._idle.popleft()
            if not woken.done():
                woken.set_result(None)
                return

    def _set_alarm(self) -> None:
        """One timer for the earliest key of later, however many workers wait."""
        if self._alarm is not None:
            self._alarm.cancel()
            self._alarm = None
        if self._later:
            seconds = min(max(self._later[0][0] - self._clock.monotonic(), 0.0), CLOCK_LOOK)
            self._alarm = asyncio.get_running_loop().call_later(seconds, self._ring)

    def _ring(self) -> None:
        self._alarm = None
        self._promote()
        if self._idle:
            self._set_alarm()

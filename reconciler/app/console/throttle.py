"""Slows down who guesses: after each failure the next try waits longer, for the address it came from."""

from collections import OrderedDict

from reconciler.kernel.clock import Clock

FREE = 3
"""So many failures cost nothing: people mistype."""
LONGEST = 300.0
REMEMBERED = 1000


class Throttle:
    """Failures by address, forgotten after a while; bounded, the oldest leaves first."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._failures: OrderedDict[str, tuple[int, float]] = OrderedDict()

    def waits(self, address: str) -> int:
        """Seconds until the next try is looked at; 0: now."""
        count, at = self._failures.get(address, (0, 0.0))
        left = at + _pause(count) - self._clock.monotonic()
        return max(0, int(left + 0.999)) if count > FREE else 0

    def failed(self, address: str) -> None:
        """One more; after the longest pause without one it begins anew."""
        count, at = self._failures.pop(address, (0, 0.0))
        now = self._clock.monotonic()
        self._failures[address] = (1 if count and now - at > LONGEST else count + 1, now)
        while len(self._failures) > REMEMBERED:
            self._failures.popitem(last=False)


def _pause(count: int) -> float:
    return float(min(LONGEST, 2.0 ** (count - FREE)))

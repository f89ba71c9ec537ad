"""The clock and the dice of a daemon under virtual time."""

import asyncio
import random
from datetime import datetime, timedelta

from reconciler_sandbox.rehearsal.virtual.loop import virtual_now


class VirtualClock:
    """Tells the loop's time and rolls a seeded dice. `wrong_by` is how far the machine's wall clock is off."""

    def __init__(self, seed: int) -> None:
        self._dice = random.Random(seed)
        self.wrong_by = timedelta()

    def reseed(self, seed: int) -> None:
        """From now on another dice is rolled."""
        self._dice = random.Random(seed)

    def now(self) -> datetime:
        """The wall clock, which may be wrong."""
        return virtual_now() + self.wrong_by

    def monotonic(self) -> float:
        """Seconds that are never set back."""
        return asyncio.get_running_loop().time()

    async def sleep(self, seconds: float) -> None:
        """Let virtual time pass."""
        await asyncio.sleep(seconds)

    def random(self) -> float:
        """The next number of the seed."""
        return self._dice.random()

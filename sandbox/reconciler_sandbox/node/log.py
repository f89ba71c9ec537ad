"""What a container prints: the last part of it, readable at once or followed while it grows."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator

LONGEST = 2000


class Log:
    """Keeps the last 2000 writes. Change it only on the event loop that follows it."""

    def __init__(self) -> None:
        self._parts: deque[str] = deque(maxlen=LONGEST)
        self._count = 0
        self._closed = False
        self._grown = asyncio.Event()

    @property
    def text(self) -> str:
        """Everything that is kept."""
        return "".join(self._parts)

    def tail(self, lines: int | None) -> str:
        """The last lines, or everything."""
        if lines is None:
            return self.text
        return "".join(self.text.splitlines(keepends=True)[-lines:]) if lines > 0 else ""

    def write(self, text: str) -> None:
        """Append."""
        self._parts.append(text)
        self._count += 1
        self._notify()

    def close(self) -> None:
        """Nothing more will be written: followers end."""
        self._closed = True
        self._notify()

    async def follow(self, lines: int | None) -> AsyncIterator[str]:
        """The last lines, then all that is written until the log is closed."""
        seen = self._count
        yield self.tail(lines)
        while True:
            grown = self._grown
            fresh = min(self._count - seen, len(self._parts))
            seen = self._count
            if fresh:
                yield "".join(list(self._parts)[-fresh:])
            elif self._closed:
                return
            else:
                await grown.wait()

    def _notify(self) -> None:
        waiting, self._grown = self._grown, asyncio.Event()
        waiting.set()

"""The Authorization header of a cluster, kept for a while: to ask for it may run a plug-in or read a file, in a thread."""

import asyncio
from collections.abc import Awaitable, Callable

KEPT = 10.0
"""Seconds for which a header is used without asking: a token that was rotated is good for minutes longer, and a refused one is renewed."""


class Authorization:
    """The header as it was last told. `ask` answers with it, or with "" when there is none; what it raises goes through."""

    def __init__(self, ask: Callable[[], Awaitable[str]], *, kept: float = KEPT) -> None:
        self._ask = ask
        self._kept = kept
        self._header = ""
        self._until = float("-inf")
        self._asking = asyncio.Lock()

    async def header(self) -> str:
        """The header to send now."""
        if not self._is_good:
            async with self._asking:  # one asks, the others wait for the answer: a plug-in is not run sixty times at once
                if not self._is_good:
                    await self._renew()
        return self._header

    async def instead_of(self, refused: str) -> str:
        """The header after the server refused one: asked for anew, unless that was done meanwhile."""
        async with self._asking:
            if self._header == refused:
                await self._renew()
        return self._header

    @property
    def _is_good(self) -> bool:
        return asyncio.get_running_loop().time() < self._until

    async def _renew(self) -> None:
        self._header = await self._ask()
        self._until = asyncio.get_running_loop().time() + self._kept

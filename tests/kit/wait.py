"""Waits for conditions by a generous deadline, never at an instant."""

import asyncio
import inspect
from collections.abc import Awaitable, Callable
from typing import TypeVar

Found = TypeVar("Found")
PAUSE = 0.01


async def until(predicate: Callable[[], Found | Awaitable[Found]], within: float = 20.0) -> Found:
    """The first true answer of a predicate, which may be a coroutine function. Fails after `within` seconds."""
    deadline = asyncio.get_running_loop().time() + within
    while True:
        answer = predicate()
        found: Found = await answer if inspect.isawaitable(answer) else answer
        if found:
            return found
        if asyncio.get_running_loop().time() > deadline:
            raise AssertionError(f"not within {within:g} s: {inspect.getsource(predicate).strip()}")
        await asyncio.sleep(PAUSE)

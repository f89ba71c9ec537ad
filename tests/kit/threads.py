"""A server for commands that run an event loop of their own: it answers from a thread."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from tests.kit.analysis import Endpoint, endpoint


@contextmanager
def served() -> Iterator[Endpoint]:
    """An endpoint in a loop of its own."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    context = endpoint()
    answering = asyncio.run_coroutine_threadsafe(context.__aenter__(), loop).result(20)
    try:
        yield answering
    finally:
        asyncio.run_coroutine_threadsafe(context.__aexit__(None, None, None), loop).result(20)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(20)
        loop.close()

"""Everything that a watcher of the API is shown from now on, not only what is there in the end."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from reconciler_sandbox.client import ApiClient

Manifest = dict[str, Any]


@asynccontextmanager
async def watching(api: ApiClient, *paths: str) -> AsyncIterator[list[Manifest]]:
    """The states of all objects of some collections in the order they are shown, beginning with those that are there now."""
    shown: list[Manifest] = []
    begun = [asyncio.Event() for _ in paths]

    async def follow(path: str, first: asyncio.Event) -> None:
        async for _, manifest in api.watch(path):
            shown.append(manifest)
            first.set()

    tasks = [asyncio.create_task(follow(path, first)) for path, first in zip(paths, begun, strict=True)]
    try:
        for path, first in zip(paths, begun, strict=True):
            if await api.list(path):
                await first.wait()
        yield shown
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

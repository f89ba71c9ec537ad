"""Looks again and again, and tells what changed: for `--watch` and for commands that wait."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta
from typing import TypeVar

import typer

from reconciler.app.cli.cluster import ClusterPlace, cluster
from reconciler.kernel.errors import Transient
from reconciler.kube.client import Client

Answer = TypeVar("Answer")
LOOK_EVERY = 1.0
FOR_EVER = timedelta(0)


async def changes(
    place: ClusterPlace,
    question: Callable[[Client], Awaitable[Answer]],
    seen: Callable[[Answer], object],
    timeout: timedelta = FOR_EVER,
) -> AsyncIterator[Answer]:
    """Each answer that shows something else than the one before, until the time is over.

    A server that does not answer any more is said once and asked again: an API server may restart while a person waits. The first
    answer has to come, or the error is the caller's.
    """
    deadline = time.monotonic() + timeout.total_seconds() if timeout else float("inf")
    before: object = None
    silent = False
    async with cluster(place) as client:
        answer = await question(client)
        while True:
            if (now := seen(answer)) != before:
                before = now
                yield answer
            left = deadline - time.monotonic()
            if left <= 0:
                return
            await asyncio.sleep(min(LOOK_EVERY, left))
            try:
                answer, silent = await question(client), False
            except Transient as error:
                if not silent:
                    typer.echo(f"reconciler: {error}; asking again", err=True)
                silent = True

"""The console with 1,000 releases: a page, what a browser loads for it, and changes told to 50 readers.

The API server is the sandbox's, in this process: what it costs is part of what is measured.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta
from statistics import median
from time import perf_counter

import httpx
import pytest

from benchmarks.measure import Row, median_awaited
from reconciler.app.console.assembly import assembled
from reconciler.app.console.pages import ConsoleScope
from reconciler.app.console.server import static_files
from reconciler.kernel.clock import SystemClock
from reconciler.kernel.identity import Manifest, ObjectRef
from reconciler.kernel.resources import NAMESPACES, ROLLOUTS
from reconciler.releases.model import ReleasePhase, ReleaseStatus
from reconciler.sources.model import Commit
from reconciler.web.listener import listening
from tests.kit.browsers import window
from tests.kit.clusters import Api, api
from tests.kit.fleet import put
from tests.kit.fleet_pieces import release, rollout

RELEASES, SPACES, READERS, CHANGES = 1_000, 20, 50, 12
PAGE, WEIGHT, TOLD, PAINT = 200.0, 120.0, 1_000.0, 1_000.0
"""Milliseconds of a page, kilobytes that the first page loads, milliseconds until the last reader is told, and until a browser paints."""
FLOOD = 5.0
COMMIT = Commit(sha="8d0e4f7a" * 5, author="Ann Lee <ann@example.com>", subject="Show stock on the product page")
STEPS: list[Manifest] = [{"setWeight": weight} for weight in range(5, 100, 5)]


def rows() -> list[Row]:
    """The first page over HTTP, its weight, and how long until 50 open pages know of a change."""
    return asyncio.run(_rows())


async def _rows() -> list[Row]:
    async with _served() as (cluster, address), httpx.AsyncClient(trust_env=False, timeout=60) as browser:
        begin = perf_counter()
        size = len((await browser.get(address)).content)
        cold = (perf_counter() - begin) * 1000
        page = await median_awaited(lambda: browser.get(address), 15) * 1000
        one = await median_awaited(lambda: browser.get(f"{address}/rollouts/n0/web-0"), 15) * 1000
        painted = await _painted(address)
        weight = (size + sum(len(body) for body in static_files().values())) / 1000
        async with _readers(address, READERS) as readers:
            spans = [await _told(cluster, readers, number) for number in range(CHANGES)]
            rate = await _flooded(cluster, readers)
    paint = [Row(f"console: first paint of {RELEASES} releases in Chromium", painted, PAINT, "ms", "all namespaces")] if painted else []
    return [
        *paint,
        Row(
            f"console: the first page of {RELEASES} releases",
            page,
            PAGE,
            "ms",
            f"the very first time {cold:.0f} ms; one release {one:.0f} ms",
        ),
        Row("console: all that the first page loads", weight, WEIGHT, "kB", "HTML, styles, script; nothing is compressed"),
        Row(
            f"console: change → the last of {READERS} readers is told", median(spans), TOLD, "ms", f"{rate:.0f} events/s while all changes"
        ),
    ]


async def _painted(address: str) -> float | None:
    """Milliseconds until a browser has painted the first page; None where none is installed."""
    with suppress(pytest.skip.Exception):
        async with window(address) as shown:
            found = await shown.page.evaluate("performance.getEntriesByName('first-contentful-paint').map(one => one.startTime)")
            return float(found[0]) if found else None
    return None


@asynccontextmanager
async def _served() -> AsyncIterator[tuple[Api, str]]:
    async with api() as cluster:
        begun = datetime.now(UTC) - timedelta(minutes=10)
        for number in range(SPACES):
            await cluster.client.create(NAMESPACES, {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": f"n{number}"}})
        made: dict[str, Manifest] = {}
        for number in range(RELEASES):
            name, space, image = f"web-{number}", f"n{number % SPACES}", f"registry.example.com/web:{number}"
            moving = {"stableRS": "old", "phase": "Progressing", "currentStepIndex": 1} if number < RELEASES // 10 else {"phase": "Healthy"}
            status = ReleaseStatus(
                phase=ReleasePhase.PROGRESSING if number < RELEASES // 10 else ReleasePhase.CLOSED, pod_hash=f"{name}-new"
            )
            await put(cluster, rollout(name, space, image, STEPS, **moving), made)
            await put(
                cluster,
                release(f"{name}-r", name, space, begun, images={"web": image}, before={"web": "web:old"}, commit=COMMIT, status=status),
                made,
            )
        with assembled(cluster.client, SystemClock(), ConsoleScope(), live=True) as parts:
            async with listening(parts.console.routes(), "127.0.0.1", 0) as address:
                yield cluster, address


class _Reader:
    """An open page: how many changes it was told."""

    def __init__(self) -> None:
        self.told = 0
        self.news = asyncio.Event()

    async def read(self, address: str) -> None:
        async with httpx.AsyncClient(trust_env=False, timeout=None) as http, http.stream("GET", f"{address}/live?of=/") as stream:
            async for line in stream.aiter_lines():
                if line.startswith("id:"):
                    self.told += 1
                    self.news.set()


@asynccontextmanager
async def _readers(address: str, count: int) -> AsyncIterator[list[_Reader]]:
    readers = [_Reader() for _ in range(count)]
    tasks = [asyncio.create_task(reader.read(address)) for reader in readers]
    try:
        await asyncio.gather(*(reader.news.wait() for reader in readers))
        yield readers
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _told(cluster: Api, readers: list[_Reader], number: int) -> float:
    """Milliseconds from the answer to a write until every reader was told; some time after the one before."""
    await asyncio.sleep(1.0)
    for reader in readers:
        reader.news.clear()
    await _step(cluster, 0, number + 2)
    begin = perf_counter()
    await asyncio.gather(*(reader.news.wait() for reader in readers))
    return (perf_counter() - begin) * 1000


async def _flooded(cluster: Api, readers: list[_Reader]) -> float:
    """Events that all readers together are told a second, while 20 workloads go on all the time."""
    before, begin, number = sum(reader.told for reader in readers), perf_counter(), 0
    while perf_counter() - begin < FLOOD:
        await _step(cluster, number % 20, 1 + number // 20 % len(STEPS))
        await asyncio.sleep(0.02)
        number += 1
    return (sum(reader.told for reader in readers) - before) / (perf_counter() - begin)


async def _step(cluster: Api, number: int, step: int) -> None:
    ref = ObjectRef(ROLLOUTS, f"n{number % SPACES}", f"web-{number}")
    await cluster.client.patch(ref, {"status": {"currentStepIndex": step, "message": f"step {step}"}}, subresource="status")

"""A source of thousands of objects: its first apply beside `kubectl apply`, a pass without news, and the first write after a push.

Git is a repository on disk, the API server is the sandbox's in this process; kubectl speaks to the same server over HTTP.
"""

import asyncio
import tempfile
import time
from pathlib import Path

from reconciler_sandbox.client import Answer, Call

from benchmarks.measure import Row
from tests.kit.desk import Desk, config, desk, rollout
from tests.kit.kubectl import Kubectl, binary

OBJECTS = 3_000
FIRST_APPLY, WITHOUT_NEWS, FIRST_WRITE = 15.0, 0.5, 0.5
ROLLOUTS, RESTING = 200, 0.025
"""Processor of a pass without news over so many Rollouts, twice a minute: what an idle daemon spends on its source."""


def rows(objects: int = OBJECTS, rollouts: int = ROLLOUTS) -> list[Row]:
    """First apply, a look without news, a push."""
    return [*asyncio.run(_rows(objects)), asyncio.run(_resting(rollouts))]


async def _rows(objects: int) -> list[Row]:
    with tempfile.TemporaryDirectory(prefix="reconciler-bench-") as folder:
        async with desk(Path(folder)) as shop:
            shop.push({f"{number}.yaml": config(f"c{number}") for number in range(objects)})
            first, calls = await _timed(shop)
            without_news, asked = await _timed(shop)
            written = _first_write(shop)
            shop.push({"0.yaml": config("c0", "2")})
            begin = time.perf_counter()
            await shop.look()
            after_push = written[0] - begin
            beside = await _kubectl(shop, Path(folder), objects)
    return [
        Row(f"first apply of {objects} objects", first, FIRST_APPLY, "s", f"{calls} requests; {beside}"),
        Row(f"a pass without news, {objects} objects", without_news, WITHOUT_NEWS, "s", f"{asked} requests"),
        Row(f"push → first write, {objects} objects", after_push, FIRST_WRITE, "s", "fetch, parse and list included"),
    ]


async def _resting(rollouts: int, passes: int = 5) -> Row:
    """The processor time of a pass over Rollouts that are as they were; the API server's part of it is in this process, too."""
    with tempfile.TemporaryDirectory(prefix="reconciler-bench-") as folder:
        async with desk(Path(folder)) as shop:
            shop.push({f"{number}.yaml": rollout(name=f"web{number}") for number in range(rollouts)})
            for _ in range(3):
                await shop.look()
            begin = time.process_time()
            for _ in range(passes):
                await shop.look()
            spent = (time.process_time() - begin) / passes
    return Row(f"processor of a pass without news, {rollouts} rollouts", spent, RESTING, "s", "the API server's part included")


async def _timed(shop: Desk) -> tuple[float, int]:
    shop.api.transport.calls.clear()
    begin = time.perf_counter()
    await shop.look()
    return time.perf_counter() - begin, len(shop.api.transport.calls)


def _first_write(shop: Desk) -> list[float]:
    """When the first object is written from now on, once that has happened."""
    written: list[float] = []

    async def note(call: Call) -> Answer | None:
        if call.method == "PATCH" and "/configmaps/c" in call.path:
            written.append(time.perf_counter())
        return None

    shop.api.server.faults = note
    return written


async def _kubectl(shop: Desk, folder: Path, objects: int) -> str:
    """The same number of other objects by `kubectl apply --server-side`, as words."""
    if not binary():
        return "no kubectl here"
    manifests = folder / "manifests"
    manifests.mkdir()
    (manifests / "all.yaml").write_text("---\n".join(config(f"k{number}") for number in range(objects)))
    await shop.api.server.start()
    begin = time.perf_counter()
    await Kubectl(folder)(f"--server {shop.api.server.url} apply --server-side -f {manifests}")
    return f"kubectl apply: {time.perf_counter() - begin:.1f} s"

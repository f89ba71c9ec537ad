"""PromQL: the sandbox answers as a real Prometheus does from the same samples."""

import asyncio
import math
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from reconciler_sandbox.metrics.scrape import Scraper
from reconciler_sandbox.metrics.server import Server
from reconciler_sandbox.metrics.store import Store

from scripts.real import binaries
from scripts.real.errors import NotObtained
from tests.kit.wait import until
from tests.real.kit.prometheus import RealPrometheus, ask
from tests.real.kit.queries import PICKED, counted, generated, of_our_files
from tests.real.kit.remotewrite import request
from tests.real.kit.servers import NOT_RUN

pytestmark = pytest.mark.real
STEP = 15
SCRAPES = 60
MOMENTS = (0.0, 7.0, 100.5, 305.0, 599.0, 601.0, 890.0, 1200.0)
LEADING = 12  # significant digits that must agree: sums are compensated differently


@pytest.fixture(scope="module")
def program() -> Path:
    try:
        return binaries.prometheus()
    except NotObtained as reason:
        pytest.skip(f"{NOT_RUN}: {reason}")


@pytest.fixture(scope="module")
def start() -> int:
    """When the samples begin: long enough ago for all of them to be of the past."""
    return int(time.time()) // 60 * 60 - 1800


def exposition(turn: int) -> str:
    """What a target shows at a scrape: counters (one restarts), gauges, a histogram, a gap, and one that goes."""
    lines = []
    for reporter in ("source", "destination"):
        for version, factor in (("v1", 7), ("v2", 3)):
            for code, share in (("200", 1.0), ("404", 0.05), ("503", 0.1 if version == "v2" else 0.01)):
                labels = f'reporter="{reporter}",destination_workload_namespace="shop",destination_canonical_revision="{version}"'
                lines.append(f'istio_requests_total{{{labels},response_code="{code}"}} {int(turn * factor * share * 10)}')
    for number, bound in enumerate(("10", "50", "100", "+Inf")):
        for version, factor in (("v1", 3), ("v2", 5)):
            lines.append(f'request_milliseconds_bucket{{version="{version}",le="{bound}"}} {turn * factor * (number + 1)}')
    for version, factor in (("v1", 3), ("v2", 5)):
        lines.append(f'request_milliseconds_sum{{version="{version}"}} {turn * factor * 137.5}')
        lines.append(f'request_milliseconds_count{{version="{version}"}} {turn * factor * 4}')
    for zone, sensor, middle in (("a", "1", 20.0), ("a", "2", 18.5), ("b", "1", 23.25)):
        lines.append(f'temperature{{zone="{zone}",sensor="{sensor}"}} {middle + 3 * math.sin(turn / 3 + middle)}')
        lines.append(f'humidity_by_sensor{{zone="{zone}",sensor="{sensor}",unit="percent"}} {50 + turn % 7}')
    lines += [f'humidity{{zone="{zone}"}} {value + turn % 5}' for zone, value in (("a", 40), ("b", 55))]
    lines.append(f"restarted_total {(turn % 17) * 4}")
    if turn % 9 < 5:
        lines.append(f"gappy {turn * 2}")
    if turn < 40:
        lines.append(f"gone {turn}")
    return "\n".join([*lines, ""])


@dataclass(frozen=True)
class Pair:
    """The two servers that hold the same samples, and when those begin."""

    sandbox: Server
    real: RealPrometheus
    start: int


async def scraped(start: int) -> Store:
    """A store filled by the sandbox's own scraper, as if a quarter of a minute passed between two looks."""
    store, clock = Store(retention=7200), [float(start)]
    turn = 0

    async def show(request: web.Request) -> web.Response:
        return web.Response(text=exposition(turn))

    application = web.Application()
    application.router.add_get("/metrics", show)
    runner = web.AppRunner(application)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    port = runner.addresses[0][1]
    async with aiohttp.ClientSession() as session:
        scraper = Scraper(f"http://127.0.0.1:{port}/metrics", store, lambda: clock[0])
        for turn in range(SCRAPES):
            clock[0] = start + turn * STEP
            await scraper.scrape(session)
    await runner.cleanup()
    return store


@pytest.fixture(scope="module")
def real(program: Path, start: int, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealPrometheus]:
    server = RealPrometheus(program, tmp_path_factory.mktemp("prometheus"))
    server.start()
    try:
        store = asyncio.run(scraped(start))
        server.write(request((dict(series.labels), list(zip(series.times, series.values, strict=True))) for series in store.select("", ())))
        yield server
    finally:
        server.stop()


@pytest.fixture
async def pair(real: RealPrometheus, start: int) -> AsyncIterator[Pair]:
    server = Server(await scraped(start), time.time)
    await server.start()
    yield Pair(server, real, start)
    await server.stop()


async def both(pair: Pair, path: str, **parameters: str) -> tuple[Any, Any]:
    """What each answers, in a form that can be compared."""
    ours = await asyncio.to_thread(ask, pair.sandbox.url, path, **parameters)
    theirs = await asyncio.to_thread(pair.real.ask, path, **parameters)
    ordered = parameters["query"].startswith("sort")
    return comparable(ours, ordered), comparable(theirs, ordered)


def comparable(document: dict[str, Any], ordered: bool) -> Any:
    """Refusals by their kind; series without the instance, which is another port in each run; numbers to some digits.

    Where the order is asked for, that of the numbers is compared: equal ones may come in any.
    """
    if document["status"] != "success":
        return document["errorType"]
    shape, result = document["data"]["resultType"], document["data"]["result"]
    if shape in ("scalar", "string"):
        return shape, leading(result[1])
    rows = [(labels_of(row["metric"]), [(at, leading(value)) for at, value in row.get("values") or [row["value"]]]) for row in result]
    return shape, sorted(rows), [points for _, points in rows] if ordered else None


def labels_of(metric: dict[str, str]) -> str:
    return ",".join(f"{name}={value}" for name, value in sorted(metric.items()) if name != "instance")


def leading(number: str) -> str:
    return f"{float(number):.{LEADING}g}"


OURS = [*of_our_files(), *counted()]


@pytest.mark.parametrize("query", [*OURS, *PICKED, *generated(200)])
async def test_an_answer_is_the_same_at_every_moment(pair: Pair, query: str) -> None:
    for moment in MOMENTS:
        ours, theirs = await both(pair, "query", query=query, time=str(pair.start + moment))
        assert ours == theirs, f"at {moment:g} s"


@pytest.mark.parametrize("query", [*OURS, *PICKED])
async def test_a_range_is_the_same(pair: Pair, query: str) -> None:
    ours, theirs = await both(pair, "query_range", query=query, start=str(pair.start - 30), end=str(pair.start + 1300), step="35")
    assert ours == theirs


def test_our_files_ask_something() -> None:
    assert len(OURS) >= 2


async def test_a_target_is_scraped_alike(program: Path, tmp_path: Path) -> None:
    """Names, labels, `up`, and what a vanished series is: gone at once, in both."""
    turn = 0

    async def show(request: web.Request) -> web.Response:
        return web.Response(text=exposition(turn))

    application = web.Application()
    application.router.add_get("/metrics", show)
    runner = web.AppRunner(application)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    address = f"127.0.0.1:{runner.addresses[0][1]}"
    server, store = RealPrometheus(program, tmp_path, (address,)), Store(retention=600)
    async with aiohttp.ClientSession() as session:
        scraper = Scraper(f"http://{address}/metrics", store, time.time)
        ours = Server(store, time.time)
        await ours.start()
        await asyncio.to_thread(server.start)
        try:
            for turn in (1, 45):  # noqa: B007 -- what the target shows
                await scraper.scrape(session)
                await until(lambda: asyncio.to_thread(alike, ours.url, server))
        finally:
            await asyncio.to_thread(server.stop)
            await ours.stop()
            await runner.cleanup()


def alike(url: str, real: RealPrometheus) -> bool:
    """Whether both show the same series with the same labels, the scrape's own measurements aside."""
    query = '{instance=~".+",__name__!~"scrape_.*"}'

    def shown(document: dict[str, Any]) -> list[tuple[str, str]]:
        return sorted((labels_of(row["metric"]) + row["metric"]["instance"], row["value"][1]) for row in document["data"]["result"])

    return shown(ask(url, "query", query=query)) == shown(real.ask("query", query=query))

"""One target scraped: labels, staleness, failures."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import aiohttp
import pytest
from reconciler_sandbox.metrics.promql.evaluate import instant
from reconciler_sandbox.metrics.promql.values import Sample
from reconciler_sandbox.metrics.scrape import Scraper
from reconciler_sandbox.metrics.store import Store

from tests.kit.exposition import Target, target


@dataclass
class Scrape:
    target: Target
    session: aiohttp.ClientSession
    time: float = 1000.0
    store: Store = field(default_factory=lambda: Store(retention=10_000))

    def __post_init__(self) -> None:
        self.scraper = Scraper(self.target.url, self.store, lambda: self.time)

    async def at(self, time: float, text: str) -> None:
        self.time, self.target.text = time, text
        await self.scraper.scrape(self.session)

    def value(self, query: str) -> list[tuple[dict[str, str], float]]:
        found = instant(self.store, query, int(self.time * 1000))
        assert isinstance(found, list)
        return [(dict(sample.labels), sample.value) for sample in found if isinstance(sample, Sample)]


@pytest.fixture
async def scrape() -> AsyncIterator[Scrape]:
    async with target() as served, aiohttp.ClientSession() as session:
        yield Scrape(served, session)


async def test_samples_bear_the_targets_labels(scrape: Scrape) -> None:
    await scrape.at(1000, 'a{job="mine",x="1"} 5')
    ((labels, value),) = scrape.value("a")
    assert value == 5.0
    assert labels == {"__name__": "a", "x": "1", "exported_job": "mine", "job": "sandbox", "instance": scrape.target.url.split("/")[2]}
    assert [value for _, value in scrape.value("up")] == [1.0]
    assert [value for _, value in scrape.value("scrape_samples_scraped")] == [1.0]


async def test_a_series_that_is_no_longer_shown_is_gone_at_once(scrape: Scrape) -> None:
    await scrape.at(1000, "a 1\nb 1")
    await scrape.at(1001, "a 2")
    assert [value for _, value in scrape.value("a")] == [2.0]
    assert scrape.value("b") == []


async def test_a_target_that_fails_is_down_and_its_series_are_gone(scrape: Scrape) -> None:
    await scrape.at(1000, "a 1")
    scrape.target.status = 500
    await scrape.at(1001, "a 2")
    assert scrape.value("a") == []
    assert [value for _, value in scrape.value("up")] == [0.0]
    assert "500" in scrape.scraper.last_error
    scrape.target.status = 200
    await scrape.at(1002, "a 3")
    assert [value for _, value in scrape.value("a")] == [3.0]
    assert scrape.scraper.last_error == ""


async def test_a_text_that_is_no_exposition_counts_for_nothing(scrape: Scrape) -> None:
    await scrape.at(1000, "a 1\n<html>")
    assert scrape.value("a") == []
    assert "not a sample" in scrape.scraper.last_error

"""Prometheus as it was: what a metric's query would have answered at past moments, read by few range queries.

A range query answers at each of its steps as an instant query at that moment would, so one of them serves all measurements of a window
that are an interval apart. A moment that lies between two steps (after an error the next measurement comes sooner) begins a new one.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from reconciler.analysis.model import ERROR_PAUSE, Measurement, Metric
from reconciler.analysis.provider import FALLBACK, SERIES, MeasurementTask
from reconciler.expr.syntax import ExpressionError
from reconciler.kernel.errors import Terminal
from reconciler.kernel.fields import Fields
from reconciler.providers.answers import failed, judged
from reconciler.providers.prometheus_queries import instant_or_range, past_range, read, without_fallback
from reconciler.providers.requests import tokens_of

if TYPE_CHECKING:
    from reconciler.providers.prometheus import Prometheus, Target

LONGEST_RANGE = 10_000
"""Steps of one query; Prometheus answers at most 11,000 points a series."""
MOST_REQUESTS = 500
"""Of one window: beyond it something flaps, and the server is spared."""
MILLISECOND = timedelta(milliseconds=1)


@dataclass(frozen=True, slots=True)
class Grid:
    """The answers to one query at every step from `first` to `last`, by millisecond."""

    first: int
    last: int
    step: int
    answers: Mapping[int, list[Any]]

    def holds(self, moment: int) -> bool:
        """True when this is one of its steps, with or without a sample."""
        return self.first <= moment <= self.last and (moment - self.first) % self.step == 0


class PrometheusReplay:
    """Answers for one past window; a provider like the one it was made by."""

    def __init__(self, prometheus: "Prometheus", until: datetime) -> None:
        self._prometheus = prometheus
        self._until = until
        self._grids: dict[str, list[Grid]] = {}
        self._kinds: dict[str, str] = {}
        self._targets: dict[str, Target] = {}
        self._left = MOST_REQUESTS

    def question(self, metric: Metric) -> Mapping[str, str]:
        return self._prometheus.question(metric)

    def secrets(self, metric: Metric) -> Iterator[str]:
        yield from self._prometheus.secrets(metric)

    async def run(self, task: MeasurementTask) -> Measurement:
        """The measurement of then. Raises Transient when the server gives no answer now."""
        config = Fields("prometheus", task.metric.config)
        try:
            target = await self._target(config)
        except Terminal as error:
            return failed(task, error)
        return replace(await self._measured(task, config, target), secrets=tokens_of(target.authorization))

    async def _measured(self, task: MeasurementTask, config: Fields, target: "Target") -> Measurement:
        query = config.text("query")
        try:
            reading = read(await self._answer(config, target, (query, task)))
            bare = without_fallback(query)
            spoke = bool(bare) and read(await self._answer(config, target, (bare, task))).series == 0
        except (Terminal, ExpressionError) as error:
            return failed(task, error)
        return judged(task, reading.result, reading.value, {SERIES: str(reading.series), **({FALLBACK: "true"} if spoke else {})})

    async def _target(self, config: Fields) -> "Target":
        """Who is asked, with a token that is fetched once a window."""
        known = repr(config.raw)
        if known not in self._targets:
            self._targets[known] = await self._prometheus.target(config)
        return self._targets[known]

    async def _answer(self, config: Fields, target: "Target", asked: tuple[str, MeasurementTask]) -> Any:
        """The `data` that an instant query, or the metric's own range, would have had then."""
        query, task = asked
        kind = "" if config.has("rangeQuery") else await self._kind(config, target, asked)
        if kind not in ("vector", "scalar"):  # only these can be asked over a range
            return (await self._ask(config, target, instant_or_range(config, query, task.now))).get("data")
        moment = _milliseconds(task.now)
        name = f"{target.address} {query}"
        grid = next((grid for grid in self._grids.get(name, ()) if grid.holds(moment)), None)
        if grid is None:
            grid = await self._grid(config, target, asked)
            self._grids.setdefault(name, []).append(grid)
        series = grid.answers.get(moment, [])
        return {"resultType": kind, "result": series[0]["value"] if kind == "scalar" and series else series}

    async def _grid(self, config: Fields, target: "Target", asked: tuple[str, MeasurementTask]) -> Grid:
        query, task = asked
        step = max(task.metric.interval or ERROR_PAUSE, MILLISECOND)
        steps = min(max((self._until - task.now) // step, 0), LONGEST_RANGE)
        last = task.now + steps * step
        answer = await self._ask(config, target, past_range(query, (task.now, last), step))
        grid = Grid(_milliseconds(task.now), _milliseconds(last), step // MILLISECOND, _by_moment(answer.get("data")))
        if any(not grid.holds(moment) for moment in grid.answers):
            raise Terminal("the server moved the times of a range query to its own steps: nothing can be read from it for a certain moment")
        return grid

    async def _kind(self, config: Fields, target: "Target", asked: tuple[str, MeasurementTask]) -> str:
        """What a query answers, a number or a list: only an instant query tells them apart."""
        query, task = asked
        name = f"{target.address} {query}"
        if name not in self._kinds:
            answer = (await self._ask(config, target, instant_or_range(config, query, task.now))).get("data")
            self._kinds[name] = str(answer.get("resultType")) if isinstance(answer, dict) else ""
        return self._kinds[name]

    async def _ask(self, config: Fields, target: "Target", question: tuple[str, dict[str, str]]) -> dict[str, Any]:
        self._left -= 1
        if self._left < 0:
            raise Terminal(f"more than {MOST_REQUESTS} requests for one window: its measurements are errors again and again")
        return await self._prometheus.ask(config, target, question)


def _by_moment(answer: Any) -> dict[int, list[Any]]:
    """The series of a range query at each moment, as an instant query would list them. Raises Terminal for what is no such answer."""
    found: dict[int, list[Any]] = {}
    try:
        if answer["resultType"] != "matrix":
            raise Terminal("prometheus answered a range query without a matrix")
        for series in answer["result"]:
            for at, text in series["values"]:
                found.setdefault(round(at * 1000), []).append({"metric": series["metric"], "value": [at, text]})
    except (TypeError, ValueError, KeyError, OverflowError) as error:
        raise Terminal("prometheus answered a matrix we cannot read") from error
    return found


def _milliseconds(at: datetime) -> int:
    return round(at.timestamp() * 1000)

"""Replays a template over one past window: the same judge under a clock of then, answers from the history of the same providers."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from math import isfinite

from reconciler.analysis.advance import Answer, advance
from reconciler.analysis.due import due
from reconciler.analysis.judge import RunTerms
from reconciler.analysis.manifest import parse_run
from reconciler.analysis.model import AnalysisRun, AnalysisStatus, RunPhase
from reconciler.analysis.observe import Measuring
from reconciler.analysis.preparation import prepare
from reconciler.analysis.provider import Provider, Remembering
from reconciler.kernel.errors import Terminal, Transient
from reconciler.kernel.identity import Manifest
from reconciler.kernel.moment import render_moment
from reconciler.kube.client import Client
from reconciler.views.measuring.analyses import Tried, tried_analysis
from reconciler.views.measuring.backtests import ReleaseWindow, Replayed

MOST_MEASUREMENTS = 5_000
"""Of one window; a template with an interval of a second over a day is no release."""
VOLUME_STEPS = 200
SHORTEST_STEP = timedelta(seconds=15)
PROMETHEUS = "prometheus"
ASK_TODAY = "`reconciler analyze` of the same template says why"


class WindowClock:
    """The time of a window; it moves only when it is set."""

    def __init__(self, moment: datetime) -> None:
        self.moment = moment

    def now(self) -> datetime:
        return self.moment

    def monotonic(self) -> float:
        return self.moment.timestamp()


@dataclass(frozen=True, slots=True)
class ReplayHands:
    """What answers: the cluster for Secrets, and the providers of today."""

    client: Client
    providers: Mapping[str, Provider]

    def measuring(self, clock: WindowClock, until: datetime) -> Measuring:
        """What measures as of then; a provider without a history is not among those asked."""
        past = {name: one.replaying(until) for name, one in self.providers.items() if isinstance(one, Remembering)}
        return Measuring(self.client, clock, past, explaining=True)


def refuse_forgetful(terms: RunTerms, providers: Mapping[str, Provider]) -> None:
    """Raises Terminal for a metric that cannot be replayed."""
    for metric in terms.metrics:
        if not isinstance(providers[metric.kind], Remembering):
            named = ", ".join(name for name, one in providers.items() if isinstance(one, Remembering))
            raise Terminal(f"metric {metric.name}: provider {metric.kind} keeps no history that can be asked; {named} does")


async def replayed(hands: ReplayHands, words: str, asked: tuple[AnalysisRun, ReleaseWindow], volume: str) -> Replayed:
    """What the template would have said of one release. Raises Transient when a server gives no answer today."""
    run, window = asked
    terms = prepare(run, hands.providers).terms
    status, answers = await _judged(hands, run, terms, window)
    failed = status.completed if status.phase is RunPhase.FAILED else None
    tried = tried_analysis(Tried(words, terms, status, answers))
    exposed = await _exposed(hands, run, replace(window, end=failed or window.end), volume) if volume else None
    return Replayed(window, tried, failed, exposed)


async def _judged(
    hands: ReplayHands, run: AnalysisRun, terms: RunTerms, window: ReleaseWindow
) -> tuple[AnalysisStatus, tuple[Answer, ...]]:
    """The run from the start of the window until it ends by itself, or is ended with the window."""
    clock, status = WindowClock(window.start), AnalysisStatus()
    measuring = hands.measuring(clock, window.end)
    answers: list[Answer] = []
    while True:
        answered = await measuring.measure(run, due(terms, status, clock.now()))
        silent = next((answer.task.metric.name for answer in answered if answer.measurement is None), None)
        if silent is not None:
            raise Transient(f"metric {silent}: its server gave no answer about {render_moment(clock.now())}: {ASK_TODAY}")
        answers += answered
        if len(answers) > MOST_MEASUREMENTS:
            raise Terminal(f"{window.name}: more than {MOST_MEASUREMENTS} measurements in one window: shorten it")
        advanced = advance(terms, status, answered, {}, clock.now())
        status = advanced.status
        if advanced.wake_at is None:
            return status, tuple(answers)
        if advanced.wake_at >= window.end:
            terms = replace(terms, requested_end=True)
        clock.moment = max(clock.moment, min(advanced.wake_at, window.end))


async def _exposed(hands: ReplayHands, run: AnalysisRun, window: ReleaseWindow, volume: str) -> float:
    """The requests of a window: the rate that the query names, summed over its time; a moment without data has none."""
    step = max((window.end - window.start) / VOLUME_STEPS, SHORTEST_STEP)
    step = timedelta(seconds=round(step.total_seconds()))
    asking = parse_run({**run.manifest, "spec": {**run.manifest["spec"], "metrics": [_volume_metric(run, volume, step)], "dryRun": []}})
    terms = prepare(replace(asking, retention=()), hands.providers).terms
    clock = WindowClock(window.start)
    measuring = hands.measuring(clock, window.end)
    total = 0.0
    while clock.moment < window.end:
        for answer in await measuring.measure(asking, due(terms, AnalysisStatus(), clock.now())):
            if answer.measurement is None:
                raise Transient(f"the volume: its server gave no answer about {render_moment(clock.now())}: {ASK_TODAY}")
            if answer.measurement.message:
                raise Terminal(f"the volume cannot be asked: {answer.measurement.message}")
            rate = sum(number for number in _numbers(answer.measurement.value) if isfinite(number))
            total += rate * min(step, window.end - clock.moment).total_seconds()
        clock.moment += step
    return total


def _volume_metric(run: AnalysisRun, volume: str, step: timedelta) -> Manifest:
    """The query at the server of the first Prometheus metric, with the account that it names. Raises Terminal where there is none."""
    for metric in run.metrics:
        config = (metric.get("provider") or {}).get(PROMETHEUS)
        if isinstance(config, dict):
            same = {key: value for key, value in config.items() if key != "rangeQuery"}
            return {"name": "volume", "interval": f"{step.total_seconds():.0f}s", "provider": {PROMETHEUS: {**same, "query": volume}}}
    raise Terminal("--volume asks the Prometheus of a metric, and no metric has one")


def _numbers(value: str) -> list[float]:
    """The numbers of a measurement's value: `10`, `[1,2.5]`."""
    return [float(part) for part in value.strip("[]").split(",") if part]

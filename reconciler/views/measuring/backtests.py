"""What a template would have said of releases whose end is known: caught, missed, false alarms, how soon, how many requests. Pure.

The judge's word comes from the same read model as that of a trial (`views.analyses`).
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from statistics import median
from typing import Any

from reconciler.kernel.duration import parse_duration
from reconciler.kernel.errors import Terminal
from reconciler.kernel.fields import Fields
from reconciler.kernel.moment import parse_moment, render_moment
from reconciler.releases.model import Release, Verdict
from reconciler.views.measuring.analyses import TrialVerdict, TriedAnalysis, TriedMetric
from reconciler.views.view import View


class KnownOutcome(StrEnum):
    """What is known of a release today."""

    GOOD = "good"
    BAD = "bad"
    UNKNOWN = "unknown"


class Hindsight(StrEnum):
    """What the template's word would have been worth."""

    CAUGHT = "caught"
    MISSED = "missed"
    FALSE_ALARM = "false alarm"
    RIGHT = "right"
    NO_ANSWER = "no answer"
    UNKNOWN = "unknown"


OUTCOMES: Mapping[Verdict, KnownOutcome] = {
    Verdict.PASSED: KnownOutcome.GOOD,
    Verdict.FAILED: KnownOutcome.BAD,
    Verdict.ABORTED: KnownOutcome.BAD,
}
"""Verdicts that say something of the version; the others do not."""
WORTH: Mapping[tuple[KnownOutcome, TrialVerdict], Hindsight] = {
    (KnownOutcome.BAD, TrialVerdict.FAILED): Hindsight.CAUGHT,
    (KnownOutcome.BAD, TrialVerdict.PASSED): Hindsight.MISSED,
    (KnownOutcome.GOOD, TrialVerdict.FAILED): Hindsight.FALSE_ALARM,
    (KnownOutcome.GOOD, TrialVerdict.PASSED): Hindsight.RIGHT,
}
BRACED = re.compile(r"\{(\w+)\}")
KNOWN = ("name", "start", "end", "for", "outcome", "args")


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleaseWindow:
    """One past release: when it was measured, how it is known to have been, and what it lends to arguments."""

    name: str
    start: datetime
    end: datetime
    outcome: KnownOutcome = KnownOutcome.UNKNOWN
    arguments: Mapping[str, str] = field(default_factory=dict)
    """Arguments of its own."""
    words: Mapping[str, str] = field(default_factory=dict)
    """What may stand in braces in an argument that is given for all."""


@dataclass(frozen=True, slots=True)
class Replayed:
    """What came of one window: the trial of then, when it had failed, and the requests until then, or else until the end."""

    window: ReleaseWindow
    tried: TriedAnalysis
    failed: datetime | None
    exposed: float | None


class BacktestRow(View, frozen=True):
    """One release in hindsight."""

    release: str
    start: str
    end: str
    outcome: KnownOutcome
    said: TrialVerdict
    hindsight: Hindsight
    seconds_to_detect: float | None
    """From the start until the template had failed it; null where it had not."""
    requests_exposed: float | None
    """Until it was failed, or else until the end; null where no volume was asked."""
    reason: str
    metrics: tuple[TriedMetric, ...]


class Backtest(View, frozen=True):
    """All releases, and what they add up to."""

    template: str
    bad: int
    caught: int
    missed: int
    good: int
    false_alarms: int
    no_answer: int
    median_seconds_to_detect: float | None
    releases: tuple[BacktestRow, ...]

    @property
    def flawless(self) -> bool:
        """True when every release whose end is known was told right."""
        return self.caught == self.bad and self.false_alarms == 0 and self.no_answer == 0


def backtest(template: str, replayed: Iterable[Replayed]) -> Backtest:
    """The rows in the order of time, and their sums."""
    rows = tuple(_row(one) for one in sorted(replayed, key=lambda one: (one.window.start, one.window.name)))
    worth = [row.hindsight for row in rows]
    soon = [row.seconds_to_detect for row in rows if row.hindsight is Hindsight.CAUGHT and row.seconds_to_detect is not None]
    return Backtest(
        template=template,
        bad=sum(row.outcome is KnownOutcome.BAD for row in rows),
        caught=worth.count(Hindsight.CAUGHT),
        missed=worth.count(Hindsight.MISSED),
        good=sum(row.outcome is KnownOutcome.GOOD for row in rows),
        false_alarms=worth.count(Hindsight.FALSE_ALARM),
        no_answer=worth.count(Hindsight.NO_ANSWER),
        median_seconds_to_detect=median(soon) if soon else None,
        releases=rows,
    )


def _row(replayed: Replayed) -> BacktestRow:
    window, said = replayed.window, replayed.tried.verdict
    unsure = Hindsight.UNKNOWN if window.outcome is KnownOutcome.UNKNOWN else Hindsight.NO_ANSWER
    return BacktestRow(
        release=window.name,
        start=render_moment(window.start),
        end=render_moment(window.end),
        outcome=window.outcome,
        said=said,
        hindsight=WORTH.get((window.outcome, said), unsure),
        seconds_to_detect=None if replayed.failed is None else (replayed.failed - window.start).total_seconds(),
        requests_exposed=None if replayed.exposed is None else round(replayed.exposed, 1),
        reason=replayed.tried.reason,
        metrics=replayed.tried.metrics,
    )


def windows_of(releases: Iterable[Release]) -> tuple[ReleaseWindow, ...]:
    """The releases that were deployed and judged, as windows from their creation to their verdict."""
    return tuple(window for release in releases if (window := _window(release)) is not None)


def _window(release: Release) -> ReleaseWindow | None:
    status, spec = release.status, release.spec
    if release.created is None or status.decided_at is None or status.verdict in (None, Verdict.HELD):
        return None
    words = {
        "release": release.name,
        "workload": spec.workload.name,
        "namespace": release.namespace,
        "environment": spec.environment,
        "commit": spec.commit.sha,
        "podHash": status.pod_hash,
    }
    outcome = KnownOutcome.GOOD if release.proven else OUTCOMES.get(status.verdict, KnownOutcome.UNKNOWN)
    name, start = f"{release.namespace}/{release.name}", release.created.replace(microsecond=0)
    if status.decided_at <= start:  # judged as it was found: there was no time to measure
        return None
    return ReleaseWindow(name=name, start=start, end=status.decided_at, outcome=outcome, words=words)


def windows_in(document: Any, where: str, length: timedelta) -> tuple[ReleaseWindow, ...]:
    """The windows that a file lists; one that names no end has this length. Raises Terminal naming the entry and its field."""
    if not isinstance(document, list) or not document:
        raise Terminal(f"{where}: write a list of releases: - {{name, start, end, outcome: good or bad, args}}")
    windows = [_listed(entry, f"{where}: [{index}]", length) for index, entry in enumerate(document)]
    twice = next((one.name for index, one in enumerate(windows) if one.name in [other.name for other in windows[:index]]), None)
    if twice is not None:
        raise Terminal(f"{where}: two releases have the name {twice!r}")
    return tuple(windows)


def _listed(entry: Any, where: str, length: timedelta) -> ReleaseWindow:
    if not isinstance(entry, dict):
        raise Terminal(f"{where}: must be an object with name, start and outcome")
    unknown = next((key for key in entry if key not in KNOWN), None)
    if unknown is not None:
        raise Terminal(f"{where}.{unknown}: is no field; the fields are {', '.join(KNOWN)}")
    fields = Fields(where, entry)
    name = fields.text("name")
    if not name:
        raise Terminal(f"{where}.name: is required")
    start = _moment(entry.get("start"), f"{where}.start").replace(microsecond=0)
    end = _moment(entry["end"], f"{where}.end") if "end" in entry else start + _length(fields, where, length)
    if end <= start:
        raise Terminal(f"{where}.end: must be after its start")
    outcome = str(entry.get("outcome", KnownOutcome.UNKNOWN))
    if outcome not in tuple(KnownOutcome):
        raise Terminal(f"{where}.outcome: {outcome!r} is none of {', '.join(KnownOutcome)}")
    arguments = {str(key): str(value) for key, value in fields.under("args").raw.items()}
    return ReleaseWindow(name=name, start=start, end=end, outcome=KnownOutcome(outcome), arguments=arguments, words={"release": name})


def _length(fields: Fields, where: str, length: timedelta) -> timedelta:
    if not fields.has("for"):
        return length
    try:
        return parse_duration(fields.text("for"))
    except ValueError as error:
        raise Terminal(f"{where}.for: {error}") from error


def _moment(value: Any, where: str) -> datetime:
    """A moment of a file; YAML reads what looks like one itself."""
    found = value if isinstance(value, datetime) else None
    try:
        found = found or parse_moment(str(value))
    except ValueError as error:
        raise Terminal(f"{where}: {value!r} is no moment; write 2026-11-25T12:00:00Z") from error
    if found.tzinfo is None:
        raise Terminal(f"{where}: {value!s} names no zone; write it with a Z, as 2026-11-25T12:00:00Z")
    return found


def arguments_for(window: ReleaseWindow, given: Mapping[str, str]) -> dict[str, str]:
    """The arguments of one window: its own, and those given for all with its words in place."""
    filled = {name: BRACED.sub(lambda found: window.words.get(found[1], found[0]), value) for name, value in given.items()}
    return {**filled, **window.arguments}


def recent(windows: Sequence[ReleaseWindow], since: datetime) -> tuple[ReleaseWindow, ...]:
    """The windows that began at or after a moment, in the order of time."""
    return tuple(sorted((one for one in windows if one.start >= since), key=lambda one: (one.start, one.name)))

"""What a planned release would let users meet, step by step, and which of its metrics could be measured now. Pure.

A weight is a share of the requests that there are now: an estimate, as is the time of a step that ends when something else does.
"""

from collections.abc import Iterator, Sequence
from datetime import timedelta
from enum import StrEnum

from reconciler.kernel.duration import words_of
from reconciler.kernel.text import one_line
from reconciler.rollouts.spec.model import RolloutSpec
from reconciler.views.view import View

MINUTE = 60.0


class QueryOutcome(StrEnum):
    """What a metric's query gave when it was asked once."""

    DATA = "data"
    EMPTY = "empty"
    """The server answered, with nothing that speaks of a release."""
    NO_ANSWER = "noAnswer"
    NOT_ASKED = "notAsked"


class PlannedMetric(View, frozen=True, kw_only=True):
    """One metric of the analyses that a Rollout names."""

    metric: str
    provider: str
    found: QueryOutcome
    why: str = ""
    """What it measured; or why it has none, or was not asked."""


class PlannedExposure(View, frozen=True, kw_only=True):
    """One step in which the new version answers users."""

    step: int
    """From 1, as they are written."""
    weight: float
    """Percent of the requests."""
    seconds: int | None = None
    """How long it takes at least; null where nothing but a person, an analysis or a plug-in ends it."""
    requests: float | None = None
    """In that time; where that is open, in a minute; null where nobody knows how many there are."""


class Volume(View, frozen=True, kw_only=True):
    """The requests that a workload answers now."""

    per_second: float | None = None
    why: str = ""
    """Why it is not known."""


def exposures(spec: RolloutSpec, per_second: float | None) -> tuple[PlannedExposure, ...]:
    """The steps of a canary in which it stands at a weight, with the requests that it answers meanwhile."""
    return tuple(_exposures(spec, per_second))


def _exposures(spec: RolloutSpec, per_second: float | None) -> Iterator[PlannedExposure]:
    weight = 0.0
    for number, step in enumerate(spec.steps, start=1):
        if step.set_weight is not None:
            weight = 100.0 * step.set_weight / spec.maximum
        waits = step.pause is not None or any((step.analysis, step.experiment, step.plugin))
        if not weight or not waits:
            continue
        seconds = step.pause.duration if step.pause is not None else None
        requests = per_second * weight / 100 * (seconds or MINUTE) if per_second is not None else None
        yield PlannedExposure(step=number, weight=weight, seconds=seconds or None, requests=requests)


def exposure_words(found: Sequence[PlannedExposure], volume: Volume) -> str:
    """One sentence: what each step lets users meet; empty where no step does."""
    if not found:
        return ""
    steps = "; ".join(map(_step_words, found))
    if volume.per_second is None:
        return f"users meet it in {steps}; how many requests that is, is not known: {one_line(volume.why)}"
    return f"users meet it in {steps}, at {volume.per_second:.3g} requests a second now"


def _step_words(one: PlannedExposure) -> str:
    how_long = f"for {words_of(timedelta(seconds=one.seconds))}" if one.seconds else "until that ends"
    count = "" if one.requests is None else f", about {one.requests:,.0f} requests{'' if one.seconds else ' a minute'}"
    return f"step {one.step} ({one.weight:g} % {how_long}{count})"


METRIC_WORDS = {
    QueryOutcome.DATA: "has data now",
    QueryOutcome.EMPTY: "has no data now",
    QueryOutcome.NO_ANSWER: "could not be asked",
    QueryOutcome.NOT_ASKED: "not asked",
}


def metric_words(one: PlannedMetric) -> str:
    """One metric, and what its query gave."""
    return one_line(f"metric {one.metric} ({one.provider}): {METRIC_WORDS[one.found]}" + (f": {one.why}" if one.why else ""))

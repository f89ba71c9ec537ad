"""The steps of a rollout as a track: done, now, next; with the time that is left and the weights ahead, where these are known. Pure."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from reconciler.kernel.duration import parse_duration
from reconciler.kernel.identity import Manifest, labels_of
from reconciler.kernel.moment import parse_moment
from reconciler.kernel.well_known import HASH_LABEL
from reconciler.views.tree import Family, canary_steps, phase_of

KINDS = {
    "setCanaryScale": "scale",
    "setHeaderRoute": "header route",
    "setMirrorRoute": "mirror route",
    "experiment": "experiment",
    "plugin": "plugin",
    "replicaProgressThreshold": "progress threshold",
}
RUNNING = ("Running", "Pending")


class StepState(StrEnum):
    """Where a step stands."""

    DONE = "done"
    NOW = "now"
    NEXT = "next"
    NOT_REACHED = "not reached"


@dataclass(frozen=True, slots=True, kw_only=True)
class TrackStep:
    """One step: what it does, and how it stands."""

    number: int
    label: str
    state: StepState
    weight: int | None = None
    """The weight it sets; None when it sets none."""
    seconds: int | None = None
    """How long it takes, where that is written."""
    person: bool = False
    """It ends only when a person says so."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Track:
    """All steps of a rollout, and what is known of the end of the present one."""

    steps: tuple[TrackStep, ...]
    ends: datetime | None = None
    """When the present step ends at the earliest."""
    came_home: bool = False
    """The attempt was aborted: the steps that are left are not reached."""

    @property
    def present(self) -> TrackStep | None:
        return next((step for step in self.steps if step.state is StepState.NOW), None)

    @property
    def upcoming(self) -> TrackStep | None:
        return next((step for step in self.steps if step.state is StepState.NEXT), None)


@dataclass(frozen=True, slots=True)
class Ahead:
    """One moment that is expected: the weight from then on, and the step that sets it."""

    at: datetime
    weight: int
    number: int


@dataclass(frozen=True, slots=True)
class Forecast:
    """The weights ahead, if every wait takes as long as it is written; `until` is the first step without a length, None at the end."""

    ahead: tuple[Ahead, ...]
    reached: datetime
    """How far the forecast goes."""
    until: TrackStep | None


def track_of(family: Family) -> Track:
    """The track of a Rollout as it stands."""
    if "canary" in (family.rollout["spec"].get("strategy") or {}):
        return _canary(family)
    return _blue_green(family)


def _canary(family: Family) -> Track:
    steps, status = canary_steps(family.rollout), family.rollout.get("status") or {}
    home, index = bool(status.get("abort")), status.get("currentStepIndex")
    reached = len(steps) if index is None else int(index)
    if phase_of(family.rollout)[0] == "Healthy":
        reached = len(steps)
    found = tuple(_step(number, step, _state(number, reached, home)) for number, step in enumerate(steps))
    track = Track(steps=found, came_home=home)
    return track if track.present is None else Track(steps=found, ends=_end_of(family, steps[reached], reached))


def _state(number: int, reached: int, home: bool) -> StepState:
    if home:
        return StepState.NOT_REACHED
    return StepState.DONE if number < reached else StepState.NOW if number == reached else StepState.NEXT


def _step(number: int, step: Manifest, state: StepState) -> TrackStep:
    if step.get("setWeight") is not None:
        weight = int(step["setWeight"])
        return TrackStep(number=number + 1, label=f"{weight} %", state=state, weight=weight, seconds=0)
    if "pause" in step:
        seconds = seconds_of((step["pause"] or {}).get("duration"))
        written = str((step["pause"] or {}).get("duration") or "")
        label = f"wait {f'{written} s' if written.isdigit() else written}" if seconds is not None else "wait for a person"
        return TrackStep(number=number + 1, label=label, state=state, seconds=seconds, person=seconds is None)
    if "analysis" in step:
        named = ", ".join(str(t.get("templateName")) for t in (step["analysis"] or {}).get("templates") or [])
        return TrackStep(number=number + 1, label=f"measure {named}".strip(), state=state)
    kind = next((word for key, word in KINDS.items() if key in step), "step")
    return TrackStep(number=number + 1, label=kind, state=state, seconds=0 if kind in ("header route", "mirror route", "scale") else None)


def _blue_green(family: Family) -> Track:
    """Blue/green has no steps of its own: what happens in it, in order."""
    spec = (family.rollout["spec"].get("strategy") or {}).get("blueGreen") or {}
    status = family.rollout.get("status") or {}
    told, current = status.get("blueGreen") or {}, status.get("currentPodHash")
    person = spec.get("autoPromotionEnabled") is False
    after = int(spec.get("autoPromotionSeconds") or 0)
    written = (
        ("preview", True, False),
        ("measure before the switch", bool(spec.get("prePromotionAnalysis")), False),
        ("wait for a person" if person else f"wait {after} s", person or bool(after), person),
        ("switch traffic", True, False),
        ("measure after the switch", bool(spec.get("postPromotionAnalysis")), False),
    )
    labels = [(label, asked) for label, there, asked in written if there]
    switched = bool(current) and told.get("activeSelector") == current
    waiting = any(pause.get("reason") == "BlueGreenPause" for pause in status.get("pauseConditions") or [])
    names = [label for label, _ in labels]
    reached = 0
    if waiting:
        reached = next((place for place, label in enumerate(names) if label.startswith("wait")), 0)
    if switched:
        reached = names.index("switch traffic") + 1
    if phase_of(family.rollout)[0] == "Healthy":
        reached = len(labels)
    home = bool(status.get("abort"))
    steps = tuple(
        TrackStep(number=place + 1, label=label, state=_state(place, reached, home), person=asked)
        for place, (label, asked) in enumerate(labels)
    )
    return Track(steps=steps, came_home=home, ends=_pause_end(status, "BlueGreenPause", after or None))


def _end_of(family: Family, step: Manifest, index: int) -> datetime | None:
    """When a canary's present step ends at the earliest; None where nothing tells."""
    if "pause" in step:
        return _pause_end(family.rollout.get("status") or {}, "CanaryPauseStep", seconds_of((step["pause"] or {}).get("duration")))
    if "analysis" in step:
        return max((end for run in step_runs(family, index) if (end := run_end(run)) is not None), default=None)
    return None


def _pause_end(status: Manifest, reason: str, seconds: int | None) -> datetime | None:
    begun = next((pause.get("startTime") for pause in status.get("pauseConditions") or [] if pause.get("reason") == reason), None)
    start = moment_of(begun)
    return start + timedelta(seconds=seconds) if start is not None and seconds is not None else None


def step_runs(family: Family, index: int) -> list[Manifest]:
    """The runs under way of one step of the present version."""
    current = (family.rollout.get("status") or {}).get("currentPodHash")
    own = (run for run in family.runs if labels_of(run).get(HASH_LABEL) == current and labels_of(run).get("step-index") == str(index))
    return [run for run in own if (run.get("status") or {}).get("phase") in RUNNING]


def run_end(run: Manifest) -> datetime | None:
    """When a run has asked as often as it is told to, if each answer comes at once; None when that is not written."""
    start = moment_of((run.get("status") or {}).get("startedAt") or run["metadata"].get("creationTimestamp"))
    spans = [_span(metric) for metric in (run.get("spec") or {}).get("metrics") or []]
    known = [span for span in spans if span is not None]
    return start + timedelta(seconds=max(known)) if start is not None and known and len(known) == len(spans) else None


def _span(metric: Manifest) -> int | None:
    count = str(metric.get("count") or "")
    interval, delay = seconds_of(metric.get("interval")), seconds_of(metric.get("initialDelay")) or 0
    if not count and interval is None:
        return delay  # asked once
    return delay + (int(count) - 1) * (interval or 0) if count.isdigit() else None


def forecast(track: Track, weight: int, now: datetime) -> Forecast | None:
    """What is expected from now on; None when nothing is under way."""
    present = track.present
    if present is None:
        return None
    ahead: list[Ahead] = []
    at = now
    for step in track.steps[present.number - 1 :]:
        if step.weight is not None and step.weight != weight:
            weight = step.weight
            ahead.append(Ahead(at, weight, step.number))
        end = track.ends if step is present and track.ends is not None else None
        if end is None and step.seconds is None:
            return Forecast(tuple(ahead), at, step)
        at = max(end, now) if end is not None else at + timedelta(seconds=step.seconds or 0)
    return Forecast((*ahead, Ahead(at, 100, 0)) if weight != 100 else tuple(ahead), at, None)


def seconds_of(duration: Any) -> int | None:
    """A length as manifests write it (contract 1.4): seconds, as number or text, or a Go duration."""
    text = "" if duration is None else str(duration)
    if text.isascii() and text.isdigit() and len(text) < 10:
        return int(text)
    try:
        return int(parse_duration(text).total_seconds())
    except (ValueError, OverflowError):
        return None


def moment_of(text: object) -> datetime | None:
    """The time of an object's field; None where none is written."""
    try:
        return parse_moment(str(text or ""))
    except ValueError:
        return None

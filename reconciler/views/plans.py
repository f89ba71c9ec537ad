"""What a range of commits would release, before it is merged: which workloads, by which values, in which steps, and the way back. Pure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from reconciler.kernel.duration import words_of
from reconciler.kernel.identity import Manifest
from reconciler.kernel.problem import InvalidField
from reconciler.kernel.text import one_line
from reconciler.releases.announce.markdown import code, table
from reconciler.releases.announce.markdown import plain as prose
from reconciler.releases.model import Change
from reconciler.releases.opening.asking import moved, revertability, taken_back_by
from reconciler.rollouts.spec.manifest import parse_rollout
from reconciler.rollouts.spec.model import RolloutSpec
from reconciler.rollouts.status.events import step_text
from reconciler.sources.changes import WorkloadChange
from reconciler.sources.documents import Parsed
from reconciler.sources.edits import Outcome
from reconciler.views.exposure import PlannedExposure, PlannedMetric, Volume, exposure_words, exposures, metric_words
from reconciler.views.view import View

SHORT = 7
LONGEST_VALUE = 80


class ChangeKind(StrEnum):
    """What a range of commits does to a workload."""

    FIRST = "first"
    CHANGED = "changed"
    REMOVED = "removed"
    SETTINGS = "settings"
    """Something of it moves that is no part of a version, such as its steps: it is applied, and no release opens."""


class WayBack(StrEnum):
    """How Git would be brought back from it."""

    DIRECT = "direct"
    PROPOSAL = "proposal"
    MANUAL = "manual"
    NONE = "none"
    """There is nothing to go back to, or nothing to go back from."""


class PlannedField(View, frozen=True):
    """One value that moves, where it is written; an empty side is absent."""

    file: str
    line: int
    field: str
    old: str
    new: str


class PlannedRelease(View, frozen=True):
    """One workload that the range changes."""

    workload: str
    kind: ChangeKind
    strategy: str
    """How it would move; empty for what no strategy moves."""
    steps: tuple[str, ...]
    at_least: str
    """The time that its pauses take together, measurements left out; empty where there are none."""
    waits_for_person: bool
    fields: tuple[PlannedField, ...]
    way_back: WayBack
    reason: str
    exposed: tuple[PlannedExposure, ...] = ()
    """The steps in which users meet it; empty for all but a new version of a canary."""
    volume: Volume = Volume()
    metrics: tuple[PlannedMetric, ...] = ()
    """Of the analyses that a Rollout's strategy names."""


class ReleasePlan(View, frozen=True):
    """One source between two commits."""

    source: str
    base: str
    head: str
    releases: tuple[PlannedRelease, ...]
    problems: tuple[str, ...]
    """What of the newer commit cannot be used: file, line, what is wrong and what to do."""

    @property
    def by_hand(self) -> bool:
        """True when something of it could be taken back by a person only."""
        return any(release.way_back is WayBack.MANUAL for release in self.releases)


@dataclass(frozen=True, slots=True)
class PlanMeasurements:
    """What servers of metrics say about one planned release."""

    volume: Volume
    metrics: tuple[PlannedMetric, ...]


NOT_MEASURED = PlanMeasurements(Volume(), ())


def released_by(change: WorkloadChange, head: Parsed) -> Manifest | None:
    """The Rollout whose strategy would carry a new version of a workload; None where nothing moves in steps."""
    manifest = _owner(change, head) if _kind(change) is ChangeKind.CHANGED else None
    return manifest if _spec(manifest) is not None else None


def planned(change: WorkloadChange, versions: tuple[Parsed, Parsed], outcome: Outcome | None, measured: PlanMeasurements) -> PlannedRelease:
    """One change between two versions; `outcome` is the way back from the newer one, None where there is no version to go back to."""
    base, head = versions
    kind = _kind(change)
    manifest = _owner(change, head if kind is not ChangeKind.REMOVED else base)
    spec = _spec(manifest)
    way_back, reason = revertability(outcome) if outcome is not None else (WayBack.NONE, "")
    moves = taken_back_by(outcome) if outcome is not None and head.inputs else ()
    return PlannedRelease(
        workload=str(change.workload),
        kind=kind,
        strategy=_strategy(manifest, spec),
        steps=tuple(step_text(step) for step in spec.steps) if spec else (),
        at_least=_least(spec) if spec else "",
        waits_for_person=_waits_for_person(spec) if spec else False,
        fields=tuple(_field(one) for one in moves or moved(base, head, change.workload))
        if kind is not ChangeKind.SETTINGS
        else _others(change),
        way_back=WayBack(way_back),
        reason=reason,
        exposed=exposures(spec, measured.volume.per_second) if spec and kind is ChangeKind.CHANGED else (),
        volume=measured.volume,
        metrics=measured.metrics,
    )


def _kind(change: WorkloadChange) -> ChangeKind:
    if change.added:
        return ChangeKind.FIRST
    if change.removed:
        return ChangeKind.REMOVED
    return ChangeKind.CHANGED if change.moved else ChangeKind.SETTINGS


def _owner(change: WorkloadChange, parsed: Parsed) -> Manifest | None:
    id = change.workload
    located = parsed.find(id.kind, id.namespace, id.name)
    return located.manifest if located is not None else None


def _spec(manifest: Manifest | None) -> RolloutSpec | None:
    """How a Rollout moves; None for what is none, or cannot be read: `lint` says why."""
    if manifest is None or manifest.get("kind") != "Rollout":
        return None
    try:
        return parse_rollout(manifest)
    except InvalidField:
        return None


def _strategy(manifest: Manifest | None, spec: RolloutSpec | None) -> str:
    if spec is not None:
        return "canary" if spec.canary is not None else "blue/green"
    if manifest is not None and manifest.get("kind") == "Rollout":
        return "cannot be read: see `reconciler lint`"
    return ""


def _least(spec: RolloutSpec) -> str:
    seconds = sum(step.pause.duration or 0 for step in spec.steps if step.pause is not None)
    if spec.blue_green is not None:
        seconds = spec.blue_green.auto_promotion_seconds
    return words_of(timedelta(seconds=seconds)) if seconds else ""


def _waits_for_person(spec: RolloutSpec) -> bool:
    if spec.blue_green is not None:
        return not spec.blue_green.auto_promotion
    return any(step.pause is not None and step.pause.duration is None for step in spec.steps)


def _others(change: WorkloadChange) -> tuple[PlannedField, ...]:
    found = (
        PlannedField(file=f.location.file, line=f.location.line, field=f.field, old=f.old or "", new=f.new or "") for f in change.other
    )
    return tuple(found)


def _field(change: Change) -> PlannedField:
    return PlannedField(file=change.file, line=change.line, field=change.field, old=change.old, new=change.new)


WORDS = {
    ChangeKind.FIRST: "its first version, which becomes the baseline",
    ChangeKind.REMOVED: "leaves the source, and is removed with what it owns where the source prunes",
    ChangeKind.SETTINGS: "no new version: these fields are applied as they are",
}
WAYS = {
    WayBack.DIRECT: "if it fails, these values are restored by a push",
    WayBack.PROPOSAL: "if it fails, the restore is proposed",
    WayBack.MANUAL: "if it fails, only a person can restore it",
}


def as_text(plans: Sequence[ReleasePlan]) -> str:
    """For a terminal."""
    return "\n\n".join("\n".join(_lines(plan)) for plan in plans)


def _lines(plan: ReleasePlan) -> Iterator[str]:
    yield f"{plan.source or '.'}: {_counted(plan)} in {plan.base[:SHORT]}..{plan.head[:SHORT]}"
    for release in plan.releases:
        yield ""
        yield f"{one_line(release.workload)}: {_how(release)}"
        for field in release.fields:
            yield f"  {one_line(field.file)}:{field.line} {one_line(field.field)}: {_value(field.old)} -> {_value(field.new)}"
        yield from (f"  {words}" for words in _met(release))
        if release.way_back is not WayBack.NONE:
            yield f"  {_back(release)}"
    for problem in plan.problems:
        yield f"not usable: {one_line(problem)}"


def _counted(plan: ReleasePlan) -> str:
    count = sum(1 for release in plan.releases if release.kind in (ChangeKind.FIRST, ChangeKind.CHANGED))
    return f"{count or 'no'} release{'' if count == 1 else 's'}"


def _how(release: PlannedRelease) -> str:
    if release.kind in WORDS:
        return WORDS[release.kind]
    parts = (
        release.strategy or "a Deployment: released where a policy adopts it, else rolled out by Kubernetes",
        f"{len(release.steps)} step{'' if len(release.steps) == 1 else 's'}" if release.steps else "",
        f"pauses of {release.at_least} in all" if release.at_least else "",
        "waits for a person" if release.waits_for_person else "",
    )
    return ", ".join(part for part in parts if part)


def _back(release: PlannedRelease) -> str:
    return WAYS[release.way_back] + (f": {one_line(release.reason)}" if release.reason else "")


def _met(release: PlannedRelease) -> Iterator[str]:
    """What users would meet of it, and what would be measured."""
    words = exposure_words(release.exposed, release.volume)
    yield from (words,) if words else ()
    yield from map(metric_words, release.metrics)


def _value(text: str) -> str:
    line = one_line(text) or "(absent)"
    return line if len(line) <= LONGEST_VALUE else f"{line[: LONGEST_VALUE - 1]}…"


def as_markdown(plans: Sequence[ReleasePlan]) -> str:
    """For a comment on a pull request; what strangers wrote is neutralised."""
    return "\n\n".join(part for plan in plans for part in _parts(plan))


def _parts(plan: ReleasePlan) -> Iterator[str]:
    yield f"### {prose(plan.source or '.')}: {_counted(plan)}"
    yield f"Between {code(plan.base[:SHORT])} and {code(plan.head[:SHORT])}."
    for release in plan.releases:
        yield f"**{prose(release.workload)}** — {prose(_how(release))}"
        if release.steps:
            yield " → ".join(code(step) for step in release.steps)
        if release.fields:
            yield table(("where", "field", "from", "to"), (_row(field) for field in release.fields))
        met = list(_met(release))
        if met:
            yield "\n".join(f"- {prose(words)}" for words in met)
        if release.way_back is not WayBack.NONE:
            yield prose(f"{_back(release)}.".replace("if", "If", 1))
    if plan.problems:
        yield "\n".join(f"- not usable: {prose(problem)}" for problem in plan.problems)


def _row(field: PlannedField) -> Sequence[str]:
    return [code(f"{field.file}:{field.line}"), code(field.field), code(_value(field.old)), code(_value(field.new))]

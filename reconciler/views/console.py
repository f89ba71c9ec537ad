"""The lines of the console's first page: one workload each, what moved, where traffic is, what comes next. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from reconciler.kernel.errors import MISSHAPEN
from reconciler.kernel.frozen import Frozen
from reconciler.kernel.identity import Manifest, annotations_of, name_of, namespace_of
from reconciler.kernel.well_known import SOURCE
from reconciler.releases.model import Release
from reconciler.views.rollouts import unreadable
from reconciler.views.track import Track, track_of
from reconciler.views.tree import Family, facts, phase_of
from reconciler.views.why.attention import ORDER, Attention, attention_of
from reconciler.views.why.explain import Situation, explain
from reconciler.views.why.explanation import Explanation


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchedWorkload:
    """A Rollout and its newest release; at least one of the two."""

    namespace: str
    name: str
    rollout: Manifest | None
    release: Release | None
    attention: Attention
    unreadable: str = ""
    """Why its Rollout cannot be read; empty when it can."""

    @property
    def environment(self) -> str:
        return self.release.spec.environment if self.release is not None else ""

    @property
    def source(self) -> str:
        own = annotations_of(self.rollout).get(SOURCE, "") if self.rollout is not None else ""
        return own or (self.release.spec.source if self.release is not None else "")


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkloadLine:
    """What the first page says of one workload."""

    workload: WatchedWorkload
    phase: str
    weight: int
    track: Track | None
    upcoming: str
    """What comes after the present step; empty when nothing is under way."""
    explanation: Explanation | None


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkloadFilter:
    """What a person filters by; empty fields take everything."""

    search: str = ""
    environment: str = ""
    namespace: str = ""
    attention: str = ""

    def takes(self, workload: WatchedWorkload) -> bool:
        """True when a workload is what the person looks for."""
        state = workload.attention.name.lower()
        named = (self.environment, workload.environment), (self.namespace, workload.namespace), (self.attention, state)
        return all(not asked or asked == there for asked, there in named) and _said_of(workload, self.search)


def _said_of(workload: WatchedWorkload, search: str) -> bool:
    """True when every word of a search stands in something that is known of the workload."""
    words = search.lower().split()
    if not words:
        return True
    known = [workload.namespace, workload.name, workload.environment, workload.source]
    if workload.release is not None:
        spec, known_pull = workload.release.spec, workload.release.pull
        pull = f"#{known_pull.number} {known_pull.title}" if known_pull is not None else ""
        known += [workload.release.name, spec.commit.sha, spec.commit.author, spec.commit.subject, pull, *spec.images.values()]
    text = " ".join(known).lower()
    return all(word in text for word in words)


def workloads_of(rollouts: Iterable[Manifest], newest: Mapping[tuple[str, str], Release]) -> list[WatchedWorkload]:
    """Every workload, what is in motion first, then by environment and namespace."""
    found = {}
    for rollout in rollouts:
        place = (namespace_of(rollout), name_of(rollout))
        found[place] = _workload(place, rollout, newest.get(place))
    for place, release in newest.items():
        if place not in found:
            found[place] = _workload(place, None, release)
    return sorted(found.values(), key=lambda one: (ORDER[one.attention], one.environment, one.namespace, one.name))


def _workload(place: tuple[str, str], rollout: Manifest | None, release: Release | None) -> WatchedWorkload:
    namespace, name = place
    try:
        attention, said = attention_of(rollout, release), ""
        if rollout is not None:
            facts(Family(rollout, (), (), ()))
    except MISSHAPEN as error:
        attention, said, rollout = Attention.DEGRADED, unreadable(error), None
    return WatchedWorkload(namespace=namespace, name=name, rollout=rollout, release=release, attention=attention, unreadable=said)


def line_of(workload: WatchedWorkload, now: datetime, frozen: Sequence[Frozen], flags: str = "") -> WorkloadLine:
    """What the first page says of a workload; of one that cannot be read, only why."""
    bare = WorkloadLine(workload=workload, phase="", weight=0, track=None, upcoming="", explanation=None)
    if workload.rollout is None:
        return bare
    try:
        return _line(
            workload,
            workload.rollout,
            Situation(family=Family(workload.rollout, (), (), ()), release=workload.release, now=now, frozen=frozen, flags=flags),
        )
    except MISSHAPEN as error:
        return replace(bare, workload=replace(workload, rollout=None, unreadable=unreadable(error)))


def _line(workload: WatchedWorkload, rollout: Manifest, situation: Situation) -> WorkloadLine:
    known, track = facts(situation.family), track_of(situation.family)
    return WorkloadLine(
        workload=workload,
        phase=phase_of(rollout)[0],
        weight=int(known["actualWeight"]) if known["strategy"] == "Canary" else _switched(rollout),
        track=track,
        upcoming="" if track.present is None else track.upcoming.label if track.upcoming is not None else "promotion",
        explanation=explain(situation),
    )


def _switched(rollout: Manifest) -> int:
    """Blue/green sends everybody to one side."""
    status = rollout.get("status") or {}
    return 100 if (status.get("blueGreen") or {}).get("activeSelector") == status.get("currentPodHash") else 0

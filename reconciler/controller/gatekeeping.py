"""Whether the pod template of an object may change now, and which release the object carries."""

from dataclasses import dataclass
from datetime import datetime

from reconciler.controller.clock import Clock
from reconciler.controller.following import Tip
from reconciler.controller.openings import Openings
from reconciler.core.release.holds import holder, keeping, proven
from reconciler.core.release.identity import identity_hash
from reconciler.core.release.override import in_force, overridden
from reconciler.core.source.documents import Located
from reconciler.core.source.templates import workload_of
from reconciler.core.sync.effective import Template
from reconciler.model.identity import Manifest, ObjectRef, name_of, namespace_of
from reconciler.model.release import Release
from reconciler.model.resources import ROLLOUTS

THROUGH = Template(keep=False)


@dataclass(frozen=True, slots=True)
class Passage:
    """What to do with one object's template, the release it belongs to, and when that may change by itself."""

    template: Template
    release: str = ""
    wake_at: datetime | None = None
    lapse: "Lapse | None" = None
    """The person's override that ends with this write."""


@dataclass(frozen=True, slots=True)
class Lapse:
    """An override of a Rollout that Git has overtaken: it asks for another identity by now."""

    rollout: ObjectRef
    identity: str


class Gatekeeping:
    """Reads holds and windows off the Release objects."""

    def __init__(self, openings: Openings, clock: Clock) -> None:
        self._openings = openings
        self._clock = clock

    def template(self, tip: Tip, located: Located, live: Manifest | None) -> Passage:
        """The passage of one object of a tip. Objects without a released template pass as they are.

        A Rollout that borrows its template carries the release, and so does who lends it: one may be written without the other.
        """
        workload = workload_of(tip.parsed, located)
        if workload is None:
            return Passage(THROUGH)
        history = self._openings.history(workload.template.key[1], workload.id.name)
        identity = identity_hash(tip.parsed, workload)
        rollout = live if live is not None and live["kind"] == "Rollout" else self._openings.rollout(workload)
        first = self._openings.awaited(workload, identity, history) if live is not None else None
        passage = _after(first) if first is not None else self._passage(history, identity, rollout)
        holds_it = located.key == workload.template.key
        lapse = _lapse(rollout, identity) if holds_it else None
        return Passage(passage.template if holds_it else THROUGH, passage.release, passage.wake_at, lapse)

    def _passage(self, history: list[Release], identity: str, rollout: Manifest | None) -> Passage:
        held_by = holder(history, identity)
        if held_by is not None:
            return Passage(Template(keep=True, reason=f"held by {held_by.name}"), held_by.name)
        if in_force(rollout, identity):
            return Passage(Template(keep=True, reason="a person's override is in force"))
        good = proven(history)
        now = self._clock.now()
        until = keeping(history, now)
        if until is not None and good is not None and good.spec.identity == identity:
            kept = next(r for r in reversed(history) if r.status.keep_until == until)
            return Passage(Template(keep=True, reason=f"kept for inspection until {until}"), kept.name, until)
        return Passage(THROUGH, _bearer(history, good, identity))


def _after(first: Release) -> Passage:
    """What runs is proven before anything else is let through."""
    return Passage(Template(keep=True, reason=f"the version that runs becomes the baseline first: {first.name}"), first.name)


def _bearer(history: list[Release], good: Release | None, identity: str) -> str:
    """The release an object with this identity belongs to: the proven one, or the newest of its kind."""
    if good is not None and good.spec.identity == identity:
        return good.name
    return next((r.name for r in reversed(history) if r.spec.identity == identity), "")


def _lapse(rollout: Manifest | None, identity: str) -> Lapse | None:
    if rollout is None or not overridden(rollout) or in_force(rollout, identity):
        return None
    return Lapse(ObjectRef(ROLLOUTS, namespace_of(rollout), name_of(rollout)), identity)

"""The template gate: if the pod template of an object may change now, and which release the object carries."""

from dataclasses import dataclass
from datetime import datetime

from reconciler.kernel.clock import Clock
from reconciler.kernel.identity import Manifest, ObjectRef, name_of, namespace_of
from reconciler.kernel.resources import ROLLOUTS
from reconciler.releases.apply_openings import ReleaseOpener
from reconciler.releases.holds import holder, keeping, proven
from reconciler.releases.identity import identity_hash
from reconciler.releases.model import Release
from reconciler.releases.override import in_force, overridden
from reconciler.sources.documents import Located
from reconciler.sources.source_port import Tip
from reconciler.sources.templates import workload_of
from reconciler.sync.effective import Template

THROUGH = Template(keep=False)


@dataclass(frozen=True, slots=True)
class TemplateDecision:
    """What to do with one object's template, the release it belongs to, and when that may change by itself."""

    template: Template
    release: str = ""
    wake_at: datetime | None = None
    override_end: "OverrideEnd | None" = None
    """The person's override that ends with this write."""


@dataclass(frozen=True, slots=True)
class OverrideEnd:
    """An override of a Rollout that Git has overtaken: it asks for another identity by now."""

    rollout: ObjectRef
    identity: str


class TemplateGate:
    """Reads holds and windows off the Release objects."""

    def __init__(self, opener: ReleaseOpener, clock: Clock) -> None:
        self._opener = opener
        self._clock = clock

    def template(self, tip: Tip, located: Located, live: Manifest | None) -> TemplateDecision:
        """What is decided for one object of a tip. Objects without a released template pass as they are.

        A Rollout that borrows its template carries the release, and so does who lends it: one may be written without the other.
        """
        workload = workload_of(tip.parsed, located)
        if workload is None:
            return TemplateDecision(THROUGH)
        history = self._opener.history(workload.template.key[1], workload.id.name)
        identity = identity_hash(tip.parsed, workload)
        rollout = live if live is not None and live["kind"] == "Rollout" else self._opener.rollout(workload)
        first = self._opener.awaited(workload, identity, history) if live is not None else None
        decision = _after(first) if first is not None else self._decision(history, identity, rollout)
        holds_it = located.key == workload.template.key
        override_end = _override_end(rollout, identity) if holds_it else None
        return TemplateDecision(decision.template if holds_it else THROUGH, decision.release, decision.wake_at, override_end)

    def _decision(self, history: list[Release], identity: str, rollout: Manifest | None) -> TemplateDecision:
        held_by = holder(history, identity)
        if held_by is not None:
            return TemplateDecision(Template(keep=True, reason=f"held by {held_by.name}"), held_by.name)
        if in_force(rollout, identity):
            return TemplateDecision(Template(keep=True, reason="a person's override is in force"))
        good = proven(history)
        now = self._clock.now()
        until = keeping(history, now)
        if until is not None and good is not None and good.spec.identity == identity:
            kept = next(r for r in reversed(history) if r.status.keep_until == until)
            return TemplateDecision(Template(keep=True, reason=f"kept for inspection until {until}"), kept.name, until)
        return TemplateDecision(THROUGH, _release_of(history, good, identity))


def _after(first: Release) -> TemplateDecision:
    """What runs is proven before anything else is let through."""
    return TemplateDecision(Template(keep=True, reason=f"the version that runs becomes the baseline first: {first.name}"), first.name)


def _release_of(history: list[Release], good: Release | None, identity: str) -> str:
    """The release an object with this identity belongs to: the proven one, or the newest of its kind."""
    if good is not None and good.spec.identity == identity:
        return good.name
    return next((r.name for r in reversed(history) if r.spec.identity == identity), "")


def _override_end(rollout: Manifest | None, identity: str) -> OverrideEnd | None:
    if rollout is None or not overridden(rollout) or in_force(rollout, identity):
        return None
    return OverrideEnd(ObjectRef(ROLLOUTS, namespace_of(rollout), name_of(rollout)), identity)

"""Whether the pod template of an object may change now, and which release the object carries."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from reconciler.kernel.identity import Manifest, ObjectRef, name_of, namespace_of
from reconciler.kernel.resources import ROLLOUTS
from reconciler.releases.holds import holder, keeping, proven
from reconciler.releases.model import Release
from reconciler.releases.override import in_force, overridden
from reconciler.sync.effective import Template
from reconciler.sync.facts import GateFacts

THROUGH = Template(keep=False)


@dataclass(frozen=True, slots=True)
class OverrideEnd:
    """An override of a Rollout that Git has overtaken: it asks for another identity by now."""

    rollout: ObjectRef
    identity: str


@dataclass(frozen=True, slots=True)
class TemplateDecision:
    """What to do with one object's template, the release it belongs to, and when that may change by itself."""

    template: Template = THROUGH
    release: str = ""
    wake_at: datetime | None = None
    override_end: OverrideEnd | None = None
    """The person's override that ends with this write."""


def template_decision(gate: GateFacts, now: datetime, *, holds_template: bool) -> TemplateDecision:
    """What is decided for one object of a workload.

    A Rollout that borrows its template carries the release, and so does who lends it: one may be written without the other.
    """
    decision = _after(gate.first) if gate.first is not None else _decision(gate, now)
    if not holds_template:
        return TemplateDecision(THROUGH, decision.release, decision.wake_at)
    return TemplateDecision(decision.template, decision.release, decision.wake_at, _override_end(gate.rollout, gate.identity))


def _decision(gate: GateFacts, now: datetime) -> TemplateDecision:
    history, identity = gate.history, gate.identity
    held_by = holder(history, identity)
    if held_by is not None:
        return TemplateDecision(Template(keep=True, reason=f"held by {held_by.name}"), held_by.name)
    if in_force(gate.rollout, identity):
        return TemplateDecision(Template(keep=True, reason="a person's override is in force"))
    good = proven(history)
    until = keeping(history, now)
    if until is not None and good is not None and good.spec.identity == identity:
        kept = next(r for r in reversed(history) if r.status.keep_until == until)
        return TemplateDecision(Template(keep=True, reason=f"kept for inspection until {until}"), kept.name, until)
    return TemplateDecision(THROUGH, _release_of(history, good, identity))


def _after(first: Release) -> TemplateDecision:
    """What runs is proven before anything else is let through."""
    return TemplateDecision(Template(keep=True, reason=f"the version that runs becomes the baseline first: {first.name}"), first.name)


def _release_of(history: Sequence[Release], good: Release | None, identity: str) -> str:
    """The release an object with this identity belongs to: the proven one, or the newest of its kind."""
    if good is not None and good.spec.identity == identity:
        return good.name
    return next((r.name for r in reversed(history) if r.spec.identity == identity), "")


def _override_end(rollout: Manifest | None, identity: str) -> OverrideEnd | None:
    if rollout is None or not overridden(rollout) or in_force(rollout, identity):
        return None
    return OverrideEnd(ObjectRef(ROLLOUTS, namespace_of(rollout), name_of(rollout)), identity)

"""Decides when the pod template that Git asks for may reach the cluster, and what lives there until then. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from reconciler.kernel.identity import annotations_of
from reconciler.releases.attempts import goes_on
from reconciler.releases.facts import RELEASE
from reconciler.releases.holds import holder, keeping, rejected_that_serves, serving
from reconciler.releases.model import Release
from reconciler.releases.opening.config_mark import marked
from reconciler.releases.override import in_force
from reconciler.rollouts.view import RolloutView


@dataclass(frozen=True, slots=True)
class TemplateDecision:
    """What to do with the pod template of one object: `keep` the live one, and why; `release` is the one that the object carries.

    Where nothing lives, `instead` is the template to begin with (empty: nothing may be written yet). `wake_at`: when this may change by
    itself.
    """

    keep: bool = False
    reason: str = ""
    release: str = ""
    wake_at: datetime | None = None
    instead: Mapping[str, Any] = field(default_factory=dict)
    anew: bool = False
    """True where what served is gone, and no live template may take its place: `instead` is written."""
    keep_steps: bool = False
    """True while a rejected version lies aborted there: other steps would begin it anew (contract 4.5)."""
    config_mark: str | None = None
    """What its pod template bears besides what Git says; None where no release says so, and the live one's stays."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What Git asks for, and what is known of the workload. `awaited` is the baseline that has no verdict yet, if there is one."""

    identity: str
    images: Mapping[str, str]
    history: Sequence[Release]
    live: RolloutView | None
    awaited: Release | None = None
    elsewhere: Sequence[Release] = ()
    """Releases of other environments whose proof was lost, and whose images never served here."""


def decide_template(wanted: Wanted, now: datetime) -> TemplateDecision:
    """What serves stays while a version is held, a person's override is in force, or a rejected version is kept for inspection.

    A Rollout that is missing is made from the version that served, and what Git asks for is released from there.
    """
    decision = _decide(wanted, now)
    carried = next((r for r in reversed(wanted.history) if r.name == decision.release), None)
    mark = carried.spec.config_mark if carried is not None and not decision.keep else None
    return replace(decision, keep_steps=decision.keep and _lies_rejected(wanted), config_mark=mark)


def _lies_rejected(wanted: Wanted) -> bool:
    """True while the live template is that of a version that was rejected and brought home, as long as it is held and aborted."""
    live = wanted.live
    if live is None or not live.aborted or live.promoted:
        return False
    return any(release.status.held and release.status.pod_hash == live.current for release in wanted.history)


def _decide(wanted: Wanted, now: datetime) -> TemplateDecision:
    good = serving(wanted.history, wanted.live.stable if wanted.live is not None else "")
    served = marked(good.spec.content.template, good.spec.config_mark) if good is not None and good.spec.content.template else {}
    if wanted.awaited is not None:
        first = wanted.awaited
        return TemplateDecision(True, f"the version that runs becomes the baseline first: {first.name}", first.name)
    held_by = holder(wanted.history, wanted.identity, wanted.images, wanted.elsewhere)
    if held_by is not None:
        anew = bool(served) and _lost(wanted)
        carried = good.name if good is not None and (anew or wanted.live is None) else held_by.name
        return TemplateDecision(True, f"held by {held_by.name}", carried, instead=served, anew=anew)
    manifest = wanted.live.manifest if wanted.live is not None else None
    if in_force(manifest, wanted.identity):
        return TemplateDecision(True, "a person's override is in force")
    if good is None or good.spec.identity == wanted.identity:
        return _kept(wanted, good, now)
    if served and _made_anew(wanted.live, good):
        return TemplateDecision(True, "the version that served comes up first", good.name, instead=served, anew=wanted.live is None)
    return TemplateDecision(release=_release_of(wanted))


def _kept(wanted: Wanted, good: Release | None, now: datetime) -> TemplateDecision:
    """Git asks for what serves: it goes through, once a rejected version is no longer kept for inspection, or users are on it."""
    until, live = keeping(wanted.history, now), wanted.live
    if until is not None and good is not None and live is not None and rejected_that_serves(wanted.history, live.stable) is None:
        kept = next(r for r in reversed(wanted.history) if r.status.keep_until == until)
        return TemplateDecision(True, f"kept for inspection until {until}", kept.name, until)
    return TemplateDecision(release=good.name if good is not None else _release_of(wanted))


def _lost(wanted: Wanted) -> bool:
    """True when what served is gone, and a held version would be left in its place: the Rollout, or the stable pods, were deleted.

    Not where a person chose what runs, by an override, or lets the held version go on, which begins an attempt of its own.
    """
    live = wanted.live
    if live is None:
        return True
    rejected = rejected_that_serves(wanted.history, live.stable)
    return rejected is not None and not goes_on(rejected, live) and not in_force(live.manifest, wanted.identity)


def _made_anew(live: RolloutView | None, good: Release) -> bool:
    """True when the Rollout is missing, or was just made from the version that served and has not come up yet."""
    if live is None:
        return True
    return not live.stable and annotations_of(live.manifest).get(RELEASE) == good.name


def _release_of(wanted: Wanted) -> str:
    """The release that an object with this identity belongs to: the newest of its kind."""
    return next((r.name for r in reversed(wanted.history) if r.spec.identity == wanted.identity), "")

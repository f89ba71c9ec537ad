"""The verbs of the pages: what each does, when it is offered, which patches it is, what must be as it was when it was asked. Pure."""

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from reconciler.app.console.visitors import Role
from reconciler.kernel.errors import Terminal
from reconciler.kernel.frozen import FREEZE, FROZEN_BY, SCOPES, Frozen, frozen_in, render_told, word_of
from reconciler.kernel.identity import Manifest, ObjectRef, Resource, annotations_of, name_of, uid_of
from reconciler.kernel.moment import render_moment
from reconciler.kernel.plan import Patch
from reconciler.kernel.resources import NAMESPACES, RELEASES, ROLLOUTS
from reconciler.releases import verbs as holds
from reconciler.releases.model import Release
from reconciler.releases.override import override
from reconciler.rollouts import verbs


class VerbSubject(StrEnum):
    """What a verb is pressed on; also the first part of its address."""

    ROLLOUT = "rollouts"
    RELEASE = "releases"
    FREEZE = "freeze"


@dataclass(frozen=True, slots=True, kw_only=True)
class VerbScene:
    """What a verb is pressed on, as it stands now."""

    subject: Manifest
    """The Rollout, the Release or the daemon's Namespace."""
    release: Release | None = None
    """Where a press is recorded: the Release itself, or the newest one of the Rollout."""
    releases: Sequence[Release] = ()
    """Of the workload, oldest first."""
    replica_sets: Sequence[Manifest] = ()
    asked: str = ""
    """The identity that Git asks for."""
    now: datetime
    by: str = ""


Claim = Callable[[VerbScene], bool]
Make = Callable[[VerbScene], tuple[Patch, ...]]


@dataclass(frozen=True, slots=True)
class Right:
    """What the cluster is asked for before a verb: may this person patch that?"""

    resource: Resource
    subresource: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsoleVerb:
    """One verb of the pages."""

    name: str
    label: str
    does: str
    subject: VerbSubject
    offered: Claim
    patches: Make
    right: Right
    role: Role = Role.RELEASER
    grave: bool = False
    """It moves users at once."""
    steady: bool = False
    """A step that went on by itself does not make what was read untrue: going home is never too late."""


def _status(scene: VerbScene) -> Manifest:
    return scene.subject.get("status") or {}


def _moving(scene: VerbScene) -> bool:
    """A version is on its way, and was not sent home."""
    status = _status(scene)
    return bool(status.get("stableRS")) and status.get("currentPodHash") != status.get("stableRS") and not status.get("abort")


def _paused(scene: VerbScene) -> bool:
    return bool(scene.subject["spec"].get("paused"))


def _retry(scene: VerbScene) -> tuple[Patch, ...]:
    """Try again, and lift the newest hold, as the command line does."""
    held = [release for release in scene.releases if release.status.held]
    return (*verbs.retry(scene.subject), *(holds.lift(scene.releases, held[-1]) if held else ()))


def _undo(scene: VerbScene) -> tuple[Patch, ...]:
    marked = (override(scene.subject, scene.asked),) if scene.asked else ()
    return (*marked, *verbs.undo(scene.subject, scene.replica_sets, None))


def _has_earlier(scene: VerbScene) -> bool:
    own = int(annotations_of(scene.subject).get(verbs.REVISION) or 0)
    return any(0 < int(annotations_of(one).get(verbs.REVISION) or 0) < own for one in scene.replica_sets)


def _named(scene: VerbScene) -> Release:
    release = scene.release
    if release is None:
        raise Terminal(f"Release {name_of(scene.subject)} cannot be read: look at it with kubectl get release -o yaml")
    return release


def _held(scene: VerbScene) -> bool:
    return scene.release is not None and scene.release.status.held


def frozen_patch(namespace: Manifest, frozen: Sequence[Frozen]) -> tuple[Patch, ...]:
    """What is frozen from now on."""
    marks = {FREEZE: word_of(part.scope for part in frozen), FROZEN_BY: render_told(frozen)}
    return (Patch(ObjectRef(NAMESPACES, "", name_of(namespace)), {"metadata": {"annotations": marks}}),)


def _freeze(scene: VerbScene) -> tuple[Patch, ...]:
    """Both halves; what a person froze before stays theirs."""
    kept = [part for part in frozen_in(scene.subject) if part.by]
    more = [scope for scope in SCOPES if scope not in {part.scope for part in kept}]
    since = render_moment(scene.now)
    return frozen_patch(scene.subject, [*kept, *(Frozen(scope, name_of(scene.subject), scene.by, since) for scope in more)])


STATUS, SPEC, HOLD = Right(ROLLOUTS, "status"), Right(ROLLOUTS), Right(RELEASES, "status")
BRAKE = Right(NAMESPACES)
ALL = (
    ConsoleVerb(
        name="promote",
        label="Promote",
        does="Ends the pause it stands in, or moves it to its next step.",
        subject=VerbSubject.ROLLOUT,
        offered=_moving,
        patches=lambda scene: verbs.promote(scene.subject, full=False),
        right=STATUS,
    ),
    ConsoleVerb(
        name="promote-full",
        label="Promote in full",
        does="Sends everybody to the new version now. Steps, pauses and analyses that are left are skipped: it will not count as proven.",
        subject=VerbSubject.ROLLOUT,
        offered=_moving,
        patches=lambda scene: verbs.promote(scene.subject, full=True),
        right=STATUS,
        grave=True,
    ),
    ConsoleVerb(
        name="abort",
        label="Abort",
        does="Sends traffic home to the stable version now. The release ends as aborted by a person.",
        subject=VerbSubject.ROLLOUT,
        offered=_moving,
        patches=lambda scene: verbs.abort(scene.subject),
        right=STATUS,
        grave=True,
        steady=True,
    ),
    ConsoleVerb(
        name="retry",
        label="Retry",
        does="Tries the aborted version again from its first step; a hold on it is lifted.",
        subject=VerbSubject.ROLLOUT,
        offered=lambda scene: bool(_status(scene).get("abort")),
        patches=_retry,
        right=STATUS,
    ),
    ConsoleVerb(
        name="pause",
        label="Pause",
        does="Holds the rollout where it is until somebody resumes it. Traffic stays as it is.",
        subject=VerbSubject.ROLLOUT,
        offered=lambda scene: not _paused(scene),
        patches=lambda scene: verbs.pause(scene.subject),
        right=SPEC,
        steady=True,
    ),
    ConsoleVerb(
        name="resume",
        label="Resume",
        does="Takes back a person's pause; a pause of the steps stays.",
        subject=VerbSubject.ROLLOUT,
        offered=_paused,
        patches=lambda scene: verbs.resume(scene.subject),
        right=SPEC,
    ),
    ConsoleVerb(
        name="restart",
        label="Restart",
        does="Replaces the pods one by one, without a new version.",
        subject=VerbSubject.ROLLOUT,
        offered=lambda _: True,
        patches=lambda scene: verbs.restart(scene.subject, scene.now),
        right=SPEC,
    ),
    ConsoleVerb(
        name="undo",
        label="Undo",
        does="Puts the template of the revision before back, live only: Git still asks for its own version. Revert it there too.",
        subject=VerbSubject.ROLLOUT,
        offered=_has_earlier,
        patches=_undo,
        right=SPEC,
        grave=True,
    ),
    ConsoleVerb(
        name="hold",
        label="Hold",
        does="Holds this version back: it is not deployed again until somebody lifts it.",
        subject=VerbSubject.RELEASE,
        offered=lambda scene: scene.release is not None and not _held(scene),
        patches=lambda scene: holds.hold(scene.releases, _named(scene)),
        right=HOLD,
    ),
    ConsoleVerb(
        name="lift",
        label="Lift",
        does="Lets this version be deployed and judged again; every release of the same version is lifted.",
        subject=VerbSubject.RELEASE,
        offered=_held,
        patches=lambda scene: holds.lift(scene.releases, _named(scene)),
        right=HOLD,
    ),
    ConsoleVerb(
        name="end-inspection",
        label="End inspection",
        does="Ends the time for which the rejected version is kept to be looked at: the restored template is applied at once.",
        subject=VerbSubject.RELEASE,
        offered=lambda scene: _held(scene) and _named(scene).status.keep_until is not None,
        patches=lambda scene: holds.end_inspection(scene.releases, _named(scene)),
        right=HOLD,
    ),
    ConsoleVerb(
        name="freeze",
        label="Freeze",
        does="Stops all writes of the daemon, to the cluster and to Git. Traffic, pods and Git stay exactly as they are; watching goes on.",
        subject=VerbSubject.FREEZE,
        offered=lambda scene: {part.scope for part in frozen_in(scene.subject)} != set(SCOPES),
        patches=_freeze,
        right=BRAKE,
        role=Role.ADMIN,
        grave=True,
    ),
    ConsoleVerb(
        name="unfreeze",
        label="Unfreeze",
        does="Lets the daemon write again, to the cluster and to Git; whatever is due is done then.",
        subject=VerbSubject.FREEZE,
        offered=lambda scene: bool(frozen_in(scene.subject)),
        patches=lambda scene: frozen_patch(scene.subject, ()),
        right=BRAKE,
        role=Role.ADMIN,
        grave=True,
    ),
)
VERBS: Mapping[tuple[VerbSubject, str], ConsoleVerb] = {(verb.subject, verb.name): verb for verb in ALL}


def offered(subject: VerbSubject, scene: VerbScene) -> tuple[ConsoleVerb, ...]:
    """The verbs that would do something now."""
    return tuple(verb for verb in ALL if verb.subject is subject and verb.offered(scene))


def stance_of(verb: ConsoleVerb, scene: VerbScene) -> str:
    """A name for everything that must still be as it was when the verb was asked for."""
    subject, facts = scene.subject, _facts(verb, scene)
    return hashlib.sha256(json.dumps([subject.get("kind"), uid_of(subject), *facts], default=str).encode()).hexdigest()[:20]


def _facts(verb: ConsoleVerb, scene: VerbScene) -> list[Any]:
    if verb.subject is VerbSubject.FREEZE:
        return [annotations_of(scene.subject).get(FREEZE, "")]
    release = scene.release
    pressed = [(one.at, one.verb) for one in release.status.presses if not one.refused] if release is not None else []
    if verb.subject is VerbSubject.RELEASE:
        known = _named(scene).status
        return [known.held, known.keep_until, known.verdict, known.accepted is not None, *pressed]
    spec, status = scene.subject["spec"], _status(scene)
    stance = [spec.get("paused"), spec.get("restartAt"), *map(status.get, ("abort", "promoteFull", "currentPodHash", "stableRS"))]
    if verb.steady and release is not None:
        return [*stance, *pressed]
    pauses = sorted(str(one.get("reason")) for one in status.get("pauseConditions") or ())
    return [*stance, status.get("currentStepIndex"), pauses, spec.get("template"), release.name if release else "", *pressed]

"""What a person looks at first: how a workload and its newest release stand, in the order of a console. Pure."""

from enum import StrEnum
from typing import Any

from reconciler.kernel.identity import Manifest
from reconciler.kernel.well_known import suspended
from reconciler.releases.model import Release, ReleasePhase, RestoreState
from reconciler.views.tree import canary_steps, phase_of

UNDER_WAY = frozenset({ReleasePhase.PENDING, ReleasePhase.PROGRESSING, ReleasePhase.WATCHING, ReleasePhase.RESTORING})


class Attention(StrEnum):
    """Why a workload is looked at, most urgent first."""

    MOVING = "in motion"
    HELD = "held"
    DEGRADED = "degraded"
    WAITING = "waiting for a person"
    SETTLED = "settled"


ORDER = {attention: place for place, attention in enumerate(Attention)}


def attention_of(rollout: Manifest | None, release: Release | None) -> Attention:
    """How a Rollout (None: it is not there) stands beside the newest release of its workload."""
    phase = phase_of(rollout)[0] if rollout is not None else ""
    if waits_for_person(rollout) or _proposed(release):
        return Attention.WAITING
    if phase in ("Progressing", "Paused") or (rollout is not None and _under_way(release)):
        return Attention.MOVING
    if release is not None and release.decided and release.status.held:
        return Attention.HELD
    return Attention.DEGRADED if phase == "Degraded" else Attention.SETTLED


def waits_for_person(rollout: Manifest | None) -> bool:
    """True when a rollout goes on only when a person says so."""
    if rollout is None:
        return False
    if suspended(rollout) or rollout["spec"].get("paused"):
        return True
    reasons = {str(pause.get("reason")) for pause in (rollout.get("status") or {}).get("pauseConditions") or []}
    return bool(reasons) and not ("CanaryPauseStep" in reasons and _timed(rollout)) and not ("BlueGreenPause" in reasons and _soon(rollout))


def _timed(rollout: Manifest) -> bool:
    """True when the step it pauses at has a length."""
    steps, index = canary_steps(rollout), int((rollout.get("status") or {}).get("currentStepIndex") or 0)
    pause: dict[str, Any] = (steps[index].get("pause") if index < len(steps) else None) or {}
    return pause.get("duration") is not None


def _soon(rollout: Manifest) -> bool:
    """True when a blue/green rollout is promoted by itself after a while."""
    return bool(((rollout["spec"].get("strategy") or {}).get("blueGreen") or {}).get("autoPromotionSeconds"))


def _proposed(release: Release | None) -> bool:
    restore = release.status.restore if release is not None else None
    return restore is not None and restore.state in (RestoreState.PROPOSED, RestoreState.IMPOSSIBLE)


def _under_way(release: Release | None) -> bool:
    return release is not None and release.status.phase in UNDER_WAY

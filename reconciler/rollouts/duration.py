"""How long an attempt takes and how it ended (contract 3.8)."""

from dataclasses import replace
from datetime import datetime

from reconciler.rollouts.passes import Pass
from reconciler.rollouts.rollback import fast_rollback, rollback
from reconciler.rollouts.status.model import Duration, PauseReason, RolloutStatus

ROLLED_BACK = ("RolledBack", "FastRolledBack")


def duration_of(pass_: Pass, status: RolloutStatus, *, changed: bool) -> Duration | None:
    """The duration to record beside `status`; `changed`: this pass met a new template or new steps."""
    begun = _begun(pass_, changed)
    if begun is None:
        return None
    if begun.finished is not None and not _moved(pass_, status):
        return begun
    return _paused(pass_, status, _finished(pass_, status, begun))


def _begun(pass_: Pass, changed: bool) -> Duration | None:
    """The attempt that runs now: the former one, or a new one."""
    former = pass_.before.duration
    first = not pass_.before.current_hash
    retried = pass_.before.aborted_at is not None and not pass_.before.abort and not changed
    if retried:
        return Duration(started=pass_.now)
    if not changed and not first:
        return former
    if former is None or former.finished is not None:
        at_stable = bool(pass_.before.stable_hash) and pass_.facts.new_hash == pass_.before.stable_hash
        return former if at_stable else Duration(started=pass_.now)
    if rollback(pass_.facts):
        return replace(former, completion="FastRolledBack" if fast_rollback(pass_) else "RolledBack")
    return Duration(started=pass_.now)


def _finished(pass_: Pass, status: RolloutStatus, duration: Duration) -> Duration:
    if status.abort:
        return replace(duration, completion=duration.completion or "Aborted", finished=pass_.now)
    if not status.completed:
        return duration
    completion = duration.completion
    if _moved(pass_, status) and completion not in ROLLED_BACK:
        completion = "FastPromoted" if pass_.before.promote_full or fast_rollback(pass_) else "Promoted"
    there = pass_.facts.new is not None and pass_.facts.new.available >= pass_.facts.spec.replicas
    return replace(duration, completion=completion, finished=pass_.now if there else None)


def _moved(pass_: Pass, status: RolloutStatus) -> bool:
    """True when another version becomes stable now: an attempt that was aborted and then promoted in full ends promoted."""
    return pass_.before.stable_hash != status.stable_hash


def _paused(pass_: Pass, status: RolloutStatus, duration: Duration) -> Duration:
    """A person's pauses counted apart: from the pass that sees one to the pass that sees it gone, or the end."""
    waiting = duration.finished is None and waits_for_person(pass_, status)
    since = duration.manual_pause_started
    if waiting:
        return duration if since is not None else replace(duration, manual_pause_started=pass_.now)
    if since is None:
        return duration
    waited = max(0, int((_later(pass_.now, since) - since).total_seconds()))
    return replace(duration, manual_pause_started=None, manual_pause_seconds=(duration.manual_pause_seconds or 0) + waited)


def _later(one: datetime, other: datetime) -> datetime:
    return max(one, other)


def waits_for_person(pass_: Pass, status: RolloutStatus) -> bool:
    """True when nothing but a person moves this rollout on."""
    spec = pass_.facts.spec
    if spec.paused or status.pause(PauseReason.INCONCLUSIVE_ANALYSIS) or status.pause(PauseReason.INCONCLUSIVE_EXPERIMENT):
        return True
    if status.pause(PauseReason.BLUE_GREEN):
        return spec.blue_green is not None and not spec.blue_green.auto_promotion
    index = status.step_index
    step = spec.steps[index] if index is not None and index < len(spec.steps) else None
    held = status.pause(PauseReason.CANARY_STEP) is not None
    return held and step is not None and step.pause is not None and step.pause.duration is None

"""How long an attempt takes and how it ended (contract 3.8)."""

from dataclasses import replace
from datetime import datetime

from reconciler.core.rollout.rollback import fast_rollback, rollback
from reconciler.core.turn.turn import Turn
from reconciler.model.rollout_status import Duration, PauseReason, RolloutStatus

ROLLED_BACK = ("RolledBack", "FastRolledBack")


def duration_of(turn: Turn, status: RolloutStatus, *, changed: bool) -> Duration | None:
    """The duration to record beside `status`; `changed`: this pass met a new template or new steps."""
    begun = _begun(turn, changed)
    if begun is None:
        return None
    if begun.finished is not None:
        return begun
    return _paused(turn, status, _finished(turn, status, begun))


def _begun(turn: Turn, changed: bool) -> Duration | None:
    """The attempt that runs now: the former one, or a new one."""
    former = turn.before.duration
    first = not turn.before.current_hash
    retried = turn.before.aborted_at is not None and not turn.before.abort and not changed
    if retried:
        return Duration(started=turn.now)
    if not changed and not first:
        return former
    if former is None or former.finished is not None:
        at_stable = bool(turn.before.stable_hash) and turn.seen.new_hash == turn.before.stable_hash
        return former if at_stable else Duration(started=turn.now)
    if rollback(turn.seen):
        return replace(former, completion="FastRolledBack" if fast_rollback(turn) else "RolledBack")
    return Duration(started=turn.now)


def _finished(turn: Turn, status: RolloutStatus, duration: Duration) -> Duration:
    if status.abort:
        return replace(duration, completion=duration.completion or "Aborted", finished=turn.now)
    if not status.stable_hash or not status.promoted:
        return duration
    completion = duration.completion
    if turn.before.stable_hash != status.stable_hash and completion not in ROLLED_BACK:
        completion = "FastPromoted" if turn.before.promote_full or fast_rollback(turn) else "Promoted"
    there = turn.seen.new is not None and turn.seen.new.available >= turn.seen.spec.replicas
    return replace(duration, completion=completion, finished=turn.now if there else None)


def _paused(turn: Turn, status: RolloutStatus, duration: Duration) -> Duration:
    """A person's pauses counted apart: from the pass that sees one to the pass that sees it gone, or the end."""
    waiting = duration.finished is None and waits_for_person(turn, status)
    since = duration.manual_pause_started
    if waiting:
        return duration if since is not None else replace(duration, manual_pause_started=turn.now)
    if since is None:
        return duration
    waited = max(0, int((_later(turn.now, since) - since).total_seconds()))
    return replace(duration, manual_pause_started=None, manual_pause_seconds=duration.manual_pause_seconds + waited)


def _later(one: datetime, other: datetime) -> datetime:
    return max(one, other)


def waits_for_person(turn: Turn, status: RolloutStatus) -> bool:
    """Whether nothing but a person moves this rollout on."""
    spec = turn.seen.spec
    if spec.paused or status.pause(PauseReason.INCONCLUSIVE_ANALYSIS) or status.pause(PauseReason.INCONCLUSIVE_EXPERIMENT):
        return True
    if status.pause(PauseReason.BLUE_GREEN):
        return spec.blue_green is not None and not spec.blue_green.auto_promotion
    index = status.step_index
    step = spec.steps[index] if index is not None and index < len(spec.steps) else None
    held = status.pause(PauseReason.CANARY_STEP) is not None
    return held and step is not None and step.pause is not None and step.pause.duration is None

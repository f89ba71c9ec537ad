"""How long an attempt takes and how it ended (contract 3.8)."""

from dataclasses import replace
from datetime import timedelta

from reconciler.rollouts.duration import duration_of, waits_for_person
from reconciler.rollouts.passes import Pass
from reconciler.rollouts.status.model import Duration, PauseCondition, RolloutStatus
from tests.kit.passes import NOW, begun, moving, replica_set
from tests.kit.rollouts import canary, pause, rollout, weight

STARTED = "2030-01-01T11:00:00Z"
NEXT = RolloutStatus(current_hash="new", stable_hash="old", step_index=1)


def under_way(*, new: int = 2, image: str = "image:new", paused: bool = False, **status: object) -> Pass:
    manifest = rollout(image=image, canary=canary(weight(50), pause()), paused=paused)
    full = moving(**{"currentStepIndex": 1, "duration": {"rolloutStartedAt": STARTED}, **status})
    return begun(manifest, replica_set("old", 4, age=10), replica_set("new", new), status=full)


def test_a_changed_template_after_a_finished_attempt_begins_a_new_one() -> None:
    done = under_way(duration=None)
    assert duration_of(done, NEXT, changed=True) == Duration(started=NOW)


def test_a_change_in_flight_begins_anew_unless_it_is_a_way_back() -> None:
    assert duration_of(under_way(), NEXT, changed=True) == Duration(started=NOW)
    back = duration_of(under_way(image="image:old"), replace(NEXT, current_hash="old", stable_hash="other"), changed=True)
    assert back is not None and back.completion == "FastRolledBack" and back.started == NOW - timedelta(hours=1)


def test_an_abort_finishes_it() -> None:
    ended = duration_of(under_way(), replace(NEXT, abort=True), changed=False)
    assert ended is not None and (ended.completion, ended.finished) == ("Aborted", NOW)


def test_a_retry_begins_anew() -> None:
    retried = under_way(abortedAt=STARTED)
    assert duration_of(retried, NEXT, changed=False) == Duration(started=NOW)


def test_a_promotion_finishes_it_when_every_pod_is_there() -> None:
    status = replace(NEXT, stable_hash="new")
    early, done = duration_of(under_way(new=3), status, changed=False), duration_of(under_way(new=4), status, changed=False)
    assert early is not None and (early.completion, early.finished) == ("Promoted", None)
    assert done is not None and done.finished == NOW
    fast = duration_of(under_way(new=4, promoteFull=True), status, changed=False)
    assert fast is not None and fast.completion == "FastPromoted"


def test_a_persons_pauses_are_counted_apart() -> None:
    held = replace(NEXT, pauses=(PauseCondition("CanaryPauseStep", NOW),))
    assert waits_for_person(under_way(), held) and not waits_for_person(under_way(), NEXT)
    assert waits_for_person(under_way(paused=True), NEXT)
    begun = duration_of(under_way(), held, changed=False)
    assert begun is not None and begun.manual_pause_started == NOW
    since = under_way()
    since = replace(
        since, facts=replace(since.facts, status=replace(since.before, duration=replace(begun, manual_pause_started=NOW - timedelta(60))))
    )
    over = duration_of(since, NEXT, changed=False)
    assert over is not None and (over.manual_pause_started, over.manual_pause_seconds) == (None, 60 * 86400)

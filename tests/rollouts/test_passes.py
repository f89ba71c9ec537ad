"""What a pass has decided so far."""

from datetime import timedelta

from reconciler.kernel.plan import Emit
from reconciler.rollouts.passes import selected_hash
from tests.kit.passes import NOW, begun, moving
from tests.kit.rollouts import canary, rollout, service


def test_it_wakes_at_the_earliest_time_asked_for() -> None:
    one = begun(rollout(canary=canary())).wake(NOW + timedelta(seconds=30))
    assert one.wake(NOW + timedelta(seconds=60)).wake_at == NOW + timedelta(seconds=30)
    assert one.wake(NOW + timedelta(seconds=10)).wake(None).wake_at == NOW + timedelta(seconds=10)


def test_an_abort_of_what_is_promoted_does_not_count() -> None:
    assert not begun(rollout(canary=canary()), status={"abort": True}).aborted
    assert begun(rollout(canary=canary()), status=moving(abort=True)).aborted


def test_an_abort_of_this_pass_counts_but_does_not_move_pods_yet() -> None:
    aborted = begun(rollout(canary=canary()), status=moving()).abort("why")
    assert aborted.aborted and not aborted.aborting


def test_effects_keep_their_order_and_an_ended_turn_its_status() -> None:
    told = begun(rollout(canary=canary())).tell("One", "first").tell("Two", "second", warning=True)
    assert [e.reason for e in told.effects if isinstance(e, Emit)] == ["One", "Two"]
    ended = told.end(told.before)
    assert ended.ended and ended.decision().status == told.before


def test_a_service_without_a_hash_selects_no_version() -> None:
    assert selected_hash(service("web")) == ""

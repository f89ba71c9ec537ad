"""What a release asks of the cluster: only verbs every client has, and nothing once they are done."""

from datetime import timedelta

from msgspec.structs import replace

from reconciler.kernel.plan import Patch
from reconciler.releases.model import Cause, ReleasePhase, ReleaseStatus, Verb, Verdict
from reconciler.releases.policies.policy import AfterPromotion, ReleasePolicy
from reconciler.releases.steer import NOTHING, Steering, on_the_way_home, steer
from tests.kit.releases import BAD, GOOD, NOW, facts, release, replica_set, rollout, run

PLAIN = ReleasePolicy(name="p", namespace="shop")
WATCH = ReleasePolicy(name="p", namespace="shop", after_promotion=AfterPromotion(timedelta(minutes=1), {}))
WATCHING = ReleaseStatus(phase=ReleasePhase.WATCHING, pod_hash=BAD, promoted_at=NOW)
UNDONE = Verb(verb="undo", at=NOW, reason="r", generation="2")
LOST = replace(WATCHING, phase=ReleasePhase.RESTORING, verdict=Verdict.FAILED, verbs=(UNDONE,))


def patches(status: ReleaseStatus, policy: ReleasePolicy = PLAIN, minutes: int = 0, **known: object) -> list[Patch]:
    steering = steer(release(status=status), policy, facts(**known), NOW + timedelta(minutes=minutes))
    return [action for action in steering.actions if isinstance(action, Patch)]


def test_a_recorded_abort_is_pressed_once() -> None:
    recorded = ReleaseStatus(phase=ReleasePhase.PROGRESSING, pod_hash=BAD, verbs=(Verb(verb="abort", at=NOW, reason="r"),))
    assert [p.body for p in patches(recorded)] == [{"status": {"abort": True}}]
    assert patches(recorded, rollout=rollout(abort=True)) == []


def test_an_abort_is_not_pressed_once_the_release_has_its_verdict() -> None:
    decided = ReleaseStatus(
        phase=ReleasePhase.CLOSED, verdict=Verdict.FAILED, pod_hash=BAD, verbs=(Verb(verb="abort", at=NOW, reason="r"),), decided_at=NOW
    )
    assert patches(decided) == []


def test_an_abort_is_not_pressed_once_everybody_is_on_the_new_version() -> None:
    recorded = ReleaseStatus(phase=ReleasePhase.PROGRESSING, pod_hash=BAD, verbs=(Verb(verb="abort", at=NOW, reason="r"),))
    assert patches(recorded, rollout=rollout(stable=BAD)) == []
    assert patches(replace(recorded, pod_hash=""), rollout=rollout(current="")) == []


def test_an_abort_meant_for_another_version_is_not_pressed() -> None:
    recorded = ReleaseStatus(phase=ReleasePhase.PROGRESSING, pod_hash="other", verbs=(Verb(verb="abort", at=NOW, reason="r"),))
    assert patches(recorded) == []


def test_the_old_version_stays_warm_while_the_new_one_is_watched() -> None:
    old = replica_set(GOOD, deadline="2026-11-25T03:00:10Z")
    (patch,) = patches(WATCHING, WATCH, rollout=rollout(stable=BAD), replica_sets=(old,))
    assert patch.body == {"metadata": {"annotations": {"scale-down-deadline": "2026-11-25T03:01:30Z"}}}


def test_a_deadline_late_enough_is_left_alone() -> None:
    old = replica_set(GOOD, deadline="2026-11-25T04:00:00Z")
    assert patches(WATCHING, WATCH, rollout=rollout(stable=BAD), replica_sets=(old,)) == []


def test_the_watch_ends_with_its_window() -> None:
    known = {"rollout": rollout(stable=BAD), "after": run("Running")}
    assert patches(WATCHING, WATCH, minutes=0, **known) == []
    assert [p.body for p in patches(WATCHING, WATCH, minutes=2, **known)] == [{"spec": {"terminate": True}}]


def test_only_a_release_that_is_watched_has_its_window_ended() -> None:
    known = {"rollout": rollout(stable=BAD), "after": run("Running")}
    for status in (replace(WATCHING, phase=ReleasePhase.RESTORING), replace(WATCHING, promoted_at=None)):
        assert steered(status, 2, policy=WATCH, **known).actions == ()
    assert steered(WATCHING, 2, **known) == NOTHING, "the policy asks for no watching"
    assert steered(WATCHING, 2, policy=WATCH, rollout=rollout(stable=BAD)) == NOTHING, "there is no run"
    assert steered(WATCHING, 2, policy=WATCH, rollout=rollout(stable=BAD), after=run("Successful")) == NOTHING
    told = run("Running")
    told["spec"]["terminate"] = True
    assert steered(WATCHING, 2, policy=WATCH, rollout=rollout(stable=BAD), after=told) == NOTHING


def test_only_a_release_that_is_watched_keeps_the_old_version_warm() -> None:
    old = replica_set(GOOD, deadline="2026-11-25T03:00:10Z")
    for status in (replace(WATCHING, phase=ReleasePhase.RESTORING), replace(WATCHING, promoted_at=None)):
        assert patches(status, WATCH, rollout=rollout(stable=BAD), replica_sets=(old,)) == []
    for gone in (replica_set(GOOD), replica_set(GOOD, replicas=0, deadline="2026-11-25T03:00:10Z"), replica_set("other", deadline="x")):
        assert patches(WATCHING, WATCH, rollout=rollout(stable=BAD), replica_sets=(gone,)) == []
    (broken,) = patches(WATCHING, WATCH, rollout=rollout(stable=BAD), replica_sets=(replica_set(GOOD, deadline="soon"),))
    assert broken.body == {"metadata": {"annotations": {"scale-down-deadline": "2026-11-25T03:01:30Z"}}}


def test_lost_after_promotion_the_proven_template_goes_live_again() -> None:
    known = {"rollout": rollout(stable=BAD), "replica_sets": (replica_set(GOOD), replica_set(BAD))}
    (patch,) = patches(LOST, WATCH, **known)
    assert isinstance(patch.body, list)
    assert patch.body[0]["value"]["spec"]["containers"][0]["image"] == GOOD
    assert "rollouts-pod-template-hash" not in patch.body[0]["value"]["metadata"]["labels"]


def test_a_rollout_that_its_controller_has_not_seen_as_it_is_is_left_alone() -> None:
    unseen = rollout(stable=BAD, observedGeneration="1")
    assert steered(LOST, rollout=unseen, replica_sets=(replica_set(GOOD), replica_set(BAD))) == NOTHING


def test_a_template_without_labels_is_put_back_without_labels() -> None:
    bare = replica_set(GOOD)
    bare["spec"]["template"]["metadata"] = {"labels": None}
    (patch,) = patches(LOST, WATCH, rollout=rollout(stable=BAD), replica_sets=(bare, replica_set(BAD)))
    assert isinstance(patch.body, list) and patch.body[0]["value"]["metadata"] == {"labels": {}}


def test_once_the_proven_template_is_live_it_is_promoted_in_full() -> None:
    known = {"rollout": rollout(current=GOOD, stable=BAD), "replica_sets": (replica_set(GOOD), replica_set(BAD))}
    assert [p.body for p in patches(replace(LOST, held=True), WATCH, **known)] == [{"status": {"promoteFull": True}}]


REJECTED = ReleaseStatus(phase=ReleasePhase.CLOSED, verdict=Verdict.FAILED, pod_hash=BAD, decided_at=NOW, held=True)


def test_users_of_a_rejected_version_wait_for_no_pause_on_their_way_home() -> None:
    """Whoever promoted it in full, and whatever deleted the pods before it: nobody has to be awake for the switch back."""
    leaving = rollout(current=GOOD, stable=BAD)
    first = steer(release(status=REJECTED), PLAIN, facts(rollout=leaving), NOW)
    assert first.record is not None and [verb.verb for verb in first.record.verbs] == ["promote"] and first.actions == ()
    assert [p.body for p in patches(first.record, rollout=leaving)] == [{"status": {"promoteFull": True}}]
    assert patches(first.record, rollout=rollout(current=GOOD, stable=BAD, promoteFull=True)) == []
    assert patches(first.record, rollout=rollout(current=GOOD, stable=GOOD)) == []


def test_another_version_an_abort_and_a_lift_are_not_promoted_by_us() -> None:
    leaving = rollout(current=GOOD, stable=BAD)
    unseen = {**leaving, "metadata": {**leaving["metadata"], "generation": 3}}
    for there in (rollout(current="newer", stable=BAD), rollout(current=GOOD, stable=BAD, abort=True), unseen):
        assert steer(release(status=REJECTED), PLAIN, facts(rollout=there), NOW) == NOTHING
    assert steer(release(status=replace(REJECTED, held=False)), PLAIN, facts(rollout=leaving), NOW) == NOTHING
    assert steer(release(status=REJECTED, previous=None), PLAIN, facts(rollout=leaving), NOW) == NOTHING


def test_a_version_that_was_lost_before_promotion_is_not_put_back_by_us() -> None:
    known = {"rollout": rollout(stable=BAD), "replica_sets": (replica_set(GOOD), replica_set(BAD))}
    for lost in (replace(LOST, promoted_at=None), replace(LOST, verdict=Verdict.ABORTED)):
        assert steered(lost, **known) == NOTHING
        assert not on_the_way_home(release(status=replace(lost, decided_at=NOW)), facts(**known), NOW)
    assert steer(release(status=LOST, previous=None), WATCH, facts(**known), NOW) == NOTHING


def test_nothing_is_asked_for_when_everything_is_done() -> None:
    known = {"rollout": rollout(current=GOOD, stable=GOOD), "replica_sets": (replica_set(GOOD), replica_set(BAD))}
    assert patches(LOST, WATCH, **known) == []


def test_git_waits_until_users_are_home_but_not_for_ever() -> None:
    lost = release(status=replace(LOST, decided_at=NOW))
    away = facts(rollout=rollout(current=GOOD, stable=BAD), replica_sets=(replica_set(GOOD), replica_set(BAD)))
    assert on_the_way_home(lost, away, NOW)
    assert not on_the_way_home(lost, away, NOW + timedelta(minutes=3))
    assert not on_the_way_home(lost, facts(rollout=rollout(current=GOOD, stable=GOOD), replica_sets=(replica_set(GOOD),)), NOW)


def test_without_a_warm_version_git_is_the_only_way_home() -> None:
    cold = facts(rollout=rollout(stable=BAD), replica_sets=(replica_set(BAD),))
    assert not on_the_way_home(release(status=replace(LOST, decided_at=NOW)), cold, NOW)


def test_nothing_is_steered_while_a_person_overrides() -> None:
    old = replica_set(GOOD, deadline="2026-11-25T03:00:10Z")
    assert patches(WATCHING, WATCH, rollout=rollout(stable=BAD), replica_sets=(old,), overridden=True) == []


# -- put on record first, and never against another applier for ever ---------------------------------------------------


def steered(
    status: ReleaseStatus, minutes: float = 0, *, policy: ReleasePolicy = PLAIN, spec: dict[str, object] | None = None, **known: object
) -> Steering:
    return steer(release(status=status, **(spec or {})), policy, facts(**known), NOW + timedelta(minutes=minutes))


def test_a_deadline_in_whole_seconds_is_met_by_a_promotion_between_two() -> None:
    between = replace(WATCHING, promoted_at=NOW + timedelta(microseconds=300_000))
    old = replica_set(GOOD, deadline="2026-11-25T03:01:30Z")
    assert patches(between, WATCH, rollout=rollout(stable=BAD), replica_sets=(old,)) == []


def test_putting_the_previous_template_back_is_on_record_before_it_is_done() -> None:
    known = {"rollout": rollout(stable=BAD), "replica_sets": (replica_set(GOOD), replica_set(BAD))}
    steering = steered(replace(LOST, verbs=()), **known)
    assert steering.actions == () and steering.record is not None
    assert [(verb.verb, verb.generation) for verb in steering.record.verbs] == [("undo", "2")]


def test_whoever_puts_the_rejected_template_back_twice_is_not_fought_a_third_time() -> None:
    returns = tuple(replace(UNDONE, generation=str(number)) for number in (0, 1))
    known = {"rollout": rollout(stable=BAD), "replica_sets": (replica_set(GOOD), replica_set(BAD))}
    assert steered(replace(LOST, verbs=returns), **known) == NOTHING
    assert steered(replace(LOST, verbs=returns[:1]), **known).record is not None


def test_where_somebody_else_applies_the_template_is_never_changed() -> None:
    known = {"rollout": rollout(stable=BAD), "replica_sets": (replica_set(GOOD), replica_set(BAD))}
    assert steered(LOST, spec={"companion": True}, **known) == NOTHING
    there = release(status=replace(LOST, decided_at=NOW), companion=True)
    assert not on_the_way_home(there, facts(**known), NOW)  # Git goes first


def test_a_lifted_version_that_stands_aborted_is_retried_once_it_is_on_record() -> None:
    at = "2026-11-25T02:00:00Z"
    lifted: dict[str, object] = {"cause": Cause.LIFTED, "earlier_abort": at}
    stands = rollout(abort=True, abortedAt=at)
    open_one = ReleaseStatus(phase=ReleasePhase.PENDING)
    first = steered(open_one, spec=lifted, rollout=stands)
    assert first.actions == () and first.record is not None
    pressed = steered(first.record, spec=lifted, rollout=stands)
    assert [a.body for a in pressed.actions if isinstance(a, Patch)] == [{"status": {"abort": False}}]
    assert steered(first.record, spec=lifted, rollout=rollout(abort=True, abortedAt="2026-11-25T02:30:00Z")) == NOTHING
    assert steered(first.record, spec={**lifted, "cause": Cause.PUSHED_AGAIN}, rollout=stands) == NOTHING
    assert steered(first.record, spec={**lifted, "earlier_abort": ""}, rollout=rollout(abort=True)) == NOTHING
    assert steered(first.record, spec=lifted, rollout=rollout(abortedAt=at)) == NOTHING, "the abort is gone"
    assert steered(replace(first.record, verdict=Verdict.SUPERSEDED), spec=lifted, rollout=stands) == NOTHING
    other = {**stands, "spec": {**stands["spec"], "template": {"spec": {"containers": [{"name": "web", "image": "web:9"}]}}}}
    assert steered(first.record, spec=lifted, rollout=other) == NOTHING, "the pods that stand aborted are others"


def test_what_could_not_be_measured_is_tried_again_after_a_while_and_within_the_limit() -> None:
    blind = ReleaseStatus(phase=ReleasePhase.CLOSED, verdict=Verdict.COULD_NOT_MEASURE, decided_at=NOW, pod_hash=BAD)
    stands = {"rollout": rollout(abort=True)}
    assert steered(blind, 4, **stands) == Steering(wake_at=NOW + timedelta(minutes=5))
    assert steered(blind, 6, **stands).record is not None
    assert steered(blind, 6, spec={"attempt": 2}, **stands) == Steering(wake_at=NOW + timedelta(minutes=10))
    assert steered(blind, 60, spec={"attempt": 3}, **stands) == NOTHING
    assert steered(blind, 60, rollout=rollout(current=GOOD, stable=GOOD)) == NOTHING
    assert steered(blind, 60, rollout=rollout()) == NOTHING, "it goes on already"
    assert steered(blind, 60, rollout=rollout(abort=True, current="other")) == NOTHING
    assert steered(blind, 60, rollout=rollout(abort=True, stable=BAD)) == NOTHING
    assert steered(blind, 60, newer="a newer commit", **stands) == NOTHING
    assert steered(replace(blind, promoted_at=NOW), 60, **stands) == NOTHING
    assert steered(replace(blind, verdict=Verdict.NOT_ENOUGH_EVIDENCE), 60, **stands) == NOTHING
    assert steered(blind, 5, **stands).record is not None, "due is due"


def test_only_the_newest_attempt_of_a_version_asks_anything_of_the_cluster() -> None:
    """What an attempt before it put on record is no order any more: the pods that stand aborted are the newer one's."""
    retried = Verb(verb="retry", at=NOW, reason="the metrics may answer again")
    blind = ReleaseStatus(phase=ReleasePhase.CLOSED, verdict=Verdict.COULD_NOT_MEASURE, decided_at=NOW, pod_hash=BAD, verbs=(retried,))
    warm = {"rollout": rollout(stable=BAD), "replica_sets": (replica_set(GOOD), replica_set(BAD))}
    for status, known in ((blind, {"rollout": rollout(abort=True)}), (LOST, warm)):
        assert steered(status, 6, **known).actions
        assert steered(status, 6, tried_again=True, **known) == NOTHING


def test_an_answer_that_is_awaited_when_the_window_ends_is_not_cut_short() -> None:
    awaited = run("Running", name="web-bad-after", kind="")
    del awaited["status"]["metricResults"][0]["measurements"][-1]["finishedAt"]
    done = run("Running", name="web-bad-after", kind="")
    live = rollout(stable=BAD)
    assert patches(WATCHING, WATCH, minutes=2, rollout=live, after=awaited) == []
    assert [p.body for p in patches(WATCHING, WATCH, minutes=2, rollout=live, after=done)] == [{"spec": {"terminate": True}}]
    assert [p.body for p in patches(WATCHING, WATCH, minutes=3, rollout=live, after=awaited)] == [{"spec": {"terminate": True}}]

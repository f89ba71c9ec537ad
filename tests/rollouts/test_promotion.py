"""When the new version becomes the stable one (contract 4.6)."""

from dataclasses import replace

from reconciler.kernel.identity import Manifest
from reconciler.rollouts.passes import Pass, Runs
from reconciler.rollouts.promotion import promoted, promotion_reason
from reconciler.rollouts.status.model import BlueGreenStatus, RolloutStatus
from tests.kit.passes import begun, moving, replica_set
from tests.kit.rollouts import analysis, canary, pause, rollout, weight

NEXT = RolloutStatus(current_hash="new", stable_hash="old")
SWITCHED = replace(NEXT, blue_green=BlueGreenStatus(active_selector="new"))


def walked(index: int = 2, new: int = 4, **status: object) -> Pass:
    manifest = rollout(image="image:new", canary=canary(weight(50), pause()))
    return begun(manifest, replica_set("old", 4, age=10), replica_set("new", new), status=moving(currentStepIndex=index, **status))


def green(run: Manifest | None = None, **status: object) -> Pass:
    manifest = rollout(image="image:new", blue_green={"activeService": "active", "postPromotionAnalysis": analysis()})
    step = begun(manifest, replica_set("old", 4, age=10), replica_set("new", 4), status=moving(**status))
    return replace(step, runs=Runs(post=run))


def test_without_a_stable_version_the_new_one_is_it() -> None:
    first = begun(rollout(image="image:new", canary=canary(weight(50))), replica_set("new", 4, 0), status=moving(abort=True))
    assert promotion_reason(first, NEXT) == "Initial deploy"


def test_a_canary_needs_every_step_and_every_pod() -> None:
    assert promotion_reason(walked(), NEXT) == "Completed all 2 canary steps"
    assert promotion_reason(walked(new=5), NEXT) != ""
    assert (
        promotion_reason(walked(new=3), NEXT) == promotion_reason(walked(index=1), NEXT) == promotion_reason(walked(abort=True), NEXT) == ""
    )


def test_full_promotion_needs_only_the_pods() -> None:
    assert promotion_reason(walked(index=0, promoteFull=True), NEXT) == "Full promotion requested"


def test_blue_green_waits_for_its_switch_and_its_verdict() -> None:
    assert promotion_reason(green(), SWITCHED) == promotion_reason(green({"status": {"phase": "Running"}}), SWITCHED) == ""
    assert promotion_reason(green({"status": {"phase": "Successful"}}), SWITCHED) == "Completed blue-green update"
    unswitched = replace(SWITCHED, blue_green=BlueGreenStatus(active_selector="old"))
    assert promotion_reason(green({"status": {"phase": "Successful"}}), unswitched) == ""
    assert promotion_reason(green(), replace(SWITCHED, blue_green=BlueGreenStatus())) == "Initial deploy"
    assert promotion_reason(green(promoteFull=True), SWITCHED) == "Full promotion requested"
    assert promotion_reason(green({"status": {"phase": "Successful"}}, abort=True), SWITCHED) == ""


def test_promotion_leaves_nothing_of_the_attempt_behind() -> None:
    after, status = promoted(walked(promoteFull=True), replace(NEXT, promote_full=True), "because")
    assert (status.stable_hash, status.step_index, status.promote_full) == ("new", 2, False)
    assert after.cleared_pauses and not after.aborted
    assert len(after.effects) == 1


def test_promoting_the_stable_version_says_nothing() -> None:
    after, status = promoted(walked(), replace(NEXT, stable_hash="new"), "because")
    assert (status.stable_hash, after.effects) == ("new", ())

"""What brings the reference's behaviour back where we do otherwise: the switches of docs/deviations.md, each once."""

import pytest

from reconciler.kube.errors import Forbidden
from tests.kit.edges import climbing, green, passes_of, routed_release
from tests.kit.experiments import ExperimentWorld, current, experiment, experiments, says, tried
from tests.kit.rollouts import pause, weight
from tests.rollouts.traffic.test_verification import world as behind_alb


def test_the_longest_delay_there_is_keeps_the_old_version() -> None:
    for world in (
        routed_release(weight(25), scaleDownDelaySeconds=2147483647),
        green(scaleDownDelaySeconds=2147483647).push("web:2").settle(),
    ):
        assert (world.phase, world.wait(365 * 86400).size("web:1")) == ("Healthy", 4)
        assert passes_of(world, 2) == [[], []]


@pytest.mark.parametrize("seconds", [1, 899])
def test_a_canary_goes_after_any_abort_delay_that_is_not_zero(seconds: int) -> None:
    world = routed_release(abortScaleDownDelaySeconds=seconds).press(abort=True).settle()
    assert world.wait(seconds + 2).size("web:2") == 0


def test_without_auto_promotion_only_a_person_ends_a_wait() -> None:
    world = green(autoPromotionEnabled=False).push("web:2").settle().wait(86400)
    assert (world.phase, world.selected("active")) == ("Paused BlueGreenPause", "web:1")
    assert world.press(pauseConditions=None).settle().selected("active") == "web:2"


def test_an_abort_and_a_retry_run_an_experiment_again_that_is_on_record() -> None:
    world = climbing(tried(duration="5m"), pause())
    name = current(world)
    says(world, name, "Inconclusive")
    world.press(abort=True).settle().press(abort=False).settle()
    assert current(world) != name and set(experiments(world)) == {name, current(world)}


def test_a_deadline_of_a_second_ends_an_experiment_that_is_forbidden_its_pods() -> None:
    world = ExperimentWorld(experiment(progressDeadlineSeconds=1))

    def forbid(write: str) -> None:
        if write.startswith("create ReplicaSet"):
            raise Forbidden(403, "Forbidden", "quota")

    world.store.before_write = forbid
    world.settle().wait(2)
    assert world.phase == "Failed Template 'canary' exceeded its progressDeadlineSeconds (1)"


def test_where_no_aws_is_set_up_a_weight_that_is_written_is_enough() -> None:
    world = behind_alb(None, weight(20), pause())
    assert (world.phase, world.status["currentStepIndex"]) == ("Paused CanaryPauseStep", 1)

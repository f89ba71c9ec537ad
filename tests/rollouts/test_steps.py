"""When a step is done (contract 4.3)."""

from dataclasses import replace

import pytest

from reconciler.kernel.identity import Manifest
from reconciler.rollouts.passes import Pass, Runs
from reconciler.rollouts.status.model import Share, Weights
from reconciler.rollouts.steps import completed, waiting_step
from tests.kit.passes import begun, moving, replica_set
from tests.kit.rollouts import canary, measured, pause, rollout, weight


def on(step: Manifest, *, new: int = 2, available: int | None = None, **spec: object) -> Pass:
    manifest = rollout(image="image:new", canary=canary(step, pause(), istio=True, managed=True), **spec)
    return begun(manifest, replica_set("old", 4, age=10), replica_set("new", new, available), status=moving(currentStepIndex=0))


def test_a_weight_is_done_when_the_pods_are_there() -> None:
    assert completed(on(weight(50))) and not completed(on(weight(50), available=1)) and not completed(on(weight(50), new=1))


def test_a_weight_that_was_read_back_wrong_is_not_done() -> None:
    wrong = replace(on(weight(50)), weights=Weights(Share(50), Share(50), verified=False))
    assert not completed(wrong)


def test_a_scale_is_done_when_the_pods_are_there() -> None:
    assert completed(on({"setCanaryScale": {"replicas": 2}})) and not completed(on({"setCanaryScale": {"replicas": 3}}))


def test_an_analysis_is_done_when_its_run_succeeded() -> None:
    step = on(measured())
    assert not completed(step)
    for phase, done in (("Running", False), ("Successful", True), ("Inconclusive", False)):
        assert completed(replace(step, runs=Runs(step={"status": {"phase": phase}}))) is done


@pytest.mark.parametrize("step", [{"setHeaderRoute": {"name": "h"}}, {"setMirrorRoute": {"name": "m"}}])
def test_routes_are_done_at_once(step: Manifest) -> None:
    assert completed(on(step))


def test_a_pause_beside_a_weight_decides() -> None:
    assert not completed(on({"setWeight": 50, "pause": {}}))


def test_nothing_is_done_while_a_person_paused() -> None:
    assert not completed(on(weight(50), paused=True))


def test_waiting_steps_are_never_late() -> None:
    assert waiting_step(on(pause())) and waiting_step(on(measured())) and not waiting_step(on(weight(50)))

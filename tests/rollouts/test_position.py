"""Where a canary stands and what weight that means (contract 2.1, 2.4, 2.6)."""

import pytest

from reconciler.kernel.identity import Manifest
from reconciler.rollouts.passes import Pass
from reconciler.rollouts.position import (
    current_step,
    desired_weight,
    heads_for_all,
    index_of,
    run_phase,
    step_weight,
    sticky_scale,
    walk_back,
    weight_before,
)
from tests.kit.passes import begun, moving, replica_set
from tests.kit.rollouts import canary, pause, rollout, weight

STEPS = (pause(), weight(20), pause(), weight(60))


def at(index: int | None, *steps: Manifest, istio: bool = False, status: Manifest | None = None, **fields: object) -> Pass:
    manifest = rollout(image="image:new", canary=canary(*(steps or STEPS), istio=istio, **fields))
    where = {} if index is None else {"currentStepIndex": index}
    return begun(manifest, replica_set("old", 4, age=10), replica_set("new", 2), status=moving(**where, **(status or {})))


@pytest.mark.parametrize(("index", "expected"), [(None, 0), (0, 0), (1, 20), (2, 20), (3, 60), (4, 100)])
def test_the_weight_is_the_last_one_reached(index: int | None, expected: int) -> None:
    assert step_weight(at(index)) == desired_weight(at(index)) == expected


def test_before_an_index_counts_only_what_lies_before() -> None:
    assert (weight_before(at(0), 1), weight_before(at(0), 2), weight_before(at(0), -1)) == (0, 20, 0)


def test_past_the_end_there_is_no_step() -> None:
    assert current_step(at(4)) is None and index_of(at(None)) == 0


@pytest.mark.parametrize("status", [{"promoteFull": True}, {"stableRS": ""}, {"stableRS": "new"}])
def test_some_states_head_for_everything(status: Manifest) -> None:
    assert heads_for_all(at(1, status=status)) and desired_weight(at(1, status=status)) == 100


def test_an_abort_means_nothing_for_the_canary() -> None:
    assert desired_weight(at(3, status={"abort": True})) == 0


def test_under_dynamic_stable_scale_an_abort_walks_the_steps_back() -> None:
    steps = (weight(25), weight(75))
    held = at(0, *steps, istio=True, dynamicStableScale=True, status={"abort": True})
    assert walk_back(held) == 25


def test_set_canary_scale_sticks_until_the_end() -> None:
    steps = ({"setCanaryScale": {"replicas": 3}}, weight(20), pause())
    found = sticky_scale(at(2, *steps, istio=True))
    assert found is not None and found.replicas == 3
    assert sticky_scale(at(3, *steps, istio=True)) is None
    assert sticky_scale(at(2, *steps, istio=True, status={"promoteFull": True})) is None


def test_matching_traffic_cancels_it() -> None:
    steps = ({"setCanaryScale": {"replicas": 3}}, {"setCanaryScale": {"matchTrafficWeight": True}})
    assert sticky_scale(at(1, *steps, istio=True)) is None


def test_an_abort_drops_it_unless_the_delay_is_zero() -> None:
    steps = ({"setCanaryScale": {"replicas": 3}}, pause())
    assert sticky_scale(at(0, *steps, istio=True, status={"abort": True})) is None
    assert sticky_scale(at(0, *steps, istio=True, status={"abort": True}, abortScaleDownDelaySeconds=0)) is not None


def test_a_run_without_a_status_has_no_phase() -> None:
    assert (run_phase(None), run_phase({}), run_phase({"status": {"phase": "Error"}})) == ("", "", "Error")

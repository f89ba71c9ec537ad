"""How many pods each side shall have, and whether it has them (contract 2.2–2.5)."""

import pytest

from reconciler.kernel.identity import Manifest
from reconciler.rollouts.passes import Pass
from reconciler.rollouts.pods.sizes import (
    at_desired_counts,
    basic_sizes,
    basic_targets,
    canary_target,
    capable,
    routed_stable_target,
    threshold_of,
)
from reconciler.rollouts.spec.model import Canary, ProgressThreshold
from tests.kit.passes import begun, moving, replica_set
from tests.kit.rollouts import canary, pause, rollout, weight


def strategy(of: Pass) -> Canary:
    assert of.facts.spec.canary is not None
    return of.facts.spec.canary


def between(*steps: Manifest, index: int = 0, old: int = 4, new: int = 0, istio: bool = False, **fields: object) -> Pass:
    manifest = rollout(image="image:new", canary=canary(*steps, istio=istio, **fields))
    weights = {"canary": {"weight": 50}, "stable": {"weight": 50}}
    status = moving(currentStepIndex=index, **({"canary": {"weights": weights}} if istio else {}))
    return begun(manifest, replica_set("old", old, age=10), replica_set("new", new), status=status)


def test_a_basic_canary_gets_its_share_of_pods() -> None:
    assert basic_targets(between(weight(25), pause()), strategy(between())) == (1, 3)


def test_without_a_second_version_everything_is_the_new_one() -> None:
    alone = begun(rollout(image="image:new", canary=canary(weight(25))), replica_set("new", 1), status=moving(stableRS="new"))
    assert basic_targets(alone, strategy(alone)) == (4, 0)


def test_a_pass_makes_one_bounded_move() -> None:
    assert basic_sizes(between(weight(100)), strategy(between(maxSurge=1, maxUnavailable=0))) == (1, 4)


@pytest.mark.parametrize(
    ("scale", "expected"),
    [({"replicas": 9}, 9), ({"replicas": 0}, 0), ({"weight": 200}, 8), ({"weight": 10}, 1), ({"matchTrafficWeight": True}, 2)],
)
def test_set_canary_scale_sizes_a_routed_canary(scale: Manifest, expected: int) -> None:
    step = between(weight(50), {"setCanaryScale": scale}, index=1, istio=True)
    assert canary_target(step, strategy(step)) == expected


def test_the_floor_lifts_small_counts_but_not_zero() -> None:
    few = between(weight(5), index=0, istio=True, minPodsPerReplicaSet=2)
    none = between(weight(0), index=0, istio=True, minPodsPerReplicaSet=2)
    assert (canary_target(few, strategy(few)), canary_target(none, strategy(none))) == (2, 0)


def test_stable_keeps_all_pods_unless_it_is_dynamic() -> None:
    fixed = between(weight(50), index=0, istio=True)
    dynamic = between(weight(50), index=0, istio=True, dynamicStableScale=True)
    assert (routed_stable_target(fixed, strategy(fixed)), routed_stable_target(dynamic, strategy(dynamic))) == (4, 2)


def test_pods_of_older_versions_keep_a_basic_step_open() -> None:
    manifest = rollout(image="image:new", canary=canary(weight(25)))
    sets = (replica_set("old", 3, age=10), replica_set("new", 1))
    assert at_desired_counts(begun(manifest, *sets, status=moving(currentStepIndex=0)))
    assert not at_desired_counts(begun(manifest, *sets, replica_set("older", 1, age=20), status=moving(currentStepIndex=0)))


def test_unavailable_canary_pods_keep_a_step_open_unless_a_threshold_is_met() -> None:
    sets = (replica_set("old", 4, age=10), replica_set("new", 2, 1))
    strict = rollout(image="image:new", canary=canary(weight(50), istio=True))
    lenient = rollout(image="image:new", canary=canary(weight(50), istio=True, replicaProgressThreshold={"type": "Percent", "value": 50}))
    assert not at_desired_counts(begun(strict, *sets, status=moving(currentStepIndex=0)))
    assert at_desired_counts(begun(lenient, *sets, status=moving(currentStepIndex=0)))


def test_a_negative_threshold_is_none() -> None:
    assert threshold_of(Canary(threshold=ProgressThreshold("Percent", -1))) is None


def test_capacity_is_all_pods_or_the_threshold() -> None:
    assert capable(4, 4, Canary()) and not capable(3, 4, Canary())
    assert capable(3, 4, Canary(threshold=ProgressThreshold("Percent", 75)))

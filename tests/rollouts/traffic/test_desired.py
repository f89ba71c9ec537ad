"""The wanted weight, row by row (contract 9.1, 9.2, 13.11, 13.21, 13.61)."""

from reconciler.rollouts.passes import Pass
from reconciler.rollouts.traffic.desired import homeward_weight, recorded_weight, wanted_traffic
from tests.kit.passes import begun, moving, replica_set
from tests.kit.rollouts import canary, pause, rollout, weight


def at(index: int, *, old: int = 4, new: int = 2, recorded: int | None = 50, dynamic: bool = False, **status: object) -> Pass:
    manifest = rollout(image="image:new", canary=canary(weight(50), pause(), weight(75), istio=True, dynamicStableScale=dynamic))
    weights = {"canary": {"weight": recorded, "podTemplateHash": "new"}, "stable": {"weight": 100 - (recorded or 0)}}
    known = {} if recorded is None else {"canary": {"weights": weights}}
    full = moving(**{"currentStepIndex": index, **known, **status})
    return begun(manifest, replica_set("old", old, age=10), replica_set("new", new), status=full)


def test_what_is_promoted_has_no_canary() -> None:
    wanted = wanted_traffic(at(3, stableRS="new"))
    assert (wanted.weight, wanted.drop, wanted.home) == (0, True, False)


def test_an_abort_goes_home_at_once() -> None:
    wanted = wanted_traffic(at(1, abort=True))
    assert (wanted.weight, wanted.drop, wanted.home) == (0, True, True)


def test_under_dynamic_stable_scale_an_abort_waits_for_stable() -> None:
    wanted = wanted_traffic(at(1, old=2, dynamic=True, abort=True))
    assert (wanted.weight, wanted.home) == (50, False)


def test_no_available_pod_means_no_traffic() -> None:
    wanted = wanted_traffic(at(1, new=0))
    assert (wanted.weight, wanted.drop) == (0, True)


def test_full_promotion_keeps_the_recorded_weight_or_follows_the_pods() -> None:
    assert wanted_traffic(at(1, recorded=30, promoteFull=True)).weight == 30
    assert wanted_traffic(at(1, new=3, dynamic=True, promoteFull=True)).weight == 75
    assert wanted_traffic(at(1, recorded=None, promoteFull=True)).weight == 0


def test_pods_first_weight_after() -> None:
    assert wanted_traffic(at(2, new=2)).weight == 50
    assert wanted_traffic(at(2, new=3)).weight == 75


def test_past_the_end_the_recorded_weight_stays_until_everybody_is_there() -> None:
    assert wanted_traffic(at(3, new=1, recorded=0)).weight == 0
    assert wanted_traffic(at(3, new=4, recorded=75)).weight == 100


def test_without_steps_only_promotion_switches() -> None:
    manifest = rollout(image="image:new", canary=canary(istio=True))
    step = begun(manifest, replica_set("old", 4, age=10), replica_set("new", 4), status=moving())
    assert wanted_traffic(step).weight == 0


def test_without_dynamic_stable_scale_home_is_zero() -> None:
    assert homeward_weight(at(1), 50) == 0 and recorded_weight(at(1)) == 50

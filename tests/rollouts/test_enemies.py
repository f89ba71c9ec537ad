"""An abort in every kind of step, a status that a person wrote over, a ReplicaSet that goes in the middle: home, and to the end."""

from typing import Any

import pytest

from reconciler.kernel.identity import Manifest
from reconciler.kernel.resources import REPLICA_SETS
from tests.kit.edges import MEASURED
from tests.kit.experiments import ROUTED, tried
from tests.kit.rollouts import NAMESPACE, canary, istio_routing, measured, pause, rollout, weight
from tests.kit.world import World, deployed

HEADER: Manifest = {"setHeaderRoute": {"name": "h", "match": [{"headerName": "x", "headerValue": {"exact": "y"}}]}}
MIRROR: Manifest = {"setMirrorRoute": {"name": "m", "percentage": 10, "match": [{"method": {"exact": "GET"}}]}}
STEPS: dict[str, Manifest] = {
    "weight": weight(50),
    "pause": pause(),
    "scale": {"setCanaryScale": {"replicas": 3}},
    "header": HEADER,
    "mirror": MIRROR,
    "analysis": measured(),
    "experiment": tried(duration="10m"),
}


def on_its_way(*steps: Manifest) -> World:
    strategy = canary(weight(25), *steps, pause(), istio=True, trafficRouting=istio_routing("h", "m"))
    return deployed(rollout(canary=strategy), *ROUTED, MEASURED)


def to_the_end(world: World) -> World:
    """Whoever has to say something says yes."""
    for _ in range(8):
        for name, run in world.runs.items():
            if (run.get("status") or {}).get("phase") in (None, "Running", "Inconclusive"):
                world.end_run(name, "Successful")
        if world.status.get("pauseConditions"):
            world.press(pauseConditions=None)
        world.settle().wait(700)
    return world


def at_home(world: World) -> bool:
    return world.weight == 0 and not {"h", "m"} & set(world.routes) and world.size("web:1") == 4


@pytest.mark.parametrize("passes", [4, 6, 30])  # before the new template was seen, it lifts the abort (contract 13.7)
@pytest.mark.parametrize("kind", STEPS)
def test_an_abort_in_any_kind_of_step_leads_home_and_a_retry_to_the_end(kind: str, passes: int) -> None:
    world = on_its_way(STEPS[kind]).push("web:2")
    for _ in range(passes):
        world.kubelet()
        world.one_pass()
    world.press(abort=True).settle().wait(700)
    assert at_home(world) and world.size("web:2") == 0 and world.phase.startswith("Degraded RolloutAborted")
    assert not [run for run in world.runs.values() if not (run["spec"].get("terminate") or (run.get("status") or {}).get("phase"))]
    to_the_end(world.press(abort=False).settle())
    assert world.phase == "Healthy" and (world.size("web:1"), world.size("web:2"), world.weight) == (0, 4, 0)


WRITTEN_OVER: tuple[dict[str, Any], ...] = (
    {"currentStepIndex": 99},
    {"currentStepIndex": -3},
    {"currentStepIndex": None},
    {"currentStepIndex": "first"},
    {"collisionCount": "many"},
    {"replicas": "many"},
    {"pauseConditions": [{"reason": "CanaryPauseStep"}]},
    {"pauseConditions": [{"reason": "CanaryPauseStep", "startTime": None}]},
    {"pauseConditions": "yes"},
    {"conditions": [{"status": "True"}]},
    {"conditions": "x"},
    {"canary": {"weights": {"canary": {}, "additional": "x"}}},
    {"canary": {"stepPluginStatuses": [{"index": "x"}]}},
    {"canary": "x"},
    {"duration": {}},
    {"duration": {"rolloutStartedAt": "yesterday"}},
    {"abortedAt": "yesterday"},
    {"restartedAt": "soon"},
    {"currentStepHash": "other"},
    {"currentPodHash": "other"},
    {"stableRS": ""},
    {"stableRS": "nobody"},
    {"conditions": None},
    {"conditions": []},
    {"pauseConditions": [{"reason": "SomethingElse", "startTime": "2030-01-01T00:00:00Z"}]},
    {"controllerPause": True, "pauseConditions": None},
    {"canary": None},
    {"canary": {"weights": {"canary": {"weight": 100}, "stable": {"weight": 0}}}},
    {"canary": {"currentExperiment": "nobody", "currentStepAnalysisRunStatus": {"name": "nobody", "status": "Failed"}}},
    {"observedGeneration": "99"},
    {"observedGeneration": "x"},
    {"abort": True, "promoteFull": True},
    {"abortedAt": "2030-01-01T00:00:00Z"},
    {"phase": "Healthy", "message": "all is well"},
    {"collisionCount": 5},
    {"HPAReplicas": -1, "replicas": -1},
)


@pytest.mark.parametrize("change", WRITTEN_OVER, ids=lambda change: "-".join(f"{key}={value}" for key, value in change.items())[:50])
def test_a_status_that_a_person_wrote_over_stops_nothing_and_sends_nobody_to_missing_pods(change: dict[str, Any]) -> None:
    world = on_its_way().push("web:2").settle()
    world.press(**change)
    for _ in range(12):
        before = {image: world.replica_set(image).available for image in ("web:1", "web:2")}
        was = world.weight
        world.one_pass()
        assert world.weight <= was or before["web:2"] * 100 >= world.weight * 4
        assert world.weight >= was or before["web:1"] * 100 >= (100 - world.weight) * 4
        world.kubelet()
    to_the_end(world.press(abort=False).settle())
    assert world.phase == "Healthy" and world.size("web:2") == 4 and world.weight == 0


@pytest.mark.parametrize("image", ["web:1", "web:2"])
@pytest.mark.parametrize("kind", STEPS)
def test_a_replica_set_that_goes_in_the_middle_of_a_step_ends_well(kind: str, image: str) -> None:
    world = on_its_way(STEPS[kind]).push("web:2").settle()
    world.store.remove(REPLICA_SETS, NAMESPACE, world.replica_set(image).name)
    to_the_end(world.settle())
    assert world.phase == "Healthy" and world.size("web:2") == 4 and world.weight == 0

"""The new and the stable ReplicaSet brought to size after aborts, previews and ways back (contract 2.7, 2.11, 13.15, 13.30)."""

from reconciler.kernel.identity import Manifest
from reconciler.kernel.plan import Patch
from reconciler.kernel.well_known import DESIRED_REPLICAS, SCALE_DOWN_DEADLINE
from reconciler.rollouts.passes import Pass
from reconciler.rollouts.pods.scaling import (
    blue_green_count,
    drop_deadlines,
    scale_blue_green_new,
    scale_blue_green_stable,
    scale_canary_new,
    scale_canary_stable,
)
from tests.kit.passes import begun, moving, replica_set
from tests.kit.rollouts import canary, pause, rollout, service, weight

LATER, PAST = "2030-01-01T12:40:00Z", "2030-01-01T11:59:59Z"


def aborted(*sets: Manifest, **fields: object) -> Pass:
    manifest = rollout(image="image:new", canary=canary(weight(50), pause(), istio=True, **fields))
    return begun(manifest, *sets, status=moving(abort=True, currentStepIndex=0))


def bodies(of: Pass) -> list[Manifest]:
    return [effect.body for effect in of.effects if isinstance(effect, Patch)]


def scaled(of: Pass) -> list[Manifest]:
    assert of.facts.spec.canary is not None
    return bodies(scale_canary_new(of, of.facts.spec.canary)[0])


def test_an_aborted_canary_is_held_until_stable_serves_everything() -> None:
    assert scaled(aborted(replica_set("old", 4, 3, age=10), replica_set("new", 2))) == []
    (body,) = scaled(aborted(replica_set("old", 4, age=10), replica_set("new", 2)))
    assert body == {"metadata": {"annotations": {SCALE_DOWN_DEADLINE: "2030-01-01T12:00:30Z"}}}


def test_a_deadline_is_kept_however_far_and_obeyed_when_passed() -> None:
    waits = aborted(replica_set("old", 4, age=10), replica_set("new", 2, deadline=LATER))
    assert scaled(waits) == []
    (body,) = scaled(aborted(replica_set("old", 4, age=10), replica_set("new", 2, deadline=PAST)))
    assert body["spec"] == {"replicas": 0}


def test_a_deadline_nobody_can_read_has_passed() -> None:
    (body,) = scaled(aborted(replica_set("old", 4, age=10), replica_set("new", 2, deadline="soon")))
    assert body["spec"] == {"replicas": 0}


def test_a_held_version_still_notes_the_rollouts_replicas() -> None:
    held = replica_set("new", 2, deadline=LATER, **{DESIRED_REPLICAS: "9"})
    (body,) = scaled(aborted(replica_set("old", 4, age=10), held))
    assert body == {"metadata": {"annotations": {DESIRED_REPLICAS: "4"}}}


def test_dynamic_stable_scale_drains_without_a_delay() -> None:
    (body,) = scaled(aborted(replica_set("old", 4, age=10), replica_set("new", 2), dynamicStableScale=True))
    assert body["spec"] == {"replicas": 0}


def test_what_is_stable_or_new_again_loses_its_deadline() -> None:
    manifest = rollout(image="image:new", canary=canary(weight(50), istio=True))
    fresh = begun(manifest, replica_set("old", 4, age=10, deadline=LATER), replica_set("new", 2, deadline=LATER), status=moving())
    assert bodies(drop_deadlines(fresh)) == [{"metadata": {"annotations": {SCALE_DOWN_DEADLINE: None}}}] * 2


def test_an_aborted_version_keeps_its_deadline() -> None:
    assert bodies(drop_deadlines(aborted(replica_set("old", 4, age=10), replica_set("new", 2, deadline=LATER)))) == []


def test_a_routed_stable_side_keeps_all_its_pods() -> None:
    step = aborted(replica_set("old", 3, age=10), replica_set("new", 2))
    assert step.facts.spec.canary is not None
    after, resized = scale_canary_stable(step, step.facts.spec.canary)
    assert resized and bodies(after)[0]["spec"] == {"replicas": 4}


def green(status: Manifest, **fields: object) -> Pass:
    manifest = rollout(image="image:new", blue_green={"activeService": "active", **fields})
    selecting = service("active")
    selecting["spec"]["selector"]["rollouts-pod-template-hash"] = "old"
    return begun(manifest, replica_set("old", 3, age=10), replica_set("new", 1), status=status, services={"active": selecting})


def test_a_preview_is_small_until_its_checkpoint() -> None:
    for checkpoint, expected in ((False, 1), (True, 4)):
        step = green(moving(blueGreen={"scaleUpPreviewCheckPoint": checkpoint}), previewReplicaCount=1)
        assert step.facts.spec.blue_green is not None and step.facts.new is not None
        assert blue_green_count(step, step.facts.spec.blue_green, step.facts.new) == expected


def test_blue_green_keeps_both_sides_whole() -> None:
    step = green(moving())
    assert step.facts.spec.blue_green is not None
    after = scale_blue_green_new(scale_blue_green_stable(step), step.facts.spec.blue_green)
    assert [body["spec"] for body in bodies(after)] == [{"replicas": 4}, {"replicas": 4}]

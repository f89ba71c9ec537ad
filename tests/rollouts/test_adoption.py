"""Swapped in over what the reference left, in any phase, and back again (contract C15): `adoption/` holds what it left, as data.

Each file is what `kubectl get -o yaml` shows of one rollout and everything around it, and the moment at which we take over.
"""

import json
from collections.abc import Callable

import pytest

from reconciler.app.crds import custom_resources
from reconciler.kernel.identity import Manifest, annotations_of, controller_uid, name_of, uid_of
from reconciler.kernel.resources import DEPLOYMENTS, PODS, REPLICA_SETS, ROLLOUTS
from reconciler.kernel.well_known import DESIRED_REPLICAS, HASH_LABEL, REVISION, TRAFFIC_MARK
from reconciler.rollouts.pods.replica_set import ReplicaSet
from tests.kit.adoption import PHASES, adopted, left_by_reference, misread, pods
from tests.kit.rollouts import NAMESPACE
from tests.kit.store import merged
from tests.kit.world import World, image_of

ROUTED = ("replace VirtualService web", "replace Ingress web-web-canary")
"""What a first pass may write: the routers' own objects, to note what they hold of the rollout. No share of traffic moves with it."""
DEMANDED = {
    "healthy": ("canary-healthy", "canary-promoted", "blue-green-switched", "workload-ref-healthy"),
    "mid-step": ("canary-scaling-up", "canary-header-route", "workload-ref-progressively", "basic-out-of-time"),
    "paused": ("canary-paused", "basic-paused", "basic-paused-by-a-person", "blue-green-paused", "dynamic-paused", "nginx-paused"),
    "aborted": ("canary-aborted",),
    "analysis running": ("canary-analysis-running", "blue-green-analysis-running", "canary-inconclusive"),
    "ping-pong either way": ("ping-stable", "pong-stable"),
    "experiment running": ("canary-experiment-running",),
}


def standing(world: World) -> Manifest:
    """What must not move when nothing but the controller changes: the whole status, the versions, their sizes and their pods."""
    return json.loads(
        json.dumps(
            {
                "status": world.status,
                "revision": world.rollout["metadata"]["annotations"],
                "versions": [(r.name, r.spec, r.manifest["spec"], r.manifest["metadata"]["annotations"]) for r in world.replica_sets],
                "pods": {image: sorted(uids) for image, uids in pods(world).items()},
                "weight": world.weight,
                "runs": world.runs,
            }
        )
    )


@pytest.mark.parametrize("phase", PHASES)
def test_nothing_moves_when_we_take_over(phase: str) -> None:
    world = adopted(phase)
    before = standing(world)
    world.one_pass()
    assert set(world.store.writes) <= set(ROUTED)
    assert standing(world) == before
    mark = len(world.store.writes)
    world.one_pass()
    world.one_pass()
    assert world.since(mark) == [] and standing(world) == before


@pytest.mark.parametrize("phase", PHASES)
def test_a_takeover_tells_nobody_of_a_change(phase: str) -> None:
    world = adopted(phase)
    world.one_pass()
    world.one_pass()
    assert set(world.reasons) <= {"PatchingCanaryIngress"}


def test_every_phase_of_a_takeover_is_there() -> None:
    assert {name for names in DEMANDED.values() for name in names} <= set(PHASES)


@pytest.mark.parametrize("phase", PHASES)
def test_what_is_taken_over_is_what_the_reference_writes(phase: str) -> None:
    """The files themselves: nothing of ours is in them, and the definitions of the kinds know every field."""
    _, items = left_by_reference(phase)
    assert "reconciler" not in json.dumps(items)
    assert misread(adopted(phase)) == []
    assert [word for m in items if m["kind"] in SCHEMAS for word in unknown(m.get("status") or {}, SCHEMAS[m["kind"]], m["kind"])] == []


SCHEMAS = {
    m["spec"]["names"]["kind"]: m["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"].get("status", {})
    for m in custom_resources()
}


def unknown(value: object, schema: Manifest, path: str) -> list[str]:
    """The fields that a schema with known properties does not name."""
    if isinstance(value, list):
        return [word for item in value for word in unknown(item, schema.get("items", {}), f"{path}[]")]
    known = schema.get("properties")
    if not isinstance(value, dict) or known is None:
        return []
    return [
        word
        for key, inner in value.items()
        for word in (unknown(inner, known[key], f"{path}.{key}") if key in known else [f"{path}.{key}"])
    ]


# ---- on from there ----


def to_the_end(world: World) -> World:
    """Everything that a release waits for happens, until the wanted version serves alone."""
    for image in tuple(world.broken):
        world.breaks(image, ready=True)
    if world.phase.startswith("Degraded InvalidSpec"):
        world.edit({"spec": {"strategy": {"canary": {"steps": [{"setWeight": 50}]}}}})
    world.edit({"spec": {"paused": None}}).press(abort=None).settle()
    for _ in range(8):
        for name, run in world.runs.items():
            if (run.get("status") or {}).get("phase") in (None, "Running", "Inconclusive"):
                world.end_run(name, "Successful")
        if world.status.get("pauseConditions"):
            world.press(pauseConditions=None)
        world.wait(700)
    return world


def home(world: World) -> World:
    """A person aborts; whatever was under way goes home."""
    return world.press(abort=True).settle().wait(700)


def wanted(world: World) -> str:
    borrowed = world.store.get(DEPLOYMENTS, NAMESPACE, "web")
    template = borrowed["spec"]["template"] if borrowed else world.rollout["spec"]["template"]
    return str(template["spec"]["containers"][0]["image"])


def push(world: World, image: str) -> World:
    borrowed = world.store.get(DEPLOYMENTS, NAMESPACE, "web")
    if borrowed is None:
        return world.push(image)
    container = {**borrowed["spec"]["template"]["spec"]["containers"][0], "image": image}
    world.store.put(DEPLOYMENTS, merged(borrowed, {"spec": {"template": {"spec": {"containers": [container]}}}}))
    return world


def serving(world: World) -> dict[str, int]:
    """The versions that have pods; those of experiments are gone by then."""
    return {image: len(found) for image, found in pods(world).items() if found}


@pytest.mark.parametrize("phase", PHASES)
def test_what_was_under_way_goes_on_to_its_end(phase: str) -> None:
    world = to_the_end(adopted(phase))
    assert (world.phase, serving(world)) == ("Healthy", {wanted(world): world.rollout["spec"]["replicas"]})
    assert world.status["stableRS"] == world.status["currentPodHash"] and misread(world) == []


MOVING = [phase for phase in PHASES if (status := left_by_reference(phase)[1][0]["status"])["stableRS"] != status["currentPodHash"]]


@pytest.mark.parametrize("phase", MOVING)
def test_what_was_under_way_can_still_be_aborted(phase: str) -> None:
    world = adopted(phase)
    stable = next(r for r in world.replica_sets if r.hash == world.status["stableRS"])
    kept = pods_of(world, stable)
    home(world)
    assert world.phase.startswith("Degraded RolloutAborted: Rollout aborted update to revision ")
    assert serving(world) == {image_of(stable.manifest): world.rollout["spec"]["replicas"]} and world.weight == 0
    assert kept <= pods_of(world, stable) and misread(world) == []


def pods_of(world: World, replica_set: ReplicaSet) -> set[str]:
    return {uid_of(pod) for pod in world.store.list(PODS, NAMESPACE) if controller_uid(pod) == replica_set.uid}


@pytest.mark.parametrize("phase", PHASES)
def test_a_release_of_ours_leaves_what_the_reference_can_take_back(phase: str) -> None:
    """The next version is released by us from one end to the other; at rest no object but those the rollout owns carries our mark."""
    world = to_the_end(adopted(phase))
    to_the_end(push(world, "web:9").settle())
    assert (world.phase, serving(world)) == ("Healthy", {"web:9": world.rollout["spec"]["replicas"]})
    assert misread(world) == []
    marked = [manifest for manifest in world.store.objects.values() if TRAFFIC_MARK in annotations_of(manifest)]
    assert [name_of(manifest) for manifest in marked if controller_uid(manifest) != uid_of(world.rollout)] == []


@pytest.mark.parametrize("phase", ["canary-paused", "basic-paused"])
def test_a_hash_of_other_libraries_is_kept_everywhere(phase: str) -> None:
    """contract 13.45: the version is known by what it means; no second ReplicaSet, no other label, also when it returns."""
    world = adopted(phase)
    known = {r.hash for r in world.replica_sets}
    to_the_end(world)
    to_the_end(push(world, "web:1").settle())
    assert {r.hash for r in world.replica_sets} == known and serving(world) == {"web:1": world.rollout["spec"]["replicas"]}


@pytest.mark.parametrize("phase", ["canary-healthy", "basic-paused", "blue-green-switched", "ping-stable"])
@pytest.mark.parametrize("seen", [True, False])
def test_a_version_that_the_reference_had_only_begun_is_gone_on_with(phase: str, seen: bool) -> None:
    """It died between its writes: the ReplicaSet is there, and perhaps the Rollout's revision, but no status knows of it."""
    world = adopted(phase)
    push(world, "web:9")
    made = begun_by_reference(world)
    if seen:
        world.edit({"metadata": {"annotations": {REVISION: made["metadata"]["annotations"][REVISION]}}})
    to_the_end(world.settle())
    assert [r.name for r in world.replica_sets if image_of(r.manifest) == "web:9"] == [name_of(made)]
    assert serving(world) == {"web:9": world.rollout["spec"]["replicas"]} and misread(world) == []


def begun_by_reference(world: World) -> Manifest:
    """The ReplicaSet of the wanted version as it was created: without pods, with the next revision and a hash of other libraries."""
    former, template, hash = world.replica_sets[-1].manifest, world.rollout["spec"]["template"], "5f6d7c8b9"
    labels = {**template["metadata"]["labels"], HASH_LABEL: hash}
    revision = str(1 + max(r.revision for r in world.replica_sets))
    kept = {"namespace": NAMESPACE, "labels": labels, "ownerReferences": former["metadata"]["ownerReferences"]}
    notes = {REVISION: revision, DESIRED_REPLICAS: str(world.rollout["spec"]["replicas"])}
    spec = {"replicas": 0, "selector": {"matchLabels": labels}, "template": {**template, "metadata": {"labels": labels}}}
    return world.store.put(REPLICA_SETS, {"metadata": {"name": f"web-{hash}", "annotations": notes, **kept}, "spec": spec})


# ---- the eyes see ----

Spoil = Callable[[World], object]


def spoiled_status(**fields: object) -> Spoil:
    return lambda world: world.store.put(ROLLOUTS, merged(world.rollout, {"status": fields}))


def without_hash(world: World) -> object:
    manifest = world.replica_sets[0].manifest
    return world.store.put(REPLICA_SETS, merged(manifest, {"spec": {"selector": {"matchLabels": {HASH_LABEL: None}}}}))


def another_revision(world: World) -> object:
    return world.store.put(ROLLOUTS, merged(world.rollout, {"metadata": {"annotations": {REVISION: "7"}}}))


def a_word_of_ours(world: World) -> object:
    return world.store.put(REPLICA_SETS, merged(world.replica_sets[0].manifest, {"metadata": {"labels": {"reconciler.dev/x": "y"}}}))


@pytest.mark.parametrize(
    "spoil",
    [
        spoiled_status(stableRS="gone"),
        spoiled_status(phase="Unheard"),
        spoiled_status(currentStepIndex=None),
        spoiled_status(controllerPause=False),
        spoiled_status(conditions=[{"type": "Progressing", "status": "True"}]),
        without_hash,
        another_revision,
        a_word_of_ours,
    ],
)
def test_what_the_reference_could_not_read_is_seen(spoil: Spoil) -> None:
    world = adopted("canary-paused")
    spoil(world)
    assert misread(world) != []


def test_a_restart_that_is_due_later_begins_when_it_is_due() -> None:
    world = adopted("basic-restart-due")
    before = {uid for uids in pods(world).values() for uid in uids}
    world.one_pass()
    assert {pod["metadata"]["uid"] for pod in world.store.list(PODS, NAMESPACE)} == before
    world.wait(120)
    assert not before & {pod["metadata"]["uid"] for pod in world.store.list(PODS, NAMESPACE)} and world.phase == "Healthy"

"""What the reference left in a cluster, from data files, and its eyes: what it would misread of what we leave."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import yaml

from reconciler.kernel.identity import Manifest, Resource, annotations_of, controller_uid, labels_of, name_of, uid_of
from reconciler.kernel.resources import (
    ANALYSIS_RUNS,
    ANALYSIS_TEMPLATES,
    DEPLOYMENTS,
    DESTINATION_RULES,
    EXPERIMENTS,
    PODS,
    REPLICA_SETS,
    ROLLOUTS,
    SERVICES,
    VIRTUAL_SERVICES,
)
from reconciler.kernel.well_known import DESIRED_REPLICAS, HASH_LABEL, MANAGED_BY, REVISION
from reconciler.routers.nginx import INGRESSES
from tests.kit.rollouts import NAMESPACE
from tests.kit.world import World, image_of

FOLDER = Path(__file__).resolve().parent.parent / "rollouts" / "adoption"
PHASES = sorted(path.stem for path in FOLDER.glob("*.yaml"))
KINDS: Mapping[str, Resource] = {
    resource.kind: resource
    for resource in (
        ANALYSIS_RUNS,
        ANALYSIS_TEMPLATES,
        DEPLOYMENTS,
        DESTINATION_RULES,
        EXPERIMENTS,
        INGRESSES,
        REPLICA_SETS,
        ROLLOUTS,
        SERVICES,
        VIRTUAL_SERVICES,
    )
}
WORDS = ("Healthy", "Progressing", "Paused", "Degraded")
CONDITIONS = {"Available", "Completed", "Healthy", "InvalidSpec", "Paused", "Progressing", "ReplicaFailure"}
CONDITION_KEYS = {"type", "status", "reason", "message", "lastUpdateTime", "lastTransitionTime"}
PAUSES = {"CanaryPauseStep", "BlueGreenPause", "InconclusiveAnalysisRun", "InconclusiveExperiment"}
RUN_TYPES = {"Step", "Background", "PrePromotion", "PostPromotion"}


def left_by_reference(phase: str) -> tuple[datetime, list[Manifest]]:
    """When the swap happens, and the objects that are there then."""
    document = yaml.safe_load((FOLDER / f"{phase}.yaml").read_text(encoding="utf-8"))
    return datetime.fromisoformat(document["at"]), document["items"]


def adopted(phase: str) -> World:
    """The world that the reference left, its pods running, before our first pass."""
    now, items = left_by_reference(phase)
    world = World(None)
    world.name, world.clock.time = "web", now
    for manifest in items:
        world.store.put(KINDS[manifest["kind"]], manifest)
    world.broken = {image_of(m) for m in items if m["kind"] == "ReplicaSet" and _unready(m)}
    world.kubelet()
    return world


def _unready(replica_set: Manifest) -> bool:
    return bool(replica_set["spec"]["replicas"]) and not replica_set["status"].get("availableReplicas")


def pods(world: World) -> dict[str, frozenset[str]]:
    """The uids of the pods that run, by image."""
    images = {r.uid: image_of(r.manifest) for r in world.replica_sets}
    found: dict[str, set[str]] = {image: set() for image in images.values()}
    for pod in world.store.list(PODS, NAMESPACE):
        found[images[controller_uid(pod)]].add(uid_of(pod))
    return {image: frozenset(uids) for image, uids in found.items()}


# ---- the reference's eyes: sections 3.2, 3.5, 6.4, 10 and 11.3 of the contract as what must be true of the objects ----


def misread(world: World) -> list[str]:
    """Everything that the reference or a client would not understand of what is there now; empty when it can take over."""
    rollout, status = world.rollout, world.status
    return [
        *_of_the_status(rollout, status, {r.hash for r in world.replica_sets}),
        *(word for r in world.replica_sets for word in _of_a_replica_set(rollout, r.manifest)),
        *_of_the_revision(world),
        *_of_services(world),
        *_of_runs(world),
        *_of_keys(world),
    ]


def _of_the_status(rollout: Manifest, status: Manifest, hashes: set[str]) -> Iterator[str]:
    steps = rollout["spec"]["strategy"].get("canary", {}).get("steps")
    conditions = status.get("conditions") or []
    invalid = any(c["type"] == "InvalidSpec" for c in conditions)
    claims: Mapping[str, Any] = {
        "observedGeneration is the generation, as text": status.get("observedGeneration") == str(rollout["metadata"]["generation"]),
        "currentPodHash is the label of a ReplicaSet": status.get("currentPodHash") in hashes,
        "stableRS is the label of a ReplicaSet": status.get("stableRS") in hashes,
        "currentStepIndex is there for a canary with steps only": ("currentStepIndex" in status) == bool(steps),
        "currentStepIndex is on a step or at their end": invalid or status.get("currentStepIndex", 0) in range(len(steps or ()) + 1),
        "who paused is said while there are pauses": bool(status.get("pauseConditions")) == bool(status.get("controllerPause")),
        "abort has its time": bool(status.get("abort")) == ("abortedAt" in status),
    }
    yield from unreadable(status)
    yield from (claim for claim, holds in claims.items() if not holds)


def unreadable(status: Manifest) -> Iterator[str]:
    """What a client that knows only this status could not read: fields that it follows without asking, and words it does not know."""
    conditions, weights = status.get("conditions") or [], (status.get("canary") or {}).get("weights")
    counts = ("replicas", "updatedReplicas", "readyReplicas", "availableReplicas", "HPAReplicas", "currentStepIndex", "collisionCount")
    claims: Mapping[str, Any] = {
        "phase is one of the four words": status.get("phase") in WORDS,
        "observedGeneration is a number, as text": str(status.get("observedGeneration")).isdecimal(),
        "both strategies are objects": isinstance(status.get("canary"), dict) and isinstance(status.get("blueGreen"), dict),
        "every count is a number": all(isinstance(status.get(name, 0), int) for name in counts),
        "every condition is known": {c["type"] for c in conditions} <= CONDITIONS,
        "every condition is whole": all(c.keys() == CONDITION_KEYS for c in conditions),
        "no condition is there twice": len({c["type"] for c in conditions}) == len(conditions),
        "every pause has a known reason and a start": all(
            p["reason"] in PAUSES and datetime.fromisoformat(p["startTime"]) for p in status.get("pauseConditions") or ()
        ),
        "the selector is a text": bool(status.get("selector")),
        "weights name both sides": not weights
        or all(isinstance(weights.get(side, {}).get("weight"), int) for side in ("canary", "stable")),
    }
    yield from (claim for claim, holds in claims.items() if not holds)


def _of_a_replica_set(rollout: Manifest, manifest: Manifest) -> Iterator[str]:
    hash, name = labels_of(manifest).get(HASH_LABEL, ""), name_of(manifest)
    (owner,) = manifest["metadata"]["ownerReferences"]
    experiment = owner["kind"] == "Experiment"
    replicas = annotations_of(manifest).get(DESIRED_REPLICAS, "")
    claims: Mapping[str, Any] = {
        "is named by its hash": experiment or name == f"{name_of(rollout)}-{hash}",
        "selects its hash": manifest["spec"]["selector"]["matchLabels"].get(HASH_LABEL) == hash,
        "labels its pods with its hash": manifest["spec"]["template"]["metadata"]["labels"].get(HASH_LABEL) == hash,
        "is controlled by one owner": owner["controller"] is True and owner["blockOwnerDeletion"] is True,
        "is controlled by the Rollout": experiment or owner["uid"] == uid_of(rollout),
        "has a revision": experiment or annotations_of(manifest).get(REVISION, "").isdigit(),
        "knows the replicas asked for": experiment or not manifest["spec"]["replicas"] or replicas == str(rollout["spec"]["replicas"]),
    }
    yield from (f"{name} {claim}" for claim, holds in claims.items() if not holds)


def _of_the_revision(world: World) -> Iterator[str]:
    """The new version has the highest revision, and the Rollout has the same."""
    revisions = {r.hash: r.revision for r in world.replica_sets if not _of_experiment(r.manifest)}
    newest = revisions.get(world.status.get("currentPodHash", ""), 0)
    if newest != max(revisions.values()) or len(set(revisions.values())) != len(revisions):
        yield f"the revisions {revisions} do not end at the new version"
    if annotations_of(world.rollout).get(REVISION) != str(newest):
        yield "the Rollout has another revision than its new version"


def _of_experiment(replica_set: Manifest) -> bool:
    return replica_set["metadata"]["ownerReferences"][0]["kind"] == "Experiment"


def _of_services(world: World) -> Iterator[str]:
    hashes = {r.hash for r in world.replica_sets}
    for service in world.store.list(SERVICES, NAMESPACE):
        selected, owners = service["spec"]["selector"].get(HASH_LABEL), service["metadata"].get("ownerReferences")
        if selected is not None and selected not in hashes:
            yield f"Service {name_of(service)} selects a version that is not there"
        if selected is not None and owners is None and annotations_of(service).get(MANAGED_BY) != world.name:
            yield f"Service {name_of(service)} does not say whose it is"


def _of_runs(world: World) -> Iterator[str]:
    for name, run in world.runs.items():
        if run["metadata"]["ownerReferences"][0]["kind"] != "Rollout":
            continue
        labels, kind = labels_of(run), labels_of(run).get("rollout-type")
        if kind not in RUN_TYPES or (kind == "Step") != ("step-index" in labels):
            yield f"run {name} does not say what kind it is"
        if not name.startswith(f"{world.name}-{labels.get(HASH_LABEL)}-{annotations_of(run).get(REVISION)}"):
            yield f"run {name} is not named by its version"


def _of_keys(world: World) -> Iterator[str]:
    """No word of ours on what the reference owns: Rollout, ReplicaSets, Services, runs and experiments."""
    for resource in (ROLLOUTS, REPLICA_SETS, SERVICES, ANALYSIS_RUNS, EXPERIMENTS):
        for manifest in world.store.list(resource, NAMESPACE):
            keys = (*labels_of(manifest), *annotations_of(manifest), *(manifest.get("status") or {}))
            yield from (f"{manifest['kind']} {name_of(manifest)} carries {key}" for key in keys if "reconciler" in key)

"""A cluster with one rollout in the middle of its steps, and releases to look at."""

from reconciler.kernel.identity import Manifest, ObjectRef
from reconciler.kernel.resources import RELEASES, REPLICA_SETS, ROLLOUTS
from reconciler.kube.client import Client
from reconciler.releases.manifest import render_release, status_patch
from reconciler.releases.model import Change, Evidence, Release, ReleasePhase, ReleaseStatus, Restore, RestoreState, Verdict
from tests.kit.clusters import NAMESPACE
from tests.kit.releases import NOW, release

REVISION, HASH = "rollout.argoproj.io/revision", "rollouts-pod-template-hash"


def template(image: str, **labels: str) -> Manifest:
    return {"metadata": {"labels": {"app": "web", **labels}}, "spec": {"containers": [{"name": "web", "image": image}]}}


async def fill(client: Client) -> None:
    """A rollout `web` at its second step, with two revisions."""
    spec = {
        "replicas": 2,
        "selector": {"matchLabels": {"app": "web"}},
        "strategy": {"canary": {"steps": [{"setWeight": 30}, {"pause": {}}]}},
        "template": template("web:2"),
    }
    metadata = {"name": "web", "namespace": NAMESPACE, "annotations": {REVISION: "2"}}
    made = await client.create(ROLLOUTS, {"apiVersion": "argoproj.io/v1alpha1", "kind": "Rollout", "metadata": metadata, "spec": spec})
    status = {
        "phase": "Paused",
        "message": "CanaryPauseStep",
        "currentStepIndex": 1,
        "observedGeneration": "1",
        "currentPodHash": "new",
        "stableRS": "old",
        "pauseConditions": [{"reason": "CanaryPauseStep", "startTime": "2026-11-25T03:00:00Z"}],
        "canary": {"weights": {"canary": {"weight": 30}}},
    }
    await client.patch(ObjectRef(ROLLOUTS, NAMESPACE, "web"), {"status": status}, subresource="status")
    for revision, hash in ((1, "old"), (2, "new")):
        await client.create(REPLICA_SETS, replica_set(made, revision, hash))


def replica_set(owner: Manifest, revision: int, hash: str) -> Manifest:
    reference = {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "Rollout",
        "name": "web",
        "uid": owner["metadata"]["uid"],
        "controller": True,
    }
    labels = {"app": "web", HASH: hash}
    metadata = {
        "name": f"web-{hash}",
        "namespace": NAMESPACE,
        "labels": labels,
        "annotations": {REVISION: str(revision)},
        "ownerReferences": [reference],
    }
    spec = {"replicas": 1, "selector": {"matchLabels": labels}, "template": template(f"web:{revision}", **{HASH: hash})}
    return {"apiVersion": "apps/v1", "kind": "ReplicaSet", "metadata": metadata, "spec": spec}


def rejected() -> Release:
    """A release that failed, is held, and was restored in Git."""
    row = Evidence(run="r", metric="success-rate", phase="Failed", condition="succeeds when x", values=("[0.4]",), failed=2)
    status = ReleaseStatus(
        phase=ReleasePhase.CLOSED,
        verdict=Verdict.FAILED,
        reason="success-rate Failed: 2 failed",
        decided_at=NOW,
        held=True,
        keep_until=NOW,
        evidence=(row,),
        restore=Restore(state=RestoreState.PUSHED, sha="d" * 40),
    )
    change = Change(file="web.yaml", line=3, field="image", old="web:1", new="web:2")
    return release(status=status, changes=(change,))


async def store(client: Client, found: Release) -> None:
    """Put a release into the cluster, status included."""
    await client.create(RELEASES, render_release(found))
    patch = status_patch(ReleaseStatus(), found.status)
    if patch:
        await client.patch(ObjectRef(RELEASES, NAMESPACE, found.name), patch, subresource="status")

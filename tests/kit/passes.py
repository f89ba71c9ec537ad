"""Builders of one pass: a rollout with ReplicaSets of given sizes, and the pass that looks at them."""

from datetime import UTC, datetime
from typing import Any

from reconciler.kernel.identity import Manifest
from reconciler.kernel.well_known import DESIRED_REPLICAS, HASH_LABEL, REVISION, SCALE_DOWN_DEADLINE
from reconciler.rollouts.facts import Findings, RolloutFacts, gather
from reconciler.rollouts.passes import Pass, begin
from reconciler.rollouts.spec.manifest import parse_rollout
from reconciler.rollouts.status.manifest import parse_status
from tests.kit.rollouts import NAMESPACE, template

NOW = datetime(2030, 1, 1, 12, 0, 0, tzinfo=UTC)


def replica_set(
    hash: str, spec: int, available: int | None = None, *, age: int = 0, deadline: str | None = None, **annotations: str
) -> Manifest:
    """A ReplicaSet owned by `web`: `age` minutes old, all of its pods available unless said otherwise."""
    there = spec if available is None else available
    notes = {REVISION: "1", DESIRED_REPLICAS: "4", **annotations, **({SCALE_DOWN_DEADLINE: deadline} if deadline else {})}
    return {
        "metadata": {
            "name": f"web-{hash}",
            "namespace": NAMESPACE,
            "uid": f"uid-{hash}",
            "labels": {"app": "web", HASH_LABEL: hash},
            "annotations": notes,
            "creationTimestamp": f"2030-01-01T{11 - age // 60:02d}:{59 - age % 60:02d}:00Z",
        },
        "spec": {"replicas": spec, "template": template(f"image:{hash}")},
        "status": {"replicas": spec, "readyReplicas": there, "availableReplicas": there},
    }


def facts_of(manifest: Manifest, *replica_sets: Manifest, status: Manifest | None = None, **found: Any) -> RolloutFacts:
    """The facts; the version whose image the rollout's template has is the new one."""
    return gather(manifest, parse_rollout(manifest), parse_status(status), Findings(replica_sets=replica_sets, **found))


def begun(manifest: Manifest, *replica_sets: Manifest, status: Manifest | None = None, now: datetime = NOW, **found: Any) -> Pass:
    return begin(facts_of(manifest, *replica_sets, status=status, **found), now)


def moving(**status: Any) -> Manifest:
    """A status between the stable version `old` and the new one `new`."""
    return {"stableRS": "old", "currentPodHash": "new", **status}

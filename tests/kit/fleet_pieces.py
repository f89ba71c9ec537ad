"""Objects of a small fleet, piece by piece: each with its owner, its status and its age."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import msgspec

from reconciler.kernel.identity import Manifest, Resource
from reconciler.kernel.moment import render_moment
from reconciler.kernel.resources import ANALYSIS_RUNS, EVENTS, PODS, RELEASES, REPLICA_SETS, ROLLOUTS
from reconciler.releases.manifest import render_release
from reconciler.releases.model import Named, Previous, Release, ReleaseSpec, ReleaseStatus

HASH, REVISION = "rollouts-pod-template-hash", "rollout.argoproj.io/revision"
QUERY = 'sum(rate(http_requests_total{app="storefront",code!~"5.."}[1m])) / sum(rate(http_requests_total{app="storefront"}[1m]))'


@dataclass(frozen=True)
class Piece:
    """One object, and the status to write after it was made; `owner` is the name of the Rollout that owns it."""

    resource: Resource
    manifest: Manifest
    owner: str = ""
    at: datetime | None = None
    """When it was made, if not just now."""


def metadata(name: str, namespace: str, **more: Any) -> Manifest:
    return {"name": name, "namespace": namespace, **more}


def rollout(name: str, namespace: str, image: str, steps: list[Manifest], **status: Any) -> Piece:
    annotations = {REVISION: "8", "reconciler.dev/source": "shop"}
    return Piece(
        ROLLOUTS,
        {
            "apiVersion": "argoproj.io/v1alpha1",
            "kind": "Rollout",
            "metadata": metadata(name, namespace, annotations=annotations),
            "spec": {
                "replicas": 4,
                "selector": {"matchLabels": {"app": name}},
                "strategy": {"canary": {"steps": steps}},
                "template": template(name, image),
            },
            "status": {
                "observedGeneration": "1",
                "currentPodHash": f"{name}-new",
                "stableRS": f"{name}-new",
                "replicas": 4,
                "readyReplicas": 4,
                "updatedReplicas": 4,
                "availableReplicas": 4,
                **status,
            },
        },
    )


def template(name: str, image: str, **labels: str) -> Manifest:
    return {"metadata": {"labels": {"app": name, **labels}}, "spec": {"containers": [{"name": name, "image": image}]}}


def release(name: str, workload: str, namespace: str, created: datetime, **known: Any) -> Piece:
    """A release of a workload; `spec` and `status` are fields of the two structs."""
    images, before = known.pop("images"), known.pop("before", None)
    status = known.pop("status", ReleaseStatus())
    spec = ReleaseSpec(
        workload=Named(kind="Rollout", name=workload),
        template=Named(kind="Rollout", name=workload),
        source="shop",
        environment=known.pop("environment", "production"),
        identity=known.pop("identity", f"identity of {name}"),
        images=images,
        previous=_previous(workload, before) if before else None,
        revert="direct",
        **known,
    )
    made = render_release(Release(name=name, namespace=namespace, created=created, spec=spec))
    return Piece(RELEASES, {**made, "status": msgspec.to_builtins(status)}, at=created)


def _previous(workload: str, images: dict[str, str]) -> Previous:
    return Previous(release=f"{workload}-before", sha="a" * 40, images=images, pod_hash=f"{workload}-old", proven=True)


def replica_set(  # noqa: PLR0913 - a builder: only what matters to a test is said
    rollout: str, namespace: str, side: str, revision: int, image: str, replicas: int
) -> Iterator[Piece]:
    pod_hash = f"{rollout}-{side}"
    labels = {"app": rollout, HASH: pod_hash}
    annotations = {REVISION: str(revision)}
    made = metadata(f"{rollout}-{side}", namespace, labels=labels, annotations=annotations)
    spec = {"replicas": replicas, "selector": {"matchLabels": labels}, "template": template(rollout, image, **labels)}
    body = {
        "apiVersion": "apps/v1",
        "kind": "ReplicaSet",
        "metadata": made,
        "spec": spec,
        "status": {"replicas": replicas, "availableReplicas": replicas},
    }
    yield Piece(REPLICA_SETS, body, f"Rollout/{rollout}")
    for number in range(replicas):
        statuses = [{"name": rollout, "ready": True, "restartCount": 0, "image": image, "imageID": "", "state": {}, "lastState": {}}]
        pod = {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": metadata(f"{rollout}-{side}-{number}x7f", namespace, labels=labels),
            "spec": {"containers": [{"name": rollout, "image": image}]},
            "status": {"phase": "Running", "containerStatuses": statuses},
        }
        yield Piece(PODS, pod, f"ReplicaSet/{rollout}-{side}")


def run(name: str, rollout: str, namespace: str, begun: datetime, values: list[str], **known: Any) -> Piece:
    """A run of `success-rate` with a measurement every minute; below 0.95 they failed."""
    phases = ["Failed" if float(value.strip("[]")) < 0.95 else "Successful" for value in values]
    times = [begun + timedelta(minutes=number) for number in range(len(values))]
    measured = [
        {"phase": phase, "value": value, "startedAt": render_moment(at), "finishedAt": render_moment(at)}
        for phase, value, at in zip(phases, values, times, strict=True)
    ]
    labels = {HASH: f"{rollout}-new", "rollout-type": known.get("kind", "Step")}
    if "step" in known:
        labels["step-index"] = str(known["step"])
    metric = {
        "name": known.get("metric", "success-rate"),
        "interval": "1m",
        "count": 5,
        "successCondition": "result[0] >= 0.95",
        "failureLimit": 1,
        "provider": {"prometheus": {"query": QUERY}},
    }
    phase = known.get("phase", "Running")
    result = {
        "name": metric["name"],
        "phase": phase,
        "count": len(values),
        "successful": phases.count("Successful"),
        "failed": phases.count("Failed"),
        "measurements": measured,
    }
    body = {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "AnalysisRun",
        "metadata": metadata(name, namespace, labels=labels, annotations={REVISION: "8"}),
        "spec": {"metrics": [metric]},
        "status": {"phase": phase, "startedAt": render_moment(begun), "metricResults": [result]},
    }
    return Piece(ANALYSIS_RUNS, body, f"Rollout/{rollout}", begun)


def weight_event(name: str, rollout: str, namespace: str, at: datetime, weight: int) -> Piece:
    return _told(metadata(name, namespace), rollout, at, "TrafficWeightUpdated", f"Traffic weight updated to {weight}")


def step_event(name: str, rollout: str, at: datetime, step: str, what: str) -> Piece:
    """A step of a rollout of the shop was done."""
    return _told(metadata(name, "shop"), rollout, at, "RolloutStepCompleted", f"Rollout step {step} completed ({what})")


def _told(own: Manifest, rollout: str, at: datetime, reason: str, message: str) -> Piece:
    involved = {"apiVersion": "argoproj.io/v1alpha1", "kind": "Rollout", "namespace": own["namespace"], "name": rollout}
    body = {
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": own,
        "involvedObject": involved,
        "reason": reason,
        "message": message,
        "type": "Normal",
        "firstTimestamp": render_moment(at),
        "lastTimestamp": render_moment(at),
    }
    return Piece(EVENTS, body)

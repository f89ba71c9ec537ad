"""Builders for releases, policies and the objects around them: only what matters to a test is said."""

from dataclasses import fields
from datetime import UTC, datetime, timedelta
from typing import Any

from reconciler.kernel.identity import Manifest
from reconciler.releases.facts import ReleaseFacts
from reconciler.releases.model import Content, Named, Previous, Release, ReleaseSpec, ReleaseStatus
from reconciler.releases.policies.policy import ReleasePolicy
from reconciler.releases.verdict.runs import AFTER, Run, run_of
from reconciler.rollouts.view import view_of
from reconciler.sources.model import Commit

NOW = datetime(2026, 11, 25, 3, 0, tzinfo=UTC)
GOOD, BAD = "good1", "bad22"
TEMPLATE = {"metadata": {"labels": {"app": "web"}}, "spec": {"containers": [{"name": "web", "image": "web:1.1"}]}}
PREVIOUS = Previous(release="web-good", sha="a" * 40, identity="good-identity", images={"web": "web:1.0"}, pod_hash=GOOD, proven=True)
METRIC = {
    "name": "success-rate",
    "successCondition": "result[0] >= 0.95",
    "failureLimit": 1,
    "provider": {"prometheus": {"query": "q"}},
}


def release(name: str = "web-bad", *, minutes: int = 0, **changes: Any) -> Release:
    status = changes.pop("status", ReleaseStatus())
    spec = ReleaseSpec(
        workload=Named(kind="Rollout", name="web"),
        template=Named(kind="Rollout", name="web"),
        source="shop",
        environment="demo",
        identity=changes.pop("identity", "bad-identity"),
        commit=Commit(sha=changes.pop("sha", "c" * 40), author="Ann <ann@example.com>", subject="web 1.1"),
        images={"web": "web:1.1"},
        content=Content(template=TEMPLATE),
        previous=changes.pop("previous", PREVIOUS),
        **changes,
    )
    return Release(name=name, namespace="shop", uid="u", version="7", created=NOW + timedelta(minutes=minutes), spec=spec, status=status)


def rollout(*, current: str = BAD, stable: str = GOOD, phase: str = "Progressing", release: str = "web-bad", **status: Any) -> Manifest:
    return {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "Rollout",
        "metadata": {
            "name": "web",
            "namespace": "shop",
            "uid": "rollout-uid",
            "generation": 2,
            "annotations": {"reconciler.dev/release": release},
        },
        "spec": {"replicas": 2, "strategy": {"canary": {"steps": [{"setWeight": 30}]}}, "template": TEMPLATE},
        "status": {"observedGeneration": "2", "currentPodHash": current, "stableRS": stable, "phase": phase, **status},
    }


def aborted(message: str) -> dict[str, Any]:
    condition = {"type": "Progressing", "status": "False", "reason": "RolloutAborted", "message": message}
    return {"abort": True, "conditions": [condition], "phase": "Degraded"}


def run(  # noqa: PLR0913 - a builder: only what matters to a test is said
    phase: str,
    *,
    pod_hash: str = BAD,
    values: tuple[str, ...] = ("[0.4]", "[0.5]"),
    name: str = "web-bad22-2",
    kind: str = "Step",
    step: int = 1,
    uid: str = "",
) -> Manifest:
    outcome = {"Failed": "failed", "Error": "error", "Inconclusive": "inconclusive"}.get(phase, "successful")
    measurement = {"Error": "Error", "Failed": "Failed", "Inconclusive": "Inconclusive"}.get(phase, "Successful")
    result = {
        "name": "success-rate",
        "phase": phase,
        outcome: len(values),
        "measurements": [{"phase": measurement, "value": value, "finishedAt": "2026-11-25T03:00:00Z"} for value in values],
    }
    labels = {"rollouts-pod-template-hash": pod_hash, "rollout-type": kind, **({"step-index": str(step)} if kind == "Step" else {})}
    return {
        "kind": "AnalysisRun",
        "metadata": {"name": name, "namespace": "shop", "uid": uid or f"uid of {name}", "labels": labels},
        "spec": {
            "metrics": [
                {
                    "name": "success-rate",
                    "successCondition": "result[0] >= 0.95",
                    "failureLimit": 1,
                    "provider": {"prometheus": {"query": "q"}},
                }
            ]
        },
        "status": {"phase": phase, "metricResults": [result]},
    }


def replica_set(pod_hash: str, *, replicas: int = 2, deadline: str = "") -> Manifest:
    annotations = {"scale-down-deadline": deadline} if deadline else {}
    labels = {"app": "web", "rollouts-pod-template-hash": pod_hash}
    template = {"metadata": {"labels": labels}, "spec": {"containers": [{"name": "web", "image": pod_hash}]}}
    return {
        "kind": "ReplicaSet",
        "metadata": {"name": f"web-{pod_hash}", "namespace": "shop", "labels": labels, "annotations": annotations},
        "spec": {
            "replicas": replicas,
            "template": template,
        },
    }


def facts(**known: Any) -> ReleaseFacts:
    """Facts from manifests: `rollout`, `runs` and `after` as the API has them."""
    manifest = known.pop("rollout", rollout())
    known["live"] = view_of(manifest) if manifest is not None else None
    known["runs"] = tuple(run_of(found) for found in known.pop("runs", ()))
    after = known.pop("after", None)
    return ReleaseFacts(after=Run(after, AFTER) if after is not None else None, **known)


def policy_fields() -> set[str]:
    """The fields of a policy's spec, as YAML writes them: `on_failure` is `onFailure`."""
    known = ((field.name.split("_")) for field in fields(ReleasePolicy) if field.name not in ("name", "namespace"))
    return {first + "".join(word.capitalize() for word in others) for first, *others in known}

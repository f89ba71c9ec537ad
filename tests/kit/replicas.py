"""Builders of Rollouts, pod templates and ReplicaSets that show only what matters."""

from typing import Any

HASH = "rollouts-pod-template-hash"


def pod_template(image: str = "app:1", **spec: Any) -> dict[str, Any]:
    return {"metadata": {"labels": {"app": "shop"}}, "spec": {"containers": [{"name": "shop", "image": image}], **spec}}


def rollout(*, annotations: dict[str, str] | None = None, **canary: Any) -> dict[str, Any]:
    return {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "Rollout",
        "metadata": {"name": "shop", "namespace": "prod", "uid": "u-1", "annotations": annotations or {}, "labels": {"team": "blue"}},
        "spec": {"selector": {"matchLabels": {"app": "shop"}}, "strategy": {"canary": canary}},
    }


def replica_set(hash: str = "h1", template: dict[str, Any] | None = None, **metadata: Any) -> dict[str, Any]:
    return {
        "metadata": {"name": f"shop-{hash}", "namespace": "prod", "labels": {"app": "shop", HASH: hash}, **metadata},
        "spec": {"replicas": 0, "template": template or pod_template()},
        "status": {"replicas": 0},
    }

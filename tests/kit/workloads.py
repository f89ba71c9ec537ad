"""Builders for the sandbox's workloads that show only what matters."""

from typing import Any

Manifest = dict[str, Any]
NAMESPACE = "shop"
OLD_TIME = "2026-01-01T00:00:00Z"


def template(image: str = "web:1", *, app: str = "web", port: int = 8080, **spec: Any) -> Manifest:
    """A pod template with one serving container."""
    container = {"name": "app", "image": image, "ports": [{"name": "http", "containerPort": port}], **spec.pop("container", {})}
    return {"metadata": {"labels": {"app": app}}, "spec": {"containers": [container], **spec}}


def deployment(name: str = "web", image: str = "web:1", *, replicas: int = 3, **spec: Any) -> Manifest:
    """A Deployment of one image."""
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name, "namespace": NAMESPACE},
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": {"app": name}},
            "template": template(image, app=name),
            **spec,
        },
    }


def replica_set(name: str = "web", *, replicas: int = 2, app: str = "web", image: str = "web:1", **spec: Any) -> Manifest:
    """A ReplicaSet of one image."""
    return {
        "apiVersion": "apps/v1",
        "kind": "ReplicaSet",
        "metadata": {"name": name, "namespace": NAMESPACE},
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": {"app": app}},
            "template": template(image, app=app),
            **spec,
        },
    }


def service(name: str = "web", selector: dict[str, str] | None = None, *, target: int | str = "http") -> Manifest:
    """A Service on port 80."""
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": name, "namespace": NAMESPACE},
        "spec": {"selector": selector or {"app": name}, "ports": [{"name": "http", "port": 80, "targetPort": target}]},
    }


def job(name: str, image: str, *, policy: str = "Never", **spec: Any) -> Manifest:
    """A Job whose container is a program of the sandbox's table."""
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": name, "namespace": NAMESPACE},
        "spec": {"template": {"spec": {"restartPolicy": policy, "containers": [{"name": "check", "image": image}]}}, **spec},
    }


def pod(name: str = "web-1", *, ip: str = "127.20.0.1", ready: bool = True, **changes: Any) -> Manifest:
    """A pod as the API shows it; `changes` are merged into metadata, spec and status."""
    manifest: Manifest = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "namespace": NAMESPACE, "uid": f"uid-{name}", "creationTimestamp": OLD_TIME, "labels": {"app": "web"}},
        "spec": {"nodeName": "sandbox", **template()["spec"]},
        "status": {
            "phase": "Running",
            "podIP": ip,
            "conditions": [{"type": "Ready", "status": "True" if ready else "False", "lastTransitionTime": OLD_TIME}],
        },
    }
    for part, change in changes.items():
        manifest[part] = {**manifest[part], **change}
    return manifest

"""The objects that contracts are written about."""

from typing import Any

Json = dict[str, Any]
IMAGE = "registry.example/web:1.0"
APPS = "apps/v1"


def config_map(name: str, data: dict[str, str] | None = None, **metadata: Any) -> Json:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, **metadata}, "data": data or {}}


def deployment(name: str, *, replicas: int = 0, image: str = IMAGE, **spec: Any) -> Json:
    """Without replicas nobody but us writes to it for long."""
    labels = {"app": name}
    template = {"metadata": {"labels": labels}, "spec": {"containers": [{"name": "main", "image": image}]}}
    body = {"replicas": replicas, "selector": {"matchLabels": labels}, "template": template, **spec}
    return {"apiVersion": APPS, "kind": "Deployment", "metadata": {"name": name}, "spec": body}


def pod(name: str, *, labels: dict[str, str] | None = None, **spec: Any) -> Json:
    body = {"containers": [{"name": "main", "image": IMAGE}], **spec}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "labels": labels or {}}, "spec": body}


def service(name: str, **spec: Any) -> Json:
    return {"apiVersion": "v1", "kind": "Service", "metadata": {"name": name}, "spec": {"ports": [{"port": 80}], **spec}}


def lease(name: str, holder: str) -> Json:
    spec = {"holderIdentity": holder, "leaseDurationSeconds": 15, "renewTime": "2030-01-01T00:00:00.000000Z"}
    return {"apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": {"name": name}, "spec": spec}


def owned(manifest: Json, owner: Json, **extra: Any) -> Json:
    """A manifest with an owner."""
    reference = {
        "apiVersion": owner["apiVersion"],
        "kind": owner["kind"],
        "name": owner["metadata"]["name"],
        "uid": owner["metadata"]["uid"],
        **extra,
    }
    return {**manifest, "metadata": {**manifest["metadata"], "ownerReferences": [reference]}}

"""Builders of the manifests around a rollout: each shows only what matters, the rest is a small valid default."""

from typing import Any

from reconciler.kernel.identity import Manifest

NAMESPACE = "shop"
APP = {"app": "web"}


def template(image: str = "web:1") -> Manifest:
    return {"metadata": {"labels": dict(APP)}, "spec": {"containers": [{"name": "web", "image": image, "resources": {}}]}}


def rollout(*, image: str = "web:1", replicas: int | None = 4, name: str = "web", **spec: Any) -> Manifest:
    """A Rollout; `canary=` or `blue_green=` gives the strategy, everything else goes into the spec as written."""
    strategy = {key: spec.pop(name_) for name_, key in (("canary", "canary"), ("blue_green", "blueGreen")) if name_ in spec}
    body: Manifest = {"selector": {"matchLabels": dict(APP)}, "template": template(image), "strategy": strategy, **spec}
    if replicas is not None:
        body["replicas"] = replicas
    return {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "Rollout",
        "metadata": {"name": name, "namespace": NAMESPACE, "uid": f"uid-{name}", "generation": 1},
        "spec": body,
    }


def canary(*steps: Manifest, istio: bool = False, **fields: Any) -> Manifest:
    """A canary strategy; with `istio` it routes through the VirtualService `web` between two Services."""
    routing = {"canaryService": "web-canary", "stableService": "web-stable", "trafficRouting": istio_routing()} if istio else {}
    return {**routing, **({"steps": list(steps)} if steps else {}), **fields}


def istio_routing(*managed: str) -> Manifest:
    routes = {"managedRoutes": [{"name": name} for name in managed]} if managed else {}
    return {"istio": {"virtualService": {"name": "web", "routes": ["primary"]}}, **routes}


def weight(value: int) -> Manifest:
    return {"setWeight": value}


def pause(duration: int | str | None = None) -> Manifest:
    return {"pause": {} if duration is None else {"duration": duration}}


def measured(*templates: str) -> Manifest:
    """A step that runs an analysis."""
    return {"analysis": analysis(*templates)}


def analysis(*templates: str, **fields: Any) -> Manifest:
    return {"templates": [{"templateName": name} for name in templates or ("success-rate",)], **fields}


def analysis_template(name: str = "success-rate", *, count: int | None = 1) -> Manifest:
    metric: Manifest = {"name": "m", "successCondition": "result < 1", "provider": {"web": {"url": "http://metrics"}}}
    if count is not None:
        metric |= {"count": count, "interval": "1m"}
    else:
        metric |= {"interval": "1m"}
    return {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "AnalysisTemplate",
        "metadata": {"name": name, "namespace": NAMESPACE},
        "spec": {"metrics": [metric]},
    }


def service(name: str) -> Manifest:
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": name, "namespace": NAMESPACE},
        "spec": {"selector": dict(APP), "ports": [{"port": 80}]},
    }


def virtual_service(name: str = "web") -> Manifest:
    hosts = [{"destination": {"host": "web-stable"}, "weight": 100}, {"destination": {"host": "web-canary"}, "weight": 0}]
    return {
        "apiVersion": "networking.istio.io/v1alpha3",
        "kind": "VirtualService",
        "metadata": {"name": name, "namespace": NAMESPACE},
        "spec": {"hosts": ["web"], "http": [{"name": "primary", "route": hosts}]},
    }


def deployment(name: str = "web", *, image: str = "web:1", replicas: int = 4) -> Manifest:
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name, "namespace": NAMESPACE, "generation": 1},
        "spec": {"replicas": replicas, "selector": {"matchLabels": dict(APP)}, "template": template(image)},
    }

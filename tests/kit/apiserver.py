"""A running API server on a free port, a client of it in process, and small objects to write."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from reconciler_sandbox.apiserver.server import ApiServer
from reconciler_sandbox.client import ApiClient

Json = dict[str, Any]
PATIENCE = 10.0
CONFIG_MAPS = "/api/v1/namespaces/default/configmaps"
DEPLOYMENTS = "/apis/apps/v1/namespaces/default/deployments"
PODS = "/api/v1/namespaces/default/pods"
SERVICES = "/api/v1/namespaces/default/services"
DEFINITIONS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"


@asynccontextmanager
async def running(**options: Any) -> AsyncIterator[ApiServer]:
    """A server that listens and collects."""
    server = ApiServer(**options)
    await server.start()
    try:
        yield server
    finally:
        await server.stop()


@pytest.fixture
async def api_server() -> AsyncIterator[ApiServer]:
    async with running() as server:
        yield server


@pytest.fixture
async def api(api_server: ApiServer) -> ApiClient:
    return ApiClient(api_server.call)


async def until(server: ApiServer, condition: Callable[[], Awaitable[Any]]) -> None:
    """Ask again after each change in the store until the condition holds."""
    changed = asyncio.Event()

    def note(*_: object) -> None:
        changed.set()

    server.store.observers.append(note)
    try:
        async with asyncio.timeout(PATIENCE):
            while not await condition():
                await changed.wait()
                changed.clear()
    finally:
        server.store.observers.remove(note)


async def gone(server: ApiServer, *paths: str) -> None:
    """Wait until there is nothing at any of the paths."""
    api = ApiClient(server.call)

    async def absent() -> bool:
        return not any([await api.get(path) for path in paths])

    await until(server, absent)


def config_map(name: str, **data: str) -> Json:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": data}


def deployment(name: str, *, image: str = "registry.example/web:1.0", replicas: int | None = None) -> Json:
    labels = {"app": name}
    template = {"metadata": {"labels": labels}, "spec": {"containers": [{"name": "main", "image": image}]}}
    spec: Json = {"selector": {"matchLabels": labels}, "template": template}
    if replicas is not None:
        spec["replicas"] = replicas
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": name}, "spec": spec}


def pod(name: str, *, node: str = "", **metadata: Any) -> Json:
    spec: Json = {"containers": [{"name": "main", "image": "registry.example/web:1.0"}]}
    if node:
        spec["nodeName"] = node
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, **metadata}, "spec": spec}


def owned_by(owner: Json, **extra: Any) -> Json:
    """Metadata that names an owner."""
    reference = {
        "apiVersion": owner["apiVersion"],
        "kind": owner["kind"],
        "name": owner["metadata"]["name"],
        "uid": owner["metadata"]["uid"],
    }
    return {"ownerReferences": [{**reference, **extra}]}


CANARY_SCHEMA: Json = {
    "type": "object",
    "required": ["spec"],
    "properties": {
        "spec": {
            "type": "object",
            "properties": {
                "weight": {"type": "integer", "minimum": 0, "maximum": 100},
                "mode": {"type": "string", "enum": ["linear", "exp"], "default": "linear"},
                "name": {"type": "string", "pattern": "^[a-z]+$", "maxLength": 10},
                "replicas": {"type": "integer"},
                "port": {"x-kubernetes-int-or-string": True, "anyOf": [{"type": "integer"}, {"type": "string"}]},
                "options": {"type": "object", "default": {}, "properties": {"timeout": {"type": "integer", "default": 30}}},
                "free": {"type": "object", "x-kubernetes-preserve-unknown-fields": True},
                "labels": {"type": "object", "additionalProperties": {"type": "string"}},
                "steps": {
                    "type": "array",
                    "x-kubernetes-list-type": "map",
                    "x-kubernetes-list-map-keys": ["name"],
                    "items": {
                        "type": "object",
                        "required": ["name"],
                        "properties": {"name": {"type": "string"}, "pause": {"type": "integer"}},
                    },
                },
            },
        },
        "status": {
            "type": "object",
            "properties": {"phase": {"type": "string"}, "replicas": {"type": "integer"}, "selector": {"type": "string"}},
        },
    },
}
CANARIES = "/apis/demo.example.com/v1alpha1/namespaces/default/canaries"


def definition(*, schema: Json = CANARY_SCHEMA, versions: tuple[str, ...] = ("v1alpha1",), subresources: Json | None = None) -> Json:
    scale = {"specReplicasPath": ".spec.replicas", "statusReplicasPath": ".status.replicas", "labelSelectorPath": ".status.selector"}
    served = [
        {
            "name": version,
            "served": True,
            "storage": version == versions[0],
            "schema": {"openAPIV3Schema": schema},
            "subresources": {"status": {}, "scale": scale} if subresources is None else subresources,
            "additionalPrinterColumns": [
                {"name": "Weight", "type": "integer", "jsonPath": ".spec.weight"},
                {"name": "Phase", "type": "string", "jsonPath": ".status.phase"},
            ],
        }
        for version in versions
    ]
    names = {"plural": "canaries", "kind": "Canary", "singular": "canary", "shortNames": ["cny"]}
    spec = {"group": "demo.example.com", "scope": "Namespaced", "names": names, "versions": served}
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": "canaries.demo.example.com"},
        "spec": spec,
    }


def canary(name: str, **spec: Any) -> Json:
    return {"apiVersion": "demo.example.com/v1alpha1", "kind": "Canary", "metadata": {"name": name}, "spec": spec}

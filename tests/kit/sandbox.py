"""A running sandbox cluster and the questions that stories ask it."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

from reconciler_sandbox.client import ApiClient
from reconciler_sandbox.cluster import Cluster
from reconciler_sandbox.node.behaviour import Behaviour
from reconciler_sandbox.node.network import Network
from reconciler_sandbox.node.pace import Pace

from tests.kit.workloads import NAMESPACE

Manifest = dict[str, Any]
QUICK = Pace(drain=0.2, probe_period=0.02, restart_backoff=0.05, longest_backoff=0.2, job_backoff=0.05)
DEPLOYMENTS = f"/apis/apps/v1/namespaces/{NAMESPACE}/deployments"
REPLICA_SETS = f"/apis/apps/v1/namespaces/{NAMESPACE}/replicasets"
PODS = f"/api/v1/namespaces/{NAMESPACE}/pods"
SERVICES = f"/api/v1/namespaces/{NAMESPACE}/services"
ENDPOINTS = f"/api/v1/namespaces/{NAMESPACE}/endpoints"
JOBS = f"/apis/batch/v1/namespaces/{NAMESPACE}/jobs"
EVENTS = f"/api/v1/namespaces/{NAMESPACE}/events"
VERSIONS: Mapping[str, Behaviour] = {
    **{"web:1": Behaviour("v1"), "web:2": Behaviour("v2"), "web:3": Behaviour("v3")},
    **{
        "works:1": Behaviour("works", exits=0),
        "fails:1": Behaviour("fails", exits=4),
        "sleeps:1": Behaviour("sleeps", exits=0, latency=600),
    },
}


@asynccontextmanager
async def running(
    behaviours: Mapping[str, Behaviour] = VERSIONS, *, network: Network | None = None, pace: Pace = QUICK
) -> AsyncIterator[Cluster]:
    """A cluster with the namespace of the builders."""
    async with Cluster(behaviours, network=network, pace=pace) as cluster:
        await cluster.api.create("/api/v1/namespaces", {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}})
        yield cluster


async def status(api: ApiClient, path: str) -> Manifest:
    """The status of an object, empty while there is none."""
    found = await api.get(path)
    return (found or {}).get("status") or {}


async def reason(api: ApiClient, path: str, condition: str) -> str:
    """The reason of a condition, empty while there is none."""
    conditions = (await status(api, path)).get("conditions") or ()
    return next((c.get("reason", "") for c in conditions if c["type"] == condition), "")


async def ready_addresses(api: ApiClient, service: str) -> list[tuple[str, int]]:
    """Where a Service's ready pods listen."""
    endpoints = await api.get(f"{ENDPOINTS}/{service}") or {}
    return [
        (address["ip"], subset["ports"][0]["port"])
        for subset in endpoints.get("subsets") or ()
        for address in subset.get("addresses") or ()
    ]


async def event_messages(api: ApiClient, reason: str) -> list[str]:
    """The messages of events of one reason."""
    return [event["message"] for event in await api.list(EVENTS) if event["reason"] == reason]


def set_image(image: str) -> Manifest:
    """A strategic patch that gives the builders' container another image."""
    return {"spec": {"template": {"spec": {"containers": [{"name": "app", "image": image}]}}}}

"""What the admission plugin OwnerReferencesPermissionEnforcement asks of who makes objects with an owner that waits for them."""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from reconciler_sandbox.client import ApiClient, Call, Caller

from tests.kit.calling import http_caller
from tests.real.kit.controlplane import RealCluster

PLUGIN = "OwnerReferencesPermissionEnforcement"
WORDS = "cannot set blockOwnerDeletion"
SUFFIX = "/finalizers"
PATIENCE = 60.0
LOOK_AGAIN_SECONDS = 0.1
ROLES = "/apis/rbac.authorization.k8s.io/v1/clusterroles"
RUNS, JOBS = "/apis/argoproj.io/v1alpha1/namespaces/shop/analysisruns", "/apis/batch/v1/namespaces/shop/jobs"
POD = {"spec": {"restartPolicy": "Never", "containers": [{"name": "main", "image": "registry.example.com/a:1"}]}}
# What the daemon makes with each of its owners, and where.
OWNED: Mapping[str, tuple[str, Mapping[str, Any]]] = {
    "rollouts": (RUNS, {"apiVersion": "argoproj.io/v1alpha1", "kind": "AnalysisRun", "spec": {"metrics": []}}),
    "releases": (RUNS, {"apiVersion": "argoproj.io/v1alpha1", "kind": "AnalysisRun", "spec": {"metrics": []}}),
    "experiments": (RUNS, {"apiVersion": "argoproj.io/v1alpha1", "kind": "AnalysisRun", "spec": {"metrics": []}}),
    "analysisruns": (JOBS, {"apiVersion": "batch/v1", "kind": "Job", "spec": {"template": POD}}),
}
GROUPS = {
    "rollouts": "argoproj.io/v1alpha1",
    "experiments": "argoproj.io/v1alpha1",
    "releases": "reconciler.dev/v1alpha1",
    "analysisruns": "argoproj.io/v1alpha1",
}


@dataclass(frozen=True, slots=True)
class Attempt:
    """The answer to who tries to make something that its owner waits for; nothing is really made."""

    status: int
    text: str

    @property
    def refused(self) -> bool:
        return self.status == 403 and WORDS in self.text


async def attempts(call: Caller) -> dict[str, Attempt]:
    """One attempt for each kind of owner, with an owner that is there."""
    return {plural: await _attempt(call, plural) for plural in OWNED}


async def _attempt(call: Caller, plural: str) -> Attempt:
    owner = (await ApiClient(call).list(f"/apis/{GROUPS[plural]}/namespaces/shop/{plural}"))[0]
    reference = {"apiVersion": GROUPS[plural], "kind": owner["kind"], "controller": True, "blockOwnerDeletion": True}
    reference |= {"name": owner["metadata"]["name"], "uid": owner["metadata"]["uid"]}
    path, manifest = OWNED[plural]
    body = json.dumps({**manifest, "metadata": {"generateName": "owned-", "ownerReferences": [reference]}}).encode()
    answer = await call(Call("POST", path, {"dryRun": "All"}, {"content-type": "application/json"}, body))
    return Attempt(answer.status, answer.body.decode() if isinstance(answer.body, bytes) else "")


@asynccontextmanager
async def caller_of(cluster: RealCluster, token: str) -> AsyncIterator[Caller]:
    async with http_caller(cluster.url, token=token, ca_file=str(cluster.ca_file)) as call:
        yield call


async def take_away(administrator: Caller, role: str) -> None:
    """Take the rights on finalizers from a role."""
    api = ApiClient(administrator)
    live = await api.get(f"{ROLES}/{role}") or {}
    left = [rule for rule in live["rules"] if not any(resource.endswith(SUFFIX) for resource in rule["resources"])]
    assert len(left) < len(live["rules"])
    await api.replace(f"{ROLES}/{role}", {**live, "rules": left})


async def refused_without(administrator: Caller, daemon: Caller, role: str) -> dict[str, Attempt]:
    """What the daemon is answered once the role has lost its rights on finalizers, and the server has noticed."""
    await take_away(administrator, role)
    deadline = asyncio.get_running_loop().time() + PATIENCE
    while True:
        found = await attempts(daemon)
        if all(attempt.refused for attempt in found.values()) or asyncio.get_running_loop().time() > deadline:
            return found
        await asyncio.sleep(LOOK_AGAIN_SECONDS)

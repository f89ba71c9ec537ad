"""The rights of `deploy/` are enough and all of use: the daemon lives through a good and a failing release as its ServiceAccount.

RBAC is evaluated by the sandbox on the roles that `deploy/overlays/example` installs, and its audit log says what was asked.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from reconciler_sandbox.apiserver.gate import Access
from reconciler_sandbox.apiserver.identity import service_account
from reconciler_sandbox.apiserver.rights import Asked
from reconciler_sandbox.rehearsal.inprocess import DirectTransport

from reconciler.app.daemon import Daemon
from reconciler.app.settings.reading import load_settings
from tests.kit.granted import Right, documents, elsewhere, rights
from tests.kit.kubectl import binary
from tests.kit.shop import BAD, Shop, shop
from tests.kit.wait import until

pytestmark = pytest.mark.skipif(not binary(), reason="no kubectl on this machine")
DAEMON = service_account("reconciler", "reconciler")
RBAC = "/apis/rbac.authorization.k8s.io/v1"
SOURCES = "reconciler-source-"
DEADLINE = 60.0


# What this story does not need, and who does. What sources may write is their allow-list (tests/test_deploy.py), not judged here.
JOBS, PODS = "measurements that are Jobs", "restarts, metadata of pods, versions that do not come up"
LATE = "what another pass wrote before the cache knew"
HISTORY = "histories that are full"
BORROWED = "rollouts that borrow a Deployment's or another template, and Deployments taken over"
SUBSETS = "traffic split by subsets"
OWNERS = "clusters with OwnerReferencesPermissionEnforcement"
UNUSED: Mapping[str, str] = {
    "reconciler-analysis-secrets: get secrets": "arguments of analyses that come from Secrets",
    "reconciler: create jobs.batch": JOBS,
    "reconciler: get jobs.batch": JOBS,
    "reconciler: delete jobs.batch": JOBS,
    "reconciler: create pods/eviction": PODS,
    "reconciler: list pods": PODS,
    "reconciler: update pods": PODS,
    "reconciler: get analysisruns.argoproj.io": LATE,
    "reconciler: get releases.reconciler.dev": LATE,
    "reconciler: get replicasets.apps": LATE,
    "reconciler: update replicasets.apps": "labels and annotations of a ReplicaSet that change",
    "reconciler: delete analysisruns.argoproj.io": HISTORY,
    "reconciler: delete releases.reconciler.dev": HISTORY,
    "reconciler: delete replicasets.apps": HISTORY,
    "reconciler: delete rollouts.argoproj.io": BORROWED,
    "reconciler: get deployments.apps": BORROWED,
    "reconciler: patch deployments.apps": BORROWED,
    "reconciler: update deployments.apps": BORROWED,
    "reconciler: get podtemplates": BORROWED,
    "reconciler: get clusteranalysistemplates.argoproj.io": "analyses that use templates of the whole cluster",
    "reconciler-router-istio: update destinationrules.networking.istio.io": SUBSETS,
    "reconciler: update analysisruns/finalizers.argoproj.io": OWNERS,
    "reconciler: update releases/finalizers.reconciler.dev": OWNERS,
    "reconciler: update rollouts/finalizers.argoproj.io": OWNERS,
}


@pytest.mark.timeout(180)
async def test_the_rights_of_the_deployment_are_enough_and_of_use(tmp_path: Path) -> None:
    async with shop(tmp_path) as place:
        access = Access({})
        place.ground.server.guard(access)
        roles = await install(place)
        async with daemon(place, tmp_path):
            await settled(access, lambda: closed(place, "1", "passed"))
            await place.push("2")
            await settled(access, lambda: closed(place, "2", "passed"))
            await place.push(BAD)
            await settled(access, lambda: closed(place, BAD, "failed"))
            await settled(access, lambda: home(place, "2"))
        asked = [record for record in access.records if record.user == DAEMON.name]
        assert len(asked) > 100 and not refused(access)
        unused = {str(right) for right in roles if not any(record.allowed and right.allows(record.asked) for record in asked)}
        assert not unused - set(UNUSED), "nobody needs these rights, or who does is not written down"
        assert not set(UNUSED) - {str(right) for right in roles}, "these rights are not granted any more"


def refused(access: Access) -> set[Asked]:
    return {record.asked for record in access.records if not record.allowed}


async def settled(access: Access, claim: Callable[[], Awaitable[bool]]) -> None:
    """Wait until a claim holds; a call that is forbidden ends the wait at once."""

    async def holds() -> bool:
        assert not refused(access)
        return await claim()

    await until(holds, DEADLINE)


async def closed(place: Shop, version: str, verdict: str) -> bool:
    return (await place.release(version)).get("verdict") == verdict and await place.phase() == "Healthy"


async def home(place: Shop, version: str) -> bool:
    return await place.image() == version and await place.restores() == 1 and await place.weights() == (100, 0)


async def install(place: Shop) -> list[Right]:
    """Create the roles and bindings of the deployment; what they grant, those of sources left out."""
    found: list[Right] = []
    for manifest in await asyncio.to_thread(documents):
        if not manifest["apiVersion"].startswith("rbac."):
            continue
        namespace = manifest["metadata"].get("namespace")
        await place.api.create(f"{RBAC}/{f'namespaces/{namespace}/' if namespace else ''}{manifest['kind'].lower()}s", manifest)
        found += [right for right in rights([manifest]) if not right.role.startswith(SOURCES) and not elsewhere(right)]
    return found


@asynccontextmanager
async def daemon(place: Shop, folder: Path) -> AsyncIterator[None]:
    """A whole daemon in process, lease and freeze included, that is its ServiceAccount."""
    transport = DirectTransport(place.ground.server.caller(DAEMON))
    stopping = asyncio.Event()
    life = Daemon(load_settings(place.ground.settings_file), transport, folder / "daemon", read_only_mode=False)
    async with asyncio.TaskGroup() as group:
        group.create_task(life.run(stopping))
        try:
            yield
        finally:
            stopping.set()

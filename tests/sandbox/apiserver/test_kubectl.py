"""A battery of real kubectl commands: what an unmodified client needs, it gets."""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from pathlib import Path

import pytest
from reconciler_sandbox.apiserver.server import ApiServer
from reconciler_sandbox.client import ApiClient

from tests.kit.apiserver import (
    CANARIES,
    CONFIG_MAPS,
    DEFINITIONS,
    DEPLOYMENTS,
    PODS,
    canary,
    config_map,
    definition,
    deployment,
    pod,
    running,
)
from tests.kit.kubectl import Kubectl, binary

pytestmark = pytest.mark.skipif(not binary(), reason="no kubectl on this machine")


async def one_line(namespace: str, name: str, query: Mapping[str, str]) -> AsyncIterator[bytes]:
    yield f"hello from {name}\n".encode()


@pytest.fixture
async def server() -> AsyncIterator[ApiServer]:
    async with running(logs=one_line) as started:
        yield started


@pytest.fixture
async def client(server: ApiServer) -> ApiClient:
    return ApiClient(server.call)


@pytest.fixture
def kubectl(server: ApiServer, tmp_path: Path) -> Kubectl:
    (tmp_path / "config").write_text(server.kubeconfig())
    return Kubectl(tmp_path)


async def test_it_finds_its_way_around(kubectl: Kubectl) -> None:
    assert "Server Version: v1." in await kubectl("version")
    assert "deployments" in await kubectl("api-resources")
    assert "apps/v1" in await kubectl("api-versions")
    assert "is running at" in await kubectl("cluster-info")
    assert "kube-system" in await kubectl("get ns")
    assert await kubectl("get cm") == "No resources found in default namespace."
    assert "doesn't have a resource type" in await kubectl.refused("get foos")
    assert 'deployments.apps "nope" not found' in await kubectl.refused("get deploy nope")
    assert "reads no protobuf" in await kubectl.refused("create cm c --from-literal=a=1")


async def test_apply_diff_and_edit_a_manifest(kubectl: Kubectl) -> None:
    first, second = config_map("c", a="1"), config_map("c", a="2")
    assert await kubectl("apply -f -", first) == "configmap/c created"
    assert await kubectl("apply -f -", first) == "configmap/c unchanged"
    assert '+  a: "2"' in await kubectl.refused("diff -f -", second)
    assert "(server dry run)" in await kubectl("apply --dry-run=server -f -", second)
    assert await kubectl("apply -f -", second) == "configmap/c configured"
    assert await kubectl("diff -f -", second) == ""
    assert await kubectl("replace -f -", first) == "configmap/c replaced"
    assert "AlreadyExists" in await kubectl.refused("create -f -", first)
    assert await kubectl("label cm c x=y") == "configmap/c labeled"
    assert await kubectl("annotate cm --all note=hi") == "configmap/c annotated"
    assert await kubectl("get cm -l x=y -o name") == "configmap/c"
    assert await kubectl("delete cm c") == 'configmap "c" deleted from default namespace'
    assert "not found" in await kubectl.refused("delete cm c")
    assert await kubectl("delete cm c --ignore-not-found") == ""


async def test_server_side_apply_and_its_conflicts(kubectl: Kubectl) -> None:
    assert await kubectl("apply --server-side -f -", config_map("c", a="1")) == "configmap/c serverside-applied"
    text = await kubectl.refused("apply --server-side --field-manager=other -f -", config_map("c", a="2"))
    assert 'Apply failed with 1 conflict: conflict with "kubectl": .data.a' in text
    taken = await kubectl("apply --server-side --field-manager=other --force-conflicts -f -", config_map("c", a="2"))
    assert taken == "configmap/c serverside-applied"
    assert "+  b: x" in await kubectl.refused("diff --server-side --field-manager=other -f -", config_map("c", a="2", b="x"))


async def test_a_deployment_is_changed_in_every_way(kubectl: Kubectl, client: ApiClient) -> None:
    assert await kubectl("create -f -", deployment("web")) == "deployment.apps/web created"
    assert await kubectl("scale deploy web --replicas=3") == "deployment.apps/web scaled"
    assert await kubectl("scale deploy web --current-replicas=3 --replicas=2") == "deployment.apps/web scaled"
    assert await kubectl("set image deploy/web main=registry.example/web:2.0") == "deployment.apps/web image updated"
    assert await kubectl("set env deploy/web A=1") == "deployment.apps/web env updated"
    for verb, done in (("restart", "restarted"), ("pause", "paused"), ("resume", "resumed")):
        assert await kubectl(f"rollout {verb} deploy/web") == f"deployment.apps/web {done}"
    assert await kubectl('patch deploy web -p {"spec":{"minReadySeconds":5}}') == "deployment.apps/web patched"
    assert await kubectl('patch deploy web --type=merge -p {"spec":{"revisionHistoryLimit":3}}') == "deployment.apps/web patched"
    replace = '[{"op":"replace","path":"/spec/replicas","value":4}]'
    assert await kubectl(f"patch deploy web --type=json -p {replace}") == "deployment.apps/web patched"
    assert "The request is invalid" in await kubectl.refused(
        f"patch deploy web --type=json -p {replace.replace('replace', 'test').replace('4', '9')}"
    )
    assert await kubectl("get deploy web -o jsonpath={.spec.replicas}") == "4"
    made = await client.get(f"{DEPLOYMENTS}/web")
    assert made is not None
    [container] = made["spec"]["template"]["spec"]["containers"]
    assert container["image"] == "registry.example/web:2.0" and container["env"] == [{"name": "A", "value": "1"}]
    assert await kubectl("expose deploy web --port=80") == "service/web exposed"


async def test_it_waits_for_what_others_do(kubectl: Kubectl, client: ApiClient) -> None:
    await client.create(DEPLOYMENTS, deployment("web"))
    rollout = asyncio.create_task(kubectl("rollout status deploy/web --timeout=20s"))
    condition = asyncio.create_task(kubectl("wait --for=condition=Available deploy/web --timeout=20s"))
    status = {"observedGeneration": 1, "replicas": 1, "updatedReplicas": 1, "availableReplicas": 1, "readyReplicas": 1}
    conditions = [{"type": "Available", "status": "True"}]
    await client.patch(f"{DEPLOYMENTS}/web/status", {"status": {**status, "conditions": conditions}})
    assert "successfully rolled out" in await rollout
    assert await condition == "deployment.apps/web condition met"
    assert await kubectl("wait --for=jsonpath={.spec.replicas}=1 deploy/web --timeout=20s") == "deployment.apps/web condition met"
    assert "timed out" in await kubectl.refused("wait --for=condition=Odd deploy/web --timeout=1s")


async def test_it_prints_and_describes(kubectl: Kubectl, client: ApiClient) -> None:
    await client.create(DEPLOYMENTS, deployment("web"))
    await client.create(PODS, pod("p", node="n1", labels={"app": "web"}))
    everything = await kubectl("get all")
    assert "pod/p" in everything and "deployment.apps/web" in everything
    assert (await kubectl("get deploy --no-headers")).split()[0] == "web"
    assert json.loads(await kubectl("get deploy web -o json"))["spec"]["replicas"] == 1
    assert "revisionHistoryLimit: 10" in await kubectl("get deploy web -o yaml")
    assert await kubectl("get deploy -o custom-columns=N:.metadata.name --no-headers") == "web"
    assert "p" in await kubectl("get pods --field-selector=status.phase=Pending --sort-by=.metadata.name --no-headers")
    assert "25% max unavailable" in await kubectl("describe deploy web")
    assert "Status:           Pending" in await kubectl("describe pod p")
    assert "Active" in await kubectl("describe ns default")
    assert "No events found" in await kubectl("events")
    assert await kubectl("logs p") == "hello from p"
    assert len((await kubectl("get ns --chunk-size=2 --no-headers")).splitlines()) == 4
    assert await kubectl("delete pods -l app=web --wait=false") == 'pod "p" deleted from default namespace'


async def test_a_custom_kind_is_there_at_once(kubectl: Kubectl, client: ApiClient) -> None:
    assert await kubectl("get ns -o name")  # fills the discovery cache before the kind exists
    assert "created" in await kubectl("apply -f -", definition())
    assert "condition met" in await kubectl("wait --for=condition=Established crd/canaries.demo.example.com --timeout=20s")
    assert await kubectl("apply -f -", canary("c", weight=10)) == "canary.demo.example.com/c created"
    assert (await kubectl("get cny c")).split()[:3] == ["NAME", "AGE", "c"]
    assert await kubectl("scale canary c --replicas=4") == "canary.demo.example.com/c scaled"
    status = "patch canary c --type=merge --subresource=status -p"
    assert await kubectl(status + ' {"status":{"phase":"Up"}}') == "canary.demo.example.com/c patched"
    assert "should be less than or equal to 100" in await kubectl.refused('patch canary c --type=merge -p {"spec":{"weight":1200}}')
    assert "is not supported by" in await kubectl.refused('patch canary c -p {"spec":{"weight":11}}')
    assert 'unknown field "spec.bogus"' in await kubectl.refused("apply -f -", canary("d", bogus=1))
    assert "Kind:         Canary" in await kubectl("describe canary c")
    made = await client.get(f"{CANARIES}/c")
    assert made is not None and made["spec"]["replicas"] == 4 and made["status"] == {"phase": "Up"}
    assert "deleted" in await kubectl("delete crd canaries.demo.example.com --timeout=20s")
    assert await client.get(f"{DEFINITIONS}/canaries.demo.example.com") is None


async def test_deletions_cascade(kubectl: Kubectl) -> None:
    await kubectl("create -f -", deployment("web"))
    assert "deleted" in await kubectl("delete deploy web --cascade=foreground --timeout=20s")
    await kubectl("create -f -", {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "n"}})
    await kubectl("-n n create -f -", config_map("c"))
    assert 'namespace "n" deleted' in await kubectl("delete ns n --timeout=20s")
    assert 'namespaces "n" not found' in await kubectl.refused("get ns n")


async def test_a_watch_prints_changes_as_they_come(kubectl: Kubectl, client: ApiClient) -> None:
    watching = asyncio.create_task(kubectl.run("get cm --watch --request-timeout=2s --no-headers -o name"))
    for name in ("one", "two"):
        await client.create(CONFIG_MAPS, config_map(name))
    _, text = await watching
    assert [line for line in text.splitlines() if line.startswith("configmap/")] == ["configmap/one", "configmap/two"]

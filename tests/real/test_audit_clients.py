"""The Python client of Kubernetes, typed and dynamic: what it expects of an answer, not what our own client does."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from secrets import token_hex
from typing import Any

import pytest
from kubernetes import client, config, dynamic, watch
from kubernetes.client import ApiClient
from kubernetes.client.exceptions import ApiException
from kubernetes.leaderelection.electionconfig import Config
from kubernetes.leaderelection.leaderelection import LeaderElection
from kubernetes.leaderelection.resourcelock.leaselock import LeaseLock

from tests.kit.apiserver import definition
from tests.real.kit.api import Api, Json
from tests.real.kit.objects import config_map, deployment
from tests.real.kit.servers import Server

Python = Callable[[Callable[[ApiClient], Any]], Any]
TIMES = 5


@contextmanager
def connected(kubeconfig: Path) -> Iterator[ApiClient]:
    made = config.new_client_from_config(config_file=str(kubeconfig))
    with made:
        yield made
    made.rest_client.pool_manager.clear()


@pytest.fixture
async def python(server: Server) -> AsyncIterator[Python]:
    """Runs something with a client of its own in a thread: the client is synchronous, the sandbox lives in this process."""

    def run(use: Callable[[ApiClient], Any]) -> Any:
        with connected(server.kubeconfig) as made:
            return use(made)

    yield lambda use: asyncio.to_thread(run, use)


async def test_objects_are_written_read_and_listed_in_pages(api: Api, python: Python) -> None:
    def use(made: ApiClient) -> None:
        core = client.CoreV1Api(made)
        for number in range(TIMES):
            body = client.V1ConfigMap(metadata=client.V1ObjectMeta(name=f"c{number}", labels={"x": "y"}), data={"n": str(number)})
            assert core.create_namespaced_config_map(api.namespace, body).metadata.uid
        first = core.list_namespaced_config_map(api.namespace, label_selector="x=y", limit=2)
        rest = core.list_namespaced_config_map(api.namespace, label_selector="x=y", _continue=first.metadata._continue)
        assert [one.metadata.name for one in [*first.items, *rest.items]] == [f"c{number}" for number in range(TIMES)]
        found = core.read_namespaced_config_map("c0", api.namespace)
        found.data["n"] = "changed"
        assert core.replace_namespaced_config_map("c0", api.namespace, found).data == {"n": "changed"}
        with pytest.raises(ApiException) as refused:
            core.replace_namespaced_config_map("c0", api.namespace, found)
        assert (refused.value.status, refused.value.reason) == (409, "Conflict")
        core.delete_namespaced_config_map("c0", api.namespace)
        with pytest.raises(ApiException) as refused:
            core.read_namespaced_config_map("c0", api.namespace)
        assert refused.value.status == 404

    await python(use)


async def test_workloads_are_patched_scaled_and_keep_their_types(api: Api, python: Python) -> None:
    def use(made: ApiClient) -> None:
        apps = client.AppsV1Api(made)
        created = apps.create_namespaced_deployment(api.namespace, deployment("web", paused=True))
        assert created.spec.strategy.rolling_update.max_surge == "25%" and created.metadata.generation == 1
        container = {"name": "side", "image": "i:1", "ports": [{"containerPort": 80}]}
        patched = apps.patch_namespaced_deployment("web", api.namespace, {"spec": {"template": {"spec": {"containers": [container]}}}})
        assert [one.name for one in patched.spec.template.spec.containers] == ["side", "main"]
        operations = [{"op": "remove", "path": "/spec/template/spec/containers/0"}]
        assert len(apps.patch_namespaced_deployment("web", api.namespace, operations).spec.template.spec.containers) == 1
        before, after = unless_overtaken(lambda: replaced(apps))
        assert before == after
        assert unless_overtaken(lambda: scaled(apps)).status.selector == "app=web"

    def scaled(apps: client.AppsV1Api) -> Any:
        scale = apps.read_namespaced_deployment_scale("web", api.namespace)
        scale.spec.replicas = 0
        return apps.replace_namespaced_deployment_scale("web", api.namespace, scale)

    def replaced(apps: client.AppsV1Api) -> tuple[str, str]:
        again = apps.read_namespaced_deployment("web", api.namespace)
        return again.metadata.resource_version, apps.replace_namespaced_deployment("web", api.namespace, again).metadata.resource_version

    await python(use)


def unless_overtaken(work: Callable[[], Any]) -> Any:
    """Read and write again when a controller wrote in between, as every client does."""
    for _ in range(TIMES):
        try:
            return work()
        except ApiException as error:
            if error.status != 409:
                raise
    return work()


async def test_a_watch_goes_on_where_it_stopped(api: Api, python: Python) -> None:
    def use(made: ApiClient) -> None:
        core = client.CoreV1Api(made)

        def names(version: str, count: int) -> tuple[list[str], str]:
            found, watcher = [], watch.Watch()
            for event in watcher.stream(core.list_namespaced_config_map, api.namespace, resource_version=version, timeout_seconds=20):
                found.append(f"{event['type']} {event['object'].metadata.name}")
                if len(found) == count:
                    watcher.stop()
            return found, str(watcher.resource_version)

        start = core.list_namespaced_config_map(api.namespace).metadata.resource_version
        core.create_namespaced_config_map(api.namespace, config_map("a"))
        core.create_namespaced_config_map(api.namespace, config_map("b"))
        seen, version = names(start, 1)
        assert seen == ["ADDED a"]
        core.patch_namespaced_config_map("a", api.namespace, {"data": {"x": "1"}})
        core.delete_namespaced_config_map("b", api.namespace)
        assert names(version, 3)[0] == ["ADDED b", "MODIFIED a", "DELETED b"]

    await python(use)


async def test_the_dynamic_client_finds_kinds_and_applies(api: Api, python: Python, tmp_path: Path) -> None:
    def use(made: ApiClient) -> None:
        everything = dynamic.DynamicClient(made, cache_file=str(tmp_path / "discovery"))
        maps = everything.resources.get(api_version="v1", kind="ConfigMap")
        deployments = everything.resources.get(api_version="apps/v1", kind="Deployment")
        assert (maps.name, maps.namespaced, deployments.subresources["scale"].name) == ("configmaps", True, "deployments/scale")
        applied = maps.server_side_apply(body=config_map("a", {"x": "1"}), namespace=api.namespace, field_manager="one")
        assert applied.data.x == "1" and applied.metadata.managedFields[0].manager == "one"
        with pytest.raises(ApiException) as refused:
            maps.server_side_apply(body=config_map("a", {"x": "2"}), namespace=api.namespace, field_manager="two")
        assert refused.value.status == 409
        forced = {"field_manager": "two", "force_conflicts": True}
        assert maps.server_side_apply(body=config_map("a", {"x": "2"}), namespace=api.namespace, **forced).data.x == "2"
        merge = {"content_type": "application/merge-patch+json", "namespace": api.namespace}
        assert maps.patch(name="a", body={"data": {"y": "3"}}, **merge).data.to_dict() == {"x": "2", "y": "3"}
        listed = maps.get(namespace=api.namespace, label_selector="nobody=here")
        assert (listed.kind, list(listed["items"])) == ("ConfigMapList", [])

    await python(use)


async def test_the_dynamic_client_finds_a_kind_that_was_just_defined(api: Api, python: Python, tmp_path: Path) -> None:
    group = f"g{token_hex(4)}.example.com"
    body: Json = definition()
    body["metadata"]["name"] = f"canaries.{group}"
    body["spec"]["group"] = group
    path = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
    await api.made(path, body)
    await api.until(f"/apis/{group}/v1alpha1/canaries", lambda _: True)
    await api.until("/apis", lambda found: any(one["name"] == group for one in found["groups"]))

    def use(made: ApiClient) -> None:
        everything = dynamic.DynamicClient(made, cache_file=str(tmp_path / "discovery"))
        canaries = everything.resources.get(api_version=f"{group}/v1alpha1", kind="Canary")
        given = {"apiVersion": f"{group}/v1alpha1", "kind": "Canary", "metadata": {"name": "c"}, "spec": {"weight": 5}}
        assert canaries.create(body=given, namespace=api.namespace).spec.mode == "linear"
        told = canaries.status.patch(
            name="c", namespace=api.namespace, body={"status": {"phase": "Up"}}, content_type="application/merge-patch+json"
        )
        assert told.status.phase == "Up"

    await python(use)
    await api("DELETE", f"{path}/canaries.{group}")


async def test_one_of_two_candidates_leads_until_the_lease_is_free(api: Api, python: Python) -> None:
    def use(made: ApiClient) -> None:
        def candidate(name: str) -> LeaderElection:
            lock = LeaseLock("leader", api.namespace, name)
            lock.api_instance = client.CoordinationV1Api(made)
            return LeaderElection(Config(lock, 15, 10, 1, lambda: None, lambda: None))

        one, two = candidate("one"), candidate("two")
        assert one.try_acquire_or_renew() and not two.try_acquire_or_renew()
        assert one.try_acquire_or_renew()
        leases = client.CoordinationV1Api(made)
        held = leases.read_namespaced_lease("leader", api.namespace)
        assert held.spec.holder_identity == "one" and held.spec.renew_time >= held.spec.acquire_time
        leases.delete_namespaced_lease("leader", api.namespace)
        assert two.try_acquire_or_renew() and not one.try_acquire_or_renew()
        assert leases.read_namespaced_lease("leader", api.namespace).spec.holder_identity == "two"

    await python(use)

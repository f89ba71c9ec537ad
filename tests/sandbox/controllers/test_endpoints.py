"""Endpoints follow Services and pods."""

from typing import Any

from reconciler_sandbox.client import ApiClient

from tests.kit.sandbox import ENDPOINTS, PODS, REPLICA_SETS, SERVICES, ready_addresses, running
from tests.kit.wait import until
from tests.kit.workloads import replica_set, service, template


async def addresses_of(api: ApiClient, app: str) -> set[str]:
    pods = await api.list(PODS, labelSelector=f"app={app}")
    return {p["status"]["podIP"] for p in pods if p["status"].get("podIP") and not p["metadata"].get("deletionTimestamp")}


def leads_to(api: ApiClient, app: str, count: int) -> Any:
    """Asks whether the Service `web` leads to exactly the pods of this app."""

    async def ask() -> bool:
        found = {ip for ip, _ in await ready_addresses(api, "web")}
        return len(found) == count and found == await addresses_of(api, app)

    return ask


async def test_a_service_leads_to_its_ready_pods_by_the_name_of_their_port() -> None:
    async with running() as cluster:
        api = cluster.api
        await api.create(SERVICES, service())
        await api.create(REPLICA_SETS, replica_set(replicas=2))
        await until(leads_to(api, "web", 2))
        assert {port for _, port in await ready_addresses(api, "web")} == {8080}


async def test_another_selector_moves_a_service_to_other_pods() -> None:
    async with running() as cluster:
        api = cluster.api
        await api.create(SERVICES, service(selector={"app": "blue"}))
        await api.create(REPLICA_SETS, replica_set("blue", app="blue", replicas=1))
        await api.create(REPLICA_SETS, replica_set("green", app="green", replicas=2, image="web:2"))
        await until(leads_to(api, "blue", 1))
        await api.patch(f"{SERVICES}/web", {"spec": {"selector": {"app": "green"}}})
        await until(leads_to(api, "green", 2))


async def test_a_pod_that_loses_its_label_leaves() -> None:
    async with running() as cluster:
        api = cluster.api
        await api.create(SERVICES, service())
        await api.create(PODS, {"metadata": {"name": "solo", "labels": {"app": "web"}}, "spec": template()["spec"]})
        await until(leads_to(api, "web", 1))
        await api.patch(f"{PODS}/solo", {"metadata": {"labels": {"app": "apart"}}})

        async def left() -> bool:
            return not await ready_addresses(api, "web")

        await until(left)


async def test_the_endpoints_of_a_removed_service_are_removed() -> None:
    async with running() as cluster:
        api = cluster.api
        await api.create(SERVICES, service())

        async def there() -> bool:
            return await api.get(f"{ENDPOINTS}/web") is not None

        async def gone() -> bool:
            return not await there()

        await until(there)
        await api.delete(f"{SERVICES}/web")
        await until(gone)

"""Namespaces that are there, addresses and ports that are free."""

import pytest
from reconciler_sandbox.client import ApiClient, ApiError

from tests.kit.apiserver import SERVICES, config_map

NAMESPACES = "/api/v1/namespaces"


def service(name: str, **spec: object) -> dict:
    return {"metadata": {"name": name}, "spec": {"ports": [{"port": 80}], **spec}}


async def test_a_service_keeps_the_address_it_was_given(api: ApiClient) -> None:
    made = await api.create(SERVICES, service("a"))
    address = made["spec"]["clusterIP"]
    assert address.startswith("10.96.") and made["spec"]["clusterIPs"] == [address]
    assert (await api.replace(f"{SERVICES}/a", service("a", selector={"x": "y"})))["spec"]["clusterIP"] == address
    assert (await api.create(SERVICES, service("b")))["spec"]["clusterIP"] != address


async def test_a_headless_service_has_none(api: ApiClient) -> None:
    assert (await api.create(SERVICES, service("a", clusterIP="None")))["spec"]["clusterIP"] == "None"


async def test_node_ports_are_unique_and_stay(api: ApiClient) -> None:
    ports = [(await api.create(SERVICES, service(name, type="NodePort")))["spec"]["ports"][0]["nodePort"] for name in ("a", "b")]
    assert ports == [30_000, 30_001]
    assert (await api.replace(f"{SERVICES}/b", service("b", type="NodePort")))["spec"]["ports"][0]["nodePort"] == 30_001


async def test_an_external_name_has_no_address(api: ApiClient) -> None:
    assert "clusterIP" not in (await api.create(SERVICES, service("a", type="ExternalName", externalName="x.example")))["spec"]


async def test_nothing_new_in_a_namespace_that_goes(api: ApiClient) -> None:
    await api.create(NAMESPACES, {"metadata": {"name": "going"}})
    await api.create(f"{NAMESPACES}/going/configmaps", {"metadata": {"name": "hold", "finalizers": ["example.com/x"]}})
    await api.delete(f"{NAMESPACES}/going")
    with pytest.raises(ApiError, match="because it is being terminated") as refused:
        await api.create(f"{NAMESPACES}/going/configmaps", config_map("new"))
    assert refused.value.status == 403

"""Where names lead."""

import pytest
from reconciler_sandbox.controllers.objects import Key
from reconciler_sandbox.node.network import Network, Origin, Resolver, Unresolved, service_key

from tests.kit.pods import fixed_api
from tests.kit.workloads import service

ORIGIN = Origin("shop", "127.20.0.9", {"shop.example.com": "10.0.0.1"})
GATEWAY = ("127.0.0.1", 15080)
MESH = ("127.0.0.1", 15001)
ENDPOINTS = {
    "subsets": [{"addresses": [{"ip": "127.20.0.1"}, {"ip": "127.20.0.2"}], "ports": [{"name": "http", "port": 8080}]}],
}
OBJECTS = {"/api/v1/namespaces/shop/services/web": service(), "/api/v1/namespaces/shop/endpoints/web": ENDPOINTS}


def resolver(network: Network) -> Resolver:
    return Resolver(fixed_api(OBJECTS), network)


async def test_an_alias_of_a_gateway_leads_to_where_the_gateway_listens() -> None:
    assert await resolver(Network({"10.0.0.1": GATEWAY})).resolve("shop.example.com", 80, ORIGIN) == GATEWAY


async def test_an_address_of_a_gateway_leads_there_too() -> None:
    assert await resolver(Network({"10.0.0.1": GATEWAY})).resolve("10.0.0.1", 80, ORIGIN) == GATEWAY


@pytest.mark.parametrize("host", ["web", "web.shop", "web.shop.svc", "web.shop.svc.cluster.local"])
async def test_a_service_leads_through_the_mesh(host: str) -> None:
    assert await resolver(Network(mesh=MESH)).resolve(host, 80, ORIGIN) == MESH


def test_only_a_bare_service_name_is_completed_for_the_mesh() -> None:
    lookup = resolver(Network(mesh=MESH))
    assert [lookup.authority(host, ORIGIN) for host in ("web", "web.shop", "shop.example.com")] == [
        "web.shop",
        "web.shop",
        "shop.example.com",
    ]
    assert resolver(Network()).authority("web", ORIGIN) == "web"


async def test_without_a_mesh_a_service_leads_to_its_ready_pods_in_turn() -> None:
    lookup = resolver(Network())
    found = {await lookup.resolve("web", 80, ORIGIN) for _ in range(4)}
    assert found == {("127.20.0.1", 8080), ("127.20.0.2", 8080)}
    with pytest.raises(ConnectionRefusedError):
        await lookup.resolve("web", 81, ORIGIN)


async def test_a_pod_address_is_direct_and_localhost_is_the_pod_itself() -> None:
    assert await resolver(Network()).resolve("127.20.0.3", 8080, ORIGIN) == ("127.20.0.3", 8080)
    assert await resolver(Network()).resolve("localhost", 8080, ORIGIN) == ("127.20.0.9", 8080)


@pytest.mark.parametrize("host", ["gone", "web.other", "example.com", "a.b.c.d"])
async def test_a_name_without_a_service_is_unresolved(host: str) -> None:
    with pytest.raises(Unresolved):
        await resolver(Network(mesh=MESH)).resolve(host, 80, ORIGIN)


async def test_nothing_outside_the_sandbox_is_reached() -> None:
    with pytest.raises(ConnectionRefusedError):
        await resolver(Network()).resolve("192.0.2.1", 80, ORIGIN)


async def test_an_endpoint_outside_the_sandbox_is_not_reached() -> None:
    outside = {"subsets": [{"addresses": [{"ip": "10.16.2.1"}], "ports": [{"name": "http", "port": 8080}]}]}
    lookup = Resolver(fixed_api({**OBJECTS, "/api/v1/namespaces/shop/endpoints/web": outside}), Network())
    with pytest.raises(ConnectionRefusedError):
        await lookup.resolve("web", 80, ORIGIN)


def test_a_service_name_carries_its_namespace_or_takes_the_callers() -> None:
    assert service_key("web", "shop") == Key("shop", "web")
    assert service_key("web.other.svc.cluster.local.", "shop") == Key("other", "web")

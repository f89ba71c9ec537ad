"""Which hosts a listener serves."""

from reconciler_sandbox.mesh.translate.index import index
from reconciler_sandbox.mesh.translate.tables import declared_servers, tables

from tests.kit.mesh import LAYOUT, gateway, service, to, virtual_service


def domains(*objects: dict, table: str = "http.80") -> dict[str, int]:
    """Domain → number of its routes."""
    hosts = tables(index(objects), LAYOUT)[table]["virtual_hosts"]
    return {domain: len(host["routes"]) for host in hosts for domain in host["domains"]}


RULE = {"route": [to("web")]}
NARROW = {"match": [{"uri": {"exact": "/a"}}], "route": [to("web")]}


def test_a_gateway_serves_what_it_and_the_virtual_service_share() -> None:
    narrow = gateway(hosts=("*.example.com",))
    assert domains(narrow, virtual_service("v", RULE, hosts=("a.example.com", "b.test"))) == {"a.example.com": 1}
    assert domains(narrow, virtual_service("v", RULE, hosts=("*",))) == {"*.example.com": 1}


def test_a_gateway_may_take_virtual_services_of_one_namespace_only() -> None:
    routes = virtual_service("v", RULE)
    assert domains(gateway(hosts=("default/*",)), routes) == {"web.example.com": 1}
    assert domains(gateway(hosts=("team/*",)), routes) == {}
    assert domains(gateway(hosts=("./*",)), routes) == {}
    assert list(declared_servers(gateway(hosts=("./a", "b")))) == [(80, "istio-system", "a"), (80, "*", "b")]


def test_two_virtual_services_of_one_host_join_their_routes() -> None:
    assert domains(gateway(), virtual_service("a", NARROW), virtual_service("b", RULE)) == {"web.example.com": 2}


def test_without_gateways_nothing_is_served() -> None:
    assert domains(virtual_service("v", RULE)) == {}


def test_every_service_has_its_names_in_the_mesh() -> None:
    found = domains(service("web", namespace="team"), table="mesh")
    assert set(found) == {f"web.team{end}{port}" for end in ("", ".svc", ".svc.cluster.local") for port in ("", ":80")}
    assert {"web", "web:80"} <= set(domains(service("web"), table="mesh"))


def test_hosts_without_a_service_are_served_in_the_mesh_too() -> None:
    outside = virtual_service("v", RULE, hosts=("api.example.com", "*.wild.com"), gateways=("mesh",))
    assert domains(outside, table="mesh") == {"api.example.com": 1, "api.example.com:80": 1, "*.wild.com": 1}


def test_no_domain_is_claimed_twice() -> None:
    twice = [virtual_service(name, RULE, hosts=("api.example.com",), gateways=("mesh",)) for name in ("a", "b")]
    hosts = tables(index(twice), LAYOUT)["mesh"]["virtual_hosts"]
    claimed = [domain for host in hosts for domain in host["domains"]]
    assert sorted(claimed) == ["api.example.com", "api.example.com:80"]

"""Names as Istio completes and compares them."""

import pytest
from reconciler_sandbox.mesh.translate.hosts import (
    covers,
    full_host,
    gateway_name,
    gateways_of,
    labels_of,
    name_of,
    namespace_of,
    narrower,
    reference,
    service_host,
)

from tests.kit.mesh import pod, service, virtual_service


@pytest.mark.parametrize(
    ("host", "full"),
    [
        ("web", "web.team.svc.cluster.local"),
        ("web.other.svc", "web.other.svc.cluster.local"),
        ("web.other.svc.cluster.local", "web.other.svc.cluster.local"),
        ("shop.example.com", "shop.example.com"),
        ("*.example.com", "*.example.com"),
        ("*", "*"),
    ],
)
def test_a_name_without_a_dot_belongs_to_the_namespace(host: str, full: str) -> None:
    assert full_host(host, "team") == full


@pytest.mark.parametrize(
    ("pattern", "host", "covered"),
    [
        ("*", "a.b", True),
        ("a.b", "a.b", True),
        ("*.b", "a.b", True),
        ("*.b", "*.a.b", True),
        ("*.b", "b", False),
        ("*.b", "ab", False),
        ("a.b", "*", False),
    ],
)
def test_a_wildcard_covers_what_ends_like_it(pattern: str, host: str, covered: bool) -> None:
    assert covers(pattern, host) is covered


def test_the_narrower_of_two_patterns_is_what_both_stand_for() -> None:
    assert narrower("*", "*.b") == narrower("*.b", "*") == "*.b"
    assert narrower("a.b", "*.b") == "a.b"
    assert narrower("a.b", "c.d") is None


def test_gateways_are_named_by_namespace_and_mesh_is_reserved() -> None:
    assert gateway_name("mesh", "team") == "mesh"
    assert gateway_name("edge", "team") == "team/edge"
    assert gateway_name("other/edge", "team") == "other/edge"
    assert gateways_of(virtual_service("v", gateways=("edge", "mesh"), namespace="team")) == ("team/edge", "mesh")
    assert gateways_of(virtual_service("v", gateways=())) == ("mesh",)


def test_objects_have_names_for_messages() -> None:
    web = service("web", namespace="team")
    assert reference(web) == "Service team/web"
    assert (namespace_of(web), name_of(web), service_host(web)) == ("team", "web", "web.team.svc.cluster.local")
    assert labels_of(pod("p", app="x")) == {"app": "x"}
    assert labels_of(web) == {}

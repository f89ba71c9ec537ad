"""Addresses of a port and the workload they are counted for."""

import pytest
from reconciler_sandbox.mesh.translate.endpoints import endpoints, workload_of
from reconciler_sandbox.mesh.translate.index import index

from tests.kit.mesh import endpoints as endpoints_object
from tests.kit.mesh import manifest, pod, service


@pytest.mark.parametrize(
    ("named", "workload"),
    [
        (pod("p", owner="web-6d4cf56db6", rollouts_pod_template_hash="6d4cf56db6"), "web"),
        (pod("p", owner="web-6d4cf56db6", pod_template_hash="6d4cf56db6"), "web"),
        (pod("p", owner="web-manual"), "web-manual"),
        (pod("p"), "p"),
        (manifest("Pod", "p", metadata={"ownerReferences": [{"kind": "StatefulSet", "name": "db"}]}), "db"),
    ],
)
def test_the_workload_is_the_owner_without_its_hash(named: dict, workload: str) -> None:
    assert workload_of(named) == workload


def rendered(*objects: dict, subset: dict | None = None) -> list[dict]:
    web = service("web")
    return endpoints(index([web, *objects]), web, web["spec"]["ports"][0], subset)


def marks(endpoint: dict) -> dict:
    return endpoint["metadata"]["filter_metadata"]["istio"]


def test_endpoints_carry_their_pods_marks() -> None:
    owned = pod("a", owner="web-77", app="shop", version="v3", rollouts_pod_template_hash="77")
    (found,) = rendered(endpoints_object("web", {"a": 8080}), owned)
    assert found["endpoint"]["address"]["socket_address"] == {"address": "127.0.0.1", "port_value": 8080}
    assert marks(found) == {
        "workload": "web",
        "workload_namespace": "default",
        "app": "shop",
        "version": "v3",
        "canonical_service": "shop",
        "canonical_revision": "77",
    }


def test_what_is_not_known_is_unknown() -> None:
    (found,) = rendered(endpoints_object("web", {"gone": 8080}))
    assert set(marks(found).values()) == {"unknown", "default"}


def test_a_subset_is_the_pods_with_its_labels() -> None:
    both = endpoints_object("web", {"a": 1, "b": 2})
    found = rendered(both, pod("a", version="v1"), pod("b", version="v2"), subset={"name": "v2", "labels": {"version": "v2"}})
    assert [endpoint["endpoint"]["address"]["socket_address"]["port_value"] for endpoint in found] == [2]


def test_ports_meet_by_name_and_a_single_one_needs_none() -> None:
    assert len(rendered(endpoints_object("web", {"a": 1}, port_name="other"))) == 1
    two = service("two")
    two["spec"]["ports"].append({"name": "admin", "port": 81})
    found = index([two, endpoints_object("two", {"a": 1})])
    assert len(endpoints(found, two, two["spec"]["ports"][0], None)) == 1
    assert endpoints(found, two, two["spec"]["ports"][1], None) == []


def test_an_address_off_this_machine_never_reaches_envoy() -> None:
    outside = endpoints_object("web", {"a": 8080})
    outside["subsets"][0]["addresses"][0]["ip"] = "10.16.2.1"
    assert rendered(outside, pod("a")) == []

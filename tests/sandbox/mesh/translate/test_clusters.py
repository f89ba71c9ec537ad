"""Clusters: one a port and subset."""

import pytest
from reconciler_sandbox.mesh.translate.clusters import clusters, connection_policy, subsets
from reconciler_sandbox.mesh.translate.index import index
from reconciler_sandbox.mesh.translate.terms import Refused

from tests.kit.mesh import destination_rule, service


def test_a_service_has_a_cluster_for_itself_and_one_for_each_subset() -> None:
    found = list(clusters(index([service("web"), destination_rule("web", "web", "v1", "v2")])))
    assert [cluster["name"].split("|")[2] for cluster in found] == ["", "v1", "v2"]
    assert {cluster["type"] for cluster in found} == {"STATIC"}
    assert "." not in found[0]["alt_stat_name"]
    assert found[0]["metadata"]["filter_metadata"]["istio"]["service"] == "web.default.svc.cluster.local"


@pytest.mark.parametrize(("name", "http2"), [("grpc-api", True), ("http2", True), ("http", False), ("", False)])
def test_the_ports_name_says_http2(name: str, http2: bool) -> None:
    (found,) = clusters(index([service("web", port_name=name)]))
    assert ("typed_extension_protocol_options" in found) is http2


def test_the_ports_protocol_says_http2() -> None:
    web = service("web")
    web["spec"]["ports"][0]["appProtocol"] = "kubernetes.io/h2c"
    (found,) = clusters(index([web]))
    assert "typed_extension_protocol_options" in found


def test_a_subsets_policy_adds_to_the_rules() -> None:
    rule = destination_rule("web", "web", "v1", trafficPolicy={"loadBalancer": {"simple": "ROUND_ROBIN"}})
    rule["spec"]["subsets"][0]["trafficPolicy"] = {"outlierDetection": {"consecutive5xxErrors": 3, "interval": "1s"}}
    whole, subset = clusters(index([service("web"), rule]))
    assert (whole["lb_policy"], "outlier_detection" in whole) == ("ROUND_ROBIN", False)
    assert (subset["lb_policy"], subset["outlier_detection"]["consecutive_5xx"]) == ("ROUND_ROBIN", 3)


def test_connection_limits_and_the_default_balancer() -> None:
    policy = connection_policy({"connectionPool": {"http": {"http1MaxPendingRequests": 1, "http2MaxRequests": 2}}})
    limits = policy["circuit_breakers"]["thresholds"][0]
    assert (policy["lb_policy"], limits["max_pending_requests"], limits["max_requests"]) == ("LEAST_REQUEST", 1, 2)


def test_of_two_subsets_with_one_name_the_older_counts_and_a_nameless_one_is_refused() -> None:
    assert subsets([{"subsets": [{"name": "a", "labels": {"x": "1"}}]}, {"subsets": [{"name": "a"}]}]) == [
        {"name": "a", "labels": {"x": "1"}}
    ]
    with pytest.raises(Refused):
        subsets([{"subsets": [{"labels": {}}]}])

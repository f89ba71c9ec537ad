"""Objects found by the names that others use."""

from reconciler_sandbox.mesh.translate.index import cluster_name, index

from tests.kit.mesh import destination_rule, manifest, service, virtual_service


def test_older_objects_come_first_and_unknown_kinds_are_left_out() -> None:
    young = virtual_service("a")
    young["metadata"]["creationTimestamp"] = "2026-02-01T00:00:00Z"
    old = virtual_service("b")
    old["metadata"]["creationTimestamp"] = "2026-01-01T00:00:00Z"
    found = index([young, old, manifest("ConfigMap", "c")])
    assert [item["metadata"]["name"] for item in found.virtual_services] == ["b", "a"]


def test_an_exact_rule_beats_a_wildcard() -> None:
    found = index([destination_rule("any", "*.default.svc.cluster.local", "all"), destination_rule("one", "web", "v1")])
    assert [rule["host"] for rule in found.rules_for("web.default.svc.cluster.local")] == ["web"]
    assert [rule["host"] for rule in found.rules_for("other.default.svc.cluster.local")] == ["*.default.svc.cluster.local"]


def test_a_destination_without_a_port_uses_the_only_one_or_the_listeners() -> None:
    found = index([service("web", port=8080)])
    assert found.destination({"host": "web"}, "default", 80) == cluster_name(8080, "", "web.default.svc.cluster.local")
    assert found.destination({"host": "gone"}, "default", 80) == cluster_name(80, "", "gone.default.svc.cluster.local")

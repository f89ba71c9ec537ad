"""What others need is written first."""

from reconciler.sync.order import in_order


def test_policies_and_services_come_before_workloads_and_unknown_kinds_before_them_too() -> None:
    kinds = ["Rollout", "Deployment", "ReleasePolicy", "VirtualService", "Service", "ConfigMap", "Namespace", "Certificate"]
    manifests = [{"kind": kind, "metadata": {"name": "x", "namespace": "n"}} for kind in kinds]
    ordered = [m["kind"] for m in in_order(manifests)]
    assert ordered == ["Namespace", "ConfigMap", "ReleasePolicy", "Service", "VirtualService", "Certificate", "Deployment", "Rollout"]

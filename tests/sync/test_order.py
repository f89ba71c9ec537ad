"""What others need is written first."""

from reconciler.sync.order import rank_of


def rank(kind: str, api_version: str) -> float:
    return rank_of({"apiVersion": api_version, "kind": kind})


def test_namespaces_and_definitions_come_first_workloads_last_and_unknown_kinds_between() -> None:
    order = [
        rank("Namespace", "v1"),
        rank("CustomResourceDefinition", "apiextensions.k8s.io/v1"),
        rank("ConfigMap", "v1"),
        rank("ReleasePolicy", "reconciler.dev/v1alpha1"),
        rank("Service", "v1"),
        rank("Widget", "example.com/v1"),
        rank("Deployment", "apps/v1"),
        rank("Rollout", "argoproj.io/v1alpha1"),
    ]
    assert order == sorted(order) and len(set(order)) == len(order)


def test_a_kind_of_another_group_is_another_kind() -> None:
    assert rank("Rollout", "rollouts.kruise.io/v1beta1") == rank("Widget", "example.com/v1")

"""A kind is its name and its group."""

import pytest

from reconciler.sources.kinds import is_namespaced, kind_key


@pytest.mark.parametrize(
    ("api_version", "kind", "key"),
    [
        ("argoproj.io/v1alpha1", "Rollout", "Rollout"),
        ("rollouts.kruise.io/v1beta1", "Rollout", "Rollout.rollouts.kruise.io"),
        ("v1", "Service", "Service"),
        ("serving.knative.dev/v1", "Service", "Service.serving.knative.dev"),
        ("example.com/v1", "Widget", "Widget"),
    ],
)
def test_another_groups_kind_of_the_same_name_is_another_kind(api_version: str, kind: str, key: str) -> None:
    assert kind_key({"apiVersion": api_version, "kind": kind}) == key


@pytest.mark.parametrize(
    ("api_version", "kind", "namespaced"),
    [
        ("v1", "ConfigMap", True),
        ("v1", "Namespace", False),
        ("rbac.authorization.k8s.io/v1", "ClusterRole", False),
        ("rbac.authorization.k8s.io/v1", "Role", True),
        ("reconciler.dev/v1alpha1", "ClusterReleasePolicy", False),
        ("reconciler.dev/v1alpha1", "ReleasePolicy", True),
        ("argoproj.io/v1alpha1", "ClusterAnalysisTemplate", False),
        ("argoproj.io/v1alpha1", "Rollout", True),
        ("example.com/v1", "Widget", None),
    ],
)
def test_the_scope_of_strangers_kinds_is_the_servers_word(api_version: str, kind: str, namespaced: bool | None) -> None:
    assert is_namespaced({"apiVersion": api_version, "kind": kind}) is namespaced

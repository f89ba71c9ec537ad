"""The blast radius of one repository."""

import pytest

from reconciler.kernel.identity import Manifest
from reconciler.kernel.well_known import suspended
from reconciler.sources.permission import kind_word, other_driver, other_source, refusal
from reconciler.sources.settings import Allow

ALLOW = Allow(namespaces=("shop",), kinds=("Deployment", "Rollout.argoproj.io"))


def manifest(kind: str = "Deployment", api: str = "apps/v1", namespace: str = "shop", **metadata: object) -> Manifest:
    return {"apiVersion": api, "kind": kind, "metadata": {"name": "web", "namespace": namespace, **metadata}}


def test_listed_kinds_in_listed_namespaces_pass() -> None:
    assert refusal(manifest(), ALLOW) is None
    assert refusal(manifest("Rollout", "argoproj.io/v1alpha1"), ALLOW) is None


@pytest.mark.parametrize(
    ("refused", "words"),
    [
        (manifest("ClusterRoleBinding", "rbac.authorization.k8s.io/v1", ""), "ClusterRoleBinding.rbac.authorization.k8s.io is not in"),
        (manifest("Release", "reconciler.dev/v1alpha1"), "Release.reconciler.dev is not in"),
        (manifest(namespace="kube-system"), "namespace kube-system is not in"),
        (manifest(namespace=""), "has no metadata.namespace"),
        (manifest("Deployment", "extensions.evil.io/v1"), "Deployment.extensions.evil.io is not in"),
    ],
)
def test_everything_else_is_refused_with_what_to_change(refused: Manifest, words: str) -> None:
    assert words in str(refusal(refused, ALLOW))


def test_nothing_is_allowed_by_default() -> None:
    assert refusal(manifest(), Allow()) is not None


def test_kinds_are_named_with_their_group_but_for_core_and_apps() -> None:
    assert kind_word(manifest()) == "Deployment"
    assert kind_word(manifest("Service", "v1")) == "Service"
    assert kind_word(manifest("Gateway", "networking.istio.io/v1")) == "Gateway.networking.istio.io"


def test_objects_of_other_tools_are_recognised() -> None:
    assert other_driver(manifest(annotations={"argocd.argoproj.io/tracking-id": "x"})) == "Argo CD"
    assert other_driver(manifest(labels={"kustomize.toolkit.fluxcd.io/name": "x"})) == "Flux"
    assert other_driver(manifest()) is None


def test_objects_of_another_source_and_suspended_ones_are_recognised() -> None:
    mine = manifest(annotations={"reconciler.dev/source": "shop", "reconciler.dev/suspend": "true"})
    assert other_source(mine, "shop") is None
    assert other_source(mine, "other") == "shop"
    assert suspended(mine)

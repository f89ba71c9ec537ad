"""The blast radius of one repository."""

import pytest

from reconciler.kernel.identity import Manifest
from reconciler.kernel.well_known import suspended
from reconciler.sources.permission import foreign_owner, kind_word, misnamed, other_driver, other_source, refusal
from reconciler.sources.problem import Reason
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
        (
            manifest("ClusterRoleBinding", "rbac.authorization.k8s.io/v1", ""),
            "ClusterRoleBinding (cluster)/web: kind ClusterRoleBinding.rbac.authorization.k8s.io is not in",
        ),
        (manifest("Release", "reconciler.dev/v1alpha1"), "Release.reconciler.dev is not in"),
        (manifest(namespace="kube-system"), "Deployment kube-system/web: namespace kube-system is not in"),
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
    assert other_driver(manifest(labels={"argocd.argoproj.io/instance": "shop"})) == "Argo CD"
    assert other_driver(manifest(labels={"kustomize.toolkit.fluxcd.io/name": "x"})) == "Flux"
    assert other_driver(manifest()) is None


NEITHER, ARGO = "kubectl", "argocd-controller"


def written_by(*entries: tuple[str, str], source: str = "", **more: str) -> Manifest:
    """A live object with what the server tells of its managers: who, and when."""
    fields = [{"manager": manager, **({"time": time} if time else {}), **more} for manager, time in entries]
    return manifest(managedFields=fields, annotations={"reconciler.dev/source": source} if source else {})


@pytest.mark.parametrize(
    ("live", "source", "driver"),
    [
        (written_by((NEITHER, "2030-01-01T00:00:00Z")), "shop", None),
        (written_by((ARGO, "2030-01-01T00:00:00Z")), "shop", "Argo CD"),
        (written_by((ARGO, "2030-01-01T00:00:00Z"), subresource="status"), "shop", None),
        (written_by((ARGO, "2030-01-01T00:00:00Z"), subresource="scale"), "shop", "Argo CD"),
        (written_by((ARGO, "2030-01-01T00:00:00Z"), source="shop"), "shop", None),
        (written_by((ARGO, "2030-01-01T00:00:00Z"), source="shop"), "other", "Argo CD"),
        (written_by((ARGO, "2030-01-01T00:00:00Z"), source="shop"), "", "Argo CD"),
        (written_by((ARGO, "2030-01-01T00:00:00Z"), ("reconciler", "2030-01-01T00:00:00Z"), source="shop"), "shop", None),
        (written_by((ARGO, "2030-01-01T00:00:00Z"), ("reconciler", "2030-01-01T00:00:01Z"), source="shop"), "shop", None),
        (written_by((ARGO, "2030-01-01T00:00:02Z"), ("reconciler", "2030-01-01T00:00:01Z"), source="shop"), "shop", "Argo CD"),
        (written_by((ARGO, ""), ("reconciler", "2030-01-01T00:00:01Z"), source="shop"), "shop", None),
        (written_by(("kustomize-controller", "2030-01-01T00:00:00Z"), (ARGO, "2030-01-01T00:00:01Z")), "shop", "Argo CD"),
        (written_by(("kustomize-controller", "2030-01-01T00:00:02Z"), (ARGO, "2030-01-01T00:00:01Z")), "shop", "Flux"),
    ],
)
def test_the_tool_that_wrote_last_drives_an_object_unless_it_was_handed_over(live: Manifest, source: str, driver: str | None) -> None:
    assert other_driver(live, source) == driver


def test_an_object_without_a_name_is_refused_whatever_it_would_be_called() -> None:
    refused = misnamed({"apiVersion": "batch/v1", "kind": "Job", "metadata": {"generateName": "seed-"}})
    assert refused is not None and "a Job without metadata.name" in str(refused)
    assert misnamed(manifest()) is None


@pytest.mark.parametrize("name", [".", "..", "a/b", "a%2Fb", "..%"])
def test_a_name_that_would_lead_elsewhere_in_a_path_is_refused(name: str) -> None:
    refused = misnamed(manifest(name=name))
    assert refused is not None and refused.reason is Reason.MISNAMED and repr(name) in str(refused)
    assert misnamed(manifest(name="a.b..c")) is None


def test_objects_of_another_source_and_suspended_ones_are_recognised() -> None:
    mine = manifest(annotations={"reconciler.dev/source": "shop", "reconciler.dev/suspend": "true"})
    assert other_source(mine, "shop") is None
    assert other_source(mine, "other") == "shop"
    assert suspended(mine)


def test_what_another_tool_or_source_owns_is_refused_with_its_name() -> None:
    theirs, others = manifest(labels={"argocd.argoproj.io/instance": "x"}), manifest(annotations={"reconciler.dev/source": "other"})
    assert foreign_owner(manifest(), "shop") is foreign_owner(manifest(annotations={"reconciler.dev/source": "shop"}), "shop") is None
    assert [str(foreign_owner(live, "shop")).partition(";")[0] for live in (theirs, others)] == [
        "Deployment web is applied by Argo CD already",
        "Deployment web belongs to source other already",
    ]


@pytest.mark.parametrize(
    ("kind", "namespace", "namespaced", "allowed"),
    [
        ("Namespace", "", None, True),
        ("Namespace", "", False, True),
        ("Widget.example.com", "", False, True),
        ("Widget.example.com", "", None, True),
        ("Widget.example.com", "", True, False),
        ("Widget.example.com", "other", True, False),
        ("Widget.example.com", "other", None, False),
        ("Widget.example.com", "other", False, True),
        ("Widget.example.com", "shop", True, True),
    ],
)
def test_only_an_object_in_a_namespace_needs_an_allowed_one(kind: str, namespace: str, namespaced: bool | None, allowed: bool) -> None:
    name, _, group = kind.partition(".")
    found = refusal(manifest(name, f"{group}/v1" if group else "v1", namespace), Allow(namespaces=("shop",), kinds=(kind,)), namespaced)
    assert (found is None) is allowed

"""What built-in kinds insist on."""

from typing import Any

import pytest
from reconciler_sandbox.apiserver.defaults import fill
from reconciler_sandbox.apiserver.kinds import BUILT_IN
from reconciler_sandbox.apiserver.validation import validate

from tests.kit.apiserver import deployment, pod

KINDS = {kind.qualified: kind for kind in BUILT_IN}


def wrong(kind: str, manifest: dict[str, Any], old: dict[str, Any] | None = None) -> list[str]:
    def whole(one: dict[str, Any]) -> dict[str, Any]:
        return fill(KINDS[kind], {**one, "metadata": {"name": "x", **one.get("metadata", {})}})

    return [cause.field for cause in validate(KINDS[kind], whole(manifest), whole(old) if old else None)]


def changed(manifest: dict[str, Any], **spec: Any) -> dict[str, Any]:
    return {**manifest, "spec": {**manifest["spec"], **spec}}


JOB = {"spec": {"template": {"spec": {"restartPolicy": "Never", "containers": [{"name": "c", "image": "i"}]}}}}
SERVICE = {"spec": {"clusterIP": "10.0.0.1", "ports": [{"port": 80}]}}


@pytest.mark.parametrize(
    ("kind", "manifest", "fields"),
    [
        ("deployments.apps", deployment("x"), []),
        ("deployments.apps", {"spec": {}}, ["spec.selector", "spec.template.metadata.labels", "spec.template.spec.containers"]),
        ("deployments.apps", changed(deployment("x"), replicas=-1), ["spec.replicas"]),
        ("deployments.apps", changed(deployment("x"), selector={"matchLabels": {"app": "y"}}), ["spec.template.metadata.labels"]),
        ("replicasets.apps", deployment("x"), []),
        ("pods", pod("x"), []),
        ("pods", {"spec": {}}, ["spec.containers"]),
        ("pods", {"spec": {"containers": [{"name": "c"}]}}, ["spec.containers[0].image"]),
        ("pods", {"spec": {"containers": [{"name": "c", "image": "i"}] * 2}}, ["spec.containers[1].name"]),
        ("jobs.batch", JOB, []),
        ("jobs.batch", {"spec": {}}, ["spec.template.spec.containers", "spec.template.spec.restartPolicy"]),
        (
            "jobs.batch",
            {"spec": {"template": {"spec": {"containers": [{"name": "c", "image": "i"}]}}}},
            ["spec.template.spec.restartPolicy"],
        ),
        ("services", SERVICE, []),
        ("services", {"spec": {}}, ["spec.ports"]),
        ("services", {"spec": {"type": "ExternalName"}}, ["spec.externalName"]),
        ("services", {"spec": {"clusterIP": "None"}}, []),
        ("services", {"spec": {"ports": [{"port": 0}]}}, ["spec.ports[0].port"]),
        ("services", {"spec": {"ports": [{"port": 1, "name": "a"}, {"port": 2}]}}, ["spec.ports[1].name"]),
        ("configmaps", {"data": {"a": "x" * 1_100_000}}, ["[]"]),
        ("configmaps", {"data": {"a b": "1"}}, ["data[a b]"]),
        ("poddisruptionbudgets.policy", {"spec": {"anything": 1}}, []),
        ("leases.coordination.k8s.io", {"spec": {"leaseDurationSeconds": 0}}, ["spec.leaseDurationSeconds"]),
        ("leases.coordination.k8s.io", {"spec": {}}, []),
    ],
)
def test_an_object_is_valid_or_says_which_field_is_not(kind: str, manifest: dict[str, Any], fields: list[str]) -> None:
    assert wrong(kind, manifest) == fields


@pytest.mark.parametrize(
    ("kind", "old", "new", "fields"),
    [
        (
            "deployments.apps",
            deployment("x"),
            changed(deployment("y"), replicas=2),
            ["spec.selector"],
        ),
        ("jobs.batch", JOB, changed(JOB, completionMode="Indexed"), ["spec.completionMode"]),
        ("services", SERVICE, changed(SERVICE, clusterIP="10.0.0.2"), ["spec.clusterIP"]),
        ("pods", pod("x", node="n1"), pod("x", node="n2"), ["spec"]),
        ("pods", pod("x"), pod("x", node="n2"), []),
        ("pods", pod("x"), changed(pod("x"), containers=[{"name": "main", "image": "other"}]), ["spec"]),
        ("configmaps", {"immutable": True, "data": {"a": "1"}}, {"immutable": True, "data": {"a": "2"}}, ["data"]),
        ("configmaps", {"immutable": True}, {}, ["immutable"]),
        ("secrets", {"type": "a"}, {"type": "b"}, ["type"]),
        ("rolebindings.rbac.authorization.k8s.io", {"roleRef": {"name": "a"}}, {"roleRef": {"name": "b"}}, ["roleRef"]),
    ],
)
def test_some_fields_never_change(kind: str, old: dict[str, Any], new: dict[str, Any], fields: list[str]) -> None:
    assert wrong(kind, new, old) == fields


def test_a_pod_may_change_its_image() -> None:
    container = {**pod("x")["spec"]["containers"][0], "image": "registry.example/web:2.0"}
    assert not wrong("pods", changed(pod("x"), containers=[container]), pod("x"))

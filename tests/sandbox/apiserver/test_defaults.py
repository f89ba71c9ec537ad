"""Defaults per kind: filling twice changes nothing, or tools that compare never come to rest."""

import pytest
from reconciler_sandbox.apiserver.defaults import DEFAULTS, fill
from reconciler_sandbox.apiserver.kinds import BUILT_IN, Kind

from tests.kit.apiserver import definition, deployment, pod

KINDS = {kind.qualified: kind for kind in BUILT_IN}


def filled(kind: str, **fields: object) -> dict:
    return fill(KINDS[kind], {"metadata": {"name": "x", "uid": "u1"}, **fields})


@pytest.mark.parametrize("kind", [kind for kind in BUILT_IN if kind.qualified in DEFAULTS], ids=lambda kind: kind.plural)
def test_filling_twice_changes_nothing(kind: Kind) -> None:
    once = fill(kind, {"metadata": {"name": "x", "uid": "u1"}, "spec": {"template": {"spec": {"containers": [{"name": "c"}]}}}})
    assert fill(kind, once) == once


def test_a_deployment_rolls_by_quarters() -> None:
    spec = fill(KINDS["deployments.apps"], deployment("x"))["spec"]
    assert spec["strategy"] == {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": "25%", "maxSurge": "25%"}}
    assert (spec["replicas"], spec["revisionHistoryLimit"], spec["progressDeadlineSeconds"]) == (1, 10, 600)


def test_recreate_has_no_rolling_update() -> None:
    assert filled("deployments.apps", spec={"strategy": {"type": "Recreate"}})["spec"]["strategy"] == {"type": "Recreate"}


def test_a_pod_has_a_quality_and_a_phase() -> None:
    best = fill(KINDS["pods"], pod("x"))
    assert best["status"] == {"phase": "Pending", "qosClass": "BestEffort"}
    limits = {"resources": {"limits": {"cpu": "1000m", "memory": "1024Mi"}}}
    made = filled("pods", spec={"containers": [{"name": "c", "image": "i", **limits}]})
    assert made["status"]["qosClass"] == "Guaranteed"
    assert made["spec"]["containers"][0]["resources"]["requests"] == {"cpu": "1", "memory": "1Gi"}
    some = filled("pods", spec={"containers": [{"name": "c", "image": "i", "resources": {"requests": {"cpu": 1}}}]})
    assert some["status"]["qosClass"] == "Burstable"


def test_a_job_finds_its_pods_by_its_uid() -> None:
    spec = filled("jobs.batch", spec={"template": {"metadata": {"labels": {"a": "b"}}, "spec": {}}})["spec"]
    assert spec["selector"] == {"matchLabels": {"batch.kubernetes.io/controller-uid": "u1"}}
    labels = spec["template"]["metadata"]["labels"]
    assert labels["batch.kubernetes.io/job-name"] == labels["job-name"] == "x" and labels["a"] == "b"
    assert (spec["parallelism"], spec["completions"], spec["backoffLimit"]) == (1, 1, 6)


def test_a_job_with_only_parallelism_is_a_work_queue() -> None:
    assert "completions" not in filled("jobs.batch", spec={"parallelism": 2, "template": {"spec": {}}})["spec"]


def test_a_service_port_targets_itself() -> None:
    spec = filled("services", spec={"ports": [{"port": 80}]})["spec"]
    assert spec["ports"] == [{"port": 80, "protocol": "TCP", "targetPort": 80}] and spec["type"] == "ClusterIP"
    assert "ipFamilies" not in filled("services", spec={"type": "ExternalName", "externalName": "x"})["spec"]
    assert filled("services", spec={"type": "NodePort"})["spec"]["externalTrafficPolicy"] == "Cluster"


def test_secret_texts_are_encoded() -> None:
    made = filled("secrets", stringData={"a": "b"}, data={"c": "ZA=="})
    assert made["data"] == {"a": "Yg==", "c": "ZA=="} and "stringData" not in made and made["type"] == "Opaque"


def test_others_have_their_own() -> None:
    assert filled("namespaces")["metadata"]["labels"] == {"kubernetes.io/metadata.name": "x"}
    subjects = filled("rolebindings.rbac.authorization.k8s.io", subjects=[{"kind": "User"}, {"kind": "ServiceAccount"}])["subjects"]
    assert [one.get("apiGroup") for one in subjects] == ["rbac.authorization.k8s.io", None]
    assert fill(KINDS["customresourcedefinitions.apiextensions.k8s.io"], definition())["spec"]["names"]["listKind"] == "CanaryList"
    assert filled("nodes", status={"capacity": {"memory": "2048Mi"}})["status"]["capacity"] == {"memory": "2Gi"}


def test_a_kind_without_defaults_is_left_alone() -> None:
    manifest = {"metadata": {}}
    assert fill(KINDS["configmaps"], manifest) is manifest

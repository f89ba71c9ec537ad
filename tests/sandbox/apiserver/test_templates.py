"""Defaults of pod templates."""

import pytest
from reconciler_sandbox.apiserver.templates import pod_spec, template, with_defaults


def container(**fields: object) -> dict:
    return pod_spec({"containers": [{"name": "c", "image": "i:1", **fields}]})["containers"][0]


@pytest.mark.parametrize(
    ("image", "policy"),
    [
        ("web:1.0", "IfNotPresent"),
        ("web", "Always"),
        ("web:latest", "Always"),
        ("host:5000/web", "Always"),
        ("host:5000/web:2", "IfNotPresent"),
        ("web@sha256:abc", "IfNotPresent"),
    ],
)
def test_the_pull_policy_follows_the_tag(image: str, policy: str) -> None:
    assert container(image=image)["imagePullPolicy"] == policy


def test_a_container_has_every_default() -> None:
    made = container(ports=[{"containerPort": 80}], readinessProbe={"httpGet": {"port": 80}}, resources={"limits": {"memory": "1024Mi"}})
    assert made["ports"] == [{"containerPort": 80, "protocol": "TCP"}]
    assert made["readinessProbe"] == {
        "httpGet": {"port": 80, "path": "/", "scheme": "HTTP"},
        "timeoutSeconds": 1,
        "periodSeconds": 10,
        "successThreshold": 1,
        "failureThreshold": 3,
    }
    assert made["resources"] == {"limits": {"memory": "1Gi"}} and made["terminationMessagePolicy"] == "File"


def test_sources_and_volumes_have_theirs() -> None:
    assert (
        container(env=[{"name": "N", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}}])["env"][0]["valueFrom"]["fieldRef"][
            "apiVersion"
        ]
        == "v1"
    )
    spec = pod_spec(
        {"containers": [], "volumes": [{"name": "a", "configMap": {"name": "x"}}, {"name": "b", "emptyDir": {}}, {"hostPath": {}}]}
    )
    assert spec["volumes"] == [
        {"name": "a", "configMap": {"name": "x", "defaultMode": 420}},
        {"name": "b", "emptyDir": {}},
        {"hostPath": {}},
    ]


def test_defaults_of_defaults_change_nothing() -> None:
    once = template({"metadata": {"labels": {"a": "b"}}, "spec": {"containers": [{"name": "c", "image": "i"}], "serviceAccountName": "x"}})
    assert template(once) == once and once["spec"]["serviceAccount"] == "x"


def test_what_is_no_map_is_left_for_validation() -> None:
    assert template("x") == "x" and pod_spec([]) == [] and with_defaults(5, {"a": 1}) == 5

"""What the API makes of a template: apiserver 3.6."""

from typing import Any

import pytest

from reconciler.rollouts.replicas.defaults import canonical_quantity, pull_policy, with_defaults


def one(container: dict[str, Any], **spec: Any) -> dict[str, Any]:
    return {"metadata": {"labels": {"app": "a"}}, "spec": {"containers": [container], **spec}}


def test_a_bare_template_is_filled_in() -> None:
    whole = with_defaults(one({"name": "a", "image": "nginx:1.25", "ports": [{"containerPort": 80}]}))
    assert whole["spec"] == {
        "restartPolicy": "Always",
        "dnsPolicy": "ClusterFirst",
        "schedulerName": "default-scheduler",
        "terminationGracePeriodSeconds": 30,
        "securityContext": {},
        "containers": [
            {
                "name": "a",
                "image": "nginx:1.25",
                "imagePullPolicy": "IfNotPresent",
                "terminationMessagePath": "/dev/termination-log",
                "terminationMessagePolicy": "File",
                "resources": {},
                "ports": [{"containerPort": 80, "protocol": "TCP"}],
            }
        ],
    }


def test_what_is_written_is_kept_and_twice_is_once() -> None:
    template = one(
        {
            "name": "a",
            "image": "nginx",
            "imagePullPolicy": "Never",
            "resources": {"limits": {"cpu": 1, "memory": "1024Mi"}},
            "readinessProbe": {"httpGet": {"port": 80}, "timeoutSeconds": 5},
            "livenessProbe": {"grpc": {"port": 81}},
            "lifecycle": {"preStop": {"httpGet": {"port": 80, "path": "/bye"}}},
            "env": [{"name": "N", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}}, {"name": "V", "value": "1"}],
        },
        terminationGracePeriodSeconds=5,
        volumes=[
            {"name": "c", "configMap": {"name": "x"}},
            {"name": "e", "emptyDir": {"sizeLimit": "2048Mi"}},
            {"name": "h", "hostPath": {"path": "/x"}},
            {"name": "n"},
            {"name": "p", "projected": {"sources": [{"serviceAccountToken": {"path": "t"}}]}},
        ],
    )
    whole = with_defaults(template)
    container = whole["spec"]["containers"][0]
    assert container["imagePullPolicy"] == "Never"
    assert container["resources"] == {"limits": {"cpu": "1", "memory": "1Gi"}}
    assert container["readinessProbe"]["httpGet"] == {"path": "/", "scheme": "HTTP", "port": 80}
    assert container["readinessProbe"]["timeoutSeconds"] == 5
    assert container["livenessProbe"]["grpc"]["service"] == ""
    assert container["lifecycle"]["preStop"]["httpGet"] == {"path": "/bye", "scheme": "HTTP", "port": 80}
    assert container["env"][0]["valueFrom"]["fieldRef"] == {"apiVersion": "v1", "fieldPath": "metadata.name"}
    assert whole["spec"]["terminationGracePeriodSeconds"] == 5
    assert [sorted(volume)[0] for volume in whole["spec"]["volumes"]] == ["configMap", "emptyDir", "hostPath", "emptyDir", "name"]
    assert whole["spec"]["volumes"][0]["configMap"]["defaultMode"] == 420
    assert whole["spec"]["volumes"][4]["projected"]["sources"][0]["serviceAccountToken"]["expirationSeconds"] == 3600
    assert with_defaults(whole) == whole


@pytest.mark.parametrize(
    ("image", "policy"),
    [
        ("nginx", "Always"),
        ("nginx:latest", "Always"),
        ("nginx:1.25", "IfNotPresent"),
        ("registry:5000/team/app", "Always"),
        ("registry:5000/team/app:v1", "IfNotPresent"),
        ("app@sha256:0000", "IfNotPresent"),
    ],
)
def test_the_pull_policy_follows_the_tag(image: str, policy: str) -> None:
    assert pull_policy(image) == policy


@pytest.mark.parametrize(
    ("spelled", "canonical"),
    [
        (1, "1"),
        (0.5, "500m"),
        ("1000m", "1"),
        ("1500m", "1500m"),
        ("1024Mi", "1Gi"),
        ("0.5Gi", "512Mi"),
        ("100000Ki", "100000Ki"),
        ("1000", "1k"),
        ("1e3", "1e3"),
        ("2048", "2048"),
        ("0", "0"),
        ("0.5Ki", "512"),
        ("-1500m", "-1500m"),
        ("16Mi", "16Mi"),
        ("much", "much"),
    ],
)
def test_quantities_have_one_spelling(spelled: object, canonical: str) -> None:
    assert canonical_quantity(spelled) == canonical

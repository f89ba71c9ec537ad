"""Hashes: the vectors of contract 10.1 and 10.3, and the rules behind them."""

import json
from typing import Any

import pytest

from reconciler.rollouts.replicas.hash import fnv1a, go_json, steps_hash, template_hash


def template(name: str, **spec: Any) -> dict[str, Any]:
    container = {
        "resources": {"requests": {"memory": "16Mi", "cpu": "5m"}},
        "ports": [{"protocol": "TCP", "containerPort": 80, "name": "http"}],
        "image": "nginx:1.19-alpine",
        "name": name,
    }
    return {"spec": {"containers": [container], **spec}, "metadata": {"labels": {"app": name}}}


def test_the_template_vectors_are_met_in_any_order_of_keys() -> None:
    assert template_hash(template("canary-scaledowndelay")) == "674d8cf959"
    assert template_hash(template("canary-scaledowndelay"), 1) == "dbc977b9d"
    gates = [{"conditionType": "argoproj.io/e2e-readiness"}]
    assert template_hash(template("dynamic-stable-scale", readinessGates=gates)) == "6b56c8cdb4"


@pytest.mark.parametrize(
    ("steps", "expected"),
    [
        ("null", "5ffbfbbd64"),
        ('[{"setWeight":20},{"pause":{}}]', "54649b9f5c"),
        ('[{"setWeight":20},{"pause":{"duration":"1h"}},{"setWeight":50},{"pause":{"duration":30}}]', "5548bcf88d"),
        ('[{"analysis":{"templates":[{"templateName":"success-rate"}]}}]', "54694898b7"),
        (
            '[{"setCanaryScale":{"replicas":1}},{"setHeaderRoute":{"match":[{"headerValue":{"exact":"y"},"headerName":"x"}],"name":"h"}}]',
            "6b6f44fd57",
        ),
        ('[{"experiment":{"duration":"5m","templates":[{"name":"baseline","specRef":"stable"}]}}]', "7694b8477c"),
    ],
)
def test_the_step_vectors_are_met(steps: str, expected: str) -> None:
    assert steps_hash(json.loads(steps)) == expected


def test_spelling_does_not_change_a_hash() -> None:
    spelled = template("canary-scaledowndelay")
    spelled["metadata"]["creationTimestamp"] = None
    spelled["spec"]["containers"][0]["resources"]["requests"] = {"cpu": "0.005", "memory": "16384Ki"}
    spelled["spec"]["hostNetwork"] = False
    assert template_hash(spelled) == "674d8cf959"


def test_meaning_changes_a_hash() -> None:
    assert template_hash(template("a")) != template_hash(template("b"))
    assert template_hash(template("a", automountServiceAccountToken=False)) != template_hash(template("a"))
    assert template_hash(template("a"), 0) != template_hash(template("a"))


def test_go_escapes_html_and_sorts_what_it_does_not_know() -> None:
    assert go_json({"name": "a", "args": ["<&>"], "zeta": 1, "alpha": {"b": 1, "a": 2}}, "Container") == (
        '{"name":"a","args":["\\u003c\\u0026\\u003e"],"resources":{},"alpha":{"a":2,"b":1},"zeta":1}'
    )


def test_pointers_keep_their_zero_and_values_lose_it() -> None:
    security = {"runAsUser": 0, "privileged": False}
    assert go_json(security, "Security") == '{"privileged":false,"runAsUser":0}'
    assert go_json({"initialDelaySeconds": 0, "httpGet": {"port": 80, "path": ""}}, "Probe") == '{"httpGet":{"port":80}}'


def test_fnv1a_agrees_with_its_published_vectors() -> None:
    assert (fnv1a(b""), fnv1a(b"a"), fnv1a(b"foobar")) == (0x811C9DC5, 0xE40C292C, 0xBF9CF968)

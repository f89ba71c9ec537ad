"""Built-in objects in one form: typed, without unknown fields (refused, warned of or ignored) and without what says nothing."""

from typing import Any

import orjson
import pytest
from reconciler_sandbox.apiserver.fieldtables import fields
from reconciler_sandbox.apiserver.kinds import BUILT_IN, Kind
from reconciler_sandbox.apiserver.known import WrongType, known
from reconciler_sandbox.apiserver.server import ApiServer
from reconciler_sandbox.client import Answer, ApiClient, Call

from tests.kit.apiserver import DEFINITIONS, DEPLOYMENTS, definition, deployment

JSON = {"content-type": "application/json"}
TYPO = {**deployment("web"), "spec": {**deployment("web")["spec"], "replica": 3}}


def kind_of(name: str) -> Kind:
    return next(kind for kind in BUILT_IN if kind.kind == name)


async def post(server: ApiServer, body: dict[str, Any], **query: str) -> Answer:
    return await server.call(Call("POST", DEPLOYMENTS, query, JSON, orjson.dumps(body)))


def body_of(answer: Answer) -> dict[str, Any]:
    assert isinstance(answer.body, bytes)
    return orjson.loads(answer.body)


def test_unknown_fields_are_named_by_their_path_and_left_out() -> None:
    container = {"name": "main", "image": "i", "imagePullPolcy": "Never", "env": [{"name": "A", "vaule": "b"}]}
    template = {"metadata": {"label": {}}, "spec": {"containers": [container]}}
    given = {"kind": "Deployment", "metadata": {"labels": {"any": "thing"}}, "spec": {"template": template}, "stauts": {}}
    kept, unknown = known(kind_of("Deployment"), given)
    assert unknown == [
        "spec.template.metadata.label",
        "spec.template.spec.containers[0].imagePullPolcy",
        "spec.template.spec.containers[0].env[0].vaule",
        "stauts",
    ]
    cleaned = {"name": "main", "image": "i", "env": [{"name": "A"}]}
    assert kept["spec"]["template"] == {"metadata": {}, "spec": {"containers": [cleaned]}} and "stauts" not in kept


@pytest.mark.parametrize("odd", [5, "text", [], [5]])
def test_a_part_of_the_wrong_type_is_refused_by_its_path(odd: Any) -> None:
    for given, path in (({"spec": odd}, "spec"), ({"metadata": {"labels": odd}}, "metadata.labels")):
        with pytest.raises(WrongType, match=path) as refused:
            known(kind_of("Deployment"), given)
        assert refused.value.path == path


@pytest.mark.parametrize(
    ("kind", "given", "path"),
    [
        ("Deployment", {"spec": {"replicas": "3"}}, "spec.replicas"),
        ("Deployment", {"spec": {"replicas": True}}, "spec.replicas"),
        ("Deployment", {"spec": {"replicas": 1.5}}, "spec.replicas"),
        ("Deployment", {"spec": {"paused": "yes"}}, "spec.paused"),
        ("Deployment", {"spec": {"template": {"spec": {"containers": {}}}}}, "spec.template.spec.containers"),
        ("ConfigMap", {"data": {"a": 1}}, "data.a"),
        ("ConfigMap", {"binaryData": {"a": "!!"}}, "binaryData.a"),
        ("Lease", {"spec": {"renewTime": "yesterday"}}, "spec.renewTime"),
        ("Pod", {"spec": {"overhead": {"cpu": "many"}}}, "spec.overhead.cpu"),
        ("Node", {"metadata": {"annotations": {"a": 1}}}, "metadata.annotations.a"),
    ],
)
def test_what_a_field_cannot_hold_is_refused(kind: str, given: dict[str, Any], path: str) -> None:
    with pytest.raises(WrongType) as refused:
        known(kind_of(kind), given)
    assert refused.value.path == path


def test_what_says_nothing_is_left_out() -> None:
    container = {"name": "main", "image": "i", "env": [{"name": "A", "value": ""}], "args": [], "resources": {}, "command": None}
    spec = {
        "paused": False,
        "replicas": 0,
        "minReadySeconds": 0,
        "template": {"metadata": {"labels": {}}, "spec": {"containers": [container]}},
    }
    kept, unknown = known(kind_of("Deployment"), {"metadata": {"annotations": {}, "finalizers": None}, "spec": spec})
    cleaned = {"name": "main", "image": "i", "env": [{"name": "A"}], "resources": {}}
    assert kept == {"metadata": {}, "spec": {"replicas": 0, "template": {"metadata": {}, "spec": {"containers": [cleaned]}}}}
    assert unknown == []


def test_null_among_values_is_their_zero_and_a_time_that_is_not_yet_stays() -> None:
    assert known(kind_of("ConfigMap"), {"data": {"a": None}})[0] == {"data": {"a": ""}}
    condition = {"type": "Ready", "status": "True", "lastProbeTime": None}
    assert known(kind_of("Pod"), {"status": {"conditions": [condition]}})[0] == {"status": {"conditions": [condition]}}


def test_quantities_have_one_form() -> None:
    kept, _ = known(kind_of("Pod"), {"spec": {"overhead": {"pods": 5000, "memory": "1024Mi", "cpu": "500m"}}})
    assert kept["spec"]["overhead"] == {"pods": "5k", "memory": "1Gi", "cpu": "500m"}


def test_what_is_shared_with_the_object_before_is_not_looked_at_again() -> None:
    spec = {"replicas": "not looked at"}
    assert known(kind_of("Deployment"), {"spec": spec}, {"spec": spec}) == ({"spec": spec}, [])


def test_a_kind_without_a_table_keeps_everything() -> None:
    given = {"spec": {"anything": 1}, "metadata": {"name": "n"}}
    assert known(kind_of("Node"), given) == (given, [])
    assert known(kind_of("Node"), {"metadata": {"name": "n", "labels": {}, "label": {}}}) == (
        {"metadata": {"name": "n"}},
        ["metadata.label"],
    )


def test_embedded_fields_are_those_of_the_message_around_them() -> None:
    assert {"httpGet", "periodSeconds"} <= fields("Probe").keys() and "+" not in fields("Probe")


async def test_strict_refuses_warn_warns_and_ignore_is_silent(api_server: ApiServer) -> None:
    strict = await post(api_server, TYPO, fieldValidation="Strict")
    assert strict.status == 400
    assert body_of(strict)["message"] == (
        'Deployment in version "v1" cannot be handled as a Deployment: strict decoding error: unknown field "spec.replica"'
    )
    warned = await post(api_server, TYPO, fieldValidation="Warn")
    assert warned.status == 201 and warned.headers["warning"] == '299 - "unknown field \\"spec.replica\\""'
    assert "replica" not in body_of(warned)["spec"]
    ignored = await post(api_server, {**TYPO, "metadata": {"name": "other"}}, fieldValidation="Ignore")
    assert ignored.status == 201 and "warning" not in ignored.headers and "replica" not in body_of(ignored)["spec"]


async def test_rules_that_are_not_evaluated_are_said_once(api_server: ApiServer, api: ApiClient) -> None:
    schema = {"type": "object", "properties": {"spec": {"type": "object", "x-kubernetes-validations": [{"rule": "true"}]}}}
    raw = orjson.dumps(definition(schema=schema))
    made = await api_server.call(Call("POST", DEFINITIONS, {}, JSON, raw))
    assert made.status == 201 and "x-kubernetes-validations" in made.headers["warning"]
    merge = {"content-type": "application/merge-patch+json"}
    change = b'{"metadata":{"labels":{"a":"b"}}}'
    labelled = await api_server.call(Call("PATCH", f"{DEFINITIONS}/canaries.demo.example.com", {}, merge, change))
    assert labelled.status == 200 and "warning" not in labelled.headers

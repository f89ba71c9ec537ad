"""Unknown fields of built-in kinds: refused, warned of or ignored, and never stored."""

from typing import Any

import orjson
import pytest

from reconciler.sandbox.apiserver.kinds import BUILT_IN, Kind
from reconciler.sandbox.apiserver.known import known, names
from reconciler.sandbox.apiserver.server import ApiServer
from reconciler.sandbox.client import Answer, ApiClient, Call
from tests.kit.apiserver import DEFINITIONS, DEPLOYMENTS, definition, deployment
from tests.kit.wholepod import JOB_SPEC

JSON = {"content-type": "application/json"}
TYPO = {**deployment("web"), "spec": {**deployment("web")["spec"], "replica": 3}}


def kind_of(name: str) -> Kind:
    return next(kind for kind in BUILT_IN if kind.kind == name)


async def post(server: ApiServer, body: dict[str, Any], **query: str) -> Answer:
    return await server.call(Call("POST", DEPLOYMENTS, query, JSON, orjson.dumps(body)))


def body_of(answer: Answer) -> dict[str, Any]:
    assert isinstance(answer.body, bytes)
    return orjson.loads(answer.body)


def test_every_field_that_exists_is_known() -> None:
    job = {"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "j"}, "spec": JOB_SPEC}
    kept, unknown = known(kind_of("Job"), job)
    assert kept is job and unknown == []


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


@pytest.mark.parametrize("odd", [None, 5, "text", [], {}, [5, None]])
def test_parts_of_the_wrong_type_are_left_to_validation(odd: Any) -> None:
    for given in ({"spec": odd}, {"spec": {"template": {"spec": {"containers": odd}}}}, {"metadata": {"labels": odd}}):
        assert known(kind_of("Deployment"), given) == (given, [])


def test_a_kind_without_a_table_keeps_everything() -> None:
    given = {"spec": {"anything": 1}}
    assert known(kind_of("Node"), given) == (given, [])


def test_embedded_fields_are_those_of_the_message_around_them() -> None:
    assert {"name", "emptyDir"} <= names("Volume").keys() and "+" not in names("Volume")


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

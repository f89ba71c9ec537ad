"""What custom resource definitions insist on."""

from typing import Any

import pytest
from reconciler_sandbox.apiserver.definitionrules import definition as complaints
from reconciler_sandbox.rehearsal.fittings import definitions

from tests.kit.apiserver import definition

Json = dict[str, Any]
SCHEMA = "spec.versions[0].schema.openAPIV3Schema"


def changed(**spec: Any) -> Json:
    return {**definition(), "spec": {**definition()["spec"], **spec}}


def with_schema(**properties: Any) -> Json:
    return definition(schema={"type": "object", "properties": properties})


def with_version(**fields: Any) -> Json:
    return changed(versions=[{**definition()["spec"]["versions"][0], **fields}])


def fields(new: Json, old: Json | None = None) -> list[str]:
    return [cause.field for cause in complaints(new, old)]


@pytest.mark.parametrize("body", definitions(), ids=lambda body: str(body["metadata"]["name"]))
def test_the_kinds_that_we_deploy_are_fine(body: Json) -> None:
    assert complaints(body, None) == []


def test_a_definition_is_complete_and_named_after_what_it_defines() -> None:
    assert fields(definition()) == []
    assert fields({**definition(), "metadata": {"name": "other"}}) == ["metadata.name"]
    assert fields({"spec": {}}) == ["spec.group", "spec.names", "spec.scope", "spec.versions"]
    assert fields(changed(scope="Galaxy")) == ["spec.scope"]


@pytest.mark.parametrize("change", [{"scope": "Cluster"}, {"group": "other.example.com"}])
def test_group_and_scope_are_for_ever(change: Json) -> None:
    assert fields(changed(**change), definition()) == [f"spec.{next(iter(change))}"]


def test_a_version_is_named_once_and_one_is_stored() -> None:
    [version] = definition()["spec"]["versions"]
    assert fields(changed(versions=[version, {**version, "storage": False}])) == ["spec.versions"]
    assert fields(changed(versions=[version, {**version, "name": "v2"}])) == ["spec.versions"]


@pytest.mark.parametrize(
    ("schema", "field"),
    [
        ({"child": {}}, "properties[child].type"),
        ({"child": {"type": "odd"}}, "properties[child].type"),
        ({"child": {"type": "array"}}, "properties[child].items"),
        ({"child": {"type": "array", "items": {}}}, "properties[child].items.type"),
        ({"child": {"type": "object", "additionalProperties": {}}}, "properties[child].additionalProperties.type"),
        ({"child": {"type": "string", "default": 1}}, "properties[child].default"),
        (
            {"child": {"type": "array", "x-kubernetes-list-type": "map", "items": {"type": "object"}}},
            "properties[child].x-kubernetes-list-map-keys",
        ),
    ],
)
def test_a_schema_is_structural(schema: Json, field: str) -> None:
    assert fields(with_schema(**schema)) == [f"{SCHEMA}.{field}"]


def test_the_keys_of_a_list_are_always_there() -> None:
    item = {"type": "object", "properties": {"n": {"type": "string"}}}
    listed = {"type": "array", "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["n"], "items": item}
    assert fields(with_schema(child=listed)) == [f"{SCHEMA}.properties[child].items.properties[n].default"]
    assert fields(with_schema(child={**listed, "items": {**item, "required": ["n"]}})) == []


def test_what_a_schema_leaves_open_needs_no_type() -> None:
    assert fields(with_schema(a={"x-kubernetes-preserve-unknown-fields": True}, b={"x-kubernetes-int-or-string": True})) == []


def test_an_unchanged_version_is_not_looked_at_again() -> None:
    broken = with_schema(child={})
    assert fields(broken, broken) == []


def test_paths_begin_with_a_dot() -> None:
    assert fields(with_version(subresources={"scale": {}})) == [
        f"spec.versions[0].subresources.scale.{name}ReplicasPath" for name in ("spec", "status")
    ]


def test_a_root_is_an_object() -> None:
    assert fields(with_version(schema={})) == [SCHEMA]
    for kind in ("string", None):
        assert fields(with_version(schema={"openAPIV3Schema": {"type": kind, "properties": {}}})) == [f"{SCHEMA}.type"]

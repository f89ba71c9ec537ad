"""Structural schemas: pruned, defaulted and validated in one walk."""

from typing import Any

import pytest
from reconciler_sandbox.apiserver.schemas import Findings, Schema, conform, conform_value, unchecked

from tests.kit.apiserver import CANARY_SCHEMA


def conformed(spec: Any) -> tuple[dict[str, Any], Findings]:
    findings = Findings()
    return conform(Schema(CANARY_SCHEMA), {"apiVersion": "v", "kind": "k", "metadata": {"x": 1}, "spec": spec}, findings), findings


def causes(spec: Any) -> list[str]:
    return [str(cause) for cause in conformed(spec)[1].causes]


def test_unknown_fields_are_pruned_and_named_unless_preserved() -> None:
    result, findings = conformed({"bogus": 1, "free": {"any": {"thing": 1}}, "labels": {"a": "b"}})
    assert "bogus" not in result["spec"]
    assert result["spec"]["free"] == {"any": {"thing": 1}} and result["spec"]["labels"] == {"a": "b"}
    assert findings.unknown == ["spec.bogus"] and not findings.causes


def test_defaults_are_filled_in_also_inside_defaults() -> None:
    assert conformed({})[0]["spec"] == {"mode": "linear", "options": {"timeout": 30}}


def test_null_is_absent_where_it_is_no_value() -> None:
    result, findings = conformed({"mode": None, "weight": None})
    assert result["spec"]["mode"] == "linear" and "weight" not in result["spec"] and not findings.causes


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ({"weight": 200}, "spec.weight: Invalid value: 200: spec.weight in body should be less than or equal to 100"),
        ({"weight": -1}, "spec.weight: Invalid value: -1: spec.weight in body should be greater than or equal to 0"),
        ({"weight": "x"}, 'spec.weight: Invalid value: "string": spec.weight in body must be of type integer: "string"'),
        ({"weight": True}, 'spec.weight: Invalid value: "boolean": spec.weight in body must be of type integer: "boolean"'),
        ({"mode": "zap"}, 'spec.mode: Unsupported value: "zap": supported values: "linear", "exp"'),
        ({"name": "A"}, "spec.name: Invalid value: \"A\": spec.name in body should match '^[a-z]+$'"),
        ({"name": "a" * 11}, "spec.name: Too long: may not be more than 10 bytes"),
        ({"port": 1.5}, 'spec.port: Invalid value: "number": spec.port in body must be of type integer,string: "number"'),
        ({"steps": [{"pause": 1}]}, "spec.steps[0].name: Required value"),
        ({"steps": [{"name": "a"}, {"name": "a"}]}, 'spec.steps[1]: Duplicate value: {"name":"a"}'),
        ({"labels": {"a": 1}}, 'spec.labels.a: Invalid value: "integer": spec.labels.a in body must be of type string: "integer"'),
    ],
)
def test_a_broken_rule_is_said_in_the_api_words(spec: dict[str, Any], message: str) -> None:
    assert causes(spec) == [message]


def test_int_or_string_takes_both() -> None:
    assert not causes({"port": 80}) and not causes({"port": "http"})


def test_a_required_field_is_missed() -> None:
    findings = Findings()
    conform(Schema(CANARY_SCHEMA), {"metadata": {}}, findings)
    assert [str(cause) for cause in findings.causes] == ["spec: Required value"]


def test_of_several_schemas_one_is_enough() -> None:
    either = {"anyOf": [{"required": ["a"]}, {"required": ["b"]}]}
    whole = Schema({"type": "object", "properties": {"spec": {"type": "object", "x-kubernetes-preserve-unknown-fields": True, **either}}})
    for value, count in (({"b": 1}, 0), ({}, 1)):
        findings = Findings()
        conform(whole, {"spec": value}, findings)
        assert len(findings.causes) == count


def test_a_set_has_each_value_once() -> None:
    findings = Findings()
    listed = {"type": "array", "items": {"type": "integer"}, "x-kubernetes-list-type": "set"}
    conform(Schema({"properties": {"l": listed}}), {"l": [1, 1]}, findings)
    assert len(findings.causes) == 1


def test_words_that_are_not_evaluated_are_found_wherever_they_are() -> None:
    item = {"type": "object", "properties": {"format": {"type": "string", "format": "date"}}}
    schema = {
        "type": "object",
        "oneOf": [],
        "properties": {"l": {"type": "array", "items": item}, "m": {"additionalProperties": {"not": {}}}},
    }
    assert unchecked(schema) == {"format", "not", "oneOf"} and unchecked({"type": "string", "pattern": "a"}) == frozenset()


def test_a_pattern_that_python_does_not_read_says_nothing() -> None:
    findings = Findings()
    conform(Schema({"properties": {"s": {"type": "string", "pattern": r"\p{L}(["}}}), {"s": "x"}, findings)
    assert not findings.causes


def test_the_walk_changes_nothing_it_was_given() -> None:
    spec = {"mode": None, "steps": [{"name": "a", "bogus": 1}]}
    conformed(spec)
    assert spec == {"mode": None, "steps": [{"name": "a", "bogus": 1}]}


def test_a_whole_number_is_an_integer_however_it_is_written() -> None:
    value = conform_value(Schema({"type": "integer"}), 2.0, Findings())
    assert value == 2 and isinstance(value, int)


def test_an_object_inside_says_what_it_is() -> None:
    findings = Findings()
    conform_value(Schema({"type": "object", "x-kubernetes-embedded-resource": True}), {"kind": "X"}, findings)
    assert [str(cause) for cause in findings.causes] == [".apiVersion: Required value: must not be empty"]

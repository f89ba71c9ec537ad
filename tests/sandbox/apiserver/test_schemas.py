"""Structural schemas: pruned, defaulted and validated in one walk."""

from typing import Any

import pytest
from reconciler_sandbox.apiserver.schemas import Findings, Schema, conform, conform_value

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


@pytest.mark.parametrize(
    ("schema", "good", "bad"),
    [
        ({"oneOf": [{"required": ["a"]}, {"required": ["b"]}]}, {"a": 1}, {"a": 1, "b": 1}),
        ({"anyOf": [{"required": ["a"]}, {"required": ["b"]}]}, {"b": 1}, {}),
        ({"allOf": [{"required": ["a"]}, {"required": ["b"]}]}, {"a": 1, "b": 1}, {"a": 1}),
        ({"not": {"required": ["a"]}}, {"b": 1}, {"a": 1}),
    ],
)
def test_combinations_are_evaluated(schema: dict[str, Any], good: Any, bad: Any) -> None:
    whole = Schema({"type": "object", "properties": {"spec": {"type": "object", "x-kubernetes-preserve-unknown-fields": True, **schema}}})
    for value, count in ((good, 0), (bad, 1)):
        findings = Findings()
        conform(whole, {"spec": value}, findings)
        assert len(findings.causes) == count


@pytest.mark.parametrize(
    ("limit", "value"), [({"minItems": 1}, []), ({"maxItems": 1}, [1, 2]), ({"x-kubernetes-list-type": "set"}, [1, 1])]
)
def test_lists_have_limits(limit: dict[str, Any], value: list[int]) -> None:
    findings = Findings()
    conform(Schema({"properties": {"l": {"type": "array", "items": {"type": "integer"}, **limit}}}), {"l": value}, findings)
    assert len(findings.causes) == 1


def test_a_pattern_that_python_does_not_read_says_nothing() -> None:
    findings = Findings()
    conform(Schema({"properties": {"s": {"type": "string", "pattern": r"\p{L}(["}}}), {"s": "x"}, findings)
    assert not findings.causes


def test_the_walk_changes_nothing_it_was_given() -> None:
    spec = {"mode": None, "steps": [{"name": "a", "bogus": 1}]}
    conformed(spec)
    assert spec == {"mode": None, "steps": [{"name": "a", "bogus": 1}]}


@pytest.mark.parametrize(
    ("schema", "good", "bad", "words"),
    [
        ({"type": "integer", "multipleOf": 2}, 4, 3, "should be a multiple of 2"),
        ({"type": "integer", "minimum": 1, "exclusiveMinimum": True}, 2, 1, "should be greater than 1"),
        ({"type": "integer", "maximum": 9, "exclusiveMaximum": True}, 8, 9, "should be less than 9"),
        (
            {"type": "object", "additionalProperties": {"type": "string"}, "maxProperties": 1},
            {"a": "b"},
            {"a": "b", "c": "d"},
            "at most 1 properties",
        ),
        ({"type": "object", "additionalProperties": {"type": "string"}, "minProperties": 1}, {"a": "b"}, {}, "at least 1 properties"),
        ({"type": "string", "format": "date-time"}, "2030-01-01T00:00:00+02:00", "soon", 'must be of type date-time: "soon"'),
        ({"type": "string", "format": "date"}, "2030-01-01", "2030-13-01", "must be of type date"),
        ({"type": "string", "format": "ipv4"}, "127.0.0.1", "::1", "must be of type ipv4"),
        ({"type": "string", "format": "somebody's own"}, "x", None, ""),
    ],
)
def test_more_words_of_schemas(schema: dict[str, Any], good: Any, bad: Any, words: str) -> None:
    findings = Findings()
    assert conform_value(Schema(schema), good, findings) == good and not findings.causes
    if bad is not None:
        conform_value(Schema(schema), bad, findings)
        assert words in str(findings.causes[0])


def test_a_whole_number_is_an_integer_however_it_is_written() -> None:
    value = conform_value(Schema({"type": "integer"}), 2.0, Findings())
    assert value == 2 and isinstance(value, int)


def test_an_object_inside_says_what_it_is() -> None:
    findings = Findings()
    conform_value(Schema({"type": "object", "x-kubernetes-embedded-resource": True}), {"kind": "X"}, findings)
    assert [str(cause) for cause in findings.causes] == [".apiVersion: Required value: must not be empty"]

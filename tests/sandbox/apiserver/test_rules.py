"""The small rules that kinds are made of."""

from typing import Any

import pytest
from reconciler_sandbox.apiserver import rules


def texts(causes: Any) -> list[str]:
    return [str(cause) for cause in causes]


def test_what_is_required_is_there_and_not_empty() -> None:
    assert texts(rules.required({"a": 1, "b": "", "c": []}, "spec", "a", "b", "c", "d")) == [
        "spec.b: Required value", "spec.c: Required value", "spec.d: Required value"
    ]  # fmt: skip
    assert texts(rules.required(None, "", "a")) == ["a: Required value"]


def test_a_choice_is_one_of_a_few_or_absent() -> None:
    assert rules.choice({}, "spec", "type", ("A", "B")) == rules.choice({"type": "B"}, "spec", "type", ("A", "B")) == []
    [cause] = rules.choice({"type": "C"}, "spec", "type", ("A", "B"))
    assert (str(cause), cause.code) == ('spec.type: Unsupported value: "C": supported values: "A", "B"', "FieldValueNotSupported")


def test_counts_are_not_negative() -> None:
    assert texts(rules.not_negative({"a": -1, "b": 0}, "spec", "a", "b", "c")) == [
        "spec.a: Invalid value: -1: must be greater than or equal to 0"
    ]


@pytest.mark.parametrize(
    ("value", "count"), [(80, 0), (65_535, 0), (0, 1), (70_000, 1), (None, 1), ("http", 0), ("A_B", 2), ("a--b", 1), ("-a", 1)]
)
def test_a_port_is_a_number_or_a_name(value: Any, count: int) -> None:
    assert len(rules.port_or_name(value, "port")) == count


def test_a_name_of_a_port_is_short_and_has_a_letter() -> None:
    assert texts(rules.port_name("1" * 16, "p")) == [
        f'p: Invalid value: "{"1" * 16}": must be no more than 15 characters',
        f'p: Invalid value: "{"1" * 16}": must contain at least one letter or number (a-z, 0-9)',
    ]


def test_names_have_dots_or_not() -> None:
    assert rules.subdomain("a.b", "x") == rules.subdomain(None, "x") == rules.label_name("a", "x") == []
    assert len(rules.subdomain("A", "x")) == len(rules.label_name("a.b", "x")) == len(rules.label_name("a" * 64, "x")) == 1


@pytest.mark.parametrize(
    ("selector", "fields"),
    [
        ({"matchLabels": {"a": "b"}, "matchExpressions": [{"key": "a", "operator": "Exists"}]}, []),
        ({"matchLabels": {"a b": "b"}}, ["s.matchLabels"]),
        ({"matchExpressions": [{"key": "a", "operator": "In"}]}, ["s.matchExpressions[0].values"]),
        ({"matchExpressions": [{"key": "a", "operator": "Exists", "values": ["b"]}]}, ["s.matchExpressions[0].values"]),
        ({"matchExpressions": [{"key": "a", "operator": "Odd"}]}, ["s.matchExpressions[0].operator"]),
        ({"matchExpressions": [{"operator": "Exists"}]}, ["s.matchExpressions[0].key"] * 2),
    ],
)
def test_a_selector_is_well_formed(selector: dict[str, Any], fields: list[str]) -> None:
    assert [cause.field for cause in rules.label_selector(selector, "s")] == fields


def test_what_never_changes_is_compared_with_the_object_before() -> None:
    assert rules.unchanged({"spec": {"a": 1}}, None, "a") == rules.unchanged({"spec": {"a": 1}}, {"spec": {"a": 1}}, "a") == []
    assert texts(rules.unchanged({"spec": {"a": 1}}, {"spec": {"a": 2}}, "a")) == ["spec.a: Invalid value: 1: field is immutable"]

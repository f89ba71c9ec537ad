"""Conditions on requests."""

import pytest
from reconciler_sandbox.mesh.translate.matches import catches_all, route_match
from reconciler_sandbox.mesh.translate.terms import Refused


@pytest.mark.parametrize(
    ("uri", "rendered"),
    [
        ({"exact": "/a"}, {"path": "/a", "case_sensitive": True}),
        ({"prefix": "/a"}, {"prefix": "/a", "case_sensitive": True}),
        ({"regex": "/a.*"}, {"safe_regex": {"regex": "/a.*"}}),
    ],
)
def test_paths(uri: dict, rendered: dict) -> None:
    assert route_match({"uri": uri}) == rendered


def test_paths_may_ignore_case() -> None:
    assert route_match({"uri": {"exact": "/a"}, "ignoreUriCase": True})["case_sensitive"] is False


@pytest.mark.parametrize("condition", [{}, None, {"regex": "*"}])
def test_an_empty_condition_asks_for_presence(condition: dict | None) -> None:
    assert route_match({"headers": {"x": condition}})["headers"] == [{"name": "x", "present_match": True}]


def test_headers_compare_values() -> None:
    headers = route_match({"headers": {"a": {"exact": ""}, "b": {"prefix": "p"}, "c": {"regex": "r"}}})["headers"]
    assert [header["string_match"] for header in headers] == [{"exact": ""}, {"prefix": "p"}, {"safe_regex": {"regex": "r"}}]


def test_without_headers_treats_missing_as_empty() -> None:
    wanted = {"name": "x", "string_match": {"exact": "v"}, "invert_match": True, "treat_missing_header_as_empty": True}
    assert route_match({"withoutHeaders": {"x": {"exact": "v"}}})["headers"] == [wanted]
    assert route_match({"withoutHeaders": {"x": {}}})["headers"] == [{"name": "x", "present_match": True, "invert_match": True}]


def test_method_authority_and_query_are_conditions_too() -> None:
    rendered = route_match({"method": {"exact": "GET"}, "authority": {"prefix": "a"}, "queryParams": {"q": {"exact": "1"}, "r": {}}})
    assert [header["name"] for header in rendered["headers"]] == [":method", ":authority"]
    assert rendered["query_parameters"] == [{"name": "q", "string_match": {"exact": "1"}}, {"name": "r", "present_match": True}]


@pytest.mark.parametrize("match", [{"headers": {"": {"exact": "a"}}}, {"headers": {"x": {"prefix": ""}}}, {"uri": {"suffix": "/a"}}])
def test_what_envoy_would_refuse_is_refused(match: dict) -> None:
    with pytest.raises(Refused):
        route_match(match)


def test_only_a_match_without_conditions_catches_all() -> None:
    assert catches_all(route_match(None))
    assert catches_all(route_match({"uri": {"prefix": "/"}}))
    assert not catches_all(route_match({"headers": {"x": {}}}))
    assert not catches_all(route_match({"queryParams": {"x": {}}}))
    assert not catches_all(route_match({"uri": {"prefix": "/a"}}))

"""Merge and JSON patches leave their argument alone and do what the RFCs say."""

import copy
from typing import Any

import pytest
from reconciler_sandbox.apiserver.failures import Failure
from reconciler_sandbox.apiserver.merge import apply_operations, merge


def test_a_merge_patch_merges_maps_replaces_lists_and_removes_nulls() -> None:
    value = {"a": {"b": 1, "c": 2}, "l": [1, 2], "x": 1}
    before = copy.deepcopy(value)
    assert merge(value, {"a": {"b": None, "d": 3}, "l": [3], "x": None, "n": {"m": None}}) == {"a": {"c": 2, "d": 3}, "l": [3], "n": {}}
    assert value == before


@pytest.mark.parametrize(
    ("operation", "result"),
    [
        ({"op": "add", "path": "/m/new", "value": 1}, {"m": {"k": "v", "new": 1}, "l": [1, 2], "a/b": 0}),
        ({"op": "add", "path": "/l/-", "value": 3}, {"m": {"k": "v"}, "l": [1, 2, 3], "a/b": 0}),
        ({"op": "add", "path": "/l/0", "value": 0}, {"m": {"k": "v"}, "l": [0, 1, 2], "a/b": 0}),
        ({"op": "replace", "path": "/l/1", "value": 9}, {"m": {"k": "v"}, "l": [1, 9], "a/b": 0}),
        ({"op": "replace", "path": "/a~1b", "value": 5}, {"m": {"k": "v"}, "l": [1, 2], "a/b": 5}),
        ({"op": "remove", "path": "/m/k"}, {"m": {}, "l": [1, 2], "a/b": 0}),
        ({"op": "remove", "path": "/l/0"}, {"m": {"k": "v"}, "l": [2], "a/b": 0}),
        ({"op": "copy", "from": "/m/k", "path": "/c"}, {"m": {"k": "v"}, "l": [1, 2], "a/b": 0, "c": "v"}),
        ({"op": "move", "from": "/m/k", "path": "/c"}, {"m": {}, "l": [1, 2], "a/b": 0, "c": "v"}),
        ({"op": "test", "path": "/m/k", "value": "v"}, {"m": {"k": "v"}, "l": [1, 2], "a/b": 0}),
        ({"op": "replace", "path": "", "value": {}}, {}),
    ],
)
def test_each_operation_does_its_work(operation: dict[str, Any], result: Any) -> None:
    value = {"m": {"k": "v"}, "l": [1, 2], "a/b": 0}
    before = copy.deepcopy(value)
    assert apply_operations(value, [operation]) == result
    assert value == before


@pytest.mark.parametrize(
    ("operations", "code"),
    [
        ({}, 400),
        ([1], 400),
        ([{"op": "add"}] * 10_001, 400),
        ([{"op": "frobnicate", "path": "/m"}], 422),
        ([{"op": "add", "path": "m", "value": 1}], 422),
        ([{"op": "add", "path": "/m/k"}], 422),
        ([{"op": "remove", "path": "/nope"}], 422),
        ([{"op": "replace", "path": "/l/7", "value": 1}], 422),
        ([{"op": "add", "path": "/nope/x", "value": 1}], 422),
        ([{"op": "add", "path": "/l/x", "value": 1}], 422),
        ([{"op": "test", "path": "/m/k", "value": "w"}], 422),
        ([{"op": "move", "from": "/m", "path": "/m/k"}], 422),
    ],
)
def test_what_does_not_fit_is_refused(operations: Any, code: int) -> None:
    with pytest.raises(Failure) as refused:
        apply_operations({"m": {"k": "v"}, "l": [1, 2]}, operations)
    assert refused.value.code == code

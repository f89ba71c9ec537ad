"""Strategic merge patches: lists by their keys, and the directives that kubectl sends."""

from typing import Any

import pytest
from reconciler_sandbox.apiserver.failures import Failure
from reconciler_sandbox.apiserver.strategic import merge


def containers(*names: str) -> dict[str, Any]:
    return {"containers": [{"name": name, "image": f"{name}:1"} for name in names]}


def names(value: dict[str, Any], field: str = "containers") -> list[str]:
    return [one["name"] for one in value[field]]


def test_a_known_item_is_merged_in_place() -> None:
    merged = merge(containers("a", "b"), {"containers": [{"name": "b", "image": "b:2"}]})
    assert merged["containers"] == [{"name": "a", "image": "a:1"}, {"name": "b", "image": "b:2"}]


def test_new_items_come_first() -> None:
    assert names(merge(containers("a"), containers("z"))) == ["z", "a"]


def test_the_order_that_is_set_wins() -> None:
    patch = {**containers("z"), "$setElementOrder/containers": [{"name": "a"}, {"name": "z"}]}
    assert names(merge(containers("a", "server-made"), patch)) == ["a", "server-made", "z"]


def test_an_item_can_be_deleted_and_a_list_replaced() -> None:
    assert names(merge(containers("a", "b"), {"containers": [{"name": "a", "$patch": "delete"}]})) == ["b"]
    assert names(merge(containers("a", "b"), {"containers": [{"$patch": "replace"}, {"name": "c"}]})) == ["c"]


def test_a_map_can_be_replaced_or_deleted() -> None:
    assert merge({"m": {"a": 1}}, {"m": {"$patch": "replace", "b": 2}}) == {"m": {"b": 2}}
    assert merge({"m": {"a": 1}, "n": 1}, {"m": {"$patch": "delete"}}) == {"n": 1}


def test_only_retained_keys_stay() -> None:
    strategy = {"strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1}}}
    assert merge(strategy, {"strategy": {"type": "Recreate", "$retainKeys": ["type"]}}) == {"strategy": {"type": "Recreate"}}


def test_lists_without_a_key_are_replaced_and_finalizers_are_joined() -> None:
    assert merge({"args": ["a"], "finalizers": ["x/a"]}, {"args": ["b"], "finalizers": ["x/b"]}) == {
        "args": ["b"],
        "finalizers": ["x/b", "x/a"],
    }
    assert merge({"finalizers": ["x/a", "x/b"]}, {"$deleteFromPrimitiveList/finalizers": ["x/a"]}) == {"finalizers": ["x/b"]}


@pytest.mark.parametrize("key", ["port", "containerPort"])
def test_ports_go_by_the_number_they_have(key: str) -> None:
    merged = merge({"ports": [{key: 80, "name": "http"}]}, {"ports": [{key: 80, "protocol": "TCP"}, {key: 90}]})
    assert merged["ports"] == [{key: 90}, {key: 80, "name": "http", "protocol": "TCP"}]


def test_null_removes_a_field() -> None:
    assert merge({"a": 1, "b": 2}, {"a": None}) == {"b": 2}


def test_an_item_without_its_key_is_an_error() -> None:
    with pytest.raises(Failure) as refused:
        merge(containers("a"), {"containers": [{"image": "x"}]})
    assert refused.value.code == 500


@pytest.mark.parametrize("patch", [{"$retainKeys": "x"}, {"$setElementOrder/containers": 1}])
def test_a_directive_of_the_wrong_type_is_a_bad_request(patch: dict[str, Any]) -> None:
    with pytest.raises(Failure) as refused:
        merge(containers("a"), patch)
    assert refused.value.code == 400

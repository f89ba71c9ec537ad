"""Server-side apply: ownership, conflicts, and what leaves with the last owner."""

from typing import Any

import pytest
from reconciler_sandbox.apiserver.applying import Applied, apply, fields_of
from reconciler_sandbox.apiserver.failures import Failure
from reconciler_sandbox.apiserver.shapes import shape_of

SHAPE = shape_of(None)


def by(manager: str, live: dict[str, Any], config: dict[str, Any], *, force: bool = False, moment: str = "t") -> dict[str, Any]:
    return apply(live, config, SHAPE, Applied(manager, "v1", "", moment, force))


def plain(manifest: dict[str, Any]) -> dict[str, Any]:
    return {name: inner for name, inner in manifest.items() if name != "metadata"}


def owners(manifest: dict[str, Any]) -> dict[str, Any]:
    return {entry["manager"]: entry["fieldsV1"] for entry in manifest["metadata"]["managedFields"]}


def test_an_apply_merges_and_remembers_who_set_what() -> None:
    result = by("a", {"data": {"x": "1"}, "metadata": {"name": "n"}}, {"data": {"y": "2"}, "metadata": {"name": "n"}})
    assert plain(result) == {"data": {"x": "1", "y": "2"}}
    assert owners(result) == {"a": {"f:data": {"f:y": {}}}}
    assert result["metadata"]["managedFields"][0]["operation"] == "Apply"


def test_equal_fields_of_different_objects_are_kept_once() -> None:
    one, other = (owners(by("a", {}, {"data": {"x": number}}))["a"] for number in "12")
    assert one is other


def test_what_an_apply_does_not_change_is_the_very_same() -> None:
    live = {"spec": {"replicas": 1, "containers": [{"name": "c", "image": "i"}]}, "data": {"x": "1"}}
    after = by("a", live, {"spec": {"containers": [{"name": "c", "image": "i"}]}, "data": {"x": "2"}})
    assert after["spec"] is live["spec"]
    assert after["data"] == {"x": "2"}


def test_a_field_that_its_only_owner_drops_leaves() -> None:
    first = by("a", {}, {"data": {"x": "1", "y": "2"}})
    assert plain(by("a", first, {"data": {"x": "1"}})) == {"data": {"x": "1"}}
    assert plain(by("a", first, {})) == {}


def test_a_field_with_another_owner_stays() -> None:
    both = by("b", by("a", {}, {"data": {"x": "1"}}), {"data": {"x": "1"}})
    assert plain(by("a", both, {})) == {"data": {"x": "1"}}


def test_another_value_of_an_owned_field_is_a_conflict() -> None:
    first = by("m1", {}, {"data": {"a": "1", "b": "1"}})
    with pytest.raises(Failure) as refused:
        by("m2", first, {"data": {"a": "2"}})
    assert refused.value.code == 409
    assert refused.value.message == 'Apply failed with 1 conflict: conflict with "m1": .data.a'
    assert refused.value.details["causes"] == [{"reason": "FieldManagerConflict", "message": 'conflict with "m1"', "field": ".data.a"}]


def test_several_conflicts_are_all_named() -> None:
    first = by("m1", {}, {"data": {"a": "1", "b": "1"}})
    with pytest.raises(Failure, match=r"2 conflicts") as refused:
        by("m2", first, {"data": {"a": "2", "b": "2"}})
    assert [cause["field"] for cause in refused.value.details["causes"]] == [".data.a", ".data.b"]


def test_force_takes_the_field_over() -> None:
    taken = by("m2", by("m1", {}, {"data": {"a": "1", "b": "1"}}), {"data": {"a": "2"}}, force=True)
    assert taken["data"] == {"a": "2", "b": "1"}
    assert owners(taken) == {"m1": {"f:data": {"f:b": {}}}, "m2": {"f:data": {"f:a": {}}}}


def test_a_repeated_apply_changes_nothing_not_even_its_time() -> None:
    first = by("a", {}, {"data": {"x": "1"}}, moment="t1")
    assert by("a", first, {"data": {"x": "1"}}, moment="t2") == first


def pod(*containers: dict[str, Any]) -> dict[str, Any]:
    return {"spec": {"containers": list(containers)}}


def test_list_items_are_owned_by_key() -> None:
    live = by("a", {}, pod({"name": "main", "image": "i:1"}))
    side = by("b", live, pod({"name": "side", "image": "s:1"}))
    assert [one["name"] for one in side["spec"]["containers"]] == ["main", "side"]
    assert plain(by("b", side, {})) == pod({"name": "main", "image": "i:1"})
    with pytest.raises(Failure) as refused:
        by("b", side, pod({"name": "main", "image": "i:2"}))
    assert refused.value.details["causes"][0]["field"] == '.spec.containers[name="main"].image'


def test_a_field_inside_a_shared_item_leaves_alone() -> None:
    live = by("a", {}, pod({"name": "main", "image": "i:1", "tty": True}))
    both = by("b", live, pod({"name": "main", "image": "i:1"}))
    assert plain(by("a", both, {})) == pod({"name": "main", "image": "i:1"})


def test_the_default_protocol_is_part_of_a_port_key() -> None:
    live = {"spec": {"ports": [{"port": 80, "protocol": "TCP", "nodePort": 1}, {"port": 80, "protocol": "UDP"}]}}
    assert by("a", live, {"spec": {"ports": [{"port": 80, "name": "http"}]}})["spec"]["ports"][0]["name"] == "http"


def test_sets_are_joined_and_owned_per_value() -> None:
    live = {"metadata": {"finalizers": ["x/a"]}}
    joined = by("b", live, {"metadata": {"finalizers": ["x/b"]}})
    assert joined["metadata"]["finalizers"] == ["x/a", "x/b"]
    assert by("b", joined, {})["metadata"]["finalizers"] == ["x/a"]


def test_an_atomic_map_is_replaced_and_owned_as_a_whole() -> None:
    result = by("a", {"spec": {"selector": {"x": "1"}}}, {"spec": {"selector": {"y": "1"}}})
    assert result["spec"] == {"selector": {"y": "1"}}
    assert fields_of({"spec": {"selector": {"y": "1"}}}, SHAPE) == {"f:spec": {"f:selector": {}}}


@pytest.mark.parametrize(
    "config",
    [{"metadata": {"managedFields": [{}]}}, pod({"name": "a"}, {"name": "a"}), {"spec": {"containers": ["text"]}}],
)
def test_a_configuration_that_cannot_be_typed_is_a_bad_request(config: dict[str, Any]) -> None:
    with pytest.raises(Failure) as refused:
        by("a", pod({"name": "x"}), config)
    assert refused.value.code == 400


def test_an_empty_map_on_top_of_a_full_one_disputes_nothing() -> None:
    first = by("m1", {}, {"data": {"a": "1"}})
    assert plain(by("m2", first, {"data": {}})) == {"data": {"a": "1"}}

"""Updates of objects that somebody applies: who changes a field owns it."""

from typing import Any

import pytest
from reconciler_sandbox.apiserver.applying import Applied, apply
from reconciler_sandbox.apiserver.failures import Failure
from reconciler_sandbox.apiserver.ownership import Updated, taken_over
from reconciler_sandbox.apiserver.shapes import shape_of

SHAPE = shape_of(None)


def applied(config: dict[str, Any], live: dict[str, Any] | None = None, manager: str = "git") -> dict[str, Any]:
    return apply(live or {}, config, SHAPE, Applied(manager, "v1", "", "t0", False))


def updated(
    old: dict[str, Any], change: dict[str, Any], manager: str = "editor", *, subresource: str = "", moment: str = "t1"
) -> dict[str, Any]:
    return taken_over(old, {**old, **change}, SHAPE, Updated(manager, "v1", subresource, moment))


def owners(manifest: dict[str, Any]) -> dict[tuple[str, str], Any]:
    return {(entry["manager"], entry["operation"]): entry["fieldsV1"] for entry in manifest["metadata"]["managedFields"]}


def test_a_changed_field_changes_its_owner() -> None:
    result = updated(applied({"data": {"x": "1", "y": "1"}}), {"data": {"x": "2", "y": "1"}})
    assert owners(result) == {("git", "Apply"): {"f:data": {"f:y": {}}}, ("editor", "Update"): {"f:data": {"f:x": {}}}}


def test_an_added_field_is_of_who_added_it() -> None:
    result = updated(applied({"data": {"x": "1"}}), {"data": {"x": "1", "z": "1"}})
    assert owners(result) == {("git", "Apply"): {"f:data": {"f:x": {}}}, ("editor", "Update"): {"f:data": {"f:z": {}}}}


def test_a_removed_field_is_of_nobody() -> None:
    assert owners(updated(applied({"data": {"x": "1", "y": "1"}}), {"data": {"y": "1"}})) == {("git", "Apply"): {"f:data": {"f:y": {}}}}
    assert owners(updated(applied({"data": {"x": "1"}}), {"data": {}})) == {("editor", "Update"): {"f:data": {}}}


def test_items_of_lists_go_by_their_key() -> None:
    live = applied({"spec": {"containers": [{"name": "a", "image": "1"}, {"name": "b", "image": "1"}]}})
    result = updated(live, {"spec": {"containers": [{"name": "a", "image": "2"}]}})
    assert owners(result) == {
        ("git", "Apply"): {"f:spec": {"f:containers": {'k:{"name":"a"}': {".": {}, "f:name": {}}}}},
        ("editor", "Update"): {"f:spec": {"f:containers": {'k:{"name":"a"}': {"f:image": {}}}}},
    }


def test_the_next_apply_conflicts_with_the_update_and_says_in_which_version() -> None:
    live = updated(applied({"data": {"x": "1"}}), {"data": {"x": "2"}}, subresource="scale")
    with pytest.raises(Failure) as refused:
        applied({"data": {"x": "1"}}, live)
    message = 'Apply failed with 1 conflict: conflict with "editor" with subresource "scale" using v1: .data.x'
    assert refused.value.message == message
    assert applied({"data": {"x": "2"}}, live)["data"] == {"x": "2"}


def test_a_manager_that_applies_and_updates_is_two_owners() -> None:
    live = updated(applied({"data": {"x": "1"}}), {"data": {"x": "2"}}, manager="git")
    assert owners(live) == {("git", "Update"): {"f:data": {"f:x": {}}}}
    with pytest.raises(Failure, match='conflict with "git" using v1'):
        applied({"data": {"x": "1"}}, live)


def test_further_updates_add_to_the_same_entry() -> None:
    first = updated(applied({"data": {"x": "1"}}), {"data": {"x": "1", "y": "1"}})
    second = updated(first, {"data": {"x": "1", "y": "1", "z": "1"}}, moment="t2")
    assert owners(second)[("editor", "Update")] == {"f:data": {"f:y": {}, "f:z": {}}}
    assert updated(second, {}, moment="t3") == second


def test_objects_that_nobody_applies_and_edited_entries_are_left_alone() -> None:
    plain = {"metadata": {"name": "n"}, "data": {"x": "1"}}
    assert updated(plain, {"data": {"x": "2"}}) == {**plain, "data": {"x": "2"}}
    live = applied({"data": {"x": "1"}})
    edited = {"metadata": {"managedFields": [{"manager": "other"}]}, "data": {"x": "2"}}
    assert updated(live, edited) == {**live, **edited}

"""What we own and lives otherwise is no loss: a webhook or the server made it so in our own write."""

from typing import Any

import pytest

from reconciler.kernel.identity import Manifest
from reconciler.sync.drift.ownership import lost_fields


def live(fields: Manifest, value: Any, **entry: str) -> Manifest:
    ours = {"manager": "reconciler", "operation": "Apply", "apiVersion": "v1", "fieldsV1": fields, **entry}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a", "managedFields": [ours]}, "data": value}


def git(value: Any) -> Manifest:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}, "data": value}


@pytest.mark.parametrize(
    ("fields", "value"),
    [
        ({"f:data": {"f:x": {}}}, {"x": "2"}),
        ({"f:data": {"f:x": {}}}, {}),
        ({"f:data": {}}, {"x": "2"}),
        ({"f:data": {"f:x": {}}}, None),
    ],
)
def test_what_is_ours_is_as_it_should_be_whatever_lives(fields: Manifest, value: Any) -> None:
    assert lost_fields(git({"x": "1"}), live(fields, value)) == ()


def test_what_is_not_ours_any_more_is_lost() -> None:
    assert [one.name for one in lost_fields(git({"x": "1"}), live({"f:data": {"f:y": {}}}, {"x": "2"}))] == ["data.x"]


def test_ownership_of_another_version_of_the_api_or_of_the_status_tells_nothing() -> None:
    fields = {"f:data": {"f:y": {}}}
    assert lost_fields(git({"x": "1"}), live(fields, {"x": "2"}, apiVersion="v2")) == ()
    assert lost_fields(git({"x": "1"}), live(fields, {"x": "2"}, subresource="status")) == ()


def test_annotations_of_our_own_do_not_count() -> None:
    wanted = {**git({}), "metadata": {"name": "a", "annotations": {"ours": "1", "theirs": "1"}}}
    lost = lost_fields(wanted, live({"f:data": {}}, {}), ("ours",))
    assert [one.pointer for one in lost] == ["/metadata/annotations"]
    assert lost_fields({**wanted, "metadata": {"name": "a", "annotations": {"ours": "1"}}}, live({"f:data": {}}, {}), ("ours",)) == ()


def test_a_pointer_is_escaped() -> None:
    found = live({"f:data": {"f:y": {}}}, {"a/b~c": "2"})
    assert [one.pointer for one in lost_fields(git({"a/b~c": "1"}), found)] == ["/data/a~1b~0c"]


@pytest.mark.parametrize("step", ["k:", "k:5", "k:[1]", "k:{", 'k:{"name":'])
def test_a_step_that_no_server_writes_tells_no_item_apart(step: str) -> None:
    wanted = {**git({}), "data": {"list": [{"name": "a", "x": "1"}]}}
    found = live({"f:data": {"f:list": {step: {"f:x": {}}}}}, {"list": [{"name": "a", "x": "2"}]})
    assert [one.pointer for one in lost_fields(wanted, found)] == ["/data/list/0/x"]


def test_an_entry_without_fields_tells_nothing() -> None:
    found = live({"f:data": {"f:x": {}}}, {"x": "2"})
    found["metadata"]["managedFields"] += [{"manager": "odd", "fieldsV1": []}, {"manager": "none"}]
    assert lost_fields(git({"x": "1"}), found) == ()

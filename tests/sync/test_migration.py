"""What kubectl's client-side apply wrote becomes ours: ownership where the server keeps it, one merge where it does not."""

import json
from typing import Any

import pytest

from reconciler.kernel.identity import Manifest
from reconciler.sync.migration import CLIENT_SIDE, LAST_APPLIED, client_side, migration


def entry(manager: str, operation: str, fields: Manifest, **more: str) -> Manifest:
    return {"manager": manager, "operation": operation, "apiVersion": "v1", "fieldsType": "FieldsV1", "fieldsV1": fields, **more}


def config(data: dict[str, str], *, last: Any = None, entries: list[Manifest] | None = None, **annotations: str) -> Manifest:
    marks = {**annotations, **({LAST_APPLIED: last if isinstance(last, str) else json.dumps(last)} if last is not None else {})}
    metadata: Manifest = {"name": "a", "namespace": "shop", "resourceVersion": "7", "annotations": marks}
    if entries is not None:
        metadata["managedFields"] = entries
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": data}


def applied(operations: list[Manifest] | None, path: str) -> Any:
    assert operations is not None
    return next(operation for operation in operations if operation["path"] == path)["value"]


def test_only_the_annotation_says_that_client_side_apply_was_here() -> None:
    assert client_side(config({}, last={}))
    assert not client_side(config({}))


def test_what_client_side_apply_owned_is_ours_and_everybody_elses_stays() -> None:
    theirs = entry(CLIENT_SIDE, "Update", {"f:data": {"f:a": {}, "f:gone": {}}})
    status, stranger = entry(CLIENT_SIDE, "Update", {"f:status": {}}, subresource="status"), entry("hpa", "Update", {"f:spec": {}})
    operations = migration(config({}, last={}, entries=[stranger, theirs, status]), config({}), "reconciler")
    owners = applied(operations, "/metadata/managedFields")
    assert owners[:2] == [stranger, status]
    assert owners[2] == {**theirs, "manager": "reconciler", "operation": "Apply"}
    assert applied(operations, "/metadata/resourceVersion") == "7"


def test_an_entry_of_ours_takes_theirs_in() -> None:
    mine = entry("reconciler", "Apply", {"f:data": {"f:b": {}}})
    theirs = entry(CLIENT_SIDE, "Update", {"f:data": {"f:a": {}}})
    owners = applied(migration(config({}, last={}, entries=[theirs, mine]), config({}), "reconciler"), "/metadata/managedFields")
    assert [owner["fieldsV1"] for owner in owners] == [{"f:data": {"f:a": {}, "f:b": {}}}]


@pytest.mark.parametrize("live", [config({}, last={}, entries=[entry("x", "Apply", {})]), config({}, last="no JSON"), config({}, last=[1])])
def test_without_anything_to_take_over_nothing_is_written(live: Manifest) -> None:
    assert migration(live, config({}), "reconciler") is None


def test_a_server_without_owners_gets_kubectls_own_merge_in_one_write() -> None:
    last = config({"a": "1", "gone": "1"})
    live = config({"a": "1", "gone": "1", "strangers": "3"}, last=last, theirs="x")
    payload = config({"a": "2"}, **{"reconciler.dev/source": "shop", "reconciler.dev/desired": "hash"})
    operations = migration(live, payload, "reconciler")
    assert applied(operations, "/data") == {"a": "2", "strangers": "3"}
    assert applied(operations, "/metadata/annotations") == {"theirs": "x", "reconciler.dev/source": "shop"}
    assert applied(operations, "/metadata/resourceVersion") == "7"


def test_a_part_that_left_git_as_a_whole_is_removed() -> None:
    live = {**config({"a": "1"}, last=config({"a": "1"})), "immutable": True}
    payload = {key: value for key, value in config({}).items() if key != "data"}
    assert {"op": "remove", "path": "/data"} in (migration(live, payload, "reconciler") or [])


def listed(api: str, items: list[Manifest], last: Any = None) -> Manifest:
    metadata: Manifest = {"name": "a", "resourceVersion": "7", "annotations": {LAST_APPLIED: json.dumps(last)} if last else {}}
    return {"apiVersion": api, "kind": "K", "metadata": metadata, "spec": {"env": items}}


def test_items_of_built_in_lists_are_merged_by_their_key_and_custom_lists_are_one_value() -> None:
    item = [{"name": name, "value": "1"} for name in ("a", "gone", "sidecar")]
    for api, expected in (("apps/v1", [{"name": "a", "value": "2"}, item[2]]), ("example.com/v1", [{"name": "a", "value": "2"}])):
        live, payload = listed(api, item, listed(api, item[:2])), listed(api, [{"name": "a", "value": "2"}])
        assert applied(migration(live, payload, "reconciler"), "/spec") == {"env": expected}


def test_what_others_and_we_own_in_other_ways_is_not_taken_in() -> None:
    theirs = entry(CLIENT_SIDE, "Update", {"f:data": {"f:a": {}}})
    others = [
        entry("reconciler", "Apply", {"f:status": {}}, subresource="status"),
        entry("reconciler", "Update", {"f:data": {"f:x": {}}}),
        entry("other", "Apply", {"f:data": {"f:y": {}}}),
        entry(CLIENT_SIDE, "Apply", {"f:data": {"f:z": {}}}),
    ]
    owners = applied(migration(config({}, last={}, entries=[*others, theirs]), config({}), "reconciler"), "/metadata/managedFields")
    assert owners == [*others, {**theirs, "manager": "reconciler", "operation": "Apply"}]


def test_an_entry_that_owns_nothing_is_taken_over_too() -> None:
    bare = {key: value for key, value in entry(CLIENT_SIDE, "Update", {}).items() if key != "fieldsV1"}
    owners = applied(migration(config({}, last={}, entries=[bare]), config({}), "reconciler"), "/metadata/managedFields")
    assert [owner["fieldsV1"] for owner in owners] == [{}]


@pytest.mark.parametrize("said", [{}, {"metadata": None}, {"metadata": {"labels": None}}])
def test_metadata_that_one_side_does_not_say_is_empty(said: Manifest) -> None:
    last = {**said, "data": {"gone": "1"}}
    live, payload = config({"gone": "1", "kept": "1"}, last=last), config({"a": "2"})
    live["metadata"]["labels"] = {"theirs": "x"}
    for labels in ({}, {"labels": None}, {"labels": {"ours": "y"}}):
        payload["metadata"] = {**payload["metadata"], **labels}
        operations = migration(live, payload, "reconciler")
        assert applied(operations, "/data") == {"a": "2", "kept": "1"}
        named = [operation["value"] for operation in operations or [] if operation["path"] == "/metadata/labels"]
        assert named == ([{"theirs": "x", "ours": "y"}] if labels.get("labels") else [])


def test_a_list_that_lives_in_no_version_is_put_in_and_an_item_that_a_person_added_before_git_did_stays_one() -> None:
    items = [{"name": "a", "value": "1"}, {"name": "b", "value": "2"}]
    new = {**listed("apps/v1", [], {"kind": "K"}), "spec": {}}
    assert applied(migration(new, listed("apps/v1", items), "reconciler"), "/spec") == {"env": items}
    by_hand = listed("apps/v1", [*items, {"name": "c", "value": "3"}], listed("apps/v1", items[:1]))
    assert applied(migration(by_hand, listed("apps/v1", [items[0], {"name": "b", "value": "9"}]), "reconciler"), "/spec") == {
        "env": [items[0], {"name": "b", "value": "9"}, {"name": "c", "value": "3"}]
    }

"""Who wrote what before anybody applied."""

from typing import Any

import pytest
from reconciler_sandbox.apiserver.authors import NOBODY_KNOWN, Authors
from reconciler_sandbox.apiserver.ownership import Updated
from reconciler_sandbox.apiserver.shapes import NamedShape
from reconciler_sandbox.apiserver.store import Collection, Entry

SHAPE = NamedShape()
Json = dict[str, Any]


def by(manager: str, subresource: str = "") -> Updated:
    return Updated(manager, "v1", subresource, "t1")


def manifest(data: dict[str, str], **metadata: Any) -> Json:
    return {"apiVersion": "v1", "metadata": {"name": "a", "uid": "u", "creationTimestamp": "t0", **metadata}, "data": data}


def owners(authors: Authors, found: Json) -> Json:
    entries = authors.attributed(found, SHAPE)["metadata"]["managedFields"]
    return {entry["manager"]: entry["fieldsV1"] for entry in entries}


@pytest.fixture
def authors() -> Authors:
    made = Authors()
    made.created("u", by("creator"))
    return made


def test_everything_is_its_creators(authors: Authors) -> None:
    found = manifest({"x": "1"}, labels={"l": "1"})
    assert owners(authors, found) == {"creator": {"f:data": {"f:x": {}}, "f:metadata": {"f:labels": {"f:l": {}}}}}
    [entry] = authors.attributed(found, SHAPE)["metadata"]["managedFields"]
    assert (entry["operation"], entry["apiVersion"], entry["time"]) == ("Update", "v1", "t1")


def test_what_an_update_changes_or_adds_is_its_writers(authors: Authors) -> None:
    old, new = manifest({"x": "1", "y": "1"}), manifest({"x": "2", "y": "1", "z": "1"})
    authors.updated(old, new, SHAPE, by("editor"))
    assert owners(authors, new) == {"creator": {"f:data": {"f:y": {}}}, "editor": {"f:data": {"f:x": {}, "f:z": {}}}}


def test_the_last_writer_has_it_and_what_is_gone_belongs_to_nobody(authors: Authors) -> None:
    first, second, third = manifest({"x": "1"}), manifest({"x": "2"}), manifest({"x": "3", "y": "1"})
    authors.updated(first, second, SHAPE, by("editor"))
    authors.updated(second, third, SHAPE, by("other"))
    assert owners(authors, third) == {"other": {"f:data": {"f:x": {}, "f:y": {}}}}
    assert owners(authors, manifest({"y": "1"})) == {"other": {"f:data": {"f:y": {}}}}


def test_a_subresource_is_a_writer_of_its_own(authors: Authors) -> None:
    old, new = manifest({"x": "1"}), {**manifest({"x": "1"}), "status": {"conditions": [{"type": "Ready", "status": "True"}]}}
    authors.updated(old, new, SHAPE, by("creator", "status"))
    entries = authors.attributed(new, SHAPE)["metadata"]["managedFields"]
    condition = {".": {}, "f:type": {}, "f:status": {}}
    assert {entry.get("subresource", ""): entry["fieldsV1"] for entry in entries} == {
        "": {"f:data": {"f:x": {}}},
        "status": {"f:status": {"f:conditions": {'k:{"type":"Ready"}': condition}}},
    }


def test_without_notes_it_was_somebody_before_the_first_apply(authors: Authors) -> None:
    assert owners(Authors(), manifest({"x": "1"})) == {NOBODY_KNOWN: {"f:data": {"f:x": {}}}}
    gone = manifest({})
    authors.observe(Collection("", "configmaps"), "DELETED", Entry(gone, 1, b""))
    assert owners(authors, manifest({"x": "1"})) == {NOBODY_KNOWN: {"f:data": {"f:x": {}}}}


def test_an_object_that_has_owners_keeps_them(authors: Authors) -> None:
    applied = manifest({"x": "1"}, managedFields=[{"manager": "m"}])
    assert authors.attributed(applied, SHAPE) is applied

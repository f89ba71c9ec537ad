"""A face renames what it shows and takes, the names that managers own among it, and nothing else."""

from reconciler_sandbox.apiserver.faces import Face

FACE = Face("new/v1", "v1", "", {"note": "message"}, {"seen": None})
FIELDS = {"f:message": {}, "f:metadata": {"f:labels": {}}}
STORED = {"apiVersion": "v1", "kind": "Thing", "metadata": {"name": "a"}, "message": "hi", "seen": "now"}


def owned(api_version: str, fields: dict) -> dict:
    return {"manager": "m", "operation": "Apply", "apiVersion": api_version, "fieldsV1": fields}


def test_what_is_shown_and_taken_is_the_same_object() -> None:
    shown = FACE.shown(STORED)
    assert shown == {"apiVersion": "new/v1", "kind": "Thing", "metadata": {"name": "a"}, "note": "hi", "seen": "now"}
    assert FACE.stored(shown) == STORED


def test_what_is_empty_is_not_shown_except_what_always_is() -> None:
    shown = FACE.shown({**STORED, "message": "", "seen": None, "count": 0})
    assert shown == {"apiVersion": "new/v1", "kind": "Thing", "metadata": {"name": "a"}, "seen": None}


def test_a_stored_name_is_no_name_of_the_face() -> None:
    assert "message" not in FACE.stored({"metadata": {}, "message": "smuggled"})


def test_owned_fields_are_renamed_with_their_fields() -> None:
    other = owned("other/v1", {"f:message": {}})
    shown = FACE.shown({**STORED, "metadata": {"managedFields": [owned("v1", FIELDS), other]}})
    renamed = owned("new/v1", {"f:note": {}, "f:metadata": {"f:labels": {}}})
    assert shown["metadata"]["managedFields"] == [renamed, other]
    assert FACE.stored(shown)["metadata"]["managedFields"] == [owned("v1", FIELDS), other]


def test_odd_owned_fields_are_left_to_validation() -> None:
    for odd in (None, "text", [1, {"apiVersion": "v1"}, {"apiVersion": "v1", "fieldsV1": 3}]):
        assert FACE.shown({**STORED, "metadata": {"managedFields": odd}})["metadata"] == {"managedFields": odd}


def test_paths_are_renamed_at_their_beginning() -> None:
    assert [FACE.path(path) for path in ("note", "note.note", "other.note")] == ["message", "message.note", "other.note"]

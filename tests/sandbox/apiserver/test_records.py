"""Lines of a journal: what is written is read, anything else is refused without a word of what it holds."""

import orjson
import pytest
from reconciler_sandbox.apiserver import records
from reconciler_sandbox.apiserver.records import AnotherFormat, Change, Head, Mark, Unreadable
from reconciler_sandbox.apiserver.store import Commit, Entry

PLACE = ("d", "a")
SECRETS = ("", "secrets")


def entry(version: int = 7, **fields: object) -> Entry:
    metadata = {"name": "a", "namespace": "d", "uid": "u", "resourceVersion": str(version)}
    manifest = {"apiVersion": "v1", "kind": "Secret", "metadata": metadata, **fields}
    return Entry(manifest, version, orjson.dumps(manifest))


def test_a_change_is_read_as_it_was_written() -> None:
    for kind in ("ADDED", "MODIFIED"):
        line = records.commit_line(Commit(kind, SECRETS, PLACE, entry(data={"x": "e\n"}), None))
        assert line.endswith(b"\n") and line.count(b"\n") == 1
        assert records.parse(line) == Change(SECRETS, PLACE, 7, entry(data={"x": "e\n"}))
    assert records.parse(records.entry_line(SECRETS, PLACE, entry())) == Change(SECRETS, PLACE, 7, entry())


def test_a_removal_does_not_repeat_its_object() -> None:
    line = records.commit_line(Commit("DELETED", SECRETS, PLACE, entry(data={"x": "hidden"}), entry(6)))
    assert b"hidden" not in line and records.parse(line) == Change(SECRETS, PLACE, 7, None)


def test_an_object_without_a_namespace_has_an_empty_one() -> None:
    metadata = {"name": "n", "uid": "u", "resourceVersion": "3"}
    kept = {"apiVersion": "v1", "kind": "Namespace", "metadata": metadata}
    line = records.entry_line(("", "namespaces"), ("", "n"), Entry(kept, 3, orjson.dumps(kept)))
    assert records.parse(line) == Change(("", "namespaces"), ("", "n"), 3, Entry(kept, 3, orjson.dumps(kept)))


def test_marks_and_heads_are_read_as_they_were_written() -> None:
    for mark in (Mark(records.RESERVED, 9), Mark(records.CLOSED, 4)):
        assert records.parse(records.mark_line(mark)) == mark
    assert records.parse_head(records.head_line(Head(3, 10))) == Head(3, 10)


@pytest.mark.parametrize(
    "head",
    [
        b"",
        b"[]",
        b"{}",
        b"not json",
        b'{"journal": "of somebody else"}',
        b"\xff\xfe",
        b'{"journal":"%b","format":1}' % records.NAME.encode(),
    ],
)
def test_a_file_that_is_not_ours_is_none(head: bytes) -> None:
    with pytest.raises(Unreadable):
        records.parse_head(head)


@pytest.mark.parametrize("number", ["0", "2", '"1"', "null"])
def test_another_format_is_told_from_a_foreign_file(number: str) -> None:
    with pytest.raises(AnotherFormat, match="this program reads and writes format 1"):
        records.parse_head(f'{{"journal":"{records.NAME}","format":{number},"version":1,"reserved":1}}'.encode())


GOOD = {"version": 7, "kind": "ADDED", "group": "", "plural": "secrets", "namespace": "d", "name": "a", "object": entry().manifest}


@pytest.mark.parametrize(
    "change",
    [
        {"version": "7"},
        {"version": -1},
        {"version": True},
        {"version": 8},
        {"kind": "ODD"},
        {"kind": None},
        {"group": None},
        {"plural": 1},
        {"namespace": "other"},
        {"name": "b"},
        {"object": None},
        {"object": "text"},
        {"object": {}},
        {"object": {"metadata": "text"}},
        {"object": {**entry().manifest, "metadata": {"name": "a", "namespace": "d", "resourceVersion": "7"}}},
        {"object": {**entry().manifest, "kind": None}},
    ],
)
def test_a_line_that_is_not_what_it_should_be_is_refused(change: dict) -> None:
    assert records.parse(orjson.dumps(GOOD)) == Change(SECRETS, PLACE, 7, entry())
    with pytest.raises(Unreadable):
        records.parse(orjson.dumps({**GOOD, **change}))


def test_a_refusal_shows_nothing_of_the_line() -> None:
    line = records.entry_line(SECRETS, PLACE, entry(data={"password": "hunter2"}))
    for broken in (line[:-3], line.replace(b'"secrets"', b"5"), line.replace(b'"u"', b"7")):
        with pytest.raises(Unreadable) as refused:
            records.parse(broken)
        assert "hunter2" not in str(refused.value)

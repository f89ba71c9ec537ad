"""A journal: what was told is there after a kill, versions never run backwards, damage is named, the file stays small."""

import logging
import os
import resource
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from reconciler_sandbox.apiserver import records
from reconciler_sandbox.apiserver.journal import RESERVE, SLACK, Journal, JournalError, chance_of, restored
from reconciler_sandbox.apiserver.store import Collection, NotKept, Store

CONFIG_MAPS = ("", "configmaps")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "folder" / "journal.jsonl"


@contextmanager
def opened(path: Path) -> Iterator[Store]:
    """A store on a journal that is left without a word, as by a kill."""
    journal = Journal.open(path)
    try:
        yield restored(journal)
    finally:
        journal._file.close()  # type: ignore[union-attr]
        journal._lock.close()


@contextmanager
def in_order(path: Path) -> Iterator[Store]:
    """A store on a journal that is closed in good order."""
    journal = Journal.open(path)
    try:
        yield restored(journal)
    finally:
        journal.close()


def put(store: Store, name: str, text: str = "") -> int:
    manifest = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, "namespace": "d", "uid": name}, "data": {"x": text}}
    return store.put(store.collection(*CONFIG_MAPS), ("d", name), manifest).version


def remove(store: Store, name: str) -> int:
    return store.remove(store.collection(*CONFIG_MAPS), ("d", name)).version


def held(store: Store) -> dict[str, str]:
    return {place[1]: entry.manifest["data"]["x"] for _, place, entry in store.live()}


def lines(path: Path) -> list[bytes]:
    return path.read_bytes().splitlines(keepends=True)


def test_a_kill_loses_nothing_that_was_told(path: Path) -> None:
    with opened(path) as store:
        put(store, "a", "1")
        put(store, "b", "1")
        put(store, "a", "2")
        last = remove(store, "b")
        encoded = store.collection(*CONFIG_MAPS).entries[("d", "a")].encoded
    with opened(path) as store:
        assert held(store) == {"a": "2"}
        assert store.collection(*CONFIG_MAPS).entries[("d", "a")].encoded == encoded
        assert store.version > last


def test_versions_go_on_over_kills_and_good_ends(path: Path) -> None:
    seen = [0]
    for use in (in_order, opened, opened, in_order, in_order, opened):
        with use(path) as store:
            assert store.version >= seen[-1]
            seen += [put(store, "a", str(number)) for number in range(3)]
    assert seen == sorted(set(seen))


def test_a_good_end_goes_on_from_the_very_version(path: Path) -> None:
    with in_order(path) as store:
        put(store, "a")
        last = remove(store, "a")
    with in_order(path) as store:
        assert store.version == last


def test_after_a_kill_no_version_is_given_twice_even_if_the_last_changes_are_lost(path: Path) -> None:
    with opened(path) as store:
        versions = [put(store, f"n{number}") for number in range(RESERVE + 20)]
    content = path.read_bytes()
    for kept in (1, 2, RESERVE // 2, RESERVE + 10):
        path.write_bytes(b"".join(content.splitlines(keepends=True)[:kept]))
        with opened(path) as store:  # what was reserved on disk is there, however much behind it is lost
            assert store.version >= (versions[-1] if kept > RESERVE else RESERVE)


def test_a_reader_from_before_a_restart_has_expired_or_missed_nothing(path: Path) -> None:
    with in_order(path) as store:
        early = put(store, "a", "1")
        last = put(store, "a", "2")
    with in_order(path) as store:
        collection = store.collection(*CONFIG_MAPS)
        assert early < collection.oldest == last == store.version
        assert store.collection("", "secrets").oldest == last
        put(store, "a", "3")
        assert [event.version for event in collection.since(last)] == [last + 1]
    with opened(path) as store:
        put(store, "a", "4")
    with opened(path) as store:
        assert store.collection(*CONFIG_MAPS).oldest == store.version > last + 2


def test_a_torn_line_is_cut_off_and_said_wherever_it_ends(path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with opened(path) as store:
        put(store, "a", "1")
        whole = path.stat().st_size
        put(store, "a", "2")
    content = path.read_bytes()
    for end in range(whole, len(content)):
        path.write_bytes(content[:end])
        caplog.clear()
        with opened(path) as store:
            assert held(store) == {"a": "1"}
            put(store, "b", "after")
        said = [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING]
        assert said == ([] if end == whole else [said[0]])
        assert end == whole or (f"{path}, line 3: " in said[0] and f" {end - whole} bytes are cut off" in said[0])
        with opened(path) as store:
            assert held(store) == {"a": "1", "b": "after"}


def test_an_unreadable_line_is_named_and_the_file_stays_as_it_is(path: Path) -> None:
    with opened(path) as store:
        for number in range(4):
            put(store, "a", f"secret-{number}")
    good = lines(path)
    for number, broken in (
        (2, b"rubbish\n"),
        (3, b"\x00\x01\n"),
        (3, b"\n"),
        (5, good[4][:-20] + b"\n"),
        (4, good[3].replace(b'"a"', b'"b"', 1)),
        (3, good[1]),
    ):
        path.write_bytes(b"".join([*good[: number - 1], broken, *good[number:]]))
        before = path.read_bytes()
        with pytest.raises(JournalError) as refused:
            Journal.open(path)
        text = str(refused.value)
        assert text.startswith(f"{path}, line {number}: unreadable: ") and text.endswith("take this line out and lose that one change")
        assert "secret" not in text and path.read_bytes() == before
    path.write_bytes(b"".join(good[:2] + good[3:]))
    with opened(path) as store:
        assert held(store) == {"a": "secret-3"}


@pytest.mark.parametrize("content", [b"precious notes", b"precious notes\n", b'{"apiVersion":"v1"}\n', b"\x00" * 100, b"[]\n"])
def test_a_file_that_is_not_ours_is_left_alone(path: Path, content: bytes) -> None:
    path.parent.mkdir()
    path.write_bytes(content)
    with pytest.raises(JournalError) as refused:
        Journal.open(path)
    assert str(refused.value).startswith(f"{path}, line 1: not a journal of a sandbox: ") and "move this one away" in str(refused.value)
    assert path.read_bytes() == content


def test_another_format_is_left_to_the_program_that_wrote_it(path: Path) -> None:
    path.parent.mkdir()
    path.write_text(f'{{"journal":"{records.NAME}","format":2,"version":1,"reserved":1}}\n')
    with pytest.raises(
        JournalError, match=r"line 1: the journal has format 2.*reads and writes format 1; start it with the program that wrote it"
    ):
        Journal.open(path)


def test_a_folder_is_no_journal(tmp_path: Path) -> None:
    with pytest.raises(JournalError, match="it is no file"):
        Journal.open(tmp_path)


def test_an_empty_file_is_a_new_journal_for_its_owner_only(path: Path) -> None:
    path.parent.mkdir()
    path.touch()
    with opened(path) as store:
        put(store, "a")
    assert path.stat().st_mode & 0o777 == 0o600
    assert records.parse_head(lines(path)[0]).version == 1


def test_two_sandboxes_do_not_share_a_journal(path: Path) -> None:
    with opened(path) as store:
        with pytest.raises(JournalError, match="another sandbox is using it; stop that one"):
            Journal.open(path)
        put(store, "a", "mine")
    with opened(path) as store:
        assert held(store) == {"a": "mine"}


def test_what_a_kill_left_of_a_compaction_is_overwritten(path: Path) -> None:
    with opened(path) as store:
        put(store, "a", "1")
    path.with_name(path.name + ".new").write_bytes(b"half a fi")
    with opened(path) as store:
        assert held(store) == {"a": "1"}
    assert sorted(one.name for one in path.parent.iterdir()) == ["journal.jsonl", "journal.jsonl.lock"]


def test_the_file_is_bounded_by_the_objects(path: Path) -> None:
    text = "x" * 10_000
    with opened(path) as store:
        largest = 0
        for number in range(2_000):
            put(store, f"n{number % 50}", f"{number}{text}")
            largest = max(largest, path.stat().st_size)
        present = sum(len(entry.encoded) for _, _, entry in store.live())
        assert present < largest < 2 * present + 2 * SLACK
        for number in range(50):
            remove(store, f"n{number}")
        for number in range(200):
            put(store, "last", f"{number}{text}")
        assert path.stat().st_size < 2 * SLACK
    with opened(path) as store:
        assert held(store) == {"last": f"199{text}"}
        assert path.stat().st_size < SLACK


def test_a_compaction_keeps_objects_and_the_order_of_versions(path: Path) -> None:
    with opened(path) as store:
        put(store, "old", "stays")
        sizes = [0]
        while path.stat().st_size >= sizes[-1]:
            sizes.append(path.stat().st_size)
            before = put(store, "busy", "x" * 50_000)
        assert path.stat().st_size < SLACK < sizes[-1]
        assert put(store, "new") == before + 1
        kept = held(store)
    with opened(path) as store:
        assert held(store) == kept and set(kept) == {"old", "busy", "new"}


@contextmanager
def full_disk(size: int) -> Iterator[None]:
    """Files of this process end at a size, as on a full disk."""
    before, limits = signal.signal(signal.SIGXFSZ, signal.SIG_IGN), resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, limits[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, before)


def test_a_change_that_cannot_be_kept_is_not_made(path: Path) -> None:
    with opened(path) as store:
        first = put(store, "a", "1")
        heard: list[str] = []
        store.observers.append(lambda collection, kind, entry: heard.append(kind))
        with full_disk(path.stat().st_size + 30):
            for change in (lambda: put(store, "a", "2"), lambda: put(store, "b"), lambda: remove(store, "a")):
                with pytest.raises(NotKept, match="nothing was changed, give it room and try again"):
                    change()
        assert (held(store), store.version, heard) == ({"a": "1"}, first, [])
        assert put(store, "b", "now") == first + 1
    with opened(path) as store:
        assert held(store) == {"a": "1", "b": "now"}


def test_a_compaction_that_fails_leaves_the_file_as_it_was(path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with opened(path) as store:
        os.mkdir(path.with_name(path.name + ".new"))
        for number in range(90):
            put(store, "a", f"{number}" + "x" * 50_000)
        assert 2 <= caplog.text.count("could not be compacted") <= 4
        os.rmdir(path.with_name(path.name + ".new"))
        for number in range(40):
            put(store, "b", f"{number}")
            put(store, "c", "x" * 50_000)
        assert path.stat().st_size < 3 * SLACK
    with opened(path) as store:
        assert held(store)["a"].startswith("89x") and held(store)["b"] == "39"


def test_a_start_on_a_full_disk_is_an_error_that_leaves_the_file_as_it_was(path: Path) -> None:
    with opened(path) as store:
        put(store, "a", "x" * 5_000)
    before = path.read_bytes()
    with full_disk(1_000), pytest.raises(JournalError, match="give it room and rights, or name another file"):
        Journal.open(path)
    assert path.read_bytes() == before
    assert sorted(one.name for one in path.parent.iterdir()) == ["journal.jsonl", "journal.jsonl.lock"]
    with opened(path) as store:
        assert set(held(store)) == {"a"}


def test_nothing_is_written_after_the_end(path: Path) -> None:
    with in_order(path) as store:
        put(store, "a", "1")
    with pytest.raises(NotKept, match="the journal is closed"):
        put(store, "a", "2")
    assert held(store) == {"a": "1"}


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(JournalError, match=str(tmp_path / "file" / "journal")):
        Journal.open(tmp_path / "file" / "journal")


def test_chance_is_another_one_after_a_restart() -> None:
    fresh, later = Store(), Store()
    later.restore(7, {})
    assert chance_of(3, fresh).random() == chance_of(3, Store()).random() != chance_of(3, later).random()
    assert chance_of(None, later).random() != chance_of(None, later).random()


def test_observers_are_introduced_to_what_was_restored_definitions_first(path: Path) -> None:
    with opened(path) as store:
        put(store, "a")
        store.put(store.collection("x", "crds"), ("", "c"), {"apiVersion": "v1", "kind": "C", "metadata": {"name": "c", "uid": "c"}})
    with opened(path) as store:
        told: list[tuple[str, str]] = []

        def note(collection: Collection, kind: str, entry: object) -> None:
            told.append((collection.plural, kind))

        store.observers.append(note)
        store.introduce(("x", "crds"))
        assert told == [("crds", "RESTORED"), ("configmaps", "RESTORED")]

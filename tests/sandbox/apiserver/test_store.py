"""The store: one counter, immutable entries, a bounded history, weakly held watchers."""

import gc

import orjson
from reconciler_sandbox.apiserver.store import HISTORY_BYTES, HISTORY_EVENTS, SNAPSHOTS, Collection, Entry, Store


def manifest(name: str, **fields: object) -> dict:
    return {"metadata": {"name": name, "namespace": "d"}, **fields}


def filled(count: int = 1) -> tuple[Store, Collection]:
    store = Store()
    collection = store.collection("", "things")
    for number in range(count):
        store.put(collection, ("d", f"n{number}"), manifest(f"n{number}"))
    return store, collection


class Listener:
    def __init__(self) -> None:
        self.heard: list[tuple[str, int]] = []
        self.ended = False

    def tell(self, kind: str, entry: Entry, before: Entry | None) -> None:
        self.heard.append((kind, entry.version))

    def end(self) -> None:
        self.ended = True


def test_every_write_of_any_type_counts_on() -> None:
    store, collection = filled()
    first = collection.entries[("d", "n0")].version
    other = store.put(store.collection("", "others"), ("d", "x"), manifest("x"))
    assert other.version == first + 1
    assert orjson.loads(other.encoded)["metadata"]["resourceVersion"] == str(other.version)


def test_a_deletion_is_told_with_its_own_version_and_the_last_state() -> None:
    store, collection = filled()
    listener = Listener()
    collection.watchers.add(listener)
    gone = store.remove(collection, ("d", "n0"))
    assert not collection.entries and listener.heard == [("DELETED", gone.version)]
    assert gone.manifest["metadata"]["resourceVersion"] == str(store.version)


def test_an_object_put_again_is_another_entry() -> None:
    store, collection = filled()
    before = collection.entries[("d", "n0")]
    store.put(collection, ("d", "n0"), {**before.manifest, "spec": 1})
    assert "spec" not in before.manifest and collection.entries[("d", "n0")].manifest["spec"] == 1


def test_the_history_is_bounded_in_events() -> None:
    _, collection = filled(HISTORY_EVENTS + 10)
    assert len(list(collection.since(0))) == HISTORY_EVENTS
    assert collection.oldest == next(iter(collection.since(0))).version - 1


def test_the_history_is_bounded_in_bytes() -> None:
    store, collection = filled()
    for number in range(20):
        store.put(collection, ("d", "big"), manifest("big", data=f"{number % 10}" * (HISTORY_BYTES // 8)))
    assert sum(len(event.encoded) for event in collection.since(0)) <= HISTORY_BYTES


def test_history_goes_on_after_a_version() -> None:
    store, collection = filled(3)
    assert [event.version for event in collection.since(store.version - 1)] == [store.version]


def test_a_watcher_that_nobody_holds_is_gone() -> None:
    _, collection = filled()
    collection.watchers.add(Listener())
    gc.collect()
    assert not len(collection.watchers)


def test_snapshots_are_bounded_and_the_used_ones_stay() -> None:
    store, _ = filled()
    for number in range(SNAPSHOTS + 1):
        store.keep_snapshot(str(number), [])
        store.snapshot("0")
    assert store.snapshot("0") is not None and store.snapshot("1") is None


def test_entries_are_sorted_by_namespace_and_name() -> None:
    store, collection = filled()
    store.put(collection, ("c", "z"), {"metadata": {"name": "z", "namespace": "c"}})
    assert [entry.manifest["metadata"]["name"] for entry in collection.sorted(None)] == ["z", "n0"]
    assert len(collection.sorted("c")) == 1


def test_a_resource_that_is_dropped_ends_its_watches_and_its_past_has_expired() -> None:
    store, collection = filled()
    listener = Listener()
    collection.watchers.add(listener)
    store.drop("", "things")
    assert store.collection("", "things") is collection  # it has objects
    store.remove(collection, ("d", "n0"))
    store.drop("", "things")
    store.drop("", "unknown")
    assert listener.ended and store.collection("", "things").oldest == store.version
    assert store.collection("", "things") is not collection

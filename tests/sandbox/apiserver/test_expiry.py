"""Events go after their hour, and the oldest ones earlier when there are too many or too large."""

from datetime import UTC, datetime, timedelta

import pytest
from reconciler_sandbox.apiserver import expiry
from reconciler_sandbox.apiserver.expiry import EVENT_LIFE, MAX_BYTES, MAX_EVENTS, Expiry
from reconciler_sandbox.apiserver.server import ApiServer
from reconciler_sandbox.apiserver.store import Store
from reconciler_sandbox.client import ApiClient

EVENTS = "/api/v1/namespaces/default/events"
MEBIBYTE = 1024 * 1024
START = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


class Hands:
    """A clock that stands until somebody moves it."""

    def __init__(self) -> None:
        self.moment = START

    def __call__(self) -> datetime:
        return self.moment


@pytest.fixture
def clock() -> Hands:
    return Hands()


def kept(clock: Hands) -> tuple[Store, Expiry]:
    store = Store()
    made = Expiry(store, clock)
    store.observers.append(made.observe)
    return store, made


def put(store: Store, name: str, **fields: object) -> None:
    store.put(store.collection("", "events"), ("d", name), {"metadata": {"name": name, "namespace": "d"}, **fields})


def names(store: Store) -> list[str]:
    return [name for _, name in store.collection("", "events").entries]


def test_an_event_goes_an_hour_after_its_last_write(clock: Hands) -> None:
    store, events = kept(clock)
    put(store, "a")
    put(store, "b")
    clock.moment += EVENT_LIFE
    put(store, "b", count=2)
    events.sweep()
    assert names(store) == ["a", "b"]
    clock.moment += timedelta(seconds=1)
    events.sweep()
    assert names(store) == ["b"]


def test_an_old_story_told_now_stays_for_its_hour(clock: Hands) -> None:
    store, events = kept(clock)
    put(store, "a", lastTimestamp="2020-01-01T00:00:00Z")
    events.sweep()
    assert names(store) == ["a"]


def test_a_flood_of_events_is_bounded_with_every_write(clock: Hands) -> None:
    store, _ = kept(clock)
    for number in range(MAX_EVENTS + 5):
        put(store, f"e{number}")
        assert len(names(store)) <= MAX_EVENTS
    assert names(store)[0] == "e5"


def test_events_are_bounded_in_bytes(clock: Hands) -> None:
    store, _ = kept(clock)
    for number in range(MAX_BYTES // MEBIBYTE + 8):
        put(store, f"e{number}", message="x" * MEBIBYTE)
    left = names(store)
    assert sum(len(entry.encoded) for entry in store.collection("", "events").entries.values()) <= MAX_BYTES
    assert left == [f"e{number}" for number in range(9, MAX_BYTES // MEBIBYTE + 8)]


def test_room_is_given_back_by_deletions_and_changes(clock: Hands) -> None:
    store, _ = kept(clock)
    for number in range(2 * MAX_BYTES // MEBIBYTE):
        put(store, f"e{number}", message="x" * MEBIBYTE)
        put(store, f"e{number}", message="x")
        put(store, "other", message="x" * MEBIBYTE)
        store.remove(store.collection("", "events"), ("d", "other"))
    assert len(names(store)) == 2 * MAX_BYTES // MEBIBYTE


async def test_a_server_sweeps_by_its_own_clock_and_tells_watchers(clock: Hands) -> None:
    server = ApiServer(now=clock)
    api = ApiClient(server.call)
    about = {"kind": "Pod", "namespace": "default", "name": "p"}
    await api.create(EVENTS, {"metadata": {"name": "a"}, "involvedObject": about})
    clock.moment += EVENT_LIFE + timedelta(seconds=1)
    watch = api.watch(EVENTS)
    assert [await anext(watch)][0][0] == "ADDED"
    await server.start()
    try:
        kind, gone = await anext(watch)
        assert (kind, gone["metadata"]["name"]) == ("DELETED", "a")
        assert expiry.SWEEP_SECONDS <= 60
    finally:
        await watch.aclose()
        await server.stop()

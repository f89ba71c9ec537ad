"""Events are told beside the passes, in their order, once each, and repeats are counted on the first."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest
from reconciler_sandbox.client import Answer, Call
from structlog.testing import capture_logs

from reconciler.kernel.clock import SystemClock
from reconciler.kernel.identity import Manifest, ObjectRef, name_of
from reconciler.kernel.plan import Emit
from reconciler.kernel.resources import EVENTS
from reconciler.kube.client import Client
from reconciler.kube.fence import Fence, Gate
from reconciler.runtime import recorder as module
from reconciler.runtime.recorder import Recorder, event_manifest
from tests.kit.clusters import NAMESPACE, Api, api, config_map, running
from tests.kit.wait import until
from tests.kit.world import BEGIN

ABOUT = config_map("web", uid="u1")


@dataclass(frozen=True)
class Stage:
    api: Api
    recorder: Recorder

    async def told(self) -> list[tuple[str, int]]:
        """Reason and count of every Event, oldest first."""
        found = sorted(await self.api.client.list(EVENTS, NAMESPACE), key=lambda event: int(event["metadata"]["resourceVersion"]))
        return [(event["reason"], event["count"]) for event in found]

    def failing(self, times: int, status: int = 0) -> list[str]:
        """The next writes of events are answered with a status, or cut; what was tried."""
        tried: list[str] = []

        async def broken(call: Call) -> Answer | None:
            if "/events" not in call.path or call.method == "GET" or len(tried) >= times:
                return None
            tried.append(call.method)
            if not status:
                raise ConnectionResetError
            return Answer(status, {"kind": "Status", "status": "Failure", "code": status, "message": "no"})

        self.api.server.faults = broken
        return tried


@pytest.fixture
async def stage() -> AsyncIterator[Stage]:
    async with api() as found:
        yield Stage(found, Recorder(found.client, SystemClock()))


def said(reason: str, message: str = "words", about: Manifest = ABOUT, *, warning: bool = False) -> Emit:
    return Emit(about, reason, message, warning)


async def test_events_are_posted_in_the_order_in_which_they_were_told(stage: Stage) -> None:
    async with running(stage.recorder.run()):
        for number in range(20):
            stage.recorder.record(said(f"R{number}"))
        await until(lambda: len(stage.api.writes()) == 20)
    assert await stage.told() == [(f"R{number}", 1) for number in range(20)]


async def test_a_repeat_is_counted_on_the_event_that_is_there(stage: Stage) -> None:
    for reason in ("Paused", "Resumed", "Paused", "Paused"):
        stage.recorder.record(said(reason))
    await stage.recorder.drain()
    assert sorted(await stage.told()) == [("Paused", 3), ("Resumed", 1)]


@pytest.mark.parametrize(
    "other",
    [
        said("Paused", "other words"),
        said("Paused", warning=True),
        said("Paused", about=config_map("other", uid="u1")),
        said("Paused", about=config_map("web", uid="u2")),
    ],
    ids=["message", "type", "object", "its successor"],
)
async def test_what_differs_is_another_event(stage: Stage, other: Emit) -> None:
    for each in (said("Paused"), other):
        stage.recorder.record(each)
    await stage.recorder.drain()
    assert await stage.told() == [("Paused", 1), ("Paused", 1)]


async def test_an_event_that_the_server_forgot_is_told_anew(stage: Stage) -> None:
    stage.recorder.record(said("Paused"))
    await stage.recorder.drain()
    (event,) = await stage.api.client.list(EVENTS, NAMESPACE)
    await stage.api.client.delete(ObjectRef(EVENTS, NAMESPACE, name_of(event)))
    stage.recorder.record(said("Paused"))
    await stage.recorder.drain()
    assert await stage.told() == [("Paused", 1)]


async def test_who_may_only_make_events_makes_another_one(stage: Stage) -> None:
    async def only_create(call: Call) -> Answer | None:
        refused = "/events" in call.path and call.method == "PATCH"
        return Answer(403, {"kind": "Status", "status": "Failure", "code": 403, "message": "no"}) if refused else None

    stage.api.server.faults = only_create
    for _ in range(2):
        stage.recorder.record(said("Paused"))
    await stage.recorder.drain()
    assert await stage.told() == [("Paused", 1), ("Paused", 1)]


@pytest.mark.parametrize("status", [0, 429, 503])
async def test_a_server_that_stumbles_is_asked_again_and_nothing_overtakes(
    stage: Stage, status: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "PAUSES", (0.0, 0.0))
    tried = stage.failing(2, status)
    for reason in ("One", "Two"):
        stage.recorder.record(said(reason))
    await stage.recorder.drain()
    assert await stage.told() == [("One", 1), ("Two", 1)] and tried == ["POST", "POST"]


async def test_a_refused_event_is_given_up_at_once_and_the_next_one_told(stage: Stage) -> None:
    tried = stage.failing(1, 403)
    for reason in ("One", "Two"):
        stage.recorder.record(said(reason))
    with capture_logs() as logs:
        await stage.recorder.drain()
    assert await stage.told() == [("Two", 1)] and tried == ["POST"]
    assert [(line["event"], line["reason"]) for line in logs] == [("event not told", "One")]


async def test_a_lost_answer_makes_no_second_event(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PAUSES", (0.0,))
    lost: list[str] = []

    async def lose(call: Call, answer: Answer) -> None:
        if "/events" in call.path and call.method == "POST" and not lost:
            lost.append(call.path)
            raise ConnectionResetError

    stage.api.server.faults_after = lose
    for _ in range(2):
        stage.recorder.record(said("Paused"))
    await stage.recorder.drain()
    assert lost and await stage.told() == [("Paused", 2)]


async def test_withheld_events_are_given_up_at_once_and_say_so(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PAUSES", (3600.0,))
    fenced = Recorder(Client(stage.api.transport, Fence(Gate(lambda: "frozen"))), SystemClock())
    fenced.record(said("Paused"))
    with capture_logs() as logs:
        await asyncio.wait_for(fenced.drain(), 20)
    assert await stage.told() == [] and "frozen" in logs[0]["error"]


async def test_an_event_in_the_making_is_not_lost_by_a_cancellation(stage: Stage) -> None:
    reached, free = asyncio.Event(), asyncio.Event()

    async def hang(call: Call) -> Answer | None:
        if "/events" in call.path and call.method == "POST":
            reached.set()
            await free.wait()
        return None

    stage.api.server.faults = hang
    async with running(stage.recorder.run()):
        stage.recorder.record(said("Ended"))
        await reached.wait()
    free.set()
    await stage.recorder.drain()
    assert await stage.told() == [("Ended", 1)]


async def test_more_events_than_can_wait_are_lost_with_a_word(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "WAITING", 3)
    with capture_logs() as logs:
        for number in range(6):
            stage.recorder.record(said(f"R{number}"))
    await stage.recorder.drain()
    assert [reason for reason, _ in await stage.told()] == ["R0", "R1", "R2"]
    assert len(logs) == 1 and "events are lost" in logs[0]["event"]


async def test_what_is_remembered_for_counting_is_bounded(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "REMEMBERED", 2)
    for reason in ("One", "Two", "Three", "Three", "One"):
        stage.recorder.record(said(reason))
    await stage.recorder.drain()
    assert sorted(await stage.told()) == [("One", 1), ("One", 1), ("Three", 2), ("Two", 1)]


def test_an_event_names_what_it_is_about_and_fits() -> None:
    about = {"apiVersion": "v1", "kind": "Rollout", "metadata": {"name": "w" * 250, "uid": "u", "resourceVersion": "7"}}
    one, two = (event_manifest(Emit(about, "Reason", words), BEGIN) for words in ("one", "two"))
    assert one["metadata"]["name"] != two["metadata"]["name"] and len(one["metadata"]["name"]) <= 253
    assert (one["metadata"]["namespace"], one["type"], one["message"]) == ("default", "Normal", "one")
    assert (one["involvedObject"]["uid"], one["involvedObject"]["resourceVersion"]) == ("u", "7")
    assert event_manifest(Emit(about, "R", "words", warning=True), BEGIN)["type"] == "Warning"
    assert len(event_manifest(Emit(about, "R", "m" * 5000), BEGIN)["message"]) == 1024

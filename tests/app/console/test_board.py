"""Lists that are kept equal to the cluster: watched where that is granted, asked again where it is not, and never believed for ever."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from reconciler.app.console import board as boards
from reconciler.app.console import shelf as shelves
from reconciler.app.console.board import Board
from reconciler.app.console.reading import ListQuestion, ListReading, TroubleKind
from reconciler.kernel.identity import ObjectRef, name_of
from reconciler.kernel.resources import CONFIGMAPS, NAMESPACES
from reconciler.kube.client import Client
from reconciler.kube.fence import Fence
from tests.kit.clusters import Api, api
from tests.kit.consoles import SteppedClock, Troubled
from tests.kit.wait import until

ALL = ListQuestion(NAMESPACES)
MARKED = ListQuestion(CONFIGMAPS, "default", labels="team=shop")


THEIRS = {"metadata": {"labels": {"team": "pay"}}}


class BoardBeside:
    """A board beside a cluster."""

    def __init__(self, cluster: Api, transport: Troubled) -> None:
        self.cluster, self.transport, self.clock = cluster, transport, SteppedClock()
        self.board = Board(Client(transport, Fence()), self.clock)

    async def read(self, question: ListQuestion = ALL) -> ListReading:
        return (await self.board.read(question))[0]

    async def names(self, question: ListQuestion = ALL) -> set[str]:
        return {name_of(one) for one in (await self.read(question)).items}

    @property
    def lists(self) -> int:
        return len(self.transport.asked)


@asynccontextmanager
async def boarded() -> AsyncIterator[BoardBeside]:
    async with api() as cluster:
        beside = BoardBeside(cluster, Troubled(cluster.transport))
        try:
            yield beside
        finally:
            beside.board.close()


def namespace(name: str) -> dict[str, object]:
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}


def marked(name: str, team: str) -> dict[str, object]:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, "namespace": "default", "labels": {"team": team}}}


async def test_a_change_is_known_as_it_happens_without_asking_again() -> None:
    async with boarded() as beside:
        first = await beside.read()
        assert (await beside.read()).watched and (await beside.read()).items is first.items, "the same for as long as nothing changes"
        before = beside.board.moves()
        await beside.cluster.client.create(NAMESPACES, namespace("new"))
        await until(lambda: beside.board.moved_since(before, [ALL]))
        assert "new" in await beside.names() and not beside.board.moved_since(before, [MARKED])
        assert beside.lists == 1


async def test_what_is_deleted_or_leaves_a_selection_leaves_the_list() -> None:
    async with boarded() as beside:
        for name, team in (("ours", "shop"), ("moved", "shop"), ("theirs", "pay")):
            await beside.cluster.client.create(CONFIGMAPS, marked(name, team))
        assert await beside.names(MARKED) == {"ours", "moved"}
        for name in ("moved", "ours"):
            before, ref = beside.board.moves(), ObjectRef(CONFIGMAPS, "default", name)
            await (beside.cluster.client.patch(ref, THEIRS) if name == "moved" else beside.cluster.client.delete(ref))
            await until(lambda since=before: beside.board.moved_since(since, [MARKED]))  # type: ignore[misc]
            assert name not in await beside.names(MARKED)
        assert beside.lists == 1


async def test_where_watching_is_not_granted_a_list_is_asked_for_again() -> None:
    async with boarded() as beside:
        beside.transport.watches_refused = True
        await beside.read()
        await until(lambda: len(beside.transport.watched) == 1)
        await until(lambda: not beside.board._shelves[ALL].watched)
        await beside.cluster.client.create(NAMESPACES, namespace("new"))
        beside.clock.passed += shelves.FRESH
        reading = await beside.read()
        assert "new" in {name_of(one) for one in reading.items} and reading.trouble is None and not reading.watched
        beside.clock.passed += shelves.FRESH
        await beside.read()
        assert len(beside.transport.watched) == 1, "what was refused is not asked for at every look"
        beside.transport.watches_refused = False
        beside.clock.passed += shelves.UNWATCHED
        await beside.read()
        await until(lambda: len(beside.transport.watched) == 2)
        assert (await beside.read()).watched


@pytest.mark.parametrize("end", ["ends", "gone"])
async def test_a_watch_that_ends_is_begun_again_and_nothing_is_missed(end: str) -> None:
    async with boarded() as beside:
        await beside.read()
        await until(lambda: beside.transport.cuts)
        before = beside.board.moves()
        beside.clock.passed += shelves.SHORT
        beside.transport.cut(gone=end == "gone")
        await beside.cluster.client.create(NAMESPACES, namespace("meanwhile"))
        await until(lambda: beside.board.moved_since(before, [ALL]))
        assert "meanwhile" in await beside.names() and (await beside.read()).watched
        assert beside.lists == (2 if end == "gone" else 1)


async def test_a_watch_that_something_on_the_way_cuts_off_at_once_is_not_begun_for_ever() -> None:
    async with boarded() as beside:
        await beside.read()
        await until(lambda: beside.transport.cuts)
        beside.transport.cut(gone=False)
        await until(lambda: not beside.board._shelves[ALL].watched)
        beside.clock.passed += shelves.FRESH
        assert not (await beside.read()).watched and len(beside.transport.watched) == 1


async def test_a_watch_that_hangs_is_found_out_and_what_was_known_is_marked_old() -> None:
    async with boarded() as beside:
        await beside.read()
        beside.transport.away = True
        beside.clock.passed += shelves.SURE
        reading = await beside.read()
        assert reading.old and reading.items and not reading.watched
        beside.transport.away = False
        beside.clock.passed += shelves.SURE
        assert (await beside.read()).trouble is None


async def test_a_list_that_nobody_asks_for_is_watched_no_more() -> None:
    async with boarded() as beside:
        await beside.read()
        shelf = beside.board._shelves[ALL]
        await until(lambda: beside.transport.cuts)
        beside.clock.passed += shelves.IDLE + 1
        beside.transport.cut(gone=False)
        await until(lambda: not shelf.watched)
        assert "default" in await beside.names() and shelf.watched, "and again as soon as somebody does"


async def test_only_so_many_connections_stay_open() -> None:
    async with boarded() as beside:
        many = [ListQuestion(CONFIGMAPS, f"n{number}") for number in range(boards.WATCHES + 5)]
        found = await beside.board.read(*many)
        assert all(one.trouble is None for one in found)
        assert sum(1 for one in await beside.board.read(*many) if one.watched) == boards.WATCHES


async def test_what_was_written_by_us_is_read_anew_whatever_a_watch_has_said() -> None:
    async with boarded() as beside:
        await beside.read()
        beside.board.forget()
        await beside.cluster.client.create(NAMESPACES, namespace("pressed"))
        assert "pressed" in await beside.names() and beside.lists == 2


async def test_a_right_that_is_taken_back_ends_what_is_watched() -> None:
    async with boarded() as beside:
        await beside.read()
        beside.transport.refused = ("/namespaces",)
        beside.clock.passed += shelves.SURE
        reading = await beside.read()
        assert not reading.items and reading.trouble is not None and reading.trouble.kind is TroubleKind.FORBIDDEN

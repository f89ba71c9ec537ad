"""What the whole daemon sends: through how few hands a write goes, and that nothing is sent when nothing is to be said."""

import sys
from collections.abc import AsyncIterator, Iterator
from itertools import groupby
from pathlib import Path

import pytest
from reconciler_sandbox.client import Answer, Call

from reconciler.kernel.identity import Key
from tests.kit.killing import Life, alive
from tests.kit.shop import Shop, shop
from tests.kit.wait import until

DEADLINE = 90.0
MOST_HOPS = 6
"""From queue to wire (ADR 0024), the transport included, which is the sandbox's here."""
WRITERS = {"rollouts.controller", "releases.controller", "sync.controller", "analysis.controller"}
QUEUE = "runtime.worker"


@pytest.fixture
async def place(tmp_path: Path) -> AsyncIterator[Shop]:
    async with shop(tmp_path) as found:
        yield found


async def at_rest(place: Shop, life: Life, version: str) -> None:
    async def reached() -> bool:
        life.raise_failure()
        return await place.settled_at(version) and life.engine.queue.idle

    await until(reached, DEADLINE)


def modules() -> Iterator[str]:
    """Our modules on the stack, the innermost first."""
    frame = sys._getframe(1)
    while frame is not None:
        name = str(frame.f_globals.get("__name__", ""))
        if name.startswith("reconciler."):
            yield name.removeprefix("reconciler.")
        frame = frame.f_back  # type: ignore[assignment]


async def test_a_write_goes_from_the_queue_to_the_wire_through_at_most_six_hands(place: Shop) -> None:
    chains: set[tuple[str, ...]] = set()

    async def note(call: Call) -> Answer | None:
        chain = tuple(module for module, _ in groupby(modules()))[::-1]
        if call.method != "GET" and QUEUE in chain:
            chains.add(chain[chain.index(QUEUE) :])
        return None

    async with alive(place.ground) as life:
        await at_rest(place, life, "1")
        place.ground.server.faults = note
        await place.push("2")
        await at_rest(place, life, "2")
    assert {module for chain in chains for module in chain} >= WRITERS
    hops = {" > ".join(chain): len(chain) + 1 for chain in chains}
    assert not {chain: count for chain, count in hops.items() if count > MOST_HOPS}


async def test_what_is_at_rest_is_not_written_again_however_often_it_is_looked_at(place: Shop) -> None:
    written: list[str] = []

    async def note(call: Call) -> Answer | None:
        if call.method != "GET":
            written.append(f"{call.method} {call.path} {call.body[:300]!r}")
        return None

    async with alive(place.ground) as life:
        await at_rest(place, life, "1")
        await place.push("2")
        await at_rest(place, life, "2")
        place.ground.server.faults = note
        for _ in range(3):
            await look_at_everything(place, life)
    assert written == []


async def look_at_everything(place: Shop, life: Life) -> None:
    """One more pass over each object that a controller is concerned with."""
    found = {
        "rollout": "/apis/argoproj.io/v1alpha1/namespaces/shop/rollouts",
        "analysis": "/apis/argoproj.io/v1alpha1/namespaces/shop/analysisruns",
        "release": "/apis/reconciler.dev/v1alpha1/namespaces/shop/releases",
    }
    keys = [Key(name, "shop", str(each["metadata"]["name"])) for name, path in found.items() for each in await place.api.list(path)]
    assert {key.controller for key in keys} == set(found)
    for key in (*keys, Key("source", "", "shop")):
        life.engine.poke(key)
    await until(lambda: life.engine.queue.idle, DEADLINE)

"""The daemon is killed at every write of a failing release, before it and after it: what is left is always one release, told once.

Everything but Envoy is real: a cluster with controllers and pods, a bare repository over HTTP, its REST. A dry run enumerates the
writes (to the API without Events, which are told at least once; the push; the forge), then each is cut twice in a cluster of its own.
"""

import asyncio
import zlib
from dataclasses import replace
from pathlib import Path

import pytest

from reconciler.kernel.identity import Key
from tests.kit.claims import Claims, failed_claims, passed_claims
from tests.kit.killing import PUSH, Cut, Life, Write, alive
from tests.kit.shop import BAD, Shop, shop
from tests.kit.wait import until

SHARDS = 4
AT_A_TIME = 10
GOOD_CUTS = 12
DEADLINE = 60.0
KEYS = (Key("source", "", "shop"), Key("rollout", "shop", "web"))
# What a failing release must at least consist of, whatever the dry run finds.
MILESTONES = {
    "POST releases",
    "PATCH rollouts",
    "POST replicasets",
    "POST analysisruns",
    "PATCH analysisruns",
    "PUT virtualservices",
    "PATCH rollouts/status",
    "PATCH releases/status",
    "PATCH services",
    "POST forge statuses",
    "POST forge comments",
    "PATCH forge comments",
    PUSH,
}


@pytest.mark.timeout(240)
@pytest.mark.parametrize("shard", [pytest.param(n, marks=pytest.mark.xdist_group(f"killed-{n}")) for n in range(SHARDS)])
async def test_a_failing_release_ends_the_same_wherever_the_daemon_is_killed(tmp_path: Path, shard: int) -> None:
    writes = await dry_run(tmp_path / "dry", BAD, failed_claims)
    assert {write.label for write in writes} >= MILESTONES
    cuts = [Cut(write, after) for write in writes for after in (False, True) if shard_of(write) == shard]
    struck = await play(tmp_path, BAD, cuts, failed_claims)
    assert len(struck) >= 0.8 * len(cuts), f"only {len(struck)} of {len(cuts)} cuts struck"


@pytest.mark.timeout(240)
@pytest.mark.xdist_group("killed-good")
async def test_a_good_release_is_proven_wherever_the_daemon_is_killed(tmp_path: Path) -> None:
    writes = await dry_run(tmp_path / "dry", "2", passed_claims)
    chosen = [writes[place * len(writes) // GOOD_CUTS] for place in range(GOOD_CUTS)]
    cuts = [Cut(write, bool(place % 2)) for place, write in enumerate(chosen)]
    struck = await play(tmp_path, "2", cuts, passed_claims)
    assert len(struck) >= 0.8 * len(cuts), f"only {len(struck)} of {len(cuts)} cuts struck"


# -- how it is played -------------------------------------------------------------------------------------------------


async def dry_run(folder: Path, version: str, claims: Claims) -> list[Write]:
    """The writes of a release nobody disturbs, in their order."""
    async with shop(folder) as place, alive(place.ground) as life:
        await begin(place, life)
        await place.push(version)
        await until_settled(place, life, version, claims)
        return list(life.fate.writes)


async def play(folder: Path, version: str, cuts: list[Cut], claims: Claims) -> list[Cut]:
    """Play the release once for each cut, some at a time; the cuts that struck. Fails with every story that ended otherwise."""
    room = asyncio.Semaphore(AT_A_TIME)
    wrong: list[str] = []
    struck: list[Cut] = []

    async def one(number: int, cut: Cut) -> None:
        async with room:
            try:
                if await killed(folder / str(number), version, cut, claims):
                    struck.append(cut)
            except AssertionError as error:
                wrong.append(f"killed {cut}: {error}")

    async with asyncio.TaskGroup() as group:
        for number, cut in enumerate(cuts):
            group.create_task(one(number, cut))
    assert not wrong, "\n".join(wrong)
    return struck


async def killed(folder: Path, version: str, cut: Cut, claims: Claims) -> bool:
    """One story with one cut; whether it struck. A daemon cut after a write comes back with an empty disk, the others find theirs."""
    async with shop(folder) as place:
        async with alive(place.ground) as life:
            await begin(place, life)
            life.fate.seal(cut)
            await place.push(version)
            await until_settled(place, life, version, claims)
            struck = life.fate.killed.is_set()
        if not struck:
            return False
        ground = replace(place.ground, folder=folder / "again") if cut.after else place.ground
        async with alive(ground) as life:
            await until_settled(place, life, version, claims)
        return True


async def begin(place: Shop, life: Life) -> None:
    """Wait until version 1 is proven as the baseline and nothing is under way."""

    async def proven() -> bool:
        life.raise_failure()
        return (await place.release("1")).get("verdict") == "passed" and await place.phase() == "Healthy" and life.engine.queue.idle

    await until(proven, DEADLINE)
    life.fate.seal(None)


async def until_settled(place: Shop, life: Life, version: str, claims: Claims) -> None:
    """Wait until every claim holds, look at everything once more, and see that all still hold; or until the life ends."""
    left: list[str] = []

    async def settled() -> bool:
        nonlocal left
        life.raise_failure()
        left = [] if life.fate.killed.is_set() else await claims(place)
        return not left

    try:
        await until(settled, DEADLINE)
    except AssertionError:
        raise AssertionError(f"not within {DEADLINE:g} s: {left}; {await place.release(version)}") from None
    for key in (*KEYS, *(Key("release", "shop", name) for name in await place.release_names())):
        life.engine.poke(key)
    await until(lambda: life.fate.killed.is_set() or life.engine.queue.idle, DEADLINE)
    if not life.fate.killed.is_set():
        left = await claims(place)
        assert not left, f"after one more look: {left}"


def shard_of(write: Write) -> int:
    return (zlib.crc32(write.label.encode()) + write.number) % SHARDS

"""A comparison with a baseline pair, under virtual time: it gets users, is counted, and is gone at every end, also of the daemon."""

from pathlib import Path
from typing import Any

import pytest
from reconciler_sandbox.node.behaviour import Behaviour
from reconciler_sandbox.rehearsal.virtual.folder import load_folder
from reconciler_sandbox.rehearsal.virtual.loop import run_virtually
from reconciler_sandbox.rehearsal.virtual.world import Ground, World

from reconciler.releases.comparison.pair import PAIR
from tests.rehearsal.virtual.test_compared import POLICY, ROLLOUT, manifests
from tests.rehearsal.virtual.test_compared_and_killed import NEW, OLD, RELEASES, lives, newest

REPLICA_SETS, PODS = "/apis/apps/v1/namespaces/shop/replicasets", "/api/v1/namespaces/shop/pods"
ROLLOUTS = "/apis/argoproj.io/v1alpha1/namespaces/shop/rollouts"


def ground(tmp_path: Path, errors: float) -> Ground:
    folder = manifests(tmp_path)
    (folder / "policy.yaml").write_text(POLICY.read_text().replace("baseline: stable", "baseline: experiment"))
    loaded = load_folder(folder, "shop")
    (tmp_path / "disk").mkdir()
    return Ground(
        files=loaded.files,
        behaviours={OLD: Behaviour("1.0", error_rate=0.001), NEW: Behaviour("1.1", error_rate=errors)},
        namespaces=loaded.namespaces,
        kinds=loaded.kinds,
        folder=tmp_path / "disk",
        users=200.0,
        namespace="shop",
    )


async def worn(world: World, path: str) -> list[dict[str, Any]]:
    return [found for found in await world.api.list(path) if PAIR in (found["metadata"].get("labels") or {})]


async def begun(world: World) -> None:
    await lives(world, 240, 240)
    world.remote.commit({"rollout.yaml": ROLLOUT.replace(OLD, NEW).encode()}, "1.1\n", at=world.now)


async def over_many_lives(place: Ground) -> None:
    """Each daemon dies after 47 seconds, half of them with their disk; the canary grows from one pod to more meanwhile."""
    async with World(place) as world:
        await begun(world)
        names: set[str] = set()
        for _ in range(10):
            await lives(world, 47, 47)
            names |= {pair["metadata"]["name"] for pair in await worn(world, REPLICA_SETS)}
        status = await newest(world)
        known = status["comparison"]
        errors = next(counts for counts in known["metrics"] if counts["metric"] == "errors")
        assert names == {known["baseline"]} and known["windows"] >= 3
        assert errors["canary"]["requests"] > 500 and errors["baseline"]["requests"] > 500
        assert len(await worn(world, PODS)) == 1
        await lives(world, 900, 300)
        assert (await newest(world))["verdict"] == "passed"
        assert await worn(world, REPLICA_SETS) == [] and await worn(world, PODS) == []


def test_it_has_users_is_counted_and_goes_with_a_good_release_over_many_lives(tmp_path: Path) -> None:
    run_virtually(over_many_lives(ground(tmp_path, 0.001)))


async def happens(world: World, end: str) -> None:
    """What ends a release from outside."""
    if end == "superseded":
        newer = ROLLOUT.replace(OLD, "registry.example.com/shop/storefront:1.2")
        world.remote.commit({"rollout.yaml": newer.encode()}, "1.2\n", at=world.now)
    if end == "the release is deleted":
        [name] = [one["metadata"]["name"] for one in await world.api.list(RELEASES) if NEW in one["spec"]["images"].values()]
        await world.api.delete(f"{RELEASES}/{name}")
    if end == "aborted":
        await world.api.patch(f"{ROLLOUTS}/storefront/status", {"status": {"abort": True}})


async def ended(place: Ground, end: str) -> None:
    async with World(place) as world:
        await begun(world)
        await lives(world, 120, 120)
        [pair] = await worn(world, REPLICA_SETS)
        assert len(await worn(world, PODS)) == 1
        await happens(world, end)
        await lives(world, 900 if end == "worse" else 60, 60)
        assert pair["metadata"]["name"] not in {left["metadata"]["name"] for left in await worn(world, REPLICA_SETS)}
        if end == "worse":
            assert (await newest(world))["verdict"] == "failed"


@pytest.mark.parametrize("end", ["superseded", "aborted", "worse", "the release is deleted"])
def test_it_is_gone_at_every_other_end(tmp_path: Path, end: str) -> None:
    run_virtually(ended(ground(tmp_path, 0.02 if end == "worse" else 0.001), end))

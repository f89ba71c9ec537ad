"""A comparison over many lives of the daemon: what is on record is never more than what the mesh has answered."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
from reconciler_sandbox.metrics.promql.evaluate import instant
from reconciler_sandbox.node.behaviour import Behaviour
from reconciler_sandbox.rehearsal.virtual.faults import Weather
from reconciler_sandbox.rehearsal.virtual.folder import load_folder
from reconciler_sandbox.rehearsal.virtual.loop import run_virtually, virtual_now
from reconciler_sandbox.rehearsal.virtual.world import Ground, World

from tests.rehearsal.virtual.test_compared import ROLLOUT, manifests

OLD, NEW = "registry.example.com/shop/storefront:1.0", "registry.example.com/shop/storefront:1.1"
RELEASES = "/apis/reconciler.dev/v1alpha1/namespaces/shop/releases"


def ground(tmp_path: Path, seed: int) -> Ground:
    loaded = load_folder(manifests(tmp_path), "shop")
    (tmp_path / "disk").mkdir()
    return Ground(
        files=loaded.files,
        behaviours={image: Behaviour(image[-3:], error_rate=0.001) for image in (OLD, NEW)},
        namespaces=loaded.namespaces,
        kinds=loaded.kinds,
        folder=tmp_path / "disk",
        seed=seed,
        users=50.0,
        namespace="shop",
        weather=Weather(0.03, 0.03, 0.1, 0.02) if seed else Weather(),
    )


async def lives(world: World, seconds: int, each: int) -> None:
    """Daemons that die at once after so many seconds, half of them with an empty disk after them."""
    for place in range(seconds // each):
        life = world.begin_life(forgetful=bool(place % 2))
        await asyncio.sleep(each)
        await life.end()


async def newest(world: World) -> dict[str, Any]:
    releases = [release for release in await world.api.list(RELEASES) if NEW in release["spec"]["images"].values()]
    return dict(releases[-1]["status"])


def answered(world: World, pod_hash: str) -> float:
    """What callers of one version have counted until now."""
    world.traffic.advance(asyncio.get_running_loop().time())
    query = f'sum(istio_requests_total{{reporter="source",destination_canonical_revision="{pod_hash}"}})'
    found = instant(world.traffic.store, query, round(virtual_now().timestamp() * 1000))
    assert isinstance(found, list) and len(found) == 1
    return float(getattr(found[0], "value", 0.0))


async def released_over_many_lives(place: Ground) -> tuple[dict[str, Any], float]:
    async with World(place) as world:
        await lives(world, 240, 240)
        world.remote.commit({"rollout.yaml": ROLLOUT.replace(OLD, NEW).encode()}, "1.1\n", at=world.now)
        await lives(world, 10 * 60, 47)
        status = await newest(world)
        return status, answered(world, status["podHash"])


@pytest.mark.parametrize("seed", [0, 7])
def test_many_lives_count_no_request_twice(tmp_path: Path, seed: int) -> None:
    """Each life is shorter than a window."""
    status, requests = run_virtually(released_over_many_lives(ground(tmp_path, seed)))
    known = status["comparison"]
    errors = next(counts for counts in known["metrics"] if counts["metric"] == "errors")
    assert status["phase"] == "Progressing" and known["windows"] >= 5
    assert 0.5 * requests < errors["canary"]["requests"] <= requests
    assert errors["canary"]["requests"] == pytest.approx(known["windows"] * 150, rel=0.02)
    assert errors["canary"]["bad"] == pytest.approx(errors["canary"]["requests"] / 1000, rel=0.02)

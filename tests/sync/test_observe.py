"""A pass asks as many questions as there are kinds and namespaces, however many objects there are."""

from pathlib import Path

import pytest
from reconciler_sandbox.client import Answer, Call

from reconciler.kernel.resources import CONFIGMAPS, ROLLOUTS
from tests.kit.desk import Desk, config, desk, rollout

MANY = 120


async def stocked(shop: Desk) -> None:
    shop.push({f"{n}.yaml": config(f"c{n}") for n in range(MANY)} | {"web.yaml": rollout(), "api.yaml": rollout(name="api")})
    await shop.look()
    shop.api.transport.calls.clear()


async def test_a_pass_without_news_lists_each_kind_of_a_namespace_once_and_writes_nothing(tmp_path: Path) -> None:
    async with desk(tmp_path) as shop:
        await stocked(shop)
        await shop.look()
        assert sorted(f"{call.method} {call.path}" for call in shop.api.transport.calls) == [
            "GET /api/v1/namespaces/reconciler/configmaps/reconciler-source-shop",
            "GET /api/v1/namespaces/shop/configmaps",
            "GET /apis/argoproj.io/v1alpha1/namespaces/shop/rollouts",
        ]


async def test_a_first_apply_writes_each_object_once_and_reads_none_of_them_back(tmp_path: Path) -> None:
    async with desk(tmp_path) as shop:
        shop.push({f"{n}.yaml": config(f"c{n}") for n in range(MANY)})
        shop.api.transport.calls.clear()
        await shop.look()
        assert len([call for call in shop.api.transport.calls if call.method == "PATCH" and "/configmaps/c" in call.path]) == MANY
        assert len(shop.api.transport.calls) <= MANY + 5


@pytest.mark.parametrize("status", [403, 405, 500])
async def test_what_cannot_be_listed_costs_only_its_objects(tmp_path: Path, status: int) -> None:
    async with desk(tmp_path) as shop:
        await stocked(shop)

        async def refusing(call: Call) -> Answer | None:
            return Answer(status) if call.method == "GET" and call.path.endswith("/namespaces/shop/configmaps") else None

        shop.api.server.faults = refusing
        shop.push({"0.yaml": config("c0", "2"), "1.yaml": None, "web.yaml": rollout(spec="  minReadySeconds: 3\n")})
        await shop.look()
        assert (await shop.found(ROLLOUTS, "web"))["spec"]["minReadySeconds"] == 3
        listed = status == 403  # who may not list may still ask for each
        assert (await shop.found(CONFIGMAPS, "c0"))["data"] == {"a": "2" if listed else "1"}
        assert ("ConfigMap in shop cannot be read" in await shop.problems()) is not listed
        assert (await shop.live(CONFIGMAPS, "c1") is None) is listed

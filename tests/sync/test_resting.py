"""A source at rest does not think again what it has thought; anything that could matter ends its rest."""

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from reconciler.kernel.identity import ObjectRef
from reconciler.kernel.resources import CONFIGMAPS, NAMESPACES, RELEASE_POLICIES, RELEASES
from reconciler.releases.policies.observe import LocalPolicies, Policies
from reconciler.sources.drift import Healing
from reconciler.sources.inventory import OPENED, BlockedPrune, Inventory, WaveWait, config_map_name
from reconciler.sources.windows import SyncWindow
from reconciler.sync.controller import RESYNC
from reconciler.sync.plan import SourcePlan, plan
from reconciler.sync.resting import at_rest, sight_of
from tests.kit.clusters import NAMESPACE
from tests.kit.desk import SETTINGS, Desk, config, desk, rollout
from tests.kit.sourcefacts import applied, entry_of, source_facts
from tests.kit.wait import until

NOW = datetime(2030, 1, 1, tzinfo=UTC)
MOMENT = timedelta(seconds=10)


@pytest.fixture
async def shop(tmp_path: Path) -> AsyncIterator[Desk]:
    async with desk(tmp_path) as found:
        found.push({"a.yaml": config("a"), "web.yaml": rollout()})
        await found.proven()
        for _ in range(3):
            await found.look()
        yield found


async def thinks(shop: Desk) -> bool:
    """True when a look sets a new moment for the next one: a look at rest keeps the one that was set."""
    before = await shop.look()
    shop.clock.time += MOMENT
    return await shop.look() != before


async def test_what_is_as_it_was_is_not_thought_about_again(shop: Desk) -> None:
    assert not await thinks(shop)


async def test_it_never_rests_for_long(shop: Desk) -> None:
    before = await shop.look()
    assert before is not None
    shop.clock.time = before
    assert await shop.look() == before + RESYNC


async def test_a_clock_that_is_set_back_ends_its_rest(shop: Desk) -> None:
    assert not await thinks(shop)
    shop.clock.time -= timedelta(hours=3)
    assert await shop.look() == shop.clock.time + RESYNC


async def edited(shop: Desk) -> None:
    await shop.api.client.patch(ObjectRef(CONFIGMAPS, NAMESPACE, "a"), {"data": {"more": "1"}}, query={"fieldManager": "kubectl-edit"})


async def opened(shop: Desk) -> None:
    ref = ObjectRef(CONFIGMAPS, "reconciler", config_map_name("shop"))
    await shop.api.client.patch(ref, {"metadata": {"annotations": {OPENED: "2030-01-01T00:00:00Z"}}})


async def held(shop: Desk) -> None:
    (release,) = await shop.releases()
    ref = ObjectRef(RELEASES, NAMESPACE, release["metadata"]["name"])
    await shop.seen(await shop.api.client.patch(ref, {"status": {"held": True}}, subresource="status"), RELEASES)


async def moved(shop: Desk) -> None:
    await shop.say(phase="Progressing", currentPodHash="h1", stableRS="h1")


async def judged_otherwise(shop: Desk) -> None:
    await shop.seen(await shop.api.client.create(RELEASE_POLICIES, POLICY), RELEASE_POLICIES)


async def suspended(shop: Desk) -> None:
    change = {"metadata": {"annotations": {"reconciler.dev/suspend": "true"}}}
    answer = await shop.api.client.patch(ObjectRef(NAMESPACES, "", NAMESPACE), change)
    version = answer["metadata"]["resourceVersion"]
    await until(lambda: (shop.cache.get(NAMESPACES, "", NAMESPACE) or {"metadata": {}})["metadata"].get("resourceVersion") == version)


async def removed(shop: Desk) -> None:
    await shop.api.client.delete(ObjectRef(CONFIGMAPS, NAMESPACE, "a"))


async def pushed(shop: Desk) -> None:
    shop.push({"README.md": "words"})


async def configured(shop: Desk) -> None:
    shop.followed.settings = replace(shop.followed.settings, prune=False)


POLICY = {
    "apiVersion": "reconciler.dev/v1alpha1",
    "kind": "ReleasePolicy",
    "metadata": {"name": "p", "namespace": NAMESPACE},
    "spec": {},
}
NEWS = [edited, opened, held, moved, judged_otherwise, suspended, removed, pushed, configured]


@pytest.mark.parametrize("change", NEWS)
async def test_anything_new_ends_the_rest(shop: Desk, change: Callable[[Desk], Awaitable[None]]) -> None:
    before = await shop.look()
    await change(shop)
    shop.clock.time += MOMENT
    assert await shop.look() != before


async def test_a_policy_file_beside_the_daemon_ends_it_too(shop: Desk) -> None:
    local = LocalPolicies()
    policies = Policies(shop.cache, local)
    before = policies.beside
    assert policies.beside == before
    local.unread = ("p.yaml: broken",)
    assert policies.beside != before


FACTS = source_facts({"a": config("a")}, (applied("a"),), (entry_of(applied("a")),))
IDLE = SourcePlan()
WINDOW = SyncWindow(kind="deny", schedule="0 8 * * *", duration=timedelta(hours=1), zone="UTC")


def test_a_plan_with_nothing_to_do_is_at_rest() -> None:
    assert at_rest(replace(IDLE, blocked=BlockedPrune("d", ())), replace(FACTS, autoscalers={}))
    assert not at_rest(plan(FACTS, NOW), FACTS), "something is written"


@pytest.mark.parametrize(
    ("thought", "facts"),
    [
        ({"wave": WaveWait(wave=0, since=NOW, behind=1)}, {}),
        ({"healings": (Healing(("v1", "ConfigMap", "shop", "a"), "d", (NOW,)),)}, {}),
        ({"questions": frozenset({"shop"})}, {}),
        ({"gone": (("v1", "ConfigMap", "shop", "a"),)}, {}),
        ({}, {"autoscalers": {"shop": ()}}),
        ({}, {"unopened": "no answer"}),
        ({}, {"settings": replace(SETTINGS, windows=(WINDOW,))}),
    ],
)
def test_what_no_version_tells_keeps_it_from_resting(thought: dict[str, Any], facts: dict[str, Any]) -> None:
    assert not at_rest(replace(IDLE, **thought), replace(FACTS, **{"autoscalers": {}, **facts}))


def test_a_sight_is_another_one_for_another_version() -> None:
    stored = {"metadata": {"resourceVersion": "1"}}
    seen = sight_of(FACTS, stored, (1,))
    assert seen == sight_of(replace(FACTS, inventory=Inventory()), stored, (1,)), "what the record says is told by its version"
    assert seen != sight_of(FACTS, {"metadata": {"resourceVersion": "2"}}, (1,))
    assert seen != sight_of(FACTS, stored, (2,))
    newer = {place: {**live, "metadata": {**live["metadata"], "resourceVersion": "9"}} for place, live in FACTS.live.items()}
    assert seen != sight_of(replace(FACTS, live=newer), stored, (1,))
    assert seen != sight_of(replace(FACTS, tip=replace(FACTS.tip, parsed=replace(FACTS.tip.parsed))), stored, (1,))

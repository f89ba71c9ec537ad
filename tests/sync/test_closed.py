"""A closed sync window: nothing is written but the way back, until it opens or a person opens it."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from reconciler.kernel.identity import Manifest, ObjectRef
from reconciler.kernel.moment import render_moment
from reconciler.kernel.resources import CONFIGMAPS, ROLLOUTS
from reconciler.releases.model import Previous, Release, ReleaseStatus, Verdict
from reconciler.sources.inventory import OPENED, config_map_name
from reconciler.sources.windows import FreezePeriod, SyncWindow, Window
from reconciler.sync.facts import GateFacts, SourceFacts
from reconciler.sync.plan import foundations, plan
from tests.kit.clusters import NAMESPACE
from tests.kit.desk import SETTINGS, config, desk, image_of, rollout
from tests.kit.hooked import World, job
from tests.kit.releases import release
from tests.kit.sourcefacts import applied, entry_of, source_facts

NOON = datetime(2030, 1, 7, 12, tzinfo=UTC)
DENY = SyncWindow(kind="deny", schedule="0 8 * * *", duration=timedelta(hours=10))
FREEZE = FreezePeriod(since=NOON - timedelta(days=1), until=NOON + timedelta(days=1), reason="Christmas")
CLOSED = replace(SETTINGS, windows=(DENY,))
ALWAYS = SyncWindow(kind="deny", schedule="* * * * *", duration=timedelta(hours=1))
BAD = "registry.example.com/web:6.6.6"


def facts(files: dict[str, str], *old: Manifest, **more: Any) -> SourceFacts:
    return source_facts(files, old, tuple(map(entry_of, old)), **{"settings": CLOSED, **more})


def test_while_it_is_closed_nothing_is_written_or_removed_and_the_opening_is_said() -> None:
    found = facts({"a": config("a"), "b": config("b")}, applied("old"))
    thought = plan(found, NOON)
    assert (thought.waves, thought.prunes, thought.hand_backs, thought.hooks) == ((), (), (), ())
    assert thought.wake_at == NOON.replace(hour=18)
    assert str(thought.closed) == (
        "closed by its sync window until 2030-01-07T18:00:00Z (deny '0 8 * * *' (UTC)); to open it: reconciler source open"
    )
    assert thought.steps == tuple(f"create ConfigMap shop/{name} (later, when its window opens)" for name in "ab")
    frozen = plan(replace(found, settings=replace(CLOSED, windows=(FREEZE,))), NOON)
    assert frozen.waves == () and "until 2030-01-08T12:00:00Z (freeze: Christmas)" in str(frozen.closed)
    opened = plan(found, NOON.replace(hour=18))
    assert (len(opened.waves[0]), len(opened.prunes), opened.closed) == (2, 1, None)


def test_what_everything_stands_on_waits_too() -> None:
    allow = replace(SETTINGS.allow, kinds=("Namespace",))
    found = facts({"a": "apiVersion: v1\nkind: Namespace\nmetadata: {name: new}\n"}, settings=replace(CLOSED, allow=allow))
    assert foundations(found, NOON) == ()
    assert len(foundations(found, NOON.replace(hour=19))) == 1


def test_a_person_opens_it_for_a_while() -> None:
    found = facts({"a": config("a")})
    for until, count in ((NOON + timedelta(minutes=1), 1), (NOON, 0)):
        assert len(plan(replace(found, opened_until=until), NOON).waves) == count


def rejected(number: int, identity: str, previous: str, verdict: Verdict | None = None) -> Release:
    return release(number=number, identity=identity, previous=Previous(identity=previous), status=ReleaseStatus(verdict=verdict))


def back(identity: str, *history: Release, window: Window = DENY) -> list[str]:
    """What is written while it is closed of a workload with config, and of an object that is none of its own."""
    reading = "          envFrom: [{configMapRef: {name: settings}}]\n"
    gates = {("Rollout", NAMESPACE, "web"): GateFacts(identity, {"web": "web:1"}, history)}
    settings = replace(CLOSED, windows=(window,))
    found = facts({"a": rollout(extra=reading), "b": config("settings"), "c": config("other")}, gates=gates, settings=settings)
    return [write.place[3] for wave in plan(found, NOON).waves for write in wave]


@pytest.mark.parametrize(
    ("identity", "history", "written"),
    [
        ("good", (rejected(2, "bad", "good", Verdict.FAILED),), ["settings", "web"]),
        ("good", (rejected(2, "bad", "good", Verdict.ABORTED),), ["settings", "web"]),
        ("good", (rejected(2, "bad", "good", Verdict.PASSED),), []),
        ("good", (rejected(2, "bad", "good"),), []),
        ("newer", (rejected(2, "bad", "good", Verdict.FAILED),), []),
        ("good", (rejected(2, "bad", "good", Verdict.FAILED), rejected(3, "next", "good")), []),
        ("good", (), []),
    ],
)
def test_only_the_way_back_of_a_rejected_version_goes_through(identity: str, history: tuple[Release, ...], written: list[str]) -> None:
    assert back(identity, *history) == back(identity, *history, window=FREEZE) == written


def test_no_hook_starts_while_it_is_closed() -> None:
    world = World({"a": config("a"), "b": job("first")}, windows=(DENY,))
    world.now = NOON
    world.step()
    assert world.made == []
    world.now = NOON.replace(hour=18)
    world.step()
    assert world.made == ["first"]


async def test_a_bad_release_comes_home_and_its_restored_template_is_written_though_the_window_closed_meanwhile(tmp_path: Path) -> None:
    begins = SyncWindow(kind="allow", schedule="0 0 1 1 *", duration=timedelta(days=365 * 3))
    async with desk(tmp_path, windows=(begins,)) as shop:
        shop.push({"web.yaml": rollout()})
        await shop.proven()
        shop.push({"web.yaml": rollout(BAD)})
        await shop.look()
        assert image_of(await shop.found(ROLLOUTS, "web")) == BAD
        shop.followed.settings = replace(shop.followed.settings, windows=(ALWAYS,))
        await shop.lost()
        assert shop.origin.read("web.yaml").decode() == rollout(), "Git is restored, window or not"
        shop.push({"a.yaml": config("a")})
        shop.clock.time += timedelta(minutes=20)
        await shop.look()
        assert image_of(await shop.found(ROLLOUTS, "web")).endswith("web:1.0")
        assert await shop.live(CONFIGMAPS, "a") is None
        assert (await shop.inventory()).closed is not None


async def test_a_mark_on_the_inventory_lets_everything_through_for_a_while(tmp_path: Path) -> None:
    async with desk(tmp_path, windows=(ALWAYS,)) as shop:
        shop.push({"a.yaml": config("a")})
        await shop.look()
        assert await shop.live(CONFIGMAPS, "a") is None and await shop.problems() == ""
        assert "closed by its sync window" in str((await shop.inventory()).closed)
        place = ObjectRef(CONFIGMAPS, "reconciler", config_map_name("shop"))
        for value, written in (("soon", False), (render_moment(shop.clock.now() + timedelta(hours=1)), True)):
            await shop.api.client.patch(place, {"metadata": {"annotations": {OPENED: value}}})
            await shop.look()
            assert (await shop.live(CONFIGMAPS, "a") is not None) is written
        assert (await shop.inventory()).closed is None

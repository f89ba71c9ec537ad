"""A release that is compared while it is on its way, through the controller: counted once, found, aborted, told, and restored."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest
import yaml

from reconciler.kernel.identity import Key, ObjectRef
from reconciler.kernel.resources import RELEASE_POLICIES, ROLLOUTS
from reconciler.releases.announce.message import comment
from reconciler.releases.comparison.record import Comparison
from reconciler.releases.manifest import parse_release
from reconciler.releases.model import Release, Verdict
from tests.kit.clusters import NAMESPACE
from tests.kit.desk import Desk, desk, life, policy, rollout

NEW = "registry.example.com/web:1.1"
SPEC = (
    "{compare: {warmUp: 0s, metrics: [{name: errors, requests: 'requests{v=\"{{args.hash}}\"}', "
    'bad: \'requests{v="{{args.hash}}",code="500"}\'}]}}'
)
ALIKE = {"h1": (19.0, 0.019), "h2": (5.0, 0.005)}
WORSE = {"h1": (19.0, 0.019), "h2": (1.0, 0.1)}
HOME = {"type": "Progressing", "status": "False", "reason": "RolloutAborted", "message": "Rollout aborted update to revision 2"}


@pytest.fixture
async def shop(tmp_path: Path) -> AsyncIterator[Desk]:
    async with desk(tmp_path) as found:
        yield await begun(found)


async def begun(shop: Desk) -> Desk:
    """A proven version, and a new one that some users are on; the comparison has begun."""
    shop.push({"web.yaml": rollout(), "p.yaml": policy("p", SPEC)})
    await shop.look()
    await shop.follow_policy("p")
    await shop.proven()
    await next_version(shop, NEW, "h2")
    return shop


async def next_version(shop: Desk, image: str, pod_hash: str) -> None:
    shop.push({"web.yaml": rollout(image)})
    await shop.look()
    await shop.say(phase="Progressing", currentPodHash=pod_hash, stableRS="h1", abort=False, conditions=[])
    await shop.judge(3)


async def newest(shop: Desk) -> Release:
    return parse_release((await shop.releases())[-1])


async def record(shop: Desk) -> Comparison:
    found = (await newest(shop)).status.comparison
    assert found is not None
    return found


async def minutes(shop: Desk, count: int) -> None:
    """One look a minute, a little after each window has ended; two passes, as a record is followed by another look."""
    for _ in range(count):
        shop.clock.time = (await record(shop)).until + timedelta(seconds=66)
        await shop.judge(2)


async def aborted(shop: Desk) -> bool:
    return (await shop.found(ROLLOUTS, "web"))["status"].get("abort") is True


async def test_a_worse_canary_is_aborted_by_the_verb_of_every_client_and_git_is_restored_with_the_counts(shop: Desk) -> None:
    shop.counters.rates = WORSE
    await minutes(shop, 4)
    release = await newest(shop)
    assert [verb.verb for verb in release.status.verbs] == ["abort"] and await aborted(shop)
    await shop.say(phase="Degraded", abort=True, conditions=[HOME])
    await shop.judge()
    ended = await newest(shop)
    assert (ended.status.verdict, ended.status.held) == (Verdict.FAILED, True)
    assert "errors: " in ended.status.reason and "of the canary beside" in ended.status.reason
    assert b"web:1.0" in shop.origin.read("web.yaml")
    assert "of the canary beside" in "\n".join(shop.origin.log("%B"))
    said = comment("demo", [ended], {})
    assert "| compared | canary | baseline | times | e-value |" in said and "1\\.5x is tolerated" in said


async def test_a_canary_that_is_no_worse_passes_once_enough_was_compared(shop: Desk) -> None:
    shop.counters.rates = ALIKE
    await minutes(shop, 5)
    known = await record(shop)
    assert (known.windows, known.metrics[0].canary.requests, known.exceeded) == (5, 1500, False)
    await shop.say(phase="Healthy", currentPodHash="h2", stableRS="h2")
    await shop.judge()
    ended = await newest(shop)
    assert (ended.status.verdict, ended.status.unmeasured) == (Verdict.PASSED, False)


async def test_passes_and_daemons_that_come_and_go_count_a_window_once(shop: Desk, tmp_path: Path) -> None:
    shop.counters.rates = ALIKE
    await minutes(shop, 1)
    asked = len(shop.counters.asked)
    await shop.judge(5)
    assert len(shop.counters.asked) == asked
    async with life(shop.api, shop.origin, tmp_path) as second:
        second.clock.time = shop.clock.time
        second.counters.rates = ALIKE
        await second.judge(3)
        assert second.counters.asked == []
        second.clock.time += timedelta(minutes=1)
        await second.judge(3)
    assert ((await record(shop)).windows, (await record(shop)).metrics[0].canary.requests) == (2, 600)


async def test_two_daemons_at_once_count_a_window_once(shop: Desk, tmp_path: Path) -> None:
    """Both ask; the record of one is written over the version that it was read from, and the other's is refused."""
    shop.counters.rates = ALIKE
    async with life(shop.api, shop.origin, tmp_path) as second:
        second.counters.rates = ALIKE
        key = Key("release", NAMESPACE, (await newest(shop)).name)
        second.clock.time = shop.clock.time = (await record(shop)).until + timedelta(seconds=66)
        await asyncio.gather(shop.release.reconcile(key), second.release.reconcile(key), return_exceptions=True)
        assert shop.counters.asked and second.counters.asked
    assert ((await record(shop)).windows, (await record(shop)).metrics[0].canary.requests) == (1, 300)


async def test_a_provider_that_is_away_stops_nothing_and_is_said(shop: Desk) -> None:
    shop.counters.rates, shop.counters.away = WORSE, "prometheus: no answer"
    await minutes(shop, 3)
    known = await record(shop)
    assert (known.e_value, known.metrics[0].lost, known.metrics[0].problem) == (1, 3, "prometheus: no answer")
    await shop.say(phase="Healthy", currentPodHash="h2", stableRS="h2")
    await shop.judge()
    ended = await newest(shop)
    assert (ended.status.verdict, ended.status.restore) == (Verdict.COULD_NOT_MEASURE, None)


async def test_a_new_attempt_begins_with_new_counts(shop: Desk) -> None:
    shop.counters.rates = WORSE
    await minutes(shop, 4)
    await shop.say(phase="Degraded", abort=True, conditions=[HOME])
    await shop.judge()
    first = await newest(shop)
    assert first.status.comparison is not None and first.status.comparison.exceeded
    await next_version(shop, "registry.example.com/web:1.2", "h3")
    known = await record(shop)
    assert (known.canary, known.windows, known.e_value, known.exceeded) == ("h3", 0, 1, False)


async def test_beside_another_applier_it_is_compared_and_aborted_all_the_same(tmp_path: Path) -> None:
    async with desk(tmp_path, apply=False, companion=True) as shop:
        client = shop.api.client
        await client.create(RELEASE_POLICIES, yaml.safe_load(policy("p", SPEC)))
        await shop.follow_policy("p")
        await shop.seen(await client.create(ROLLOUTS, yaml.safe_load(rollout())))
        shop.push({"web.yaml": rollout()})
        await shop.proven()
        shop.push({"web.yaml": rollout(NEW)})
        await shop.look()
        template = yaml.safe_load(rollout(NEW))["spec"]["template"]
        await shop.seen(await client.patch(ObjectRef(ROLLOUTS, NAMESPACE, "web"), {"spec": {"template": template}}))
        await shop.say(phase="Progressing", currentPodHash="h2", stableRS="h1")
        await shop.judge(3)
        shop.counters.rates = WORSE
        await minutes(shop, 4)
        assert (await newest(shop)).spec.companion and await aborted(shop)

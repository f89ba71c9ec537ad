"""The share that a canary really serves, through the controller: found, told, gone when it is mended, and never a verdict."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from reconciler.kernel.strict import FieldError
from reconciler.releases.announce.message import comment
from reconciler.releases.manifest import parse_release
from reconciler.releases.model import Release
from reconciler.releases.policies.manifest import parse_policy
from reconciler.releases.share import batches as share
from reconciler.releases.share.record import ObservedShare, ShareFinding
from reconciler.releases.share.words import share_lines
from tests.kit.desk import Desk, desk, policy, rollout

NEW = "registry.example.com/web:1.1"
SPEC = "{observedShare: {requests: 'requests{v=\"{{args.hash}}\"}'}}"
AT_20 = {"canary": {"weights": {"canary": {"weight": 20}, "stable": {"weight": 80}}}}


@pytest.fixture
async def shop(tmp_path: Path) -> AsyncIterator[Desk]:
    async with desk(tmp_path) as found:
        yield await begun(found)


async def begun(shop: Desk, first_step: str = "") -> Desk:
    """A proven version, and a new one with a fifth of the users on it, as the Rollout has on record."""
    shop.push({"web.yaml": stepped(rollout(), first_step), "p.yaml": policy("p", SPEC)})
    await shop.look()
    await shop.follow_policy("p")
    await shop.proven()
    shop.push({"web.yaml": stepped(rollout(NEW), first_step)})
    await shop.look()
    await shop.say(phase="Progressing", currentPodHash="h2", stableRS="h1", abort=False, conditions=[], **AT_20)
    await shop.judge(3)
    return shop


def stepped(text: str, first: str) -> str:
    return text.replace("        - setWeight: 30\n", f"{first}        - setWeight: 30\n")


async def newest(shop: Desk) -> Release:
    return parse_release((await shop.releases())[-1])


async def record(shop: Desk) -> ObservedShare:
    found = (await newest(shop)).status.share
    assert found is not None
    return found


async def minutes(shop: Desk, count: int) -> ShareFinding | None:
    """One look a minute, a little after each window has ended."""
    for _ in range(count):
        shop.clock.time = (await record(shop)).until + timedelta(seconds=66)
        await shop.judge(2)
    return (await record(shop)).found


async def test_a_share_as_routed_is_found_and_nothing_is_told(shop: Desk) -> None:
    shop.counters.rates = {"h1": (8.0, 0.0), "h2": (2.0, 0.0)}
    found = await minutes(shop, 1)
    assert found is not None and (found.configured, found.served, found.requests, found.mismatch) == (20, 20, 600, False)
    assert "Routes:" not in comment("production", [await newest(shop)], {})
    assert share_lines(await record(shop)) == ["the canary served 20 % of 600 requests at weight 20 %: as routed (± 8.53)"]


async def test_a_pinned_route_is_a_finding_and_no_verdict_and_is_gone_when_it_is_mended(shop: Desk) -> None:
    shop.counters.rates = {"h1": (10.0, 0.0), "h2": (0.0, 0.0)}
    found = await minutes(shop, 1)
    release = await newest(shop)
    assert found is not None and found.mismatch and found.served == 0
    assert not release.decided and release.status.verbs == ()
    assert "Routes: the canary served 0 % of 600 requests at weight 20 %" in comment("production", [release], {})
    shop.counters.rates = {"h1": (8.0, 0.0), "h2": (2.0, 0.0)}
    mended = await minutes(shop, 1)
    assert mended is not None and not mended.mismatch


async def test_batches_of_all_weights_are_kept_in_order_and_bounded(shop: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(share, "BATCHES", 3)
    shop.counters.rates = {"h1": (8.0, 0.0), "h2": (2.0, 0.0)}
    await minutes(shop, 2)
    await shop.say(canary={"weights": {"canary": {"weight": 50}, "stable": {"weight": 50}}})
    await shop.judge(2)
    assert len((await record(shop)).batches) == 2, "another weight begins anew, and forgets nothing"
    await minutes(shop, 2)
    known = await record(shop)
    assert [one.configured for one in known.batches] == [20, 50, 50] and known.batches[-1] == known.found


async def test_chance_is_no_finding(shop: Desk) -> None:
    """Within four standard deviations of 600 requests at 20 %, and two points."""
    shop.counters.rates = {"h1": (7.2, 0.0), "h2": (2.8, 0.0)}
    found = await minutes(shop, 1)
    assert found is not None and found.served == 28 and not found.mismatch
    shop.counters.rates = {"h1": (7.0, 0.0), "h2": (3.0, 0.0)}
    worse = await minutes(shop, 1)
    assert worse is not None and worse.mismatch


async def test_too_few_requests_are_gathered_until_they_are_enough(shop: Desk) -> None:
    shop.counters.rates = {"h1": (4.0, 0.0), "h2": (0.0, 0.0)}
    assert await minutes(shop, 2) is None
    found = await minutes(shop, 1)
    assert found is not None and found.requests == 720


async def test_another_weight_begins_anew_once_it_has_spread(shop: Desk) -> None:
    shop.counters.rates = {"h1": (4.0, 0.0), "h2": (1.0, 0.0)}
    await minutes(shop, 1)
    before = await record(shop)
    await shop.say(canary={"weights": {"canary": {"weight": 50}, "stable": {"weight": 50}}})
    await shop.judge(2)
    after = await record(shop)
    assert (before.canary, before.stable) == (60, 240)
    assert (after.weight, after.canary, after.stable) == (50, 0, 0) and after.until == shop.clock.now() + timedelta(seconds=30)


async def test_a_provider_that_is_away_is_said_and_counts_nothing(shop: Desk) -> None:
    shop.counters.away = "http://prometheus: no answer"
    await minutes(shop, 1)
    known = await record(shop)
    assert (known.canary, known.stable, known.found) == (0, 0, None)
    assert share_lines(known) == ["the share served could not be measured: http://prometheus: no answer"]
    shop.counters.away, shop.counters.rates = "", {"h1": (8.0, 0.0), "h2": (2.0, 0.0)}
    assert await minutes(shop, 1) is not None and (await record(shop)).problem == ""


async def test_a_window_counts_once_however_often_it_is_looked_at(shop: Desk) -> None:
    shop.counters.rates = {"h1": (4.0, 0.0), "h2": (1.0, 0.0)}
    await minutes(shop, 1)
    before = await record(shop)
    await shop.judge(5)
    assert await record(shop) == before


async def test_what_testers_send_by_a_header_is_not_too_much(tmp_path: Path) -> None:
    tagged = "        - setHeaderRoute: {name: testers, match: [{headerName: x, headerValue: {exact: me}}]}\n"
    async with desk(tmp_path) as found:
        shop = await begun(found, tagged)
        shop.counters.rates = {"h1": (5.0, 0.0), "h2": (5.0, 0.0)}
        more = await minutes(shop, 1)
        assert more is not None and more.served == 50 and not more.mismatch
        shop.counters.rates = {"h1": (10.0, 0.0), "h2": (0.0, 0.0)}
        less = await minutes(shop, 1)
        assert less is not None and less.mismatch


@pytest.mark.parametrize(
    ("share", "words"),
    [
        ({}, "requests"),
        ({"requests": "sum(requests{v='x'})"}, "no function"),
        ({"requests": "requests{v='x'}"}, "says neither {{args.hash}}"),
        ({"requests": "requests{v='{{args.hash}}'}", "slack": "60%"}, "at most 50%"),
        ({"requests": "requests{v='{{args.hash}}'}", "minimumRequests": 10}, "minimumRequests"),
        ({"requests": "requests{v='{{args.hash}}'}", "sigma": 3}, "sigma"),
    ],
)
def test_a_policy_that_cannot_be_meant_is_refused(share: dict[str, object], words: str) -> None:
    with pytest.raises(FieldError, match=words.replace("{", r"\{")):
        parse_policy({"metadata": {"name": "p", "namespace": "shop"}, "spec": {"observedShare": share}})


def test_it_counts_what_compare_counts_where_it_says_nothing_else() -> None:
    metric = {"name": "errors", "requests": "requests{v='{{args.hash}}'}", "bad": "bad{v='{{args.hash}}'}"}
    spec = {"compare": {"metrics": [metric], "address": "http://prometheus:9090"}, "observedShare": {}}
    terms = parse_policy({"metadata": {"name": "p", "namespace": "shop"}, "spec": spec}).observed_share
    assert terms is not None and (terms.requests, terms.address) == ("requests{v='{{args.hash}}'}", "http://prometheus:9090")

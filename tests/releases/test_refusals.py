"""Policies that contradict each other, or the Rollout, cost judgement and not delivery; people see it where they look."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from reconciler.kernel.errors import Terminal
from reconciler.kernel.identity import Key, ObjectRef, name_of
from reconciler.kernel.resources import RELEASE_POLICIES, RELEASES, ROLLOUTS
from reconciler.releases.manifest import parse_release
from reconciler.views.tree import Family
from reconciler.views.why.explain import Situation, explain
from tests.kit.clusters import NAMESPACE
from tests.kit.desk import Desk, desk, image_of, policy, rollout

NEW = "registry.example.com/web:1.1"
WATCH = "{afterPromotion: {window: 5m, analysis: {templates: [{templateName: rate}]}}}"


@pytest.fixture
async def shop(tmp_path: Path) -> AsyncIterator[Desk]:
    async with desk(tmp_path) as found:
        yield found


def shrinking(image: str) -> str:
    return rollout(image).replace("    canary:\n", "    canary:\n      dynamicStableScale: true\n")


async def refused(shop: Desk, words: str) -> None:
    """One pass of the newest release, which is refused."""
    with pytest.raises(Terminal, match=words):
        await shop.judge(1)


async def applied(shop: Desk, files: dict[str, str]) -> None:
    shop.push(files)
    await shop.look()
    for name in ("p", "q"):
        if f"{name}.yaml" in files:
            await shop.follow_policy(name)


async def test_a_version_that_is_to_be_kept_warm_and_shrunk_is_applied_and_opens_no_release(shop: Desk) -> None:
    await applied(shop, {"p.yaml": policy("p", WATCH)})
    await applied(shop, {"web.yaml": shrinking(NEW)})
    assert image_of(await shop.found(ROLLOUTS, "web")) == NEW
    assert await shop.releases() == []
    problems = await shop.problems()
    assert "ReleasePolicy p" in problems and "dynamicStableScale of Rollout web" in problems and "applied, not judged" in problems
    assert "SourceProblem" in await shop.events()


async def test_a_running_release_says_that_it_is_not_judged_and_goes_on_once_the_policies_agree(shop: Desk) -> None:
    await applied(shop, {"web.yaml": rollout()})
    await shop.proven()
    await applied(shop, {"web.yaml": rollout(NEW)})
    await applied(shop, {"p.yaml": policy("p"), "q.yaml": policy("q")})
    await shop.say(phase="Healthy", currentPodHash="h2", stableRS="h2")
    for _ in range(3):
        await refused(shop, "p and q both claim Rollout shop/web")
    newest = (await shop.releases())[-1]
    assert "p and q both claim" in newest["status"]["unjudged"] and "verdict" not in newest["status"]
    assert (await shop.events()).count("ReleaseNotJudged") == 2
    family = Family(await shop.found(ROLLOUTS, "web"), (), (), ())
    situation = Situation(family=family, release=parse_release(newest), now=datetime.now(UTC))
    assert "nobody judges it: ReleasePolicy objects p and q" in explain(situation).sentence
    await shop.look()
    assert "p and q both claim Rollout shop/web" in await shop.problems()
    assert list(shop.release.keys_for(RELEASE_POLICIES, await shop.found(RELEASE_POLICIES, "q"))) == [
        Key("release", NAMESPACE, name_of(newest))
    ]
    shop.cache.drop(RELEASE_POLICIES, NAMESPACE, "q")
    await shop.judge()
    assert (await shop.releases())[-1]["status"]["verdict"] == "passed"


async def test_a_rollout_that_begins_to_shrink_under_a_running_release_is_no_longer_judged(shop: Desk) -> None:
    await applied(shop, {"web.yaml": rollout(), "p.yaml": policy("p", WATCH)})
    await shop.proven()
    await applied(shop, {"web.yaml": rollout(NEW)})
    await applied(shop, {"web.yaml": shrinking(NEW)})
    await shop.say(phase="Progressing", currentPodHash="h2")
    await refused(shop, "dynamicStableScale of Rollout web")


async def test_a_verdict_is_carried_out_whatever_policies_say_by_then(shop: Desk) -> None:
    await applied(shop, {"web.yaml": rollout()})
    await shop.proven()
    await applied(shop, {"web.yaml": rollout(NEW)})
    await shop.say(phase="Progressing", currentPodHash="h2")
    await shop.judge(2)
    await shop.say(phase="Degraded", abort=True)
    await applied(shop, {"p.yaml": policy("p"), "q.yaml": policy("q")})
    lost = {"verdict": "failed", "phase": "Restoring", "reason": "r", "held": True, "decidedAt": "2030-01-01T00:00:00Z"}
    newest = name_of((await shop.releases())[-1])
    status = {**lost, "restore": {"state": "wanted"}}
    await shop.api.client.patch(ObjectRef(RELEASES, NAMESPACE, newest), {"status": status}, subresource="status")
    await shop.judge(1)
    assert b"web:1.0" in shop.origin.read("web.yaml")

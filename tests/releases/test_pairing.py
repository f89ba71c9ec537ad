"""The baseline pair through the controller: made, refused, tried again, and never in the way of what matters more."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest
from reconciler_sandbox.apiserver.server import no_faults
from reconciler_sandbox.client import Answer, Call

from reconciler.kernel.identity import Manifest, ObjectRef, uid_of
from reconciler.kernel.resources import REPLICA_SETS, ROLLOUTS
from reconciler.releases.comparison.pair import PAIR, pair_name
from reconciler.releases.manifest import parse_release
from reconciler.releases.model import Release, Verdict
from tests.kit.clusters import NAMESPACE, Api
from tests.kit.desk import Desk, desk, policy, rollout
from tests.releases.test_comparing import NEW, SPEC, newest, next_version

PAIRED = SPEC.replace("{compare: {", "{compare: {baseline: experiment, ")


@pytest.fixture
async def shop(tmp_path: Path) -> AsyncIterator[Desk]:
    """A proven version with its pods, and a policy that wants a pair."""
    async with desk(tmp_path) as found:
        found.push({"web.yaml": rollout(), "p.yaml": policy("p", PAIRED)})
        await found.look()
        await found.follow_policy("p")
        await found.proven()
        await found.stable_pods("h1", "registry.example.com/web:1.0")
        yield found


async def moving(shop: Desk) -> Release:
    """A new version that some users are on."""
    await shop.stable_pods("h2", NEW)
    await next_version(shop, NEW, "h2")
    return await newest(shop)


async def pairs(shop: Desk) -> list[Manifest]:
    return [found for found in await shop.api.client.list(REPLICA_SETS, NAMESPACE) if PAIR in found["metadata"]["labels"]]


async def refuse(shop: Desk, method: str) -> list[str]:
    """ReplicaSets may not be written in this way from now on; answers what was asked."""
    asked: list[str] = []

    async def forbidden(call: Call) -> Answer | None:
        if call.method != method or b"-baseline-" not in call.path.encode() + call.body:
            return None
        asked.append(call.path)
        return Answer(403, {}, b'{"reason": "Forbidden", "message": "exceeded quota: pods"}')

    assert isinstance(shop.api, Api)
    shop.api.server.faults = forbidden
    return asked


async def test_it_is_made_once_and_removed_with_the_release(shop: Desk) -> None:
    release = await moving(shop)
    await shop.judge(3)
    [pair] = await pairs(shop)
    assert pair["metadata"]["ownerReferences"][0]["uid"] == release.uid and pair["spec"]["replicas"] == 2
    assert "BaselineCreated" in await shop.events()
    place, served = ObjectRef(REPLICA_SETS, NAMESPACE, pair["metadata"]["name"]), {"status": {"replicas": 2, "availableReplicas": 2}}
    await shop.seen(await shop.api.client.patch(place, served, subresource="status"), REPLICA_SETS)
    await shop.judge(2)
    known = (await newest(shop)).status.comparison
    assert known is not None and known.baseline == pair["metadata"]["name"]
    await shop.say(phase="Healthy", currentPodHash="h2", stableRS="h2")
    await shop.judge()
    assert (await newest(shop)).decided and await pairs(shop) == []


async def test_what_is_refused_is_said_and_tried_again_after_a_while(shop: Desk) -> None:
    asked = await refuse(shop, "POST")
    await moving(shop)
    await shop.judge(5)
    refused = (await newest(shop)).status.pair_refused
    assert refused is not None and "exceeded quota" in refused.reason and len(asked) == 1
    shop.clock.time += timedelta(minutes=2)
    await shop.judge(5)
    assert len(asked) == 2
    assert isinstance(shop.api, Api)
    shop.api.server.faults = no_faults
    shop.clock.time += timedelta(minutes=2)
    await shop.judge(3)
    assert len(await pairs(shop)) == 1 and (await newest(shop)).status.pair_refused is None


async def test_without_it_the_release_ends_as_could_not_be_measured(shop: Desk) -> None:
    await refuse(shop, "POST")
    await moving(shop)
    await shop.say(phase="Healthy", currentPodHash="h2", stableRS="h2")
    await shop.judge()
    ended = await newest(shop)
    assert ended.status.verdict is Verdict.COULD_NOT_MEASURE and "exceeded quota" in ended.status.reason
    assert ended.status.restore is None


async def test_one_that_may_not_be_removed_yet_is_removed_later_although_the_release_is_closed(shop: Desk) -> None:
    await moving(shop)
    assert len(await pairs(shop)) == 1
    asked = await refuse(shop, "DELETE")
    await shop.say(phase="Healthy", currentPodHash="h2", stableRS="h2")
    await shop.judge()
    assert (await newest(shop)).decided and len(asked) == 1 and len(await pairs(shop)) == 1
    assert isinstance(shop.api, Api)
    shop.api.server.faults = no_faults
    shop.clock.time += timedelta(minutes=2)
    await shop.judge(2)
    assert await pairs(shop) == []


async def test_one_of_somebody_else_is_left_alone_and_said(shop: Desk) -> None:
    """Its name is taken: nothing is written over it, and nothing of it counts."""
    asked = await refuse(shop, "POST")
    await moving(shop)
    assert isinstance(shop.api, Api) and asked
    wanted = (await newest(shop)).status.pair_refused
    assert wanted is not None
    shop.api.server.faults = no_faults
    foreign = await shop.api.client.create(REPLICA_SETS, foreign_set(await name_of_pair(shop)))
    shop.clock.time += timedelta(minutes=2)
    await shop.judge(4)
    [left] = await pairs(shop)
    assert uid_of(left) == uid_of(foreign) and left["spec"]["replicas"] == 1
    refused = (await newest(shop)).status.pair_refused
    assert refused is not None and "already exists" in refused.reason
    assert (await newest(shop)).status.comparison is None


async def name_of_pair(shop: Desk) -> str:
    return pair_name(parse_release((await shop.releases())[-1]), "h1")


def foreign_set(name: str) -> Manifest:
    labels = {PAIR: name, "app": "web"}
    template = {"metadata": {"labels": labels}, "spec": {"containers": [{"name": "web", "image": "other"}]}}
    return {
        "apiVersion": "apps/v1",
        "kind": "ReplicaSet",
        "metadata": {"name": name, "namespace": NAMESPACE, "labels": labels},
        "spec": {"replicas": 1, "selector": {"matchLabels": labels}, "template": template},
    }


async def test_an_abort_is_pressed_although_the_pair_is_refused(shop: Desk) -> None:
    await refuse(shop, "POST")
    await moving(shop)
    stuck = {"type": "Progressing", "status": "False", "reason": "ProgressDeadlineExceeded", "message": "has timed out progressing."}
    await shop.say(conditions=[stuck])
    await shop.judge(3)
    assert (await shop.found(ROLLOUTS, "web"))["status"].get("abort") is True

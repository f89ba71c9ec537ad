"""What the judge may know: history, newer versions, and pods that will never come up."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from reconciler.kernel.identity import Manifest, ObjectRef
from reconciler.kernel.resources import PODS, REPLICA_SETS, ROLLOUTS
from reconciler.releases.comparison.observe import Sampling
from reconciler.releases.facts import ReleaseFacts
from reconciler.releases.manifest import parse_release
from reconciler.releases.model import Release
from reconciler.releases.observe import Around, observe
from reconciler.releases.observe_history import history
from reconciler.releases.policies.policy import DEFAULT
from tests.kit.clusters import NAMESPACE
from tests.kit.desk import Desk, desk, rollout
from tests.kit.echoes import nobody

HASH = "rollouts-pod-template-hash"
NEW = "registry.example.com/web:1.1"


@pytest.fixture
async def shop(tmp_path: Path) -> AsyncIterator[Desk]:
    async with desk(tmp_path) as found:
        found.push({"web.yaml": rollout()})
        await found.proven()
        found.push({"web.yaml": rollout(NEW)})
        await found.look()
        await found.say(phase="Progressing", currentPodHash="h2")
        await found.judge(2)
        yield found


async def newest(shop: Desk) -> Release:
    return parse_release((await shop.releases())[-1])


async def facts(shop: Desk, asked: dict[str, str] | None = None) -> ReleaseFacts:
    return await look(shop, await newest(shop), asked or {})


async def look(shop: Desk, release: Release, asked: dict[str, str]) -> ReleaseFacts:
    around = Around(history(shop.cache, NAMESPACE, "web"), asked, DEFAULT, shop.clock.now(), Sampling(shop.counters, nobody))
    return await observe(shop.api.client, shop.cache, release, around)


async def replica_set(shop: Desk, *, replicas: int = 2, available: int = 0) -> None:
    owner = await shop.found(ROLLOUTS, "web")
    reference = {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "Rollout",
        "name": "web",
        "uid": owner["metadata"]["uid"],
        "controller": True,
    }
    labels = {"app": "web", HASH: "h2"}
    template = {"metadata": {"labels": labels}, "spec": {"containers": [{"name": "web", "image": NEW}]}}
    metadata: Manifest = {"name": "web-h2", "namespace": NAMESPACE, "labels": labels, "ownerReferences": [reference]}
    spec = {"replicas": replicas, "selector": {"matchLabels": labels}, "template": template}
    made = await shop.api.client.create(REPLICA_SETS, {"apiVersion": "apps/v1", "kind": "ReplicaSet", "metadata": metadata, "spec": spec})
    place, status = ObjectRef(REPLICA_SETS, NAMESPACE, "web-h2"), {"status": {"replicas": replicas, "availableReplicas": available}}
    made = await shop.api.client.patch(place, status, subresource="status")
    await shop._seen(REPLICA_SETS, made)


async def pod(shop: Desk, reason: str, restarts: int) -> None:
    spec = {"containers": [{"name": "web", "image": NEW}]}
    metadata = {"name": "web-h2-1", "namespace": NAMESPACE, "labels": {"app": "web", HASH: "h2"}}
    await shop.api.client.create(PODS, {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec})
    container: dict[str, Any] = {"name": "web", "restartCount": restarts, "state": {"waiting": {"reason": reason}}}
    container |= {"image": NEW, "imageID": "", "ready": False}
    status = {"phase": "Pending", "containerStatuses": [container]}
    await shop.api.client.patch(ObjectRef(PODS, NAMESPACE, "web-h2-1"), {"status": status}, subresource="status")


async def test_a_release_without_a_rollout_still_knows_its_rivals(shop: Desk) -> None:
    shop.cache.drop(ROLLOUTS, NAMESPACE, "web")
    found = await facts(shop, {"Rollout/shop/web": "another"})
    assert found.live is None and found.newer == "Git asks for another version by now"


async def test_a_later_release_of_another_version_took_over(shop: Desk) -> None:
    first = await newest(shop)
    shop.push({"web.yaml": rollout("registry.example.com/web:1.2")})
    await shop.look()
    later = await newest(shop)
    found = await look(shop, first, {})
    assert found.newer == f"release {later.name} took over"
    assert (await facts(shop)).newer == ""


async def test_an_attempt_knows_of_a_later_one_of_the_same_version(shop: Desk) -> None:
    await shop.lost()
    first = await newest(shop)
    assert not (await facts(shop)).tried_again
    await shop.say(phase="Progressing", abort=None, abortedAt=None)
    await shop.judge()
    later = await newest(shop)
    assert (later.spec.identity, later.spec.attempt) == (first.spec.identity, 2)
    assert (await look(shop, first, {})).tried_again and not (await look(shop, later, {})).tried_again


async def test_what_git_asks_for_now_is_compared(shop: Desk) -> None:
    release = await newest(shop)
    assert (await facts(shop, {"Rollout/shop/web": release.spec.identity})).newer == ""
    assert (await facts(shop, {"Rollout/shop/other": "x"})).newer == ""


@pytest.mark.parametrize(
    ("reason", "restarts", "crashes"),
    [
        ("CrashLoopBackOff", 3, True),
        ("CrashLoopBackOff", 2, False),
        ("ImagePullBackOff", 0, False),
        ("CreateContainerConfigError", 0, False),
        ("ContainerCreating", 0, False),
    ],
)
async def test_only_a_crash_loop_is_a_reason_before_the_deadline(shop: Desk, reason: str, restarts: int, crashes: bool) -> None:
    await replica_set(shop)
    await pod(shop, reason, restarts)
    expected = f"container web of pod web-h2-1 crash-loops: {restarts} restarts" if crashes else ""
    assert (await facts(shop)).crashed == expected


async def test_pods_are_asked_for_only_while_some_are_missing(shop: Desk) -> None:
    await replica_set(shop, available=2)
    shop.api.transport.calls.clear()
    assert (await facts(shop)).crashed == ""
    assert not [call for call in shop.api.transport.calls if call.path.endswith("/pods")]


async def test_what_the_rollout_owns_is_found(shop: Desk) -> None:
    await replica_set(shop)
    found = await facts(shop)
    assert found.rollout.current == "h2" and found.replica_set("h2") is not None
    assert found.after is None and found.runs == ()

"""A person's brake on one object or one namespace is found, obeyed by every controller, and said once."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from reconciler.kernel.identity import Key, Manifest, ObjectRef, name_of
from reconciler.kernel.resources import ANALYSIS_RUNS, DEPLOYMENTS, NAMESPACES, RELEASES, ROLLOUTS, SERVICES, VIRTUAL_SERVICES
from tests.kit.analysis import Scripted, run, stage
from tests.kit.clusters import NAMESPACE
from tests.kit.desk import Desk, desk
from tests.kit.desk import rollout as written
from tests.kit.rollouts import canary, pause, rollout, service, virtual_service, weight
from tests.kit.store import merged
from tests.kit.world import World, deployed

HELD: Manifest = {"metadata": {"annotations": {"reconciler.dev/suspend": "true"}}}
FREE: Manifest = {"metadata": {"annotations": {"reconciler.dev/suspend": "false"}}}
NEW = "registry.example.com/web:1.1"
ROUTING = {"istio": {"virtualService": {"name": "web"}}}
SERVED = canary(weight(50), pause(), trafficRouting=ROUTING, canaryService="web-canary", stableService="web-stable")


def namespace(marks: Manifest) -> Manifest:
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE, **marks["metadata"]}}


def routed() -> World:
    others = [(SERVICES, service("web-canary")), (SERVICES, service("web-stable")), (VIRTUAL_SERVICES, virtual_service())]
    return deployed(rollout(canary=SERVED), *others, (NAMESPACES, namespace(FREE)))


def told(world: World) -> int:
    return world.reasons.count("Suspended")


@pytest.fixture
async def shop(tmp_path: Path) -> AsyncIterator[Desk]:
    async with desk(tmp_path) as found:
        yield found


async def hold(shop: Desk, ref: ObjectRef, marks: Manifest = HELD) -> None:
    answer = await shop.api.client.patch(ref, marks)
    shop.cache.put(ref.resource, answer)


def test_nothing_is_written_for_a_rollout_in_a_suspended_namespace_and_it_is_said_once() -> None:
    world = routed()
    world.store.put(NAMESPACES, namespace(HELD))
    world.push("web:2")
    mark = len(world.store.writes)
    world.settle().wait(60)
    assert [write for write in world.since(mark) if "Event" not in write] == []
    assert told(world) == 1 and world.size("web:2") == 0
    world.store.put(NAMESPACES, namespace(FREE))
    assert world.settle().weight == 50


@pytest.mark.parametrize("resource", [ROLLOUTS, SERVICES])
def test_a_suspended_rollout_or_service_of_it_stops_the_whole_rollout(resource: object) -> None:
    world = routed()
    place = (ROLLOUTS, world.rollout) if resource is ROLLOUTS else (SERVICES, service("web-canary"))
    live = world.store.get(place[0], NAMESPACE, name_of(place[1]))
    assert live is not None
    world.store.put(place[0], merged(live, HELD))
    world.push("web:2").settle()
    assert world.size("web:2") == 0 and told(world) == 1


def test_the_deployment_of_a_workload_reference_is_a_part_too() -> None:
    reference = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web", "scaleDown": "onsuccess"}
    from_deployment = merged(rollout(canary=canary()), {"spec": {"workloadRef": reference, "template": None}})
    template = rollout(canary=canary())["spec"]["template"]
    deployment = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web", "namespace": NAMESPACE, **HELD["metadata"]}}
    deployment["spec"] = {"replicas": 4, "selector": {"matchLabels": template["metadata"]["labels"]}, "template": template}
    world = World(from_deployment, (DEPLOYMENTS, deployment)).settle()
    assert world.replica_sets == [] and told(world) == 1


def test_a_suspended_route_is_not_moved_and_the_rollout_goes_on_once_it_is_free() -> None:
    world = routed()
    live = world.store.get(VIRTUAL_SERVICES, NAMESPACE, "web")
    assert live is not None
    world.store.put(VIRTUAL_SERVICES, merged(live, HELD))
    world.push("web:2").settle()
    assert world.weight == 0 and told(world) == 1
    world.store.put(VIRTUAL_SERVICES, live)
    assert world.settle().weight == 50


def test_a_changed_namespace_concerns_its_rollouts() -> None:
    assert list(routed().controller.keys_for(NAMESPACES, namespace(HELD))) == [Key("rollout", NAMESPACE, "web")]


async def test_runs_of_a_suspended_namespace_do_not_measure() -> None:
    provider = Scripted("S")
    async with stage({"scripted": provider}) as it:
        await it.create(run())
        it.cache.put(NAMESPACES, namespace(HELD))
        assert await it.look() is None
        assert provider.asked == [] and await it.status() == {}
        assert list(it.controller.keys_for(NAMESPACES, namespace(FREE))) == [Key("analysisrun", NAMESPACE, "check")]
        it.cache.put(NAMESPACES, namespace(FREE))
        await it.look()
        assert (await it.status())["phase"] == "Successful"


async def test_no_release_is_opened_while_its_namespace_or_rollout_is_suspended(shop: Desk) -> None:
    shop.push({"web.yaml": written()})
    await shop.proven()
    shop.push({"web.yaml": written(NEW)})
    for ref in (ObjectRef(NAMESPACES, "", NAMESPACE), ObjectRef(ROLLOUTS, NAMESPACE, "web")):
        await hold(shop, ref)
        await shop.look()
        assert len(await shop.releases()) == 1
        await hold(shop, ref, FREE)
    await shop.look()
    assert len(await shop.releases()) == 2


async def test_a_release_in_a_suspended_namespace_is_neither_judged_nor_steered(shop: Desk) -> None:
    shop.push({"web.yaml": written()})
    await shop.proven()
    shop.push({"web.yaml": written(NEW)})
    await shop.look()
    await hold(shop, ObjectRef(NAMESPACES, "", NAMESPACE))
    await shop.say(phase="Healthy", currentPodHash="h2", stableRS="h2")
    shop.api.transport.calls.clear()
    await shop.judge()
    assert [write for write in shop.api.writes() if "/events" not in write] == []
    newest = (await shop.releases())[-1]
    assert list(shop.release.keys_for(NAMESPACES, namespace(FREE))) == [Key("release", NAMESPACE, name_of(newest))]
    await hold(shop, ObjectRef(NAMESPACES, "", NAMESPACE), FREE)
    await shop.judge()
    assert (await shop.found(RELEASES, name_of(newest)))["status"]["verdict"] == "passed"


async def test_a_lost_release_of_a_suspended_rollout_is_still_restored_in_git(shop: Desk) -> None:
    shop.push({"web.yaml": written()})
    await shop.proven()
    shop.push({"web.yaml": written(NEW)})
    await shop.look()
    await shop.say(phase="Progressing", currentPodHash="h2")
    await shop.judge(2)
    newest = name_of((await shop.releases())[-1])
    lost = {"verdict": "failed", "phase": "Restoring", "reason": "r", "held": True, "decidedAt": "2030-01-01T00:00:00Z"}
    ref = ObjectRef(RELEASES, NAMESPACE, newest)
    await shop.api.client.patch(ref, {"status": {**lost, "restore": {"state": "wanted"}}}, subresource="status")
    await hold(shop, ObjectRef(ROLLOUTS, NAMESPACE, "web"))
    await shop.judge(1)
    assert b"web:1.0" in shop.origin.read("web.yaml")
    assert (await shop.events()).count("Suspended") == 1


async def test_what_left_git_stays_in_a_suspended_namespace(shop: Desk) -> None:
    names = "abcdefgh"
    shop.push({f"{name}.yaml": written(name=name) for name in names})
    await shop.look()
    await hold(shop, ObjectRef(NAMESPACES, "", NAMESPACE))
    shop.push({"a.yaml": None})
    await shop.look()
    assert await shop.live(ROLLOUTS, "a") is not None
    await hold(shop, ObjectRef(NAMESPACES, "", NAMESPACE), FREE)
    await shop.look()
    assert await shop.live(ROLLOUTS, "a") is None


async def test_a_changed_namespace_concerns_the_sources_that_write_into_it(shop: Desk) -> None:
    assert list(shop.source.keys_for(NAMESPACES, namespace(HELD))) == [Key("source", "", "shop")]
    assert list(shop.source.keys_for(NAMESPACES, {"metadata": {"name": "other"}})) == []
    assert ANALYSIS_RUNS in shop.release.watches

"""Objects are written without moving what runtime owns; the law is watched, event by event."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from reconciler_sandbox.client import Answer, Call

from reconciler.kernel.identity import Manifest, ObjectRef, Resource, annotations_of
from reconciler.kernel.resources import AUTOSCALERS, CONFIGMAPS, DEPLOYMENTS, ROLLOUTS, SERVICES, VIRTUAL_SERVICES
from tests.kit.clusters import NAMESPACE, running
from tests.kit.desk import Desk, config, desk, rollout
from tests.kit.wait import until

HASH = "rollouts-pod-template-hash"
SERVICE = """\
apiVersion: v1
kind: Service
metadata: {{name: {name}, namespace: shop{more}}}
spec:
  selector: {{app: web}}
  ports: [{{port: 80}}]
"""
ROUTES = """\
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {{name: web, namespace: shop{more}}}
spec:
  hosts: [web]
  http:
    - name: primary
      route:
        - destination: {{host: web}}
          weight: 100
        - destination: {{host: web-canary}}
          weight: 0
"""
ROUTED = (
    "      canaryService: web-canary\n      stableService: web\n"
    "      trafficRouting: {istio: {virtualService: {name: web, routes: [primary]}}, managedRoutes: [{name: tagged}]}\n"
)


def routed_rollout(**known: str) -> str:
    return rollout(**known).replace("    canary:\n", f"    canary:\n{ROUTED}", 1)


@pytest.fixture
async def shop(tmp_path: Path) -> AsyncIterator[Desk]:
    async with desk(tmp_path) as found:
        yield found


async def shift_traffic(shop: Desk) -> None:
    """What the rollout layer does at weight 30: routes, one managed route, selectors, replicas of nobody."""
    live = await shop.found(VIRTUAL_SERVICES, "web")
    tagged = {"name": "tagged", "match": [{"headers": {"x": {"exact": "y"}}}], "route": [{"destination": {"host": "web-canary"}}]}
    (primary,) = live["spec"]["http"]
    weights = [{**destination, "weight": share} for destination, share in zip(primary["route"], (70, 30), strict=True)]
    spec = {**live["spec"], "http": [tagged, {**primary, "route": weights}]}
    await shop.api.client.replace(VIRTUAL_SERVICES, {**live, "spec": spec})
    for name, hash in (("web", "stable"), ("web-canary", "canary")):
        await shop.api.client.patch(ObjectRef(SERVICES, NAMESPACE, name), {"spec": {"selector": {HASH: hash}}})


class Watching:
    """Every state of some resources that any watcher is shown from now on."""

    def __init__(self, shop: Desk, *resources: Resource) -> None:
        self.shown: list[Manifest] = []
        self._client = shop.api.client
        self._resources = resources
        self._begun = 0

    async def follow(self, resource: Resource) -> None:
        version = (await self._client.listing(resource)).version
        self._begun += 1
        async for event in self._client.watch(resource, version):
            self.shown.append(event.object)

    async def __aenter__(self) -> "Watching":
        self._context = running(*[self.follow(resource) for resource in self._resources])
        await self._context.__aenter__()
        await until(lambda: self._begun == len(self._resources))
        return self

    async def __aexit__(self, *ending: Any) -> None:
        await self._context.__aexit__(*ending)

    def of(self, kind: str) -> list[Manifest]:
        return [manifest for manifest in self.shown if manifest["kind"] == kind]


async def test_an_unrelated_push_at_weight_30_shows_no_watcher_another_weight_or_selector(shop: Desk) -> None:
    services = {f"{name}.yaml": SERVICE.format(name=name, more="") for name in ("web", "web-canary")}
    shop.push({"r.yaml": routed_rollout(), "v.yaml": ROUTES.format(more=""), **services})
    await shop.look()
    await shift_traffic(shop)
    shop.cache.put(ROLLOUTS, await shop.found(ROLLOUTS, "web"))
    labelled = {f"{name}.yaml": SERVICE.format(name=name, more=", labels: {team: a}") for name in ("web", "web-canary")}
    async with Watching(shop, VIRTUAL_SERVICES, SERVICES) as seen:
        shop.push({"v.yaml": ROUTES.format(more=", labels: {team: a}"), **labelled})
        await shop.look()
        await until(lambda: len(seen.shown) >= 3)
        for state in seen.of("VirtualService"):
            tagged, primary = state["spec"]["http"]
            assert tagged["name"] == "tagged"
            assert [destination["weight"] for destination in primary["route"]] == [70, 30]
        for state in seen.of("Service"):
            assert state["spec"]["selector"] == {"app": "web", HASH: {"web": "stable", "web-canary": "canary"}[state["metadata"]["name"]]}
    assert (await shop.found(SERVICES, "web"))["metadata"]["labels"] == {"team": "a"}
    assert (await shop.found(VIRTUAL_SERVICES, "web"))["metadata"]["labels"] == {"team": "a"}


async def test_a_changed_host_reaches_the_route_and_the_weights_stay(shop: Desk) -> None:
    shop.push({"r.yaml": routed_rollout(), "v.yaml": ROUTES.format(more=""), "w.yaml": SERVICE.format(name="web", more="")})
    shop.push({"c.yaml": SERVICE.format(name="web-canary", more="")})
    await shop.look()
    await shift_traffic(shop)
    shop.push({"v.yaml": ROUTES.format(more="").replace("hosts: [web]", "hosts: [web, web.example.com]")})
    await shop.look()
    live = await shop.found(VIRTUAL_SERVICES, "web")
    assert live["spec"]["hosts"] == ["web", "web.example.com"]
    assert [destination["weight"] for destination in live["spec"]["http"][1]["route"]] == [70, 30]


async def test_replicas_under_an_autoscaler_are_its_own(shop: Desk) -> None:
    deployment = rollout().replace("argoproj.io/v1alpha1", "apps/v1").replace("kind: Rollout", "kind: Deployment")
    deployment = deployment.replace("  strategy:\n    canary:\n      steps:\n        - setWeight: 30\n        - pause: {}\n", "")
    scaler = {
        "apiVersion": "autoscaling/v2",
        "kind": "HorizontalPodAutoscaler",
        "metadata": {"name": "web", "namespace": NAMESPACE},
        "spec": {"maxReplicas": 9, "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"}},
    }
    shop.push({"d.yaml": deployment})
    await shop.look()
    await shop.api.client.create(AUTOSCALERS, scaler)
    await shop.api.client.patch(ObjectRef(DEPLOYMENTS, NAMESPACE, "web"), {"spec": {"replicas": 7}})
    shop.push({"d.yaml": deployment.replace("web:1.0", "web:1.1")})
    await shop.look()
    live = await shop.found(DEPLOYMENTS, "web")
    assert live["spec"]["replicas"] == 7
    assert live["spec"]["template"]["spec"]["containers"][0]["image"].endswith("web:1.1")


async def test_a_write_derived_from_an_old_state_is_derived_again(shop: Desk) -> None:
    shop.push({"a.yaml": config("a"), "b.yaml": config("b")})
    await shop.look()
    shop.push({"a.yaml": config("a", "2"), "b.yaml": config("b", "2")})
    raced = False

    async def race(call: Call) -> Answer | None:
        nonlocal raced
        if call.method == "PATCH" and call.path.endswith("/configmaps/a") and not raced:
            raced = True
            await shop.api.client.patch(ObjectRef(CONFIGMAPS, NAMESPACE, "a"), {"metadata": {"labels": {"somebody": "wrote"}}})
        return None

    shop.api.server.faults = race
    wake_at = await shop.look()
    assert wake_at is not None and wake_at <= shop.clock.now() + timedelta(seconds=1)
    assert await shop.problems() == "", "a race is nobody's fault"
    assert (await shop.found(CONFIGMAPS, "a"))["data"] == {"a": "1"}
    assert (await shop.found(CONFIGMAPS, "b"))["data"] == {"a": "2"}
    shop.clock.time = wake_at
    await shop.look()
    found = await shop.found(CONFIGMAPS, "a")
    assert found["data"] == {"a": "2"} and found["metadata"]["labels"] == {"somebody": "wrote"}


async def test_a_field_that_left_git_leaves_the_object_and_a_strangers_stays(shop: Desk) -> None:
    shop.push({"a.yaml": config("a") + "  b: '2'\n"})
    await shop.look()
    await shop.api.client.patch(ObjectRef(CONFIGMAPS, NAMESPACE, "a"), {"data": {"theirs": "3"}})
    shop.push({"a.yaml": config("a")})
    await shop.look()
    assert (await shop.found(CONFIGMAPS, "a"))["data"] == {"a": "1", "theirs": "3"}


async def test_what_drifted_by_hand_is_not_healed_until_git_changes(shop: Desk) -> None:
    shop.push({"a.yaml": config("a")})
    await shop.look()
    await shop.api.client.patch(ObjectRef(CONFIGMAPS, NAMESPACE, "a"), {"data": {"a": "by hand"}})
    await shop.look()
    assert (await shop.found(CONFIGMAPS, "a"))["data"] == {"a": "by hand"}
    shop.push({"a.yaml": config("a", "3")})
    await shop.look()
    assert (await shop.found(CONFIGMAPS, "a"))["data"] == {"a": "3"}


async def test_a_kind_that_nobody_serves_is_a_problem_of_its_object(shop: Desk) -> None:
    widget = "apiVersion: example.com/v1\nkind: ConfigMap\nmetadata: {name: w, namespace: shop}\n"
    shop.push({"w.yaml": widget, "a.yaml": config("a")})
    await shop.look()
    assert await shop.live(CONFIGMAPS, "a") is not None
    assert "kind ConfigMap.example.com is not in" in await shop.problems()


async def test_every_applied_object_says_what_git_asked_for(shop: Desk) -> None:
    shop.push({"a.yaml": config("a")})
    await shop.look()
    first = annotations_of(await shop.found(CONFIGMAPS, "a"))["reconciler.dev/desired"]
    shop.push({"a.yaml": config("a", "2")})
    await shop.look()
    assert annotations_of(await shop.found(CONFIGMAPS, "a"))["reconciler.dev/desired"] != first

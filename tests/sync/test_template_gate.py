"""What is held is not deployed; everything around it flows; a kept version stays until its window ends."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest
from reconciler_sandbox.apiserver.server import no_faults
from reconciler_sandbox.client import Answer, Call

from reconciler.kernel.identity import ObjectRef, annotations_of, name_of
from reconciler.kernel.resources import RELEASES, ROLLOUTS
from tests.kit.clusters import NAMESPACE
from tests.kit.desk import Desk, desk, image_of, policy, rollout

BAD = "registry.example.com/web:6.6.6"
KEEP = policy("p", "{keepRejected: 10m}")
BORROWING = """\
apiVersion: argoproj.io/v1alpha1
kind: Rollout
metadata: {name: web, namespace: shop}
spec:
  workloadRef: {apiVersion: apps/v1, kind: Deployment, name: web}
  strategy: {blueGreen: {activeService: web}}
"""
LENDING = """\
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: shop}
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: web, image: "registry.example.com/web:1.0"}]}
"""


@pytest.fixture
async def shop(tmp_path: Path) -> AsyncIterator[Desk]:
    async with desk(tmp_path) as found:
        yield found


async def lift(shop: Desk, name: str, **status: object) -> None:
    answer = await shop.api.client.patch(ObjectRef(RELEASES, NAMESPACE, name), {"status": status}, subresource="status")
    shop.cache.put(RELEASES, answer)


async def test_a_held_version_that_is_pushed_again_is_not_deployed_and_other_fields_flow(shop: Desk) -> None:
    shop.push({"web.yaml": rollout()})
    await shop.proven()
    shop.push({"web.yaml": rollout(BAD)})
    await shop.look()
    await shop.lost()
    assert shop.origin.read("web.yaml").decode() == rollout()
    await shop.look()
    assert image_of(await shop.found(ROLLOUTS, "web")).endswith("web:1.0")
    shop.push({"web.yaml": rollout(BAD, spec="  revisionHistoryLimit: 3\n")}, "once more")
    await shop.look()
    live = await shop.found(ROLLOUTS, "web")
    assert image_of(live).endswith("web:1.0")
    assert live["spec"]["revisionHistoryLimit"] == 3
    answer = (await shop.releases())[-1]
    await shop.judge()
    answered = await shop.found(RELEASES, name_of(answer))
    assert answered["status"]["verdict"] == "held"


async def test_a_release_is_not_judged_while_a_borrowed_template_could_not_be_written(shop: Desk) -> None:
    shop.push({"web.yaml": BORROWING + LENDING})
    await shop.look()
    await shop.say(phase="Healthy", currentPodHash="h1", stableRS="h1", workloadObservedGeneration="1")
    await shop.judge()

    async def away(call: Call) -> Answer | None:
        return Answer(503) if (call.method, call.path.rpartition("/")[2]) == ("PATCH", "web") and "/deployments/" in call.path else None

    shop.api.server.faults = away
    shop.push({"web.yaml": BORROWING + LENDING.replace("web:1.0", "web:1.1")})
    await shop.look()
    assert "web.yaml" in await shop.problems() and "Deployment shop/web" in await shop.problems()
    await shop.say(phase="Healthy")
    await shop.judge()
    baseline, release = await shop.releases()
    assert baseline["status"]["verdict"] == "passed"
    assert annotations_of(await shop.found(ROLLOUTS, "web"))["reconciler.dev/release"] == name_of(release)
    assert "verdict" not in release.get("status", {})


async def test_a_template_whose_release_may_not_be_opened_waits_for_the_right_and_the_others_are_opened(shop: Desk) -> None:
    shop.push({name: rollout(name=name.removesuffix(".yaml")) for name in ("api.yaml", "web.yaml")})
    await shop.look()
    for name in ("api", "web"):
        await shop.say(name, phase="Healthy", currentPodHash="h1", stableRS="h1")
    await shop.judge()

    async def forbidden(call: Call) -> Answer | None:
        asked = call.method == "POST" and call.path.endswith("/releases") and b'"api-' in call.body
        return Answer(403, {}, b'{"reason": "Forbidden", "message": "RBAC: role not found"}') if asked else None

    shop.api.server.faults = forbidden
    shop.push({f"{name}.yaml": rollout("registry.example.com/web:1.1", name=name) for name in ("api", "web")})
    await shop.look()
    assert image_of(await shop.found(ROLLOUTS, "api")).endswith("web:1.0")
    assert "so no pod template changes: RBAC: role not found" in await shop.problems()
    assert [release["spec"]["workload"]["name"] for release in await shop.releases()].count("web") == 2
    shop.api.server.faults = no_faults
    await shop.look()
    assert {image_of(await shop.found(ROLLOUTS, name))[-3:] for name in ("api", "web")} == {"1.1"}
    assert len(await shop.releases()) == 4


async def test_another_image_is_let_through_while_one_is_held(shop: Desk) -> None:
    shop.push({"web.yaml": rollout()})
    await shop.proven()
    shop.push({"web.yaml": rollout(BAD)})
    await shop.look()
    await shop.lost()
    shop.push({"web.yaml": rollout("registry.example.com/web:1.2")})
    await shop.look()
    live = await shop.found(ROLLOUTS, "web")
    assert image_of(live).endswith("web:1.2")
    assert annotations_of(live)["reconciler.dev/release"] == name_of((await shop.releases())[-1])


async def test_a_lifted_version_is_deployed_again(shop: Desk) -> None:
    shop.push({"web.yaml": rollout()})
    await shop.proven()
    shop.push({"web.yaml": rollout(BAD)})
    await shop.look()
    await shop.lost()
    await shop.look()
    rejected = (await shop.releases())[-1]
    await lift(shop, name_of(rejected), held=False)
    shop.push({"web.yaml": rollout(BAD)}, "now it is fine")
    await shop.look()
    live = await shop.found(ROLLOUTS, "web")
    assert image_of(live) == BAD
    assert annotations_of(live)["reconciler.dev/release"] != name_of(rejected)


async def test_a_rejected_version_is_kept_for_inspection_until_its_window_ends(shop: Desk) -> None:
    shop.push({"p.yaml": KEEP, "web.yaml": rollout()})
    await shop.look()
    await shop.follow_policy("p")
    await shop.proven()
    shop.push({"web.yaml": rollout(BAD)})
    await shop.look()
    await shop.lost()
    assert b"web:1.0" in shop.origin.read("web.yaml")
    wake_at = await shop.look()
    assert image_of(await shop.found(ROLLOUTS, "web")) == BAD
    assert wake_at is not None and wake_at <= shop.clock.now() + timedelta(minutes=10)
    shop.clock.time += timedelta(minutes=10, seconds=1)
    await shop.look()
    assert image_of(await shop.found(ROLLOUTS, "web")).endswith("web:1.0")


async def test_a_window_that_a_person_ends_is_over_at_once(shop: Desk) -> None:
    shop.push({"p.yaml": KEEP, "web.yaml": rollout()})
    await shop.look()
    await shop.follow_policy("p")
    await shop.proven()
    shop.push({"web.yaml": rollout(BAD)})
    await shop.look()
    await shop.lost()
    await lift(shop, name_of((await shop.releases())[-1]), keepUntil=None)
    await shop.look()
    assert image_of(await shop.found(ROLLOUTS, "web")).endswith("web:1.0")


async def test_a_workload_that_is_missing_is_made_from_the_version_that_served_however_git_asks_for_a_held_one(shop: Desk) -> None:
    shop.push({"web.yaml": rollout()})
    await shop.proven()
    shop.push({"web.yaml": rollout(BAD)})
    await shop.look()
    await shop.lost()
    shop.push({"web.yaml": rollout(BAD)}, "again")
    await shop.api.client.delete(ObjectRef(ROLLOUTS, NAMESPACE, "web"))
    await shop.look()
    assert image_of(await shop.found(ROLLOUTS, "web")).endswith("web:1.0")

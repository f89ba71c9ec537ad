"""A person's override keeps its template until Git changes what it asks for; nothing that runs meanwhile is judged."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest
from reconciler_sandbox.apiserver.server import no_faults
from reconciler_sandbox.client import Answer, Call

from reconciler.app.cli.cluster import ClusterPlace
from reconciler.app.cli.family import asked_identity, family_of
from reconciler.kernel.errors import Transient
from reconciler.kernel.identity import Manifest, ObjectRef, Resource, annotations_of, name_of
from reconciler.kernel.resources import DEPLOYMENTS, RELEASES, ROLLOUTS
from reconciler.releases.override import override
from reconciler.rollouts import verbs
from tests.kit.clusters import NAMESPACE
from tests.kit.desk import Desk, desk, image_of, rollout
from tests.kit.manifests import deployment

OLD, NEW, NEXT = (f"registry.example.com/web:{version}" for version in ("0.9", "1.1", "1.2"))
MARK = "reconciler.dev/override"
BORROWING = """\
apiVersion: argoproj.io/v1alpha1
kind: Rollout
metadata: {name: web, namespace: shop}
spec:
  replicas: 1
  workloadRef: {apiVersion: apps/v1, kind: Deployment, name: web}
  strategy: {canary: {steps: [{setWeight: 50}]}}
"""


@pytest.fixture
async def shop(tmp_path: Path) -> AsyncIterator[Desk]:
    async with desk(tmp_path) as found:
        yield found


async def set_image(shop: Desk, image: str = OLD, resource: Resource = ROLLOUTS) -> None:
    """What `reconciler set image` does."""
    client = shop.api.client
    known = (await family_of(client, ClusterPlace(namespace=NAMESPACE), "web")).rollout
    marked = override(known, await asked_identity(client, known))
    await shop._seen(ROLLOUTS, await client.patch(marked.ref, marked.body))
    written = await client.replace(resource, verbs.set_image(await shop.found(resource, "web"), {"*": image}))
    await shop._seen(resource, written)


async def web(shop: Desk) -> Manifest:
    return await shop.found(ROLLOUTS, "web")


async def test_while_git_asks_for_the_same_the_live_template_stays_and_other_fields_flow(shop: Desk) -> None:
    shop.push({"web.yaml": rollout()})
    await shop.proven()
    await shop.look()
    await set_image(shop)
    await shop.look()
    shop.push({"web.yaml": rollout(spec="  revisionHistoryLimit: 3\n")})
    await shop.look()
    live = await web(shop)
    assert image_of(live) == OLD and live["spec"]["revisionHistoryLimit"] == 3
    assert MARK in annotations_of(live) and "reconciler.dev/release" not in annotations_of(live)
    shop.api.transport.calls.clear()
    await shop.look()
    assert shop.api.writes() == []


async def test_as_soon_as_git_changes_the_template_its_version_is_released_as_any_other(shop: Desk) -> None:
    shop.push({"web.yaml": rollout()})
    await shop.proven()
    await set_image(shop)
    shop.push({"web.yaml": rollout(NEXT)})
    await shop.look()
    live = await web(shop)
    assert image_of(live) == NEXT and MARK not in annotations_of(live)
    newest = (await shop.releases())[-1]
    assert annotations_of(live)["reconciler.dev/release"] == name_of(newest)
    assert "OverrideEnded" in await shop.events()
    await shop.say(phase="Healthy", currentPodHash="h3", stableRS="h3")
    await shop.judge()
    assert (await shop.found(RELEASES, name_of(newest)))["status"]["verdict"] == "passed"


async def test_pods_of_an_override_never_decide_a_release(shop: Desk) -> None:
    shop.push({"web.yaml": rollout()})
    await shop.proven()
    shop.push({"web.yaml": rollout(NEW)})
    await shop.look()
    await shop.say(phase="Progressing", currentPodHash="h2")
    await shop.judge(2)
    await set_image(shop)
    await shop.say(phase="Healthy", currentPodHash="theirs", stableRS="theirs")
    await shop.judge()
    late = {"type": "Progressing", "status": "False", "reason": "ProgressDeadlineExceeded", "message": "late"}
    await shop.say(phase="Degraded", abort=True, conditions=[late, {**late, "reason": "RolloutAborted"}])
    await shop.judge()
    newest = (await shop.releases())[-1]
    assert "verdict" not in newest["status"] and "verbs" not in newest["status"]
    assert NEW.encode() in shop.origin.read("web.yaml")
    shop.push({"web.yaml": rollout(NEXT)})
    await shop.look()
    await shop.judge()
    assert (await shop.found(RELEASES, name_of(newest)))["status"]["verdict"] == "superseded"


async def test_an_override_that_a_person_ends_gives_the_template_back_to_git(shop: Desk) -> None:
    shop.push({"web.yaml": rollout()})
    await shop.proven()
    await set_image(shop)
    await shop.look()
    body = {"metadata": {"annotations": {MARK: None}}}
    await shop._seen(ROLLOUTS, await shop.api.client.patch(ObjectRef(ROLLOUTS, NAMESPACE, "web"), body))
    await shop.look()
    assert image_of(await web(shop)).endswith("web:1.0")


async def test_a_template_that_lives_in_a_deployment_is_overridden_there(shop: Desk) -> None:
    shop.push({"d.yaml": deployment(replicas=1), "r.yaml": BORROWING})
    await shop.proven()
    await set_image(shop, resource=DEPLOYMENTS)
    shop.push({"d.yaml": deployment(replicas=1).replace("namespace: shop", "namespace: shop\n  labels: {a: b}")})
    await shop.look()
    live = await shop.found(DEPLOYMENTS, "web")
    assert image_of(live) == OLD and live["metadata"]["labels"] == {"a": "b"}
    shop.push({"d.yaml": deployment(image=NEXT, replicas=1)})
    await shop.look()
    assert image_of(await shop.found(DEPLOYMENTS, "web")) == NEXT
    assert MARK not in annotations_of(await web(shop))


async def test_a_mark_is_not_taken_from_a_person_who_overrides_again_meanwhile(shop: Desk) -> None:
    shop.push({"web.yaml": rollout()})
    await shop.proven()
    await set_image(shop)
    shop.push({"web.yaml": rollout(NEXT)})

    async def again(call: Call) -> Answer | None:
        if call.method == "PATCH" and b"reconciler.dev/override" in (call.body or b"") and not raced:
            raced.append(True)
            await shop.api.client.patch(ObjectRef(ROLLOUTS, NAMESPACE, "web"), {"metadata": {"labels": {"a": "b"}}})
        return None

    raced: list[bool] = []
    shop.api.server.faults = again
    with pytest.raises(Transient, match="modified"):
        await shop.look()
    await shop.look()
    assert MARK not in annotations_of(await web(shop))


async def test_an_override_stays_while_the_version_of_git_cannot_be_written(shop: Desk) -> None:
    shop.push({"web.yaml": rollout()})
    await shop.proven()
    await set_image(shop)
    shop.push({"web.yaml": rollout(NEXT)})

    async def refusing(call: Call) -> Answer | None:
        applied = call.method == "PATCH" and call.path.endswith("/rollouts/web") and NEXT.encode() in (call.body or b"")
        return Answer(422, {"kind": "Status", "status": "Failure", "message": "no", "reason": "Invalid", "code": 422}) if applied else None

    shop.api.server.faults = refusing
    await shop.look()
    assert MARK in annotations_of(await web(shop))
    shop.api.server.faults = no_faults
    shop.clock.time += timedelta(minutes=1)
    await shop.look()
    assert MARK not in annotations_of(await web(shop))

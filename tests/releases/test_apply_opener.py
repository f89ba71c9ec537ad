"""Releases are opened from what Git asks for, once, with where it was set and how to go back."""

from collections.abc import AsyncIterator
from pathlib import Path

import orjson
import pytest
from reconciler_sandbox.client import Answer, Call

from reconciler.kernel.errors import Terminal, Transient
from reconciler.kernel.identity import annotations_of, name_of
from reconciler.kernel.resources import CONFIGMAPS, ROLLOUTS
from reconciler.kube.fence import Fence, Fenced, Gate
from reconciler.releases.announce.apply_announcements import Announcements
from reconciler.releases.opening.apply_opener import ReleaseOpener
from reconciler.releases.policies.observe import LocalPolicies, Policies
from reconciler.runtime.access import cluster_access
from reconciler.runtime.journal import Silence
from reconciler.runtime.recorder import Recorder
from tests.kit.desk import Desk, config, desk, image_of, policy, rollout
from tests.kit.forges import Down, Noting

NEW = "registry.example.com/web:1.1"
LEVEL = "          env: [{name: LEVEL, value: high}]\n"
FROM_CONFIG = "          envFrom: [{configMapRef: {name: settings}}]\n"


@pytest.fixture
async def shop(tmp_path: Path) -> AsyncIterator[Desk]:
    async with desk(tmp_path) as found:
        yield found


async def test_the_first_version_is_a_baseline_and_becomes_proven(shop: Desk) -> None:
    shop.push({"web.yaml": rollout()})
    await shop.proven()
    (baseline,) = await shop.releases()
    assert "previous" not in baseline["spec"] and baseline["status"]["verdict"] == "passed"
    assert annotations_of(await shop.found(ROLLOUTS, "web"))["reconciler.dev/release"] == name_of(baseline)


async def test_a_version_pushed_before_the_first_one_has_its_verdict_waits_for_it(shop: Desk) -> None:
    shop.push({"web.yaml": rollout()})
    await shop.look()
    await shop.say("web", phase="Healthy", currentPodHash="h1", stableRS="h1")
    shop.push({"web.yaml": rollout(NEW)}, "web 1.1")
    await shop.look()
    assert len(await shop.releases()) == 1
    assert image_of(await shop.found(ROLLOUTS, "web")).endswith("web:1.0")
    await shop.judge()
    await shop.look()
    baseline, release = await shop.releases()
    assert baseline["status"]["verdict"] == "passed" and baseline["spec"]["images"]["web"].endswith("web:1.0")
    assert release["spec"]["previous"]["release"] == name_of(baseline) and release["spec"]["previous"]["proven"]
    await shop.look()
    assert image_of(await shop.found(ROLLOUTS, "web")) == NEW


async def test_a_first_version_that_does_not_come_up_is_not_waited_for(shop: Desk) -> None:
    shop.push({"web.yaml": rollout()})
    await shop.look()
    await shop.say("web", phase="Progressing", currentPodHash="h1")
    shop.push({"web.yaml": rollout(NEW)}, "web 1.1")
    await shop.look()
    await shop.look()
    _, release = await shop.releases()
    assert "previous" not in release["spec"]
    assert image_of(await shop.found(ROLLOUTS, "web")) == NEW


async def test_image_and_environment_changed_together_are_one_release(shop: Desk) -> None:
    shop.push({"web.yaml": rollout()})
    await shop.proven()
    sha = shop.push({"web.yaml": rollout(NEW, extra=LEVEL)}, "web 1.1")
    await shop.look()
    await shop.look()
    _, release = await shop.releases()
    spec = release["spec"]
    assert spec["commit"]["sha"] == sha and spec["commit"]["subject"] == "web 1.1"
    assert sorted(change["field"] for change in spec["changes"]) == [
        "spec.template.spec.containers[0].env[0].name",
        "spec.template.spec.containers[0].env[0].value",
        "spec.template.spec.containers[0].image",
    ]
    assert spec["images"] == {"web": NEW} and spec["revert"] == "direct"
    live = await shop.found(ROLLOUTS, "web")
    assert image_of(live) == NEW and annotations_of(live)["reconciler.dev/release"] == name_of(release)


async def test_a_change_beside_the_template_is_no_release(shop: Desk) -> None:
    shop.push({"web.yaml": rollout()})
    await shop.proven()
    shop.push({"web.yaml": rollout(spec="  revisionHistoryLimit: 3\n")})
    await shop.look()
    assert len(await shop.releases()) == 1
    assert (await shop.found(ROLLOUTS, "web"))["spec"]["revisionHistoryLimit"] == 3


async def test_a_change_of_referenced_config_is_a_release_of_that_commit(shop: Desk) -> None:
    shop.push({"web.yaml": rollout(extra=FROM_CONFIG), "settings.yaml": config("settings")})
    await shop.proven()
    sha = shop.push({"settings.yaml": config("settings", "2")}, "turn it up")
    await shop.look()
    _, release = await shop.releases()
    assert release["spec"]["commit"]["sha"] == sha
    (change,) = release["spec"]["changes"]
    assert (change["file"], change["field"], change["old"], change["new"]) == ("settings.yaml", "data.a", "1", "2")


async def test_a_pull_request_is_noted_when_the_forge_knows_one(tmp_path: Path) -> None:
    async with desk(tmp_path, forges={"shop": Noting()}) as shop:
        shop.push({"web.yaml": rollout()})
        await shop.look()
        (release,) = await shop.releases()
        assert release["spec"]["pull"]["number"] == 7


@pytest.mark.parametrize("error", [Transient("502", 3600), Terminal("the token lacks rights")])
async def test_a_forge_that_is_down_never_keeps_a_release_from_starting(tmp_path: Path, error: Transient | Terminal) -> None:
    async with desk(tmp_path, forges={"shop": Down(error)}) as shop:
        shop.push({"web.yaml": rollout()})
        await shop.look()
        assert len(await shop.releases()) == 1
        assert await shop.live(ROLLOUTS, "web") is not None


async def test_old_releases_go_and_the_proven_one_stays(shop: Desk) -> None:
    shop.push({"p.yaml": policy("p", "{historyLimit: 1}"), "web.yaml": rollout()})
    await shop.look()
    await shop.follow_policy("p")
    await shop.proven()
    for number in range(4):
        shop.push({"web.yaml": rollout(f"registry.example.com/web:2.{number}")})
        await shop.look()
        await shop.judge()
    kept = await shop.releases()
    assert "previous" not in kept[0]["spec"]
    assert [r["spec"]["images"]["web"][-3:] for r in kept[1:]] == ["2.1", "2.2", "2.3"]


async def test_a_plain_deployment_without_a_policy_is_no_release(shop: Desk) -> None:
    deployment = rollout().replace("argoproj.io/v1alpha1", "apps/v1").replace("kind: Rollout", "kind: Deployment")
    shop.push({"d.yaml": deployment.replace("  strategy:\n    canary:\n      steps:\n        - setWeight: 30\n        - pause: {}\n", "")})
    await shop.look()
    assert await shop.releases() == []


@pytest.mark.parametrize(("status", "words"), [(422, "applied, not judged"), (404, "does not serve"), (403, "no"), (503, "no")])
async def test_a_release_that_cannot_be_made_costs_only_its_template_and_is_told(shop: Desk, status: int, words: str) -> None:
    shop.push({"web.yaml": rollout()})
    await shop.proven()

    async def refused(call: Call) -> Answer | None:
        answer = orjson.dumps({"kind": "Status", "apiVersion": "v1", "status": "Failure", "code": status, "message": "no"})
        return Answer(status, body=answer) if call.method == "POST" and call.path.endswith("/releases") else None

    shop.api.server.faults = refused
    shop.push({"web.yaml": rollout(NEW), "c.yaml": config("beside")}, "web 1.1")
    await shop.look()
    assert words in await shop.problems()
    assert (await shop.found(CONFIGMAPS, "beside"))["data"] == {"a": "1"}
    assert image_of(await shop.found(ROLLOUTS, "web")).endswith("web:1.1" if status == 422 else "web:1.0")


async def test_writes_that_are_withheld_end_the_pass(shop: Desk) -> None:
    shop.push({"web.yaml": rollout()})
    frozen = shop.api.fenced(Fence(Gate(lambda: "frozen")))
    access = cluster_access(frozen, shop.cache, shop.clock, Recorder(frozen, shop.clock), Silence())
    opener = ReleaseOpener(access, Policies(shop.cache, LocalPolicies()), Announcements({}, shop.cache, ""))
    with pytest.raises(Fenced, match="frozen"):
        await opener.open(shop.followed, await shop.followed.latest())

"""The release layer's pass: verdict first, then Git, then people; nobody outside keeps it from looking again."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import structlog

from reconciler.kernel.errors import Terminal, Transient
from reconciler.kernel.identity import Key, ObjectRef, name_of
from reconciler.kernel.resources import ANALYSIS_RUNS, ANALYSIS_TEMPLATES, RELEASES, ROLLOUTS
from reconciler.kube.errors import Conflict
from reconciler.releases.controller import CALM_LOOK, CLOSE_LOOK
from reconciler.releases.manifest import parse_release
from reconciler.releases.model import Release, ReleasePhase, Verdict
from tests.kit.clusters import NAMESPACE
from tests.kit.desk import Desk, desk, policy, rollout
from tests.kit.forges import Down, Noting

NEW = "registry.example.com/web:1.1"
WATCH = "{afterPromotion: {window: 5m, analysis: {templates: [{templateName: rate}]}}}"
TEMPLATE = {
    "apiVersion": "argoproj.io/v1alpha1",
    "kind": "AnalysisTemplate",
    "metadata": {"name": "rate", "namespace": NAMESPACE},
    "spec": {
        "metrics": [{"name": "rate", "interval": "10s", "successCondition": "true", "provider": {"web": {"url": "http://127.0.0.1:1"}}}]
    },
}


@pytest.fixture
async def shop(tmp_path: Path) -> AsyncIterator[Desk]:
    async with desk(tmp_path) as found:
        yield found


async def begun(shop: Desk, **files: str) -> Release:
    """A proven version and a new one that the rollout layer has taken up."""
    shop.push({"web.yaml": rollout(), **{f"{name}.yaml": text for name, text in files.items()}})
    await shop.look()
    if "p" in files:
        await shop.follow_policy("p")
    await shop.proven()
    shop.push({"web.yaml": rollout(NEW)})
    await shop.look()
    await shop.say(phase="Progressing", currentPodHash="h2")
    await shop.judge(2)
    return await newest(shop)


async def newest(shop: Desk) -> Release:
    return parse_release((await shop.releases())[-1])


async def one_pass(shop: Desk) -> object:
    release = await newest(shop)
    return await shop.release.reconcile(Key("release", NAMESPACE, release.name))


async def test_a_release_is_pending_until_the_rollout_layer_has_taken_it_up(shop: Desk) -> None:
    shop.push({"web.yaml": rollout()})
    await shop.proven()
    shop.push({"web.yaml": rollout(NEW)})
    await shop.look()
    await shop.judge(2)
    assert (await newest(shop)).status.phase is ReleasePhase.PENDING
    await shop.say(phase="Progressing", currentPodHash="h2")
    await shop.judge(1)
    release = await newest(shop)
    assert (release.status.phase, release.status.pod_hash) == (ReleasePhase.PROGRESSING, "h2")


async def test_a_release_is_looked_at_closely_only_while_its_pods_come_up(shop: Desk) -> None:
    """No watch tells of a container that crashes; of all else but what Git asks for, one does."""
    await begun(shop)
    await one_pass(shop)  # tells people
    assert await one_pass(shop) == shop.clock.now() + CLOSE_LOOK
    await shop.stable_pods(pod_hash="h2", image=NEW)
    assert await one_pass(shop) == shop.clock.now() + CALM_LOOK


async def test_a_promoted_and_healthy_version_is_proven_and_says_so_in_events(shop: Desk) -> None:
    await begun(shop)
    await shop.say(phase="Healthy", currentPodHash="h2", stableRS="h2")
    await shop.judge()
    release = await newest(shop)
    assert (release.status.verdict, release.status.unmeasured, release.status.phase) == (Verdict.PASSED, True, ReleasePhase.CLOSED)
    told = [e for e in await shop.posted() if e["reason"] == "ReleaseEnded"]
    assert {e["involvedObject"]["kind"] for e in told} == {"Release", "Rollout"}


async def test_a_newer_version_supersedes_and_nothing_is_written_to_git(shop: Desk) -> None:
    first = await begun(shop)
    head = shop.push({"web.yaml": rollout("registry.example.com/web:1.2")})
    await shop.look()
    await shop.judge()
    ended = parse_release(await shop.found(RELEASES, first.name))
    assert ended.status.verdict is Verdict.SUPERSEDED
    assert shop.origin.head() == head


async def test_git_that_went_back_by_hand_supersedes_too(shop: Desk) -> None:
    first = await begun(shop)
    shop.push({"web.yaml": rollout()})
    await shop.look()
    await shop.judge()
    assert parse_release(await shop.found(RELEASES, first.name)).status.verdict is Verdict.SUPERSEDED


async def test_a_status_is_never_written_over_somebody_elses(shop: Desk) -> None:
    release = await begun(shop)
    await shop.say(phase="Healthy", currentPodHash="h2", stableRS="h2")
    stale = shop.cache.get(RELEASES, NAMESPACE, release.name)
    assert stale is not None
    await shop.api.client.patch(ObjectRef(RELEASES, NAMESPACE, release.name), {"status": {"held": True}}, subresource="status")
    if shop.cache.get(RELEASES, NAMESPACE, release.name) is stale:
        with pytest.raises(Conflict):
            await one_pass(shop)
    await shop.judge()
    assert (await newest(shop)).status.held


async def test_pods_that_never_come_up_are_put_on_record_and_then_aborted(shop: Desk) -> None:
    await begun(shop)
    late = {"type": "Progressing", "status": "False", "reason": "ProgressDeadlineExceeded", "message": "timed out"}
    await shop.say(phase="Degraded", conditions=[late])
    await one_pass(shop)
    release = await newest(shop)
    assert [verb.verb for verb in release.status.verbs] == ["abort"] and release.status.verdict is None
    assert "abort" not in (await shop.found(ROLLOUTS, "web"))["status"]
    await shop.judge(1)
    assert (await shop.found(ROLLOUTS, "web"))["status"]["abort"] is True


async def test_after_promotion_a_run_of_our_own_watches_and_its_failure_brings_everything_back(shop: Desk) -> None:
    await shop.api.client.create(ANALYSIS_TEMPLATES, TEMPLATE)
    await begun(shop, p=policy("p", WATCH))
    await shop.say(phase="Healthy", currentPodHash="h2", stableRS="h2")
    await shop.judge()
    release = await newest(shop)
    assert release.status.phase is ReleasePhase.WATCHING
    (run,) = await shop.api.client.list(ANALYSIS_RUNS, NAMESPACE)
    assert name_of(run) == f"{release.name}-after"
    measured = [{"phase": "Failed", "value": "[0.1]"}] * 3
    failed = {"phase": "Failed", "metricResults": [{"name": "rate", "phase": "Failed", "failed": 3, "measurements": measured}]}
    answer = await shop.api.client.patch(ObjectRef(ANALYSIS_RUNS, NAMESPACE, name_of(run)), {"status": failed})
    await shop._seen(ANALYSIS_RUNS, answer)
    await shop.judge()
    ended = await newest(shop)
    assert (ended.status.verdict, ended.status.held) == (Verdict.FAILED, True)
    assert ended.status.reason.startswith("after promotion: rate failed 3 times")
    assert shop.origin.read("web.yaml").decode() == rollout()


async def test_a_template_that_is_missing_is_said_and_waits(shop: Desk) -> None:
    await begun(shop, p=policy("p", WATCH))
    await shop.say(phase="Healthy", currentPodHash="h2", stableRS="h2")
    with pytest.raises(Terminal, match="AnalysisTemplate rate is not in the cluster"):
        await shop.judge()


@pytest.mark.parametrize("error", [Transient("502", 600), Terminal("the token lacks rights")])
async def test_a_forge_that_is_down_never_keeps_a_release_from_being_judged(tmp_path: Path, error: Transient | Terminal) -> None:
    async with desk(tmp_path, forges={"shop": Down(error)}) as shop:
        await begun(shop)
        looked = await one_pass(shop)
        assert looked is not None
        await shop.say(phase="Healthy", currentPodHash="h2", stableRS="h2")
        await shop.judge()
        assert (await newest(shop)).status.verdict is Verdict.PASSED


async def test_people_are_told_even_while_git_refuses_the_way_back(tmp_path: Path) -> None:
    forge = Noting()
    async with desk(tmp_path, forges={"shop": forge}) as shop:
        await begun(shop)
        shop.origin.refuse("this repository is archived")
        with pytest.raises(Transient):
            await shop.lost()
        assert "failed" in forge.announced[-1].body
        assert "the restore commit is being written" in forge.announced[-1].body


async def test_what_was_told_is_not_told_again(tmp_path: Path) -> None:
    forge = Noting()
    async with desk(tmp_path, forges={"shop": forge}) as shop:
        await begun(shop)
        await shop.judge()
        told = len(forge.announced)
        await shop.judge()
        assert len(forge.announced) == told > 0


async def test_a_closed_release_asks_for_no_further_look(shop: Desk) -> None:
    await begun(shop)
    await shop.say(phase="Healthy", currentPodHash="h2", stableRS="h2")
    await shop.judge()
    shop.api.transport.calls.clear()
    assert await one_pass(shop) is None
    assert shop.api.writes() == []


async def test_a_release_that_is_gone_or_going_has_no_pass(shop: Desk) -> None:
    assert await shop.release.reconcile(Key("release", NAMESPACE, "gone")) is None


async def test_an_event_concerns_the_releases_it_may_decide(shop: Desk) -> None:
    release = await begun(shop)
    own = Key("release", NAMESPACE, release.name)
    bearer = {"metadata": {"name": "web", "namespace": NAMESPACE, "annotations": {"reconciler.dev/release": "r"}}}
    plain = {"metadata": {"name": "web", "namespace": NAMESPACE}}
    assert list(shop.release.keys_for(ROLLOUTS, bearer)) == [Key("release", NAMESPACE, "r"), own]
    assert list(shop.release.keys_for(ROLLOUTS, plain)) == [own]
    assert Key("release", NAMESPACE, "web") in shop.release.keys_for(RELEASES, plain)
    stranger = {"metadata": {"name": "other", "namespace": NAMESPACE}}
    assert list(shop.release.keys_for(ROLLOUTS, stranger)) == []
    assert list(shop.release.keys_for(RELEASES, stranger)) == [Key("release", NAMESPACE, "other")]
    run = {"metadata": {"name": "run", "namespace": NAMESPACE, "ownerReferences": [{"kind": "Rollout", "name": "web", "uid": "u"}]}}
    assert list(shop.release.keys_for(ANALYSIS_RUNS, run)) == [own]
    later = await shop.found(RELEASES, release.name)
    assert list(shop.release.keys_for(RELEASES, {**later, "metadata": {**later["metadata"], "name": "later"}})) == [
        Key("release", NAMESPACE, "later"),
        own,
    ]


async def test_each_decision_about_a_release_is_one_line_of_the_log_with_its_name(shop: Desk) -> None:
    with structlog.testing.capture_logs() as logged:
        release = await begun(shop)
        await shop.lost()
        await shop.judge()
    told = [line["event"] for line in logged if line.get("release") == f"shop/{release.name}"]
    assert told == ["release opened", "release moves", "release ended", "way back"]
    ended = next(line for line in logged if line["event"] == "release ended" and line["verdict"] == "failed")
    assert (ended["workload"], ended["attempt"], ended["held"]) == ("web", 1, True) and ended["reason"]

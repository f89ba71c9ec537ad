"""A proven version that serves is measured again: on time, once, and what fails on data takes the proof and nothing else."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from msgspec import to_builtins
from msgspec.structs import replace

from reconciler.analysis.model import RunPhase
from reconciler.kernel.identity import Manifest, ObjectRef, name_of
from reconciler.kernel.moment import render_moment
from reconciler.kernel.resources import ANALYSIS_RUNS, ANALYSIS_TEMPLATES, NAMESPACES, RELEASES, ROLLOUTS
from reconciler.releases.announce.message import comment, commit_state
from reconciler.releases.facts import ReleaseFacts
from reconciler.releases.holds import holder, proven
from reconciler.releases.indexes import lost_word
from reconciler.releases.manifest import parse_release, render_release
from reconciler.releases.model import Lost, Release, ReleasePhase, ReleaseStatus, Reverified, Verdict
from reconciler.releases.policies.policy import ReleasePolicy, Reverify
from reconciler.releases.verdict.judge import judge
from reconciler.releases.verdict.reverification import NOTHING, again_name, check
from reconciler.releases.verdict.runs import AFTER, Run
from tests.kit.clusters import NAMESPACE
from tests.kit.desk import Desk, desk, image_of, policy
from tests.kit.desk import rollout as written
from tests.kit.releases import BAD, NOW, facts, release, rollout, run
from tests.kit.wait import until
from tests.releases.test_comparing import newest

DAY = timedelta(days=1)
DAILY = ReleasePolicy(name="p", namespace="shop", reverify=Reverify(DAY, timedelta(minutes=10), {"templates": []}))
PASSED = ReleaseStatus(phase=ReleasePhase.CLOSED, verdict=Verdict.PASSED, decided_at=NOW, promoted_at=NOW, pod_hash=BAD)
SERVING = release(status=PASSED)
LOST = release(status=replace(PASSED, lost=Lost(by="ann", at=NOW + DAY, reason="loses orders")))
LOST = replace(LOST, namespace="staging", spec=replace(LOST.spec, environment="staging"))


def around(again: Manifest | None = None, **known: Any) -> ReleaseFacts:
    found = Run(again, AFTER) if again is not None else None
    return facts(rollout=rollout(current=BAD, stable=BAD), again=found, **{"serves": True, **known})


def again_run(phase: str, values: tuple[str, ...] = ("[0.4]",), minutes: int = 0) -> Manifest:
    made = run(phase, values=values, name=again_name(SERVING), kind="")
    made["metadata"]["creationTimestamp"] = render_moment(NOW + DAY + timedelta(minutes=minutes))
    return made


def test_it_is_due_once_the_time_has_passed_and_then_a_run_of_a_new_name_begins() -> None:
    early = check(SERVING, DAILY, around(), NOW + DAY - timedelta(seconds=1))
    assert (early.begin, early.wake_at) == ("", NOW + DAY)
    assert check(SERVING, DAILY, around(), NOW + DAY).begin == "web-bad-again-1"
    once = replace(SERVING, status=replace(PASSED, reverified=Reverified(number=1, at=NOW + DAY, run="r", phase="Successful")))
    assert check(once, DAILY, around(), NOW + DAY).wake_at == NOW + 2 * DAY
    assert check(once, DAILY, around(), NOW + 2 * DAY).begin == "web-bad-again-2"


@pytest.mark.parametrize(
    ("known", "policy", "circumstances"),
    [
        (SERVING, ReleasePolicy(name="p", namespace="shop"), {}),
        (SERVING, DAILY, {"serves": False}),
        (SERVING, DAILY, {"overridden": True}),
        (release(status=replace(PASSED, verdict=Verdict.NOT_ENOUGH_EVIDENCE)), DAILY, {}),
        (LOST, DAILY, {}),
        (release(status=replace(PASSED, phase=ReleasePhase.RESTORING)), DAILY, {}),
    ],
    ids=["no policy", "does not serve", "overridden", "never proven", "lost already", "not closed"],
)
def test_nothing_else_is_measured_again(known: Release, policy: ReleasePolicy, circumstances: dict[str, Any]) -> None:
    assert check(known, policy, around(**circumstances), NOW + 9 * DAY) == NOTHING


def test_it_is_told_to_end_with_its_window_and_once() -> None:
    running = again_run("Running")
    assert check(SERVING, DAILY, around(running), NOW + DAY).wake_at == NOW + DAY + timedelta(minutes=10)
    told = check(SERVING, DAILY, around(running), NOW + DAY + timedelta(minutes=10)).end
    assert told is not None and told.body == {"spec": {"terminate": True}}
    running["spec"]["terminate"] = True
    assert check(SERVING, DAILY, around(running), NOW + DAY + timedelta(minutes=11)) == NOTHING


@pytest.mark.parametrize(
    ("phase", "values", "lost"),
    [
        ("Failed", ("[0.4]",), True),
        ("Failed", ("[NaN]",), False),
        ("Failed", ("[]",), False),
        ("Error", ("",), False),
        ("Inconclusive", ("[0.9]",), False),
        ("Successful", ("[1]",), False),
    ],
)
def test_only_a_failure_on_data_takes_the_proof(phase: str, values: tuple[str, ...], lost: bool) -> None:
    record = check(SERVING, DAILY, around(again_run(phase, values)), NOW + DAY).record
    assert record is not None and record.reverified is not None
    assert (record.reverified.phase, record.verdict, record.restore) == (phase, Verdict.PASSED, None)
    assert (record.lost is not None) is lost
    after = replace(SERVING, status=record)
    assert after.proven is not lost and after.served


def test_a_lost_version_is_no_proven_way_back_and_says_why() -> None:
    record = check(SERVING, DAILY, around(again_run("Failed")), NOW + DAY).record
    assert record is not None and record.lost is not None and record.lost.evidence[0].values == ("[0.4]",)
    after = replace(SERVING, status=record)
    assert proven([after]) is None and commit_state(after) == "failure"
    said = comment("demo", [after], {})
    assert ("proven once, and not any more" in said and "success\\-rate" in said) or "success-rate" in said


def test_its_images_are_held_where_they_never_served_until_a_person_lifts_them() -> None:
    asked = release("web-here", identity="other-identity")
    assert holder([asked], "other-identity", asked.spec.images, [LOST]) is LOST
    assert holder([asked], "other-identity", {"web": "web:9"}, [LOST]) is None
    known = replace(asked, status=judge(asked, DAILY, facts(held_by=LOST), NOW + DAY))
    assert (known.status.verdict, known.status.held, known.status.held_elsewhere) == (Verdict.HELD, True, True)
    assert "staging (staging/web-bad): loses orders" in known.status.reason and known.status.restore is None
    assert holder([known], "other-identity", asked.spec.images) is known, "it stays held although the proof may be given back there"


@pytest.fixture
async def shop(tmp_path: Path) -> AsyncIterator[Desk]:
    async with desk(tmp_path) as found:
        spec = "{reverify: {every: 24h, window: 5m, analysis: {templates: [{templateName: success}]}}}"
        found.push({"web.yaml": written(), "p.yaml": policy("p", spec)})
        await found.look()
        await found.follow_policy("p")
        await found.proven()
        yield found


async def again(shop: Desk) -> list[str]:
    return [name_of(one) for one in await shop.api.client.list(ANALYSIS_RUNS, NAMESPACE)]


async def test_a_check_is_made_once_and_its_failure_is_on_record(shop: Desk) -> None:
    metric = {"name": "m", "count": 1, "successCondition": "result > 1", "provider": {"prometheus": {"query": "q"}}}
    template = {"apiVersion": "argoproj.io/v1alpha1", "kind": "AnalysisTemplate", "metadata": {"name": "success", "namespace": NAMESPACE}}
    await shop.judge()
    assert await again(shop) == []
    shop.clock.time += DAY
    await shop.judge()
    assert await again(shop) == [], "a template that is not there is tried again, and stops nothing"
    await shop.api.client.create(ANALYSIS_TEMPLATES, {**template, "spec": {"metrics": [metric]}})
    await shop.judge()
    [name] = await again(shop)
    assert name == again_name(await newest(shop))
    result = {"name": "m", "phase": "Failed", "failed": 1, "measurements": [{"phase": "Failed", "value": "0.4"}]}
    ended = {"status": {"phase": "Failed", "metricResults": [result]}}
    place = ObjectRef(ANALYSIS_RUNS, NAMESPACE, name)
    await shop.seen(await shop.api.client.patch(place, ended), ANALYSIS_RUNS)
    await shop.judge()
    lost = await newest(shop)
    assert lost.status.lost is not None and not lost.proven and lost.status.verdict is Verdict.PASSED
    assert await again(shop) == [name] and "ReleaseLostProof" in await shop.events()
    assert image_of(await shop.found(ROLLOUTS, "web")).endswith("1.0")
    assert lost.status.reverified is not None and lost.status.reverified.phase == RunPhase.FAILED


async def test_a_new_environment_does_not_begin_with_it_and_goes_on_when_it_is_lifted(shop: Desk) -> None:
    """The same images were proven in another namespace, and lost that there; Git asks for them here for the first time."""
    found = await newest(shop)
    images = {"web": "registry.example.com/web:1.1"}
    there = replace(LOST, spec=replace(LOST.spec, images=images), uid="", version="", created=None)
    await shop.api.client.create(NAMESPACES, {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "staging"}})
    await shop.api.client.create(RELEASES, render_release(there))
    told = {"status": to_builtins(there.status)}
    await shop.api.client.patch(ObjectRef(RELEASES, "staging", there.name), told, subresource="status")
    await until(lambda: bool(shop.cache.indexed(RELEASES, lost_word("web", images))))
    shop.push({"web.yaml": written("registry.example.com/web:1.1")})
    for _ in range(3):
        await shop.look()
        await shop.judge()
    held = await newest(shop)
    assert held.name != found.name and (held.status.verdict, held.status.held_elsewhere) == (Verdict.HELD, True)
    assert image_of(await shop.found(ROLLOUTS, "web")).endswith("1.0") and len(await shop.releases()) == 2
    place = ObjectRef(RELEASES, NAMESPACE, held.name)
    await shop.seen(await shop.api.client.patch(place, {"status": {"held": False}}, subresource="status"), RELEASES)
    await shop.look()
    await shop.judge(1)
    await shop.look()
    assert image_of(await shop.found(ROLLOUTS, "web")).endswith("1.1")
    assert (await newest(shop)).status.verdict is None


async def test_a_first_version_is_held_once_and_not_answered_for_ever(tmp_path: Path) -> None:
    """Nothing runs here yet: nothing is begun with what lost its proof elsewhere, and one release says so."""
    async with desk(tmp_path) as place:
        there = replace(LOST, spec=replace(LOST.spec, images={"web": "registry.example.com/web:1.0"}), uid="", version="", created=None)
        await place.api.client.create(NAMESPACES, {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "staging"}})
        await place.api.client.create(RELEASES, render_release(there))
        told = {"status": to_builtins(there.status)}
        await place.api.client.patch(ObjectRef(RELEASES, "staging", there.name), told, subresource="status")
        await until(lambda: bool(place.cache.indexed(RELEASES, lost_word("web", there.spec.images))))
        place.push({"web.yaml": written()})
        for _ in range(4):
            await place.look()
            await place.judge()
        assert [parse_release(one).status.verdict for one in await place.releases()] == [Verdict.HELD]
        assert await place.live(ROLLOUTS, "web") is None

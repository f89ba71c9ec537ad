"""What a pull request and a commit are told: once per news, one comment per environment."""

import pytest
from msgspec.structs import replace

from reconciler.app.indexes import INDEXES
from reconciler.kernel.resources import ROLLOUTS
from reconciler.kube.cache import Cache
from reconciler.releases.apply_announcements import Announcements, step_words
from reconciler.releases.forge import CommitState
from reconciler.releases.model import Release, ReleasePhase, ReleaseStatus, Verdict
from reconciler.sources.model import Pull
from tests.kit.forges import Noting
from tests.kit.releases import NOW, release, rollout

STEPPING = {"currentStepIndex": 1, "canary": {"weights": {"canary": {"weight": 30}}}}


@pytest.fixture
def forge() -> Noting:
    return Noting()


@pytest.fixture
def announcements(forge: Noting) -> Announcements:
    cache = Cache((ROLLOUTS,), INDEXES)
    cache.put(ROLLOUTS, rollout(**STEPPING))
    return Announcements({"shop": forge}, cache)


def stepping() -> Release:
    return release(status=ReleaseStatus(phase=ReleasePhase.PROGRESSING), pull=Pull(number=7, url="https://git.example.com/7"))


async def test_a_release_on_its_way_tells_its_step(announcements: Announcements, forge: Noting) -> None:
    told = await announcements.announce(stepping(), (stepping(),))
    (said,) = forge.announced
    assert (said.commit, said.pull, said.status) == ("c" * 40, 7, CommitState.PENDING)
    assert (said.context, said.marker) == ("reconciler/shop/demo/shop/web", "<!-- reconciler:v1 shop/demo -->")
    assert "step 1 of 1, 30 % of users on the new version" in said.body
    assert told


async def test_news_is_told_once(announcements: Announcements, forge: Noting) -> None:
    told = await announcements.announce(stepping(), (stepping(),))
    known = replace(stepping(), status=replace(stepping().status, announced=told))
    assert await announcements.announce(known, (known,)) == told
    assert len(forge.announced) == 1
    ended = replace(known, status=replace(known.status, verdict=Verdict.FAILED, reason="2 failed", decided_at=NOW))
    assert await announcements.announce(ended, (ended,)) != told
    assert forge.announced[-1].status is CommitState.FAILURE


async def test_siblings_share_one_comment(announcements: Announcements, forge: Noting) -> None:
    other = replace(stepping(), name="api-1", spec=replace(stepping().spec, workload=replace(stepping().spec.workload, name="api")))
    await announcements.announce(stepping(), (other, stepping()))
    (said,) = forge.announced
    assert "shop/api" in said.body and "shop/web" in said.body


async def test_a_baseline_and_a_source_without_a_forge_tell_nothing(announcements: Announcements, forge: Noting) -> None:
    baseline = replace(stepping(), spec=replace(stepping().spec, previous=None))
    elsewhere = replace(stepping(), spec=replace(stepping().spec, source="other"))
    for silent in (baseline, elsewhere):
        assert await announcements.announce(silent, (silent,)) == ""
    assert forge.announced == []


async def test_the_forge_is_asked_whose_pull_request_a_commit_was(announcements: Announcements) -> None:
    assert await announcements.pull_of("shop", "c" * 40) == Pull(number=7, url="https://git.example.com/shop/pull/7", title="t")
    assert await announcements.pull_of("other", "c" * 40) is None


def test_words_about_a_step_change_only_with_step_weight_or_pause() -> None:
    assert step_words(rollout(**STEPPING)) == "step 1 of 1, 30 % of users on the new version"
    assert step_words(rollout(**STEPPING, observedGeneration="9", readyReplicas=3)) == step_words(rollout(**STEPPING))
    assert step_words(rollout(pauseConditions=[{"reason": "CanaryPauseStep"}])) == "step 0 of 1, CanaryPauseStep"
    assert step_words({"spec": {}}) == ""

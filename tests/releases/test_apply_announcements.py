"""What a pull request and a commit are told: once per news, one comment per environment."""

from pathlib import Path

import pytest
from msgspec import to_builtins
from msgspec.structs import replace

from reconciler.app.indexes import INDEXES
from reconciler.kernel.errors import Terminal, Transient
from reconciler.kernel.resources import RELEASES, ROLLOUTS
from reconciler.kube.cache import Cache
from reconciler.releases.announce.apply_announcements import Announcements, step_words
from reconciler.releases.announce.forge import CommitState, PullRequest
from reconciler.releases.announce.pulls import LATELY, misses_pull
from reconciler.releases.manifest import parse_release, render_release
from reconciler.releases.model import Release, ReleasePhase, ReleaseStatus, Verdict
from reconciler.releases.observe_history import siblings
from reconciler.sources.model import Pull
from tests.kit.desk import Desk, desk
from tests.kit.desk import rollout as manifest
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
    return Announcements({"shop": forge}, cache, "")


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


async def test_comment_and_status_lead_to_the_page_of_the_release(forge: Noting) -> None:
    cache = Cache((ROLLOUTS,), INDEXES)
    await Announcements({"shop": forge}, cache, "https://console.example.com/ops").announce(stepping(), (stepping(),))
    (said,) = forge.announced
    page = f"https://console.example.com/ops/releases/shop/{stepping().name}"
    assert f"· [details]({page})" in said.body and said.target_url == page
    await Announcements({"shop": forge}, cache, "").announce(stepping(), (stepping(),))
    assert "details" not in forge.announced[-1].body and forge.announced[-1].target_url == "https://git.example.com/7"


async def test_siblings_share_one_comment(announcements: Announcements, forge: Noting) -> None:
    other = replace(stepping(), name="api-1", spec=replace(stepping().spec, workload=replace(stepping().spec.workload, name="api")))
    await announcements.announce(stepping(), (other, stepping()))
    (said,) = forge.announced
    assert "shop/api" in said.body and "shop/web" in said.body


@pytest.mark.parametrize("pull", [Pull(number=7), None])
async def test_an_attempt_that_is_over_never_speaks_for_a_newer_one(announcements: Announcements, forge: Noting, pull: Pull | None) -> None:
    """A commit has one status a workload. Whichever attempt has news, also a daemon that begins anew: it tells of the newest."""
    cache = Cache((RELEASES,), INDEXES)
    failed = ReleaseStatus(phase=ReleasePhase.CLOSED, verdict=Verdict.FAILED, reason="2 failed", decided_at=NOW)
    passed = replace(failed, verdict=Verdict.PASSED, reason="3 passed")
    first = release("web-1", status=failed, pull=pull)
    second = release("web-2", minutes=5, attempt=2, status=passed, pull=pull)
    for one in (first, second):
        whole, stamp = render_release(one), {"creationTimestamp": to_builtins(one.created)}
        cache.put(RELEASES, whole | {"status": to_builtins(one.status), "metadata": whole["metadata"] | stamp})
    for one in (second, first):
        await announcements.announce(one, siblings(cache, one))
        assert (forge.announced[-1].status, forge.announced[-1].description) == (CommitState.SUCCESS, "3 passed")
    other = replace(first, spec=replace(first.spec, commit=replace(first.spec.commit, sha="d" * 40)))
    await announcements.announce(other, siblings(cache, other))
    assert forge.announced[-1].status is CommitState.FAILURE, "another commit has a status of its own"


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


class Late(Noting):
    """Knows no pull request, or does not answer, until a test says so."""

    def __init__(self, before: Transient | Terminal | None) -> None:
        super().__init__()
        self.before = before
        self.knows = False
        self.asked = 0

    async def pull_of(self, commit: str) -> PullRequest | None:
        self.asked += 1
        if self.knows:
            return await super().pull_of(commit)
        if self.before is not None:
            raise self.before
        return None


async def ended_without_a_pull(shop: Desk) -> None:
    """A baseline, then a version that failed."""
    shop.push({"web.yaml": manifest()})
    await shop.proven()
    shop.push({"web.yaml": manifest("registry.example.com/web:6.6.6")})
    await shop.look()
    await shop.lost()


async def test_a_forge_that_was_away_at_the_opening_still_gets_its_comment(tmp_path: Path) -> None:
    forge = Late(Transient("502"))
    async with desk(tmp_path, forges={"shop": forge}) as shop:
        await ended_without_a_pull(shop)
        assert not [said for said in forge.announced if said.pull is not None]
        opened = parse_release((await shop.releases())[-1])
        assert opened.spec.pull_unknown and opened.pull is None and opened.status.restore is not None
        forge.knows = True
        await shop.judge()
        told = parse_release((await shop.releases())[-1])
        assert told.status.pull == Pull(number=7, url="https://git.example.com/shop/pull/7", title="t")
        (said,) = [one for one in forge.announced if one.pull == 7]
        assert "Git was restored" in said.body
        asked = forge.asked
        await shop.judge()
        assert (forge.asked, len([one for one in forge.announced if one.pull == 7])) == (asked, 1)


async def test_a_token_that_reads_no_pull_requests_still_sets_the_commit_status(tmp_path: Path) -> None:
    forge = Late(Terminal("403: Resource not accessible by integration"))
    async with desk(tmp_path, forges={"shop": forge}) as shop:
        await ended_without_a_pull(shop)
        assert [said.pull for said in forge.announced] == [None] * len(forge.announced)
        assert forge.announced[-1].status is CommitState.FAILURE


async def test_a_pull_request_that_the_forge_learns_late_is_told_the_verdict(tmp_path: Path) -> None:
    forge = Late(None)
    async with desk(tmp_path, forges={"shop": forge}) as shop:
        shop.push({"web.yaml": manifest()})
        await shop.proven()
        shop.push({"web.yaml": manifest("registry.example.com/web:6.6.6")})
        await shop.look()
        asked = forge.asked
        await shop.judge()
        assert forge.asked == asked, "it answered: nothing is asked before there is a verdict"
        forge.knows = True
        await shop.lost()
        assert forge.announced[-1].pull == 7 and "Git was restored" in forge.announced[-1].body
        assert forge.asked == asked + 1


async def test_a_push_without_a_pull_request_costs_one_more_question(tmp_path: Path) -> None:
    forge = Late(None)
    async with desk(tmp_path, forges={"shop": forge}) as shop:
        await ended_without_a_pull(shop)
        await shop.judge()
        asked = forge.asked
        await shop.judge()
        assert forge.asked == asked
        assert parse_release((await shop.releases())[-1]).status.pull_known


def test_a_pull_request_is_asked_for_while_it_may_be_missing() -> None:
    young, old = NOW, NOW - LATELY
    ended = ReleaseStatus(verdict=Verdict.FAILED, decided_at=NOW)
    assert not misses_pull(release(), NOW)
    assert misses_pull(release(pull_unknown=True), NOW)
    assert misses_pull(release(status=ended), young + LATELY / 2) and not misses_pull(release(status=replace(ended, decided_at=old)), NOW)
    assert not misses_pull(release(status=replace(ended, pull_known=True)), NOW)
    assert not misses_pull(release(status=ended, pull=Pull(number=7)), NOW)
    assert not misses_pull(release(status=replace(ended, pull=Pull(number=7))), NOW)
    baseline = release(status=ended, pull_unknown=True)
    assert not misses_pull(replace(baseline, spec=replace(baseline.spec, previous=None)), NOW)


async def test_siblings_of_a_pull_request_that_was_learned_late_share_its_comment() -> None:
    cache = Cache((RELEASES,), INDEXES)
    pull = Pull(number=7)
    late, early = release(status=ReleaseStatus(pull=pull)), replace(release(pull=pull), name="api-1", uid="u2")
    for one in (late, early):
        cache.put(RELEASES, render_release(one) | {"status": to_builtins(one.status)})
    assert [one.name for one in siblings(cache, early)] == [one.name for one in siblings(cache, late)] == ["api-1", late.name]

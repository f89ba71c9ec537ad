"""Where two cases meet: a second attempt, a second environment, a bot, an unreadable tip, a version that nobody measured."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from reconciler.kernel.errors import Transient
from reconciler.kernel.identity import ObjectRef, name_of
from reconciler.kernel.resources import RELEASES, ROLLOUTS
from reconciler.releases.manifest import parse_release
from reconciler.releases.model import Cause, Release, RestoreState, Verdict
from tests.kit.clusters import NAMESPACE, api
from tests.kit.desk import Desk, desk, image_of, life, policy, rollout
from tests.kit.forges import Noting

BAD = "registry.example.com/web:6.6.6"
NEXT = "registry.example.com/web:1.1"
NOTED = "      annotations: {{note: '{}'}}\n"


@pytest.fixture
async def shop(tmp_path: Path) -> AsyncIterator[Desk]:
    async with desk(tmp_path, forges={"shop": Noting()}) as found:
        yield found


async def releases(shop: Desk) -> list[Release]:
    return [parse_release(manifest) for manifest in await shop.releases()]


async def newest(shop: Desk) -> Release:
    return (await releases(shop))[-1]


async def begun(shop: Desk, image: str = BAD, pod_hash: str = "h2") -> None:
    """A proven version, and another that the rollout layer has taken up."""
    shop.push({"web.yaml": rollout()}, "good")
    await shop.proven()
    await asked(shop, {"web.yaml": rollout(image)}, pod_hash)


async def asked(shop: Desk, files: dict[str, str | bytes | None], pod_hash: str, stable: str = "h1") -> None:
    shop.push(files, "asked")
    await shop.look()
    await shop.say(phase="Progressing", currentPodHash=pod_hash, stableRS=stable, abort=None, abortedAt=None, conditions=None)
    await shop.judge(2)


async def crashed(shop: Desk) -> None:
    """The deadline passed, and the rollout layer went home."""
    await home(shop, 'Rollout aborted update to revision 2: ReplicaSet "web-h2" has timed out progressing.')


async def aborted(shop: Desk, at: str = "2026-11-28T03:00:00Z") -> None:
    await home(shop, "Rollout aborted update to revision 2", at)


async def home(shop: Desk, message: str, at: str = "2026-11-28T03:00:00Z") -> None:
    condition = {"type": "Progressing", "status": "False", "reason": "RolloutAborted", "message": message}
    await shop.say(phase="Degraded", abort=True, abortedAt=at, conditions=[condition])
    await shop.judge()


async def serves(shop: Desk, pod_hash: str) -> None:
    await shop.say(phase="Healthy", currentPodHash=pod_hash, stableRS=pod_hash, abort=None, abortedAt=None, conditions=None)
    await shop.judge()


def restored(shop: Desk) -> int:
    return sum("Reconciler-Release:" in message for message in shop.origin.log("%B%x00")[0:] if message)


# -- an unreadable tip ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "broken", ["web: [", "not a manifest", None, b"version https://git-lfs.github.com/spec/v1\noid sha256:1\nsize 1\n"]
)
async def test_a_tip_that_cannot_be_read_when_a_release_fails_is_waited_for(shop: Desk, broken: str | bytes | None) -> None:
    await begun(shop)
    shop.push({"web.yaml": broken, "other.yaml": "kind: List\n"}, "broken")
    with pytest.raises(Transient):
        await crashed(shop)
    waiting = (await newest(shop)).status
    assert (waiting.verdict, waiting.phase) == (Verdict.FAILED, "Restoring")
    assert waiting.restore is not None and waiting.restore.state is RestoreState.WANTED and "web.yaml" in waiting.restore.message
    shop.push({"web.yaml": rollout(BAD)}, "mended, and still bad")
    await shop.judge()
    assert shop.origin.read("web.yaml").decode() == rollout()


# -- Git asks again ---------------------------------------------------------------------------------------------------


async def test_a_branch_that_is_forced_back_to_the_bad_commit_is_restored_again(shop: Desk) -> None:
    await begun(shop)
    bad = shop.origin.head()
    await crashed(shop)
    await shop.look()
    shop.origin.force(bad)
    await shop.look()
    await shop.judge()
    again = await newest(shop)
    assert (again.spec.cause, again.spec.attempt, again.status.verdict) == (Cause.PUSHED_AGAIN, 2, Verdict.HELD)
    assert shop.origin.read("web.yaml").decode() == rollout()


async def test_what_we_knew_of_the_branch_before_our_own_restore_is_no_new_request(shop: Desk) -> None:
    await begun(shop)
    tip = await shop.followed.latest()
    await crashed(shop)
    await shop.source._opener.open(shop.followed, tip)
    assert len(await releases(shop)) == 2


async def test_a_bot_that_pushes_a_bad_value_for_ever_costs_two_commits_and_one_proposal(shop: Desk) -> None:
    shop.push({"p.yaml": policy("p", "{historyLimit: 3}")})
    await shop.look()
    await shop.follow_policy("p")
    await begun(shop)
    await crashed(shop)
    for number in range(8):
        await shop.look()
        shop.push({"web.yaml": f"# {number}\n" + rollout(BAD)}, f"bot {number}")
        await shop.look()
        await shop.judge()
    states = [r.status.restore.state for r in await releases(shop) if r.status.restore]
    assert states.count(RestoreState.PROPOSED) == 1 and restored(shop) == 2
    assert len(await releases(shop)) <= 6
    assert image_of(await shop.found(ROLLOUTS, "web")) != BAD or (await shop.found(ROLLOUTS, "web"))["status"]["abort"]


async def test_the_same_images_with_another_annotation_are_held_after_the_second_rejection(shop: Desk) -> None:
    await begun(shop)
    await crashed(shop)
    for number, pod_hash in ((1, "h3"), (2, "h4")):
        await shop.look()
        await shop.look()
        shop.clock.time += timedelta(seconds=40)
        await serves(shop, "h1")
        changed = rollout(BAD).replace("      labels: {app: web}\n", "      labels: {app: web}\n" + NOTED.format(number))
        shop.push({"web.yaml": changed}, f"bot {number}")
        await shop.look()
        if number == 1:
            await shop.say(phase="Progressing", currentPodHash=pod_hash, stableRS="h1")
            await shop.judge(2)
            await crashed(shop)
            assert (await newest(shop)).status.holds_images
    await shop.judge()
    held = await newest(shop)
    assert (held.status.verdict, held.spec.cause) == (Verdict.HELD, Cause.PUSHED)
    assert held.status.restore is not None and held.status.restore.state is RestoreState.PROPOSED  # the budget is the workload's


# -- two daemons, one repository --------------------------------------------------------------------------------------


async def test_two_environments_on_one_repository_never_take_each_others_restore_for_their_own(tmp_path: Path) -> None:
    files = {"staging/web.yaml": rollout(), "production/web.yaml": rollout()}
    async with (
        desk(tmp_path, environment="staging", path="staging") as staging,
        api() as second,
        life(second, staging.origin, tmp_path, environment="production", path="production") as production,
    ):
        staging.push(files, "good")
        for place in (staging, production):
            await place.proven()
        staging.push({name: rollout(BAD) for name in files}, "bad everywhere")
        for place in (staging, production):
            await place.look()
            await place.lost()
        names = [(await newest(place)).name for place in (staging, production)]
    assert len(set(names)) == 2
    assert {staging.origin.read(name).decode() for name in files} == {rollout()}


# -- every way to Git obeys the policy of its verdict -----------------------------------------------------------------


async def test_after_a_persons_abort_a_touched_file_pushes_nothing(shop: Desk) -> None:
    await begun(shop)
    await aborted(shop)
    assert (await newest(shop)).status.restore.state is RestoreState.PROPOSED  # type: ignore[union-attr]
    head = shop.push({"web.yaml": "# touched\n" + rollout(BAD)}, "a comment")
    await shop.look()
    await shop.judge()
    assert shop.origin.head() == head and len(await releases(shop)) == 2


async def test_a_proposal_that_was_merged_is_over_and_asking_again_is_answered_by_a_proposal(shop: Desk) -> None:
    await begun(shop)
    await aborted(shop)
    shop.push({"web.yaml": rollout()}, "merged")
    await shop.look()
    shop.clock.time += timedelta(seconds=5)
    await shop.judge()
    assert (await newest(shop)).status.restore.state is RestoreState.MERGED  # type: ignore[union-attr]
    head = shop.push({"web.yaml": rollout(BAD)}, "and again")
    await shop.look()
    await shop.judge()
    again = await newest(shop)
    assert again.status.restore is not None and again.status.restore.state is RestoreState.PROPOSED
    assert shop.origin.head() == head


async def test_a_verdict_that_is_hours_old_when_git_is_back_is_proposed(shop: Desk) -> None:
    await begun(shop)
    shop.origin.refuse("down for maintenance")
    with pytest.raises(Transient):
        await crashed(shop)
    shop.clock.time += timedelta(hours=3)
    (shop.origin.path / "hooks" / "pre-receive").unlink()
    await shop.judge()
    restore = (await newest(shop)).status.restore
    assert restore is not None and restore.state is RestoreState.PROPOSED and "too old" in restore.message
    assert shop.origin.read("web.yaml").decode() == rollout(BAD)


async def test_what_the_server_says_when_it_refuses_is_shown_and_a_proposal_is_tried(shop: Desk) -> None:
    await begun(shop)
    hook = shop.origin.path / "hooks" / "pre-receive"
    shop.origin.refuse("")
    refuse = "case $ref in refs/heads/main) echo 'missing Signed-off-by (DCO)' >&2; exit 1;; esac"
    hook.write_text(f"#!/bin/sh\nwhile read a b ref; do {refuse}; done\n")
    await crashed(shop)
    restore = (await newest(shop)).status.restore
    assert restore is not None and restore.state is RestoreState.PROPOSED
    assert "missing Signed-off-by (DCO)" in restore.message


async def test_a_branch_that_a_stranger_made_in_our_name_is_never_offered_as_ours(shop: Desk) -> None:
    await begun(shop)
    taken = "reconciler/restore/shop/demo/shop/web"
    shop.origin.branch(taken)
    shop.origin.commit({"web.yaml": rollout("registry.example.com/evil:1"), "x.yaml": "x: 1\n"}, branch=taken)
    await aborted(shop)
    restore = (await newest(shop)).status.restore
    assert restore is not None and restore.state is RestoreState.PROPOSED
    assert shop.origin.read("web.yaml", restore.branch).decode() == rollout()
    assert restore.branch != taken


# -- second attempts --------------------------------------------------------------------------------------------------


async def lift(shop: Desk) -> None:
    name = (await newest(shop)).name
    patch = {"status": {"held": False, "keepUntil": None}}
    await shop.api.client.patch(ObjectRef(RELEASES, NAMESPACE, name), patch, subresource="status")
    await shop.judge(2)


async def test_lifted_after_a_proposal_it_is_deployed_and_measured_anew_and_its_proposal_closed_once_proven(shop: Desk) -> None:
    await begun(shop)
    await aborted(shop)
    await lift(shop)
    second = await newest(shop)
    assert (second.spec.cause, second.spec.attempt, second.status.verdict) == (Cause.LIFTED, 2, None)
    await shop.judge(3)
    assert (await shop.found(ROLLOUTS, "web"))["status"]["abort"] is False  # retried by our verb, on record before
    assert [verb.verb for verb in (await newest(shop)).status.verbs] == ["retry"]
    await shop.look()
    await serves(shop, "h2")
    assert (await newest(shop)).status.verdict is Verdict.PASSED
    first = (await releases(shop))[1]
    assert first.status.restore is not None and first.status.restore.state is RestoreState.WITHDRAWN
    assert shop.origin.read("web.yaml").decode() == rollout(BAD)


async def test_lifted_while_the_restore_is_still_due_nothing_is_written_to_git(shop: Desk) -> None:
    await begun(shop)
    shop.origin.refuse("down")
    with pytest.raises(Transient):
        await crashed(shop)
    await lift(shop)
    (shop.origin.path / "hooks" / "pre-receive").unlink()
    await shop.judge()
    assert shop.origin.read("web.yaml").decode() == rollout(BAD)
    assert (await newest(shop)).spec.cause is Cause.LIFTED


async def test_a_lifted_version_that_a_person_aborts_is_aborted_and_not_failed_by_the_old_numbers(shop: Desk) -> None:
    await begun(shop)
    await aborted(shop)
    await lift(shop)
    await shop.look()
    await shop.say(phase="Progressing", currentPodHash="h2", abort=None, abortedAt=None, conditions=None)
    await shop.judge(2)
    await aborted(shop, at="2026-11-28T04:00:00Z")
    second = await newest(shop)
    assert (second.spec.attempt, second.status.verdict, second.status.evidence) == (2, Verdict.ABORTED, ())


async def test_retried_and_promoted_by_a_person_it_is_judged_and_neither_held_nor_rolled_back(shop: Desk) -> None:
    await begun(shop)
    await aborted(shop)
    await serves(shop, "h2")
    await shop.look()
    await serves(shop, "h2")
    second = await newest(shop)
    assert (second.spec.cause, second.status.verdict) == (Cause.RETRIED, Verdict.PASSED)
    head = shop.push({"web.yaml": "# any byte\n" + rollout(BAD)}, "any byte")
    await shop.look()
    await shop.judge()
    assert shop.origin.head() == head and len(await releases(shop)) == 3
    assert image_of(await shop.found(ROLLOUTS, "web")) == BAD


# -- what serves, proven or not ---------------------------------------------------------------------------------------


async def test_the_way_back_leads_to_the_unproven_version_that_served_and_not_past_it(shop: Desk) -> None:
    shop.push({"p.yaml": policy("p", "{requireAnalysis: true}")})
    await shop.look()
    await shop.follow_policy("p")
    await begun(shop, NEXT)
    await serves(shop, "h2")
    assert (await newest(shop)).status.verdict is Verdict.NOT_ENOUGH_EVIDENCE
    await asked(shop, {"web.yaml": rollout(BAD)}, "h3", stable="h2")
    await crashed(shop)
    assert shop.origin.read("web.yaml").decode() == rollout(NEXT)
    await shop.look()
    await shop.judge()
    assert len(await releases(shop)) == 3  # our own commit, which asks for what serves, opens nothing


async def test_two_workloads_in_one_file_that_fail_are_restored_once_each_and_open_nothing_more(shop: Desk) -> None:
    def both(image: str) -> str:
        return rollout(image) + "---\n" + rollout(image, name="api")

    shop.push({"both.yaml": both("registry.example.com/web:1.0")})
    await shop.look()
    for name in ("web", "api"):
        await shop.say(name, phase="Healthy", currentPodHash="h1", stableRS="h1")
    await shop.judge()
    shop.push({"both.yaml": both(BAD)})
    await shop.look()
    for name in ("web", "api"):
        await shop.lost(name)
        await shop.look()
    await shop.judge()
    assert shop.origin.read("both.yaml").decode() == both("registry.example.com/web:1.0")
    assert len(await releases(shop)) == 4 and restored(shop) == 2


# -- what the cluster loses -------------------------------------------------------------------------------------------


async def test_a_rollout_that_is_deleted_on_its_way_is_made_from_what_served_and_released_from_there(shop: Desk) -> None:
    await begun(shop)
    await shop.api.client.delete(ObjectRef(ROLLOUTS, NAMESPACE, "web"))
    await shop.gone(ROLLOUTS, "web")
    await shop.look()
    made = await shop.found(ROLLOUTS, "web")
    assert image_of(made).endswith("web:1.0")
    await shop.seen(made)
    await shop.look()
    assert image_of(await shop.found(ROLLOUTS, "web")).endswith("web:1.0")  # it comes up first
    await shop.say(phase="Healthy", currentPodHash="h1", stableRS="h1")
    await shop.look()
    assert image_of(await shop.found(ROLLOUTS, "web")) == BAD
    assert (await newest(shop)).status.verdict is None


async def test_releases_that_are_deleted_while_a_version_is_under_way_make_it_no_baseline(shop: Desk) -> None:
    await begun(shop)
    await shop.stable_pods("h1", "registry.example.com/web:1.0")
    for manifest in await shop.releases():
        await shop.api.client.delete(ObjectRef(RELEASES, NAMESPACE, name_of(manifest)))
        await shop.gone(RELEASES, name_of(manifest))
    await shop.look()
    await shop.judge()
    (found,) = await releases(shop)
    assert (found.spec.cause, found.status.verdict) == (Cause.FOUND, Verdict.PASSED)
    assert found.spec.images == {"web": "registry.example.com/web:1.0"}
    await shop.look()
    await shop.judge(2)
    await crashed(shop)
    second = await newest(shop)
    assert (second.status.verdict, second.spec.images) == (Verdict.FAILED, {"web": BAD})
    assert shop.origin.read("web.yaml").decode() == rollout()

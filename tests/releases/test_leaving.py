"""What leaves in the middle of a release: the branch, or the workload itself."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from reconciler.kernel.errors import Transient
from reconciler.kernel.identity import ObjectRef
from reconciler.kernel.resources import ROLLOUTS
from reconciler.releases.manifest import parse_release
from reconciler.releases.model import Release, RestoreState, Verdict
from tests.kit.clusters import NAMESPACE
from tests.kit.desk import Desk, config, desk, image_of, policy, rollout
from tests.kit.forges import Noting
from tests.kit.repositories import git

BAD = "registry.example.com/web:6.6.6"


@pytest.fixture
async def shop(tmp_path: Path) -> AsyncIterator[Desk]:
    async with desk(tmp_path) as found:
        yield found


async def newest(shop: Desk) -> Release:
    return parse_release((await shop.releases())[-1])


async def begun(shop: Desk, subject: str = "bad") -> None:
    """A proven version, and another that the rollout layer has taken up."""
    shop.push({"web.yaml": rollout(), "other.yaml": config("other")})
    await shop.proven()
    shop.push({"web.yaml": rollout(BAD)}, subject)
    await shop.look()
    await shop.say(phase="Progressing", currentPodHash="h2")
    await shop.judge(2)


@pytest.mark.parametrize("message", ["gone", "renamed"])
async def test_a_branch_that_is_gone_when_a_release_fails_is_said_and_waited_for(shop: Desk, message: str) -> None:
    await begun(shop)
    bad = shop.origin.head()
    if message == "gone":
        git(shop.origin.path, "update-ref", "-d", "refs/heads/main")
    else:
        git(shop.origin.path, "branch", "-m", "main", "trunk")
    with pytest.raises(Transient):
        await shop.lost()
    waiting = (await newest(shop)).status.restore
    assert waiting is not None and waiting.state is RestoreState.WANTED and "no branch 'main'" in waiting.message
    git(shop.origin.path, "update-ref", "refs/heads/main", bad)
    await shop.judge()
    assert shop.origin.read("web.yaml").decode() == rollout()


async def test_a_release_whose_workload_left_git_is_over_and_begins_anew_once_it_is_back(shop: Desk) -> None:
    await begun(shop)
    shop.push({"web.yaml": None})
    await shop.look()
    await shop.gone(ROLLOUTS, "web")
    await shop.judge(2)
    assert ((await newest(shop)).status.verdict, (await newest(shop)).status.phase) == (Verdict.SUPERSEDED, "Closed")
    shop.push({"web.yaml": rollout(BAD)})
    await shop.look()
    again = await newest(shop)
    assert (again.spec.attempt, again.status.verdict) == (2, None)
    assert image_of(await shop.found(ROLLOUTS, "web")) != BAD, "it comes up as what served"


@pytest.mark.parametrize("then", ["left", "other"])
async def test_a_proposal_of_which_nothing_is_left_to_take_back_is_closed(tmp_path: Path, then: str) -> None:
    forge = Noting()
    async with desk(tmp_path, forges={"shop": forge}) as shop:
        shop.push({"p.yaml": policy("p", "{onFailure: propose}")})
        await shop.look()
        await shop.follow_policy("p")
        await begun(shop)
        await shop.lost()
        assert forge.withdrawn == []
        shop.push({"web.yaml": None if then == "left" else rollout("registry.example.com/web:1.1")})
        await shop.look()
        if then == "left":
            await shop.gone(ROLLOUTS, "web")
        await shop.judge(2)
        assert [head for head, _, _ in forge.withdrawn] == ["reconciler/restore/shop/demo/shop/web"]
        restores = [parse_release(r).status.restore for r in await shop.releases()]
        assert [restore.state for restore in restores if restore is not None] == [RestoreState.MERGED]


async def test_a_rollout_that_is_deleted_by_hand_leaves_its_release_open(shop: Desk) -> None:
    await begun(shop)
    await shop.api.client.delete(ObjectRef(ROLLOUTS, NAMESPACE, "web"))
    await shop.gone(ROLLOUTS, "web")
    await shop.judge(2)
    assert (await newest(shop)).status.verdict is None


async def test_a_commit_whose_message_is_longer_than_any_object_is_released_all_the_same(shop: Desk) -> None:
    await begun(shop, "x" * (2 << 20))
    commit = (await newest(shop)).spec.commit
    assert (len(commit.subject), commit.author) == (500, "Ann <ann@example.com>")

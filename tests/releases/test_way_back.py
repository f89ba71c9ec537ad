"""The way back where Git, its server or a person stands in it: what is waited for, what is said, and what is never pushed."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from reconciler.kernel.errors import Transient
from reconciler.kernel.identity import ObjectRef
from reconciler.kernel.resources import RELEASES, ROLLOUTS
from reconciler.releases.manifest import parse_release
from reconciler.releases.model import Release, RestoreState, Verdict
from tests.kit.clusters import NAMESPACE
from tests.kit.desk import Desk, config, desk, image_of, rollout
from tests.kit.forges import Noting

BAD = "registry.example.com/web:6.6.6"
BRANCH = "reconciler/restore/shop/demo/shop/web"
DCO = "missing Signed-off-by (DCO)"


@pytest.fixture
def forge() -> Noting:
    return Noting()


@pytest.fixture
async def shop(tmp_path: Path, forge: Noting) -> AsyncIterator[Desk]:
    async with desk(tmp_path, forges={"shop": forge}) as found:
        yield found


async def newest(shop: Desk) -> Release:
    return parse_release((await shop.releases())[-1])


async def asked(shop: Desk) -> None:
    """A proven version, and Git asks for another."""
    shop.push({"web.yaml": rollout()}, "good")
    await shop.proven()
    shop.push({"web.yaml": rollout(BAD)}, "bad")
    await shop.look()


async def aborted(shop: Desk) -> None:
    """A person ended the version that Git asks for."""
    await shop.say(phase="Progressing", currentPodHash="h2")
    await shop.judge(2)
    condition = {"type": "Progressing", "status": "False", "reason": "RolloutAborted", "message": "Rollout aborted update to revision 2"}
    await shop.say(phase="Degraded", abort=True, conditions=[condition])
    await shop.judge()


def refuse_main(shop: Desk) -> None:
    """The server takes every branch but main, and says why."""
    shop.origin.refuse("")
    hook = f"#!/bin/sh\nwhile read a b ref; do case $ref in refs/heads/main) echo '{DCO}' >&2; exit 1;; esac; done\n"
    (shop.origin.path / "hooks" / "pre-receive").write_text(hook)


async def test_a_file_that_became_a_symbolic_link_is_waited_for(shop: Desk) -> None:
    await asked(shop)
    shop.origin.link("web.yaml", "elsewhere.yaml")
    with pytest.raises(Transient):
        await shop.lost()
    waiting = (await newest(shop)).status
    assert (waiting.verdict, waiting.phase) == (Verdict.FAILED, "Restoring")
    assert waiting.restore is not None and waiting.restore.state is RestoreState.WANTED and "web.yaml" in waiting.restore.message
    shop.push({"web.yaml": rollout(BAD)}, "a file again, and still bad")
    await shop.judge()
    assert shop.origin.read("web.yaml").decode() == rollout()


async def test_a_try_of_which_nothing_new_comes_is_not_written_so_that_no_release_wakes_itself(shop: Desk) -> None:
    await asked(shop)
    shop.origin.link("web.yaml", "elsewhere.yaml")
    with pytest.raises(Transient):
        await shop.lost()
    version = (await newest(shop)).version
    for _ in range(3):
        with pytest.raises(Transient):
            await shop.judge(1)
    assert (await newest(shop)).version == version


async def test_a_proposal_that_a_person_closed_is_never_followed_by_a_push(shop: Desk, forge: Noting) -> None:
    await asked(shop)
    await aborted(shop)
    assert len(forge.proposed) == 1
    shop.origin.remove(BRANCH)  # closed, and its branch with it
    head = shop.push({"web.yaml": "# touched\n" + rollout(BAD)}, "a comment")
    await shop.look()
    await shop.judge()
    assert shop.origin.head() == head and len(await shop.releases()) == 2


async def test_the_comment_repeats_why_the_server_did_not_take_our_commit(shop: Desk, forge: Noting) -> None:
    await asked(shop)
    refuse_main(shop)
    await shop.lost()
    await shop.judge()
    said = forge.announced[-1].body
    assert "The way back is proposed in" in said and "It was not pushed: " in said and DCO in said.replace("\\", "")


async def test_the_comment_repeats_what_the_server_says_while_it_takes_nothing(shop: Desk, forge: Noting) -> None:
    await asked(shop)
    shop.origin.refuse("this repository is archived")
    with pytest.raises(Transient):
        await shop.lost()
    assert "this repository is archived" in forge.announced[-1].body


async def test_the_proposal_of_a_version_that_is_proven_by_now_is_closed_with_a_sentence(shop: Desk, forge: Noting) -> None:
    await asked(shop)
    await aborted(shop)
    lifted = {"status": {"held": False, "keepUntil": None}}
    await shop.api.client.patch(ObjectRef(RELEASES, NAMESPACE, (await newest(shop)).name), lifted, subresource="status")
    await shop.judge(4)
    assert forge.withdrawn == [], "it is tried again, and not proven yet"
    await shop.look()
    await shop.say(phase="Healthy", currentPodHash="h2", stableRS="h2", abort=None, abortedAt=None, conditions=None)
    await shop.judge()
    assert (await newest(shop)).status.verdict is Verdict.PASSED
    ((head, base, words),) = set(forge.withdrawn)
    assert (head, base) == (BRANCH, "main") and "is proven by now" in words


async def test_a_template_that_no_plain_text_can_hold_is_released_and_taken_back_beside_the_others(shop: Desk) -> None:
    quoted, plain = "          args: ['{{ .Host }}:80']\n", "          args: [host:80]\n"
    shop.push({"web.yaml": rollout(extra=quoted), "api.yaml": rollout(name="api")}, "good")
    await shop.proven()
    await shop.say("api", phase="Healthy", currentPodHash="h1", stableRS="h1")
    await shop.judge()
    shop.push({"web.yaml": rollout(extra=plain), "api.yaml": rollout(BAD, name="api")}, "both")
    await shop.look()
    assert len(await shop.releases()) == 4 and await shop.problems() == ""
    assert image_of(await shop.found(ROLLOUTS, "api")) == BAD
    await shop.lost("web")
    assert shop.origin.read("web.yaml").decode() == rollout(extra=quoted)


async def test_c15_a_branch_that_a_hydrator_writes_is_never_edited_and_its_dry_source_is_named(shop: Desk, forge: Noting) -> None:
    told = '{"drySha": "%s", "repoURL": "https://me:s3cr3t@git.example.com/shop/dry"}'
    shop.push({"web.yaml": rollout(), "hydrator.metadata": told % ("a" * 40)}, "good")
    await shop.proven()
    shop.push({"web.yaml": rollout(BAD), "hydrator.metadata": told % ("b" * 40)}, "bad")
    await shop.look()
    assert (await newest(shop)).spec.revert == "manual", "people know before it starts"
    tip = shop.origin.head()
    await shop.lost()
    restore = (await newest(shop)).status.restore
    assert restore is not None and restore.state is RestoreState.IMPOSSIBLE and shop.origin.head() == tip
    assert f"hydrator.metadata names commit {'b' * 12} of https://*****@git.example.com/shop/dry: restore it there" in restore.message


async def test_c4_c5_a_proposal_in_a_merge_queue_is_waited_for_on_a_moving_branch_and_ends_once(shop: Desk, forge: Noting) -> None:
    await asked(shop)
    refuse_main(shop)
    await shop.lost()
    for number in range(3):
        shop.push({"notes.yaml": config("notes", str(number))}, "what the queue merges first")
        await shop.look()
        await shop.judge()
        waiting = (await newest(shop)).status.restore
        assert waiting is not None and waiting.state is RestoreState.PROPOSED
    assert len({(one.head, one.base) for one in forge.proposed}) == 1 and not forge.withdrawn
    merged = shop.push({"web.yaml": rollout()}, "merged by the queue")
    await shop.look()
    await shop.judge(2)
    done = (await newest(shop)).status.restore
    assert done is not None and done.state is RestoreState.MERGED and shop.origin.head() == merged

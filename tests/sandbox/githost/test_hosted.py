"""Pull requests follow what git does to their branches."""

from pathlib import Path

import pytest
from reconciler_sandbox.githost.answers import Refusal
from reconciler_sandbox.githost.hosted import Merging, Opening

from tests.kit.githost import REPO, cloned, committed, git_host, run_git

BUMP = {"app.yaml": b"image: shop:1.1\n"}


async def test_a_push_to_the_head_branch_moves_the_pull_request(tmp_path: Path) -> None:
    async with git_host(tmp_path) as host:
        await host.open_pull(REPO, "bump", "Bump", BUMP)
        sha = await host.push_files(REPO, "bump", {"app.yaml": b"image: shop:1.2\n"}, "Again")
        pull = host.pulls(REPO)[0]
        assert (pull.head_sha, len(pull.commits)) == (sha, 2)
        assert await host.repository(REPO).resolve("refs/pull/1/head") == sha


async def test_a_branch_merged_by_hand_and_pushed_is_a_merged_pull_request(tmp_path: Path) -> None:
    async with git_host(tmp_path) as host:
        await host.open_pull(REPO, "bump", "Bump", BUMP)
        work = await cloned(host, tmp_path)
        await run_git(work, "merge", "--quiet", "--no-ff", "-m", "By hand", "origin/bump")
        await run_git(work, "push", "--quiet", "origin", "main")
        pull = host.pulls(REPO)[0]
        assert (pull.state, pull.merge_commit, pull.merged_by) == ("closed", (await host.log(REPO))[0].sha, "ann")


async def test_a_deleted_head_branch_closes_the_pull_request(tmp_path: Path) -> None:
    async with git_host(tmp_path) as host:
        await host.open_pull(REPO, "bump", "Bump", BUMP)
        work = await cloned(host, tmp_path)
        await run_git(work, "push", "--quiet", "origin", ":bump")
        pull = host.pulls(REPO)[0]
        assert (pull.state, pull.merged) == ("closed", False)


async def test_a_draft_is_not_merged(tmp_path: Path) -> None:
    async with git_host(tmp_path) as host:
        await host.push_files(REPO, "bump", BUMP, "Bump")
        hosted = host._repositories[REPO]
        pull = await hosted.open(Opening(head="bump", base="main", title="t", body="", author="ann", draft=True))
        with pytest.raises(Refusal, match="draft"):
            await hosted.merge(pull.number, Merging())


async def test_a_rewritten_branch_is_told_as_forced_and_a_removed_one_as_deleted(tmp_path: Path) -> None:
    async with git_host(tmp_path) as host:
        host.add_webhook(REPO, "http://127.0.0.1:1/", "s")
        work = await cloned(host, tmp_path)
        await committed(work, "app.yaml", "x\n")
        await run_git(work, "push", "--quiet", "origin", "main:side")
        await run_git(work, "commit", "--quiet", "--amend", "-m", "Other")
        await run_git(work, "push", "--quiet", "--force", "origin", "main:side")
        await run_git(work, "push", "--quiet", "origin", ":side")
        await host.delivered()
        told = {(p["created"], p["forced"], p["deleted"]) for p in (d.payload for d in host.deliveries)}
        assert told == {(True, False, False), (False, True, False), (False, False, True)}

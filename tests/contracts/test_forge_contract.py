"""What every forge promises, on each implementation: GitHub against a real Git host over HTTP, and plain Git."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from reconciler_sandbox.githost.host import GitHost

from reconciler.forges.registry import FORGES, ForgeTerms, forge
from reconciler.releases.announce.forge import Announcement, CommitState, Forge, Proposal, PullRequest, PullState, Withdrawing
from reconciler.web.client import open_client
from tests.kit.githost import REPO, USERS, git_host


@dataclass(frozen=True, slots=True)
class Bench:
    """One forge under test, the host behind it, and whether it has pull requests at all."""

    forge: Forge
    host: GitHost
    has_pulls: bool


@pytest.fixture(params=sorted(FORGES))
async def bench(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Bench]:
    async def token() -> str:
        return USERS["bot"]

    async with git_host(tmp_path) as host, open_client() as client:
        settings = ForgeTerms(repository=REPO, token=token, api=host.api)
        yield Bench(forge(request.param, settings, client), host, request.param != "plain")


def announcement(commit: str, pull: int | None) -> Announcement:
    return Announcement(
        pull=pull,
        commit=commit,
        marker="<!-- reconciler:v1 shop/production -->",
        body="The release **passed**.",
        status=CommitState.SUCCESS,
        context="reconciler/production",
        description="passed: 40 of 40 measurements",
        target_url="https://reconciler.example.com/shop",
    )


@pytest.mark.parametrize("method", ["merge", "squash"])
async def test_a_merged_pull_request_is_found_by_its_merge_commit(bench: Bench, method: str) -> None:
    pull = await bench.host.open_pull(REPO, "bump", "Bump shop", {"app.yaml": b"image: shop:1.1\n"}, "Ann <ann@example.com>")
    merge = await bench.host.merge_pull(REPO, pull.number, method)
    expected = PullRequest(
        number=pull.number,
        url=f"{bench.host.url}/{REPO}/pull/{pull.number}",
        title="Bump shop",
        author="Ann",
        state=PullState.MERGED,
        merge_commit=merge,
    )
    assert await bench.forge.pull_of(merge) == (expected if bench.has_pulls else None)
    assert await bench.forge.pull_of(pull.head_sha) == (expected if bench.has_pulls else None)


async def test_a_commit_pushed_past_pull_requests_has_none(bench: Bench) -> None:
    sha = await bench.host.push_files(REPO, "main", {"app.yaml": b"image: shop:1.1\n"}, "Direct")
    assert await bench.forge.pull_of(sha) is None
    assert await bench.forge.pull_of("0" * 40) is None


async def test_an_announcement_is_one_comment_and_one_status_however_often_it_is_made(bench: Bench) -> None:
    pull = await bench.host.open_pull(REPO, "bump", "Bump", {"app.yaml": b"x\n"})
    said = announcement(pull.head_sha, pull.number)
    first, second = await bench.forge.announce(said), await bench.forge.announce(said)
    assert (first.changed, second.changed) == (bench.has_pulls, False)
    assert [c.body for c in bench.host.comments(REPO, pull.number)] == ([f"{said.marker}\n{said.body}"] if bench.has_pulls else [])
    assert [s.state for s in bench.host.statuses(REPO, pull.head_sha)] == (["success"] if bench.has_pulls else [])


async def test_an_announcement_without_a_pull_request_is_only_a_status(bench: Bench) -> None:
    sha = (await bench.host.log(REPO))[0].sha
    announced = await bench.forge.announce(announcement(sha, None))
    assert announced.comment_url is None
    assert len(bench.host.statuses(REPO, sha)) == bench.has_pulls


async def test_a_newer_announcement_rewrites_the_comment(bench: Bench) -> None:
    pull = await bench.host.open_pull(REPO, "bump", "Bump", {"app.yaml": b"x\n"})
    said = announcement(pull.head_sha, pull.number)
    await bench.forge.announce(replace(said, status=CommitState.PENDING, body="Under way."))
    await bench.forge.announce(said)
    assert len(bench.host.comments(REPO, pull.number)) == bench.has_pulls
    assert [s.state for s in bench.host.statuses(REPO, pull.head_sha)] == (["pending", "success"] if bench.has_pulls else [])


async def test_a_proposal_is_opened_once(bench: Bench) -> None:
    head = await bench.host.push_files(REPO, "restore/shop", {"app.yaml": b"image: shop:0.9\n"}, "Restore")
    proposal = Proposal(head="restore/shop", base="main", title="Restore shop", body="Because.", labels=("restore",))
    first, second = await bench.forge.propose(proposal), await bench.forge.propose(proposal)
    assert first == second
    assert [(p.head_sha, p.base, p.title) for p in bench.host.pulls(REPO)] == ([(head, "main", "Restore shop")] if bench.has_pulls else [])
    assert (first is not None and first.state == PullState.OPEN) == bench.has_pulls


async def test_a_proposal_that_is_withdrawn_is_closed_once_with_its_sentence_and_no_other_one(bench: Bench) -> None:
    if not isinstance(bench.forge, Withdrawing):
        assert not bench.has_pulls
        return
    for head in ("restore/shop", "restore/other"):
        await bench.host.push_files(REPO, head, {"app.yaml": f"image: {head}\n".encode()}, "Restore")
        await bench.forge.propose(Proposal(head=head, base="main", title=f"Restore {head}", body="Because."))
    for _ in range(2):
        await bench.forge.withdraw("restore/shop", "main", "It is proven by now.")
    first, second = bench.host.pulls(REPO)
    assert (first.state, second.state) == ("closed", "open")
    assert [c.body for c in bench.host.comments(REPO, first.number)] == ["It is proven by now."]
    assert bench.host.comments(REPO, second.number) == []

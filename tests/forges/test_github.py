"""GitHub's forge against a host that answers like GitHub: the sticky comment, limits, rights, outages and hostile answers."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import httpx
import pytest
from reconciler_sandbox.githost.faults import Fault, answer, cut
from reconciler_sandbox.githost.host import GitHost

from reconciler.forges.github import GitHub, pull_from
from reconciler.kernel.errors import Terminal, Transient
from reconciler.releases.announce.forge import Announcement, CommitState, Proposal, PullState
from reconciler.web.client import open_client
from tests.kit.githost import REPO, USERS, api, git_host

MARKER = "<!-- reconciler:v1 shop/production -->"


@asynccontextmanager
async def github(folder: Path, user: str = "bot", *, rate_limit: int = 5000) -> AsyncIterator[tuple[GitHub, GitHost]]:
    async def token() -> str:
        return USERS[user] + "\n"

    async with git_host(folder, rate_limit=rate_limit) as host, open_client() as client:
        yield GitHub(REPO, token, client, host.api), host


async def announcement(host: GitHost, body: str = "Passed.") -> Announcement:
    pulls = host.pulls(REPO) or [await host.open_pull(REPO, "bump", "Bump", {"app.yaml": b"x\n"}, "ann")]
    return Announcement(
        pull=pulls[0].number,
        commit=pulls[0].head_sha,
        marker=MARKER,
        body=body,
        status=CommitState.SUCCESS,
        context="reconciler/production",
        description="passed",
    )


async def comment(host: GitHost, user: str, body: str) -> int:
    async with api(host, user) as client:
        response = await client.post(f"repos/{REPO}/issues/1/comments", json={"body": body})
        return int(response.json()["id"])


async def test_the_same_announcement_again_costs_no_request(tmp_path: Path) -> None:
    async with github(tmp_path) as (forge, host):
        said = await announcement(host)
        await forge.announce(said)
        before = len(host.requests)
        assert not (await forge.announce(said)).changed
        assert len(host.requests) == before


async def test_after_a_restart_what_is_said_already_is_only_read(tmp_path: Path) -> None:
    async with github(tmp_path) as (forge, host):
        said = await announcement(host)
        await forge.announce(said)

        async def token() -> str:
            return USERS["bot"]

        async with open_client() as client:
            before = len(host.requests)
            announced = await GitHub(REPO, token, client, host.api).announce(said)
        assert not announced.changed
        assert {method for method, _, _ in host.requests[before:]} == {"GET"}


async def test_an_older_text_can_be_said_again(tmp_path: Path) -> None:
    async with github(tmp_path) as (forge, host):
        said = await announcement(host, "One.")
        other = await host.push_files(REPO, "bump", {"app.yaml": b"y\n"}, "More")
        await forge.announce(said)
        await forge.announce(replace(said, commit=other, body="Two."))
        await forge.announce(said)
        assert [c.body for c in host.comments(REPO, 1)] == [f"{MARKER}\nOne."]


async def test_a_comment_of_somebody_else_with_our_marker_is_left_alone(tmp_path: Path) -> None:
    async with github(tmp_path) as (forge, host):
        said = await announcement(host)
        await comment(host, "ann", f"{MARKER}\nnot yours")
        await comment(host, "bot", f"quoting\n{MARKER}")
        await forge.announce(said)
        assert [c.author for c in host.comments(REPO, 1)] == ["ann", "bot", "bot"]
        assert host.comments(REPO, 1)[2].body == f"{MARKER}\nPassed."


async def test_of_our_duplicates_the_oldest_stays(tmp_path: Path) -> None:
    async with github(tmp_path) as (forge, host):
        said = await announcement(host)
        for number in range(120):
            await comment(host, "ann", f"chat {number}")
        first = await comment(host, "bot", f"{MARKER}\none")
        await comment(host, "bot", f"{MARKER}\ntwo")
        announced = await forge.announce(said)
        ours = [c for c in host.comments(REPO, 1) if c.author == "bot"]
        assert [(c.id, c.body) for c in ours] == [(first, f"{MARKER}\nPassed.")]
        assert announced.comment_url == f"{host.url}/{REPO}/pull/1#issuecomment-{first}"


async def test_a_comment_deleted_under_our_hands_is_written_again(tmp_path: Path) -> None:
    async with github(tmp_path) as (forge, host):
        said = await announcement(host)
        await forge.announce(said)
        host.faults.add(Fault(answer(404, '{"message": "Not Found"}'), "PATCH", "*/issues/comments/*"))
        await forge.announce(replace(said, body="Failed."))
        assert host.comments(REPO, 1)[-1].body == f"{MARKER}\nFailed."


async def test_a_huge_report_is_cut_and_a_long_description_too(tmp_path: Path) -> None:
    async with github(tmp_path) as (forge, host):
        said = await announcement(host, "<details>\n\n```\n" + "line of evidence ü\n" * 10_000)
        await forge.announce(replace(said, description="d" * 300))
        body = host.comments(REPO, 1)[0].body
        assert len(body) <= 60_000
        assert body.count("```") == 2
        assert body.count("<details>") == body.count("</details>") == 1
        assert len(host.statuses(REPO, said.commit)[0].description) == 140


async def test_a_missing_right_is_named(tmp_path: Path) -> None:
    async with github(tmp_path, "reader") as (forge, host):
        with pytest.raises(Terminal, match=f'"Commit statuses: write" on {REPO}'):
            await forge.announce(await announcement(host))
        await host.push_files(REPO, "restore", {"app.yaml": b"x\n"}, "Restore")
        with pytest.raises(Terminal, match="Pull requests: write"):
            await forge.propose(Proposal(head="restore", base="main", title="Restore", body=""))


async def test_a_refused_token_is_terminal_and_never_shown(tmp_path: Path) -> None:
    async with github(tmp_path) as (forge, host):
        host.access.change_token("bot", "another")
        with pytest.raises(Terminal, match="renew it") as caught:
            await forge.pull_of("0" * 40)
        assert USERS["bot"] not in str(caught.value)


async def test_a_rotated_token_is_picked_up_within_the_call(tmp_path: Path) -> None:
    tokens = ["old", USERS["bot"]]

    async def token() -> str:
        return tokens.pop(0) if len(tokens) > 1 else tokens[0]

    async with git_host(tmp_path) as host, open_client() as client:
        assert await GitHub(REPO, token, client, host.api).pull_of((await host.log(REPO))[0].sha) is None


async def test_a_token_that_no_header_can_carry_is_terminal(tmp_path: Path) -> None:
    async def token() -> str:
        return "se\ncret"

    async with git_host(tmp_path) as host, open_client() as client:
        with pytest.raises(Terminal, match="check its file"):
            await GitHub(REPO, token, client, host.api).pull_of("0" * 40)


async def test_an_unknown_repository_is_terminal(tmp_path: Path) -> None:
    async def token() -> str:
        return USERS["bot"]

    async with git_host(tmp_path) as host, open_client() as client:
        with pytest.raises(Terminal, match="does not exist"):
            await GitHub("shop/nothing", token, client, host.api).pull_of("0" * 40)


async def test_the_rate_limit_says_how_long_to_wait(tmp_path: Path) -> None:
    async with github(tmp_path, rate_limit=1) as (forge, host):
        sha = (await host.log(REPO))[0].sha
        await forge.pull_of(sha)
        with pytest.raises(Transient) as caught:
            await forge.pull_of(sha)
        assert caught.value.retry_after is not None
        assert 1 <= caught.value.retry_after <= 3600


@pytest.mark.parametrize(
    ("status", "headers", "pause"),
    [
        (503, {}, None),
        (503, {"Retry-After": "7"}, 7.0),
        (429, {"Retry-After": "30"}, 30.0),
        (403, {"Retry-After": "99999999"}, 3600.0),
        (429, {}, 60.0),
        (403, {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "soon"}, 60.0),
    ],
)
async def test_limits_and_outages_are_transient(tmp_path: Path, status: int, headers: dict[str, str], pause: float | None) -> None:
    async with github(tmp_path) as (forge, host):
        host.faults.add(Fault(answer(status, "<html>", headers), path="*/pulls"))
        with pytest.raises(Transient) as caught:
            await forge.pull_of("0" * 40)
        assert caught.value.retry_after == pause


async def test_a_secondary_limit_without_headers_is_recognised_by_its_words(tmp_path: Path) -> None:
    async with github(tmp_path) as (forge, host):
        host.faults.add(Fault(answer(403, '{"message": "You have exceeded a secondary rate limit."}'), path="*/pulls"))
        with pytest.raises(Transient) as caught:
            await forge.pull_of("0" * 40)
        assert caught.value.retry_after == 60


async def test_an_answer_that_is_lost_leads_to_the_pull_request_that_was_opened(tmp_path: Path) -> None:
    async with github(tmp_path) as (forge, host):
        await host.push_files(REPO, "restore", {"app.yaml": b"x\n"}, "Restore")
        proposal = Proposal(head="restore", base="main", title="Restore", body="")
        host.faults.add(Fault(cut(), "POST", "*/pulls", after=True))
        with pytest.raises(Transient):
            await forge.propose(proposal)
        pull = await forge.propose(proposal)
        assert pull is not None
        assert [p.number for p in host.pulls(REPO)] == [pull.number]


async def test_a_pull_request_opened_by_another_meanwhile_is_found(tmp_path: Path) -> None:
    async with github(tmp_path) as (forge, host):
        opened = await host.open_pull(REPO, "restore", "Restore", {"app.yaml": b"x\n"})
        host.faults.add(Fault(answer(200, "[]"), "GET", "*/pulls"))
        pull = await forge.propose(Proposal(head="restore", base="main", title="Restore", body=""))
        assert pull is not None
        assert pull.number == opened.number


async def test_a_proposal_without_a_change_is_terminal(tmp_path: Path) -> None:
    async with github(tmp_path) as (forge, host):
        tip = (await host.log(REPO))[0].sha
        await host.repository(REPO).move("refs/heads/same", tip)
        with pytest.raises(Terminal, match="No commits between"):
            await forge.propose(Proposal(head="same", base="main", title="t", body=""))


@pytest.mark.parametrize("body", ["", "null", "{}", "[" * 100_000, '[{"number": "1"}]', '[{"number": true}]', "not json"])
async def test_hostile_documents_are_transient_not_bugs(tmp_path: Path, body: str) -> None:
    async with github(tmp_path) as (forge, host):
        host.faults.add(Fault(answer(200, body), path="*/pulls"))
        with pytest.raises(Transient):
            await forge.pull_of("0" * 40)


async def test_a_next_page_elsewhere_is_not_followed(tmp_path: Path) -> None:
    async with github(tmp_path) as (forge, host):
        link = {"Link": '<https://evil.example.com/steal>; rel="next"'}
        host.faults.add(Fault(answer(200, "[]", link), path="*/pulls"))
        assert await forge.pull_of("0" * 40) is None


def test_a_trial_merge_is_no_merge() -> None:
    document = json.loads('{"number": 1, "state": "open", "merged_at": null, "merge_commit_sha": "abc", "user": null}')
    pull = pull_from(document)
    assert (pull.state, pull.merge_commit, pull.author) == (PullState.OPEN, None, "")
    assert pull_from({**document, "state": "closed"}).state == PullState.CLOSED


@pytest.mark.parametrize("ours_first", [True, False])
async def test_under_a_flood_of_comments_ours_is_found_again_or_none_is_written(ours_first: bool) -> None:
    """Each look reads 50 pages, the oldest first; what stands behind them is not known."""
    written: list[str] = []

    def flooded(request: httpx.Request) -> httpx.Response:
        path, first = request.url.path, request.url.params.get("page") is None
        if request.method != "GET":
            written.extend([request.method] if "comments" in path else [])
            return httpx.Response(201, json={"id": 1, "body": "", "html_url": "https://forge.example.com/1"})
        if path == "/user":
            return httpx.Response(200, json={"login": "bot"})
        if path.endswith("/status"):
            return httpx.Response(200, json={"statuses": []})
        more = {"Link": f'<https://forge.example.com{path}?per_page=100&page=2>; rel="next"'}
        return httpx.Response(
            200, json=[{"id": 1, "body": MARKER, "user": {"login": "bot" if first and ours_first else "x"}}], headers=more
        )

    async def token() -> str:
        return "t"

    said = Announcement(
        pull=1, commit="a" * 40, marker=MARKER, body="", status=CommitState.SUCCESS, context="reconciler", description="passed"
    )
    async with httpx.AsyncClient(transport=httpx.MockTransport(flooded)) as client:
        forge = GitHub(REPO, token, client, "https://forge.example.com")
        for words in ("One.", "Two."):
            await forge.announce(replace(said, body=words))
    assert written == (["PATCH", "PATCH"] if ours_first else [])


def test_what_a_forge_says_of_a_pull_request_is_bounded() -> None:
    pull = pull_from({"number": 1, "state": "open", "html_url": "javascript:alert(1)", "title": "x" * 1_000_000})
    assert (pull.url, len(pull.title)) == ("", 256)

"""REST: pull requests."""

from pathlib import Path
from typing import Any

import pytest

from tests.kit.githost import REPO, api, git_host

PULLS = f"repos/{REPO}/pulls"
BUMP = {"app.yaml": b"image: shop:1.1\n"}


async def test_a_pull_request_is_opened_listed_and_read(tmp_path: Path) -> None:
    async with git_host(tmp_path) as host, api(host) as client:
        head = await host.push_files(REPO, "bump", BUMP, "Bump")
        created = await client.post(PULLS, json={"head": "bump", "base": "main", "title": "Bump", "body": "Why"})
        assert created.status_code == 201
        document = created.json()
        assert (document["number"], document["state"], document["user"]["login"]) == (1, "open", "bot")
        assert (document["head"]["sha"], document["head"]["label"], document["mergeable"]) == (head, "shop:bump", True)
        assert (await client.get(f"{PULLS}/1")).json() == document
        assert [p["number"] for p in (await client.get(PULLS)).json()] == [1]
        assert await host.repository(REPO).resolve("refs/pull/1/head") == head


async def test_lists_are_filtered_by_head_base_and_state(tmp_path: Path) -> None:
    async with git_host(tmp_path) as host, api(host) as client:
        for branch in ("one", "two", "three"):
            await host.open_pull(REPO, branch, branch, {"app.yaml": branch.encode()})
        await host.merge_pull(REPO, 1)

        async def numbers(**query: str) -> list[int]:
            return [p["number"] for p in (await client.get(PULLS, params=query)).json()]

        assert await numbers() == [3, 2]
        assert await numbers(state="all") == [3, 2, 1]
        assert await numbers(state="closed") == [1]
        assert await numbers(head="shop:two") == [2]
        assert await numbers(head="other:two") == []
        assert await numbers(head="shop:one", state="open") == []
        assert await numbers(base="other") == []
        assert await numbers(per_page="1", page="2") == [2]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"head": "nothing"}, "invalid"),
        ({"base": "nothing"}, "invalid"),
        ({"head": "fork:bump"}, "invalid"),
        ({"head": "main"}, "No commits between main and main"),
        ({"head": "taken"}, "A pull request already exists for shop:taken."),
        ({"title": " "}, "missing_field"),
        ({"title": None}, "missing_field"),
        ({"title": 5}, "not a string"),
        ({"body": "x" * 65537}, "too long"),
    ],
)
async def test_what_github_does_not_accept_is_422(tmp_path: Path, change: dict[str, Any], message: str) -> None:
    async with git_host(tmp_path) as host, api(host) as client:
        await host.push_files(REPO, "bump", BUMP, "Bump")
        await host.open_pull(REPO, "taken", "Taken", BUMP)
        refused = await client.post(PULLS, json={"head": "bump", "base": "main", "title": "Bump", **change})
        assert refused.status_code == 422
        assert message in refused.text


async def test_a_reader_may_not_open_or_merge(tmp_path: Path) -> None:
    async with git_host(tmp_path) as host, api(host, "reader") as client:
        await host.open_pull(REPO, "bump", "Bump", BUMP)
        refused = await client.post(PULLS, json={"head": "bump", "base": "main", "title": "t"})
        assert (refused.status_code, refused.headers["x-accepted-github-permissions"]) == (403, "pull_requests=write")
        assert (await client.put(f"{PULLS}/1/merge")).status_code == 403


@pytest.mark.parametrize(
    ("method", "parents", "subject"), [("merge", 2, "Merge pull request #1 from shop/bump"), ("squash", 1, "Bump (#1)")]
)
async def test_a_merge_is_a_commit_on_the_base(tmp_path: Path, method: str, parents: int, subject: str) -> None:
    async with git_host(tmp_path) as host, api(host) as client:
        await host.open_pull(REPO, "bump", "Bump", BUMP)
        merged = await client.put(f"{PULLS}/1/merge", json={"merge_method": method})
        newest = (await host.log(REPO))[0]
        assert merged.json() == {"sha": newest.sha, "merged": True, "message": "Pull Request successfully merged"}
        assert (len(newest.parents), newest.message.splitlines()[0]) == (parents, subject)
        assert await host.read(REPO, "app.yaml") == BUMP["app.yaml"]
        document = (await client.get(f"{PULLS}/1")).json()
        assert (document["merged"], document["merge_commit_sha"], document["state"]) == (True, newest.sha, "closed")


async def test_a_merge_that_cannot_be_is_405_or_409(tmp_path: Path) -> None:
    async with git_host(tmp_path) as host, api(host) as client:
        await host.open_pull(REPO, "bump", "Bump", BUMP)
        await host.open_pull(REPO, "clash", "Clash", {"app.yaml": b"image: shop:9\n"})
        assert (await client.put(f"{PULLS}/1/merge", json={"sha": "0" * 40})).status_code == 409
        assert (await client.put(f"{PULLS}/1/merge", json={"merge_method": "rebase"})).status_code == 405
        assert (await client.put(f"{PULLS}/1/merge")).status_code == 200
        assert (await client.put(f"{PULLS}/1/merge")).status_code == 405
        assert (await client.get(f"{PULLS}/2")).json()["mergeable"] is False
        assert (await client.put(f"{PULLS}/2/merge")).status_code == 405


async def test_a_pull_request_can_be_changed_and_closed(tmp_path: Path) -> None:
    async with git_host(tmp_path) as host, api(host) as client:
        await host.open_pull(REPO, "bump", "Bump", BUMP)
        changed = (await client.patch(f"{PULLS}/1", json={"title": "Better", "state": "closed"})).json()
        assert (changed["title"], changed["state"], changed["merged"]) == ("Better", "closed", False)
        assert (await client.put(f"{PULLS}/1/merge")).status_code == 405

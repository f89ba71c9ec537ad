"""REST: statuses of commits and the pull requests that brought them."""

from pathlib import Path
from typing import Any

import pytest

from tests.kit.githost import REPO, api, git_host

BUMP = {"app.yaml": b"image: shop:1.1\n"}


async def test_the_newest_status_of_each_context_counts(tmp_path: Path) -> None:
    async with git_host(tmp_path) as host, api(host) as client:
        sha = (await host.log(REPO))[0].sha
        assert (await client.get(f"repos/{REPO}/commits/{sha}/status")).json()["state"] == "pending"
        for state, context in (("pending", "a"), ("success", "b"), ("success", "a")):
            created = await client.post(f"repos/{REPO}/statuses/{sha}", json={"state": state, "context": context})
            assert created.status_code == 201
        combined = (await client.get(f"repos/{REPO}/commits/main/status")).json()
        assert (combined["state"], combined["sha"], combined["total_count"]) == ("success", sha, 2)
        assert [status.state for status in host.statuses(REPO, sha)] == ["pending", "success", "success"]
        await client.post(f"repos/{REPO}/statuses/{sha}", json={"state": "error", "context": "b", "description": "d" * 140})
        assert (await client.get(f"repos/{REPO}/commits/{sha}/status")).json()["state"] == "failure"
        assert [s.context for s in host.statuses(REPO, sha)] == ["a", "b", "a", "b"]


@pytest.mark.parametrize(
    "change",
    [{"state": "great"}, {"state": None}, {"description": "d" * 141}, {"target_url": "javascript:x"}, {"context": "c" * 256}],
)
async def test_a_status_that_github_would_not_take_is_422(tmp_path: Path, change: dict[str, Any]) -> None:
    async with git_host(tmp_path) as host, api(host) as client:
        sha = (await host.log(REPO))[0].sha
        assert (await client.post(f"repos/{REPO}/statuses/{sha}", json={"state": "success", **change})).status_code == 422


@pytest.mark.parametrize("sha", ["main", "abc", "0" * 40, "A" * 40])
async def test_a_status_needs_a_whole_sha_of_a_commit(tmp_path: Path, sha: str) -> None:
    async with git_host(tmp_path) as host, api(host) as client:
        assert (await client.post(f"repos/{REPO}/statuses/{sha}", json={"state": "success"})).status_code == 422


async def test_a_reader_may_not_set_a_status(tmp_path: Path) -> None:
    async with git_host(tmp_path) as host, api(host, "reader") as client:
        sha = (await host.log(REPO))[0].sha
        refused = await client.post(f"repos/{REPO}/statuses/{sha}", json={"state": "success"})
        assert (refused.status_code, refused.headers["x-accepted-github-permissions"]) == (403, "statuses=write")


@pytest.mark.parametrize("method", ["merge", "squash"])
async def test_a_merged_pull_request_is_found_by_merge_and_head_commits(tmp_path: Path, method: str) -> None:
    async with git_host(tmp_path) as host, api(host) as client:
        first = await host.push_files(REPO, "bump", BUMP, "One")
        pull = await host.open_pull(REPO, "bump", "Bump", {"other.yaml": b"x\n"})
        merge = await host.merge_pull(REPO, pull.number, method)
        for sha in (first, pull.head_sha, merge):
            found = (await client.get(f"repos/{REPO}/commits/{sha}/pulls")).json()
            assert [p["number"] for p in found] == [1]
            assert found[0]["merged_at"]
        base = (await host.log(REPO))[-1].sha
        assert (await client.get(f"repos/{REPO}/commits/{base}/pulls")).json() == []


async def test_an_open_pull_request_is_found_by_its_head_and_a_closed_one_is_not(tmp_path: Path) -> None:
    async with git_host(tmp_path) as host, api(host) as client:
        pull = await host.open_pull(REPO, "bump", "Bump", BUMP)
        path = f"repos/{REPO}/commits/{pull.head_sha}/pulls"
        assert [p["state"] for p in (await client.get(path)).json()] == ["open"]
        await client.patch(f"repos/{REPO}/pulls/1", json={"state": "closed"})
        assert (await client.get(path)).json() == []


async def test_an_unknown_commit_is_422(tmp_path: Path) -> None:
    async with git_host(tmp_path) as host, api(host) as client:
        for what in ("pulls", "status"):
            assert (await client.get(f"repos/{REPO}/commits/{'0' * 40}/{what}")).status_code == 422

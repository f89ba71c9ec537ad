"""REST: comments and labels."""

from pathlib import Path
from typing import Any

import pytest

from tests.kit.githost import REPO, api, git_host

COMMENTS = f"repos/{REPO}/issues/1/comments"
LABELS = f"repos/{REPO}/issues/1/labels"
BUMP = {"app.yaml": b"image: shop:1.1\n"}


async def test_a_comment_is_written_changed_and_deleted(tmp_path: Path) -> None:
    async with git_host(tmp_path) as host, api(host) as client:
        await host.open_pull(REPO, "bump", "Bump", BUMP)
        created = await client.post(COMMENTS, json={"body": "one"})
        assert (created.status_code, created.json()["user"]["login"]) == (201, "bot")
        path = f"repos/{REPO}/issues/comments/{created.json()['id']}"
        assert (await client.patch(path, json={"body": "two"})).json()["body"] == "two"
        assert [c.body for c in host.comments(REPO, 1)] == ["two"]
        assert (await client.delete(path)).status_code == 204
        assert (await client.delete(path)).status_code == 404


async def test_comments_come_in_pages(tmp_path: Path) -> None:
    async with git_host(tmp_path) as host, api(host) as client:
        await host.open_pull(REPO, "bump", "Bump", BUMP)
        for number in range(5):
            await client.post(COMMENTS, json={"body": str(number)})
        first = await client.get(COMMENTS, params={"per_page": "2"})
        second = await client.get(first.links["next"]["url"])
        last = await client.get(first.links["last"]["url"])
        assert [[c["body"] for c in page.json()] for page in (first, second, last)] == [["0", "1"], ["2", "3"], ["4"]]


@pytest.mark.parametrize("body", [{}, {"body": " "}, {"body": 1}, {"body": "x" * 65537}])
async def test_a_comment_without_a_fitting_body_is_422(tmp_path: Path, body: dict[str, Any]) -> None:
    async with git_host(tmp_path) as host, api(host) as client:
        await host.open_pull(REPO, "bump", "Bump", BUMP)
        assert (await client.post(COMMENTS, json=body)).status_code == 422
        assert (await client.post(COMMENTS, json={"body": "ü" * 65536})).status_code == 201


async def test_a_reader_may_comment_and_change_only_their_own(tmp_path: Path) -> None:
    async with git_host(tmp_path) as host, api(host) as bot, api(host, "reader") as reader:
        await host.open_pull(REPO, "bump", "Bump", BUMP)
        theirs = (await reader.post(COMMENTS, json={"body": "mine"})).json()["id"]
        others = (await bot.post(COMMENTS, json={"body": "bot's"})).json()["id"]
        assert (await reader.patch(f"repos/{REPO}/issues/comments/{theirs}", json={"body": "new"})).status_code == 200
        assert (await reader.delete(f"repos/{REPO}/issues/comments/{others}")).status_code == 403
        assert (await bot.delete(f"repos/{REPO}/issues/comments/{theirs}")).status_code == 204


async def test_labels_are_added_once(tmp_path: Path) -> None:
    async with git_host(tmp_path) as host, api(host) as client:
        await host.open_pull(REPO, "bump", "Bump", BUMP)
        await client.post(LABELS, json={"labels": ["restore", "very bad"]})
        added = await client.post(LABELS, json={"labels": ["restore"]})
        assert [label["name"] for label in added.json()] == ["restore", "very bad"]
        assert [label["name"] for label in (await client.get(f"repos/{REPO}/pulls/1")).json()["labels"]] == ["restore", "very bad"]
        assert (await client.post(LABELS, json={"labels": [1]})).status_code == 422

"""People push real commits over HTTP and merge real pull requests; two at a time lose nothing."""

import asyncio
from pathlib import Path

import pytest
from reconciler_sandbox.rehearsal.fittings import REPOSITORY
from reconciler_sandbox.rehearsal.people import People
from reconciler_sandbox.rehearsal.stage import Stage
from reconciler_sandbox.rehearsal.story import Edit, PullRequest, Push

from reconciler.kernel.errors import Terminal
from tests.kit.rehearsal import FILE, stage


def release(version: str, **changed: object) -> Push:
    known: dict[str, object] = {"message": f"web {version}", "edits": (Edit(file=FILE, replace={":1.0": f":{version}"}),)}
    return Push(**{**known, **changed})  # type: ignore[arg-type]


def somebody_else(built: Stage, folder: Path) -> People:
    return People(built.people._place, folder / "other")


async def subjects(built: Stage) -> list[str]:
    return [commit.message.splitlines()[0] for commit in await built.host.log(REPOSITORY)]


async def test_a_push_is_a_commit_of_its_author(tmp_path: Path) -> None:
    async with stage(tmp_path) as built:
        said = await built.people.push(release("1.1", author="Bob <bob@example.com>"))
        newest = (await built.host.log(REPOSITORY))[0]
        assert (newest.message, newest.author_name, newest.author_email) == ("web 1.1", "Bob", "bob@example.com")
        assert said == f"{newest.sha[:7]} on main"
        assert b":1.1" in await built.host.read(REPOSITORY, FILE)


async def test_a_pull_request_is_opened_and_merged(tmp_path: Path) -> None:
    async with stage(tmp_path) as built:
        said = await built.people.push(release("1.1", branch="web-1.1", pull=PullRequest("web 1.1")))
        (pull,) = built.host.pulls(REPOSITORY)
        assert pull.merged and pull.title == "web 1.1" and said == f"pull request #1 merged as {pull.merge_commit[:7]}"
        assert b":1.1" in await built.host.read(REPOSITORY, FILE)


async def test_a_pull_request_may_stay_open(tmp_path: Path) -> None:
    async with stage(tmp_path) as built:
        assert await built.people.push(release("1.1", branch="b", pull=PullRequest("t", merge=False))) == "pull request #1 opened"
        assert b":1.0" in await built.host.read(REPOSITORY, FILE)


async def test_pushes_at_the_same_time_lose_nothing(tmp_path: Path) -> None:
    async with stage(tmp_path) as built:
        other = somebody_else(built, tmp_path)
        files = [Push(message=f"file {n}", edits=(Edit(file=f"{n}.txt", content="x"),)) for n in range(4)]
        await asyncio.gather(*(who.push(push) for who, push in zip((built.people, other) * 2, files, strict=True)))
        assert sorted(await subjects(built)) == ["Initial commit", "file 0", "file 1", "file 2", "file 3"]


async def test_a_file_may_be_removed(tmp_path: Path) -> None:
    async with stage(tmp_path) as built:
        await built.people.push(Push(message="gone", edits=(Edit(file=FILE, remove=True),)))
        log = await built.host.log(REPOSITORY)
        assert await built.host.repository(REPOSITORY).changed(log[0].sha) == {"added": [], "modified": [], "removed": [FILE]}


async def test_a_text_that_is_not_there_is_not_replaced(tmp_path: Path) -> None:
    async with stage(tmp_path) as built:
        with pytest.raises(Terminal, match="is not there to be replaced"):
            await built.people.push(Push(message="m", edits=(Edit(file=FILE, replace={"nothing": "x"}),)))

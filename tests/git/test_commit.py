"""Commits made without a worktree: exactly the given bytes, and the same one twice."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from reconciler.git.commit import Draft, Message, build
from reconciler.git.mirror import Mirror
from reconciler.git.objects import Committer
from reconciler.kernel.errors import Terminal
from tests.kit.repositories import Origin, git

AT = datetime(2026, 3, 1, 12, tzinfo=UTC)
MESSAGE = Message("Restore web to 1.0", "It failed.\n", {"Release-Id": "web-1", "Reverts": "abc\nEvil: yes"})


@pytest.fixture
async def draft(mirror: Mirror) -> Draft:
    head = (await mirror.fetch("main")).new
    return Draft(
        parent=head, files={"env/web.yaml": b"image: web:0\r\n\0"}, message=MESSAGE, author=Committer("bot", "bot@example.com"), time=AT
    )


def show(mirror_path: Path, *arguments: str) -> str:
    return git(mirror_path, *arguments).decode()


async def test_only_the_given_file_changes(draft: Draft, mirror: Mirror, tmp_path: Path) -> None:
    oid = await build(mirror.runner, draft)
    directory = tmp_path / "mirror.git"
    assert show(directory, "diff-tree", "-r", "--name-status", draft.parent, oid) == "M\tenv/web.yaml\n"
    assert git(directory, "show", f"{oid}:env/web.yaml") == b"image: web:0\r\n\0"
    assert show(directory, "rev-parse", f"{oid}^").strip() == draft.parent


async def test_author_date_and_trailers_are_as_given(draft: Draft, mirror: Mirror, tmp_path: Path) -> None:
    oid = await build(mirror.runner, draft)
    form = "%an <%ae> %cn <%ce> %at %ct%n%(trailers:only)"
    first, *trailers = show(tmp_path / "mirror.git", "log", "-1", f"--format={form}", oid).strip().splitlines()
    assert first == f"bot <bot@example.com> bot <bot@example.com> {int(AT.timestamp())} {int(AT.timestamp())}"
    assert trailers == ["Release-Id: web-1", "Reverts: abc Evil: yes"]


async def test_the_same_draft_is_the_same_commit(draft: Draft, mirror: Mirror) -> None:
    assert await build(mirror.runner, draft) == await build(mirror.runner, draft)
    assert await build(mirror.runner, draft) != await build(mirror.runner, replace(draft, message=Message("Another")))


async def test_no_ref_is_left_behind(draft: Draft, mirror: Mirror, tmp_path: Path) -> None:
    await build(mirror.runner, draft)
    assert show(tmp_path / "mirror.git", "for-each-ref", "--format=%(refname)").split() == ["refs/heads/main"]


async def test_modes_and_odd_names_are_kept(origin: Origin, mirror: Mirror, draft: Draft, tmp_path: Path) -> None:
    origin.commit({"env/run.sh": "a", 'env/ü "q" \\.yaml'.replace("\\", "-"): "b"})
    head = (await mirror.fetch("main")).new
    name = 'env/ü "q" -.yaml'
    oid = await build(mirror.runner, replace(draft, parent=head, files={"env/run.sh": b"A", name: b"B"}))
    assert show(tmp_path / "mirror.git", "ls-tree", oid, "env/run.sh").startswith("100755")
    assert git(tmp_path / "mirror.git", "show", f"{oid}:{name}") == b"B"


@pytest.mark.parametrize("name", ["gone.yaml", "../x", "/etc/passwd", "env", "env//web.yaml", "a/../env/web.yaml", "at.link"])
async def test_what_is_no_regular_file_is_refused(name: str, origin: Origin, mirror: Mirror, draft: Draft) -> None:
    origin.commit({"at.link": "env"})
    head = (await mirror.fetch("main")).new
    with pytest.raises(Terminal):
        await build(mirror.runner, replace(draft, parent=head, files={name: b"x"}))


async def test_a_commit_that_changes_nothing_is_refused(mirror: Mirror, draft: Draft) -> None:
    with pytest.raises(Terminal, match="change nothing"):
        await build(mirror.runner, replace(draft, files={"env/web.yaml": b"image: web:1\n"}))


async def test_a_name_cannot_end_the_header(mirror: Mirror, draft: Draft, tmp_path: Path) -> None:
    oid = await build(mirror.runner, replace(draft, author=Committer("bot>\n<evil", "a@b>\ncommit refs/heads/main")))
    assert show(tmp_path / "mirror.git", "log", "-1", "--format=%an|%ae", oid).strip() == "botevil|a@bcommit refs/heads/main"

"""A bare repository written without a worktree."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from reconciler_sandbox.githost.command import GitFailed
from reconciler_sandbox.githost.repository import Joined, MergeConflict, Outrun, Person, Repository, files_of, person

ANN = Person("Ann", "ann@example.com")


@pytest.fixture
async def repository(tmp_path: Path) -> AsyncIterator[Repository]:
    made = Repository(tmp_path / "r.git", "shop/r", "main")
    await made.create()
    await made.write("main", {"a.txt": b"one\n", "b.txt": b"one\n"}, "First", ANN)
    yield made


@pytest.mark.parametrize(("text", "expected"), [("Ann <a@b>", Person("Ann", "a@b")), ("Ann Bee", Person("Ann Bee", "ann.bee@example.com"))])
def test_a_person_has_a_name_and_an_address(text: str, expected: Person) -> None:
    assert person(text) == expected


def test_the_files_of_a_folder_leave_git_out(tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    (tmp_path / ".git" / "HEAD").write_text("x")
    (tmp_path / "a").write_text("1")
    assert files_of(tmp_path) == {"a": b"1"}


async def test_a_commit_is_what_git_shows(repository: Repository) -> None:
    sha = await repository.write("main", {"a.txt": b"two\n", "b.txt": None, 'q"\\ é.txt': b""}, "Second\n\nBody", ANN)
    newest, first = await repository.log("main")
    assert (newest.sha, newest.parents, newest.message, newest.author_name) == (sha, (first.sha,), "Second\n\nBody", "Ann")
    assert await repository.changed(sha) == {"added": ['q"\\ é.txt'], "modified": ["a.txt"], "removed": ["b.txt"]}
    assert await repository.read("main", "a.txt") == b"two\n"


async def test_a_new_branch_starts_at_the_default_branch(repository: Repository) -> None:
    sha = await repository.write("side", {"c.txt": b"c"}, "Side", ANN)
    assert await repository.contains(sha, await repository.tip("main") or "")
    assert await repository.between("main", "side") == [sha]
    assert await repository.refs() == {"refs/heads/main": await repository.tip("main"), "refs/heads/side": sha}


async def test_what_is_not_there_has_no_commit(repository: Repository) -> None:
    assert await repository.resolve("0" * 40) is None
    assert await repository.resolve("--all") is None
    assert await repository.tip("nothing") is None
    with pytest.raises(GitFailed):
        await repository.read("main", "nothing")


async def test_both_sides_are_joined_unless_they_change_the_same_lines(repository: Repository) -> None:
    left = await repository.write("left", {"a.txt": b"left\n"}, "Left", ANN)
    right = await repository.write("right", {"b.txt": b"right\n"}, "Right", ANN)
    tree = await repository.merged_tree(left, right)
    merge = await repository.commit(Joined(tree, (left, right), "Both", ANN))
    assert (await repository.read(merge, "a.txt"), await repository.read(merge, "b.txt")) == (b"left\n", b"right\n")
    clash = await repository.write("clash", {"a.txt": b"clash\n"}, "Clash", ANN)
    with pytest.raises(MergeConflict):
        await repository.merged_tree(left, clash)


async def test_a_ref_moves_only_from_where_it_was(repository: Repository) -> None:
    tip = await repository.tip("main") or ""
    side = await repository.write("side", {"c.txt": b"c"}, "Side", ANN)
    await repository.move("refs/heads/main", side, tip)
    with pytest.raises(Outrun):
        await repository.move("refs/heads/main", side, tip)
    await repository.remove("refs/heads/side")
    assert await repository.tip("side") is None

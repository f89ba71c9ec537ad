"""git as a child process."""

import asyncio
from pathlib import Path

import pytest
from reconciler_sandbox.githost.command import GitFailed, end, git


async def test_the_output_of_git_comes_back(tmp_path: Path) -> None:
    assert (await git(tmp_path, "hash-object", "--stdin", stdin=b"")).text == "e69de29bb2d1d6434b8b29ae775ad8c2e48c5391"


async def test_an_unexpected_exit_code_says_where_and_why(tmp_path: Path) -> None:
    with pytest.raises(GitFailed, match=r"git rev-parse in .* ended with 128"):
        await git(tmp_path, "rev-parse", "HEAD")
    assert (await git(tmp_path, "rev-parse", "HEAD", expected=(128,))).code == 128


async def test_no_configuration_of_the_person_leaks_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_AUTHOR_NAME", "Person")
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / ".gitconfig").write_text("[user]\nname = Person\n")
    assert (await git(tmp_path, "config", "user.name", expected=(1,))).text == ""


async def test_a_child_that_still_runs_is_ended() -> None:
    child = await asyncio.create_subprocess_exec("cat", stdin=asyncio.subprocess.PIPE, start_new_session=True)
    await end(child)
    await end(child)
    assert child.returncode == -9

"""Our clone of a repository: one branch at a time, rewritten history noticed, damage repaired by making it again."""

import asyncio
import contextlib
import os
from pathlib import Path

import pytest

from reconciler.git.environment import remote_of
from reconciler.git.errors import BranchGone, RepositoryGone, Unreachable
from reconciler.git.mirror import Mirror
from reconciler.kernel.errors import Transient
from tests.kit.repositories import Origin, git
from tests.kit.smarthttp import Host


async def test_a_branch_is_brought_here_and_followed(origin: Origin, mirror: Mirror) -> None:
    first = await mirror.fetch("main")
    assert (first.old, first.new, first.rewritten, first.moved) == (None, origin.head(), False, True)
    new = origin.commit({"env/web.yaml": "image: web:2\n"})
    second = await mirror.fetch("main")
    assert (second.old, second.new, second.rewritten) == (first.new, new, False)
    assert not (await mirror.fetch("main")).moved


async def test_what_another_source_has_brought_is_not_asked_for_again(origin: Origin, mirror: Mirror) -> None:
    first = origin.head() or ""
    assert (await mirror.fetch("main", first)).moved, "nothing is here yet"
    second = origin.commit({"env/web.yaml": "image: web:2\n"})
    assert (await mirror.fetch("main", second)).new == second
    origin.path.rename(origin.path.with_name("away.git"))
    again = await mirror.fetch("main", second)
    assert (again.old, again.new, again.moved, again.rewritten) == (second, second, False, False)
    with pytest.raises(RepositoryGone):
        await mirror.fetch("main", first)


async def test_over_http_it_is_the_same(origin: Origin, host: Host, tmp_path: Path, home: Path) -> None:
    with contextlib.closing(Mirror(tmp_path / "m", remote_of(host.url("shop.git")), home)) as mirror:
        assert (await mirror.fetch("main")).new == origin.head()


async def test_rewritten_history_is_noticed_and_the_old_commit_stays_readable(origin: Origin, mirror: Mirror) -> None:
    old = (await mirror.fetch("main")).new
    new = origin.rewrite({"env/web.yaml": "image: web:9\n"})
    fetched = await mirror.fetch("main")
    assert (fetched.old, fetched.new, fetched.rewritten) == (old, new, True)
    await mirror.clean()
    assert await mirror.has(old)


async def test_tags_and_other_branches_stay_where_they_are(origin: Origin, mirror: Mirror, tmp_path: Path) -> None:
    origin.commit({"a": "b"}, branch="other")
    git(origin.path, "tag", "v1", "main")
    await mirror.fetch("main")
    assert git(tmp_path / "mirror.git", "for-each-ref", "--format=%(refname)").decode().split() == ["refs/heads/main"]


async def test_a_branch_that_is_gone_is_said_so(origin: Origin, mirror: Mirror) -> None:
    await mirror.fetch("main")
    origin.remove("main")
    with pytest.raises(BranchGone, match="nothing is applied or pruned"):
        await mirror.fetch("main")


async def test_a_repository_that_is_gone_is_said_so(tmp_path: Path, home: Path, host: Host) -> None:
    with pytest.raises(RepositoryGone):
        await Mirror(tmp_path / "m", remote_of(host.url("gone.git")), home).fetch("main")
    with pytest.raises(RepositoryGone):
        await Mirror(tmp_path / "n", remote_of(f"file://{tmp_path}/gone.git"), home).fetch("main")


async def test_a_server_that_is_not_there_is_unreachable(tmp_path: Path, home: Path) -> None:
    with pytest.raises(Unreachable):
        await Mirror(tmp_path / "m", remote_of("http://127.0.0.1:1/a.git"), home).fetch("main")


@pytest.mark.parametrize("what", ["objects", "head", "ref"])
async def test_a_damaged_mirror_is_made_again(what: str, origin: Origin, mirror: Mirror, tmp_path: Path, home: Path) -> None:
    await mirror.fetch("main")
    directory = tmp_path / "mirror.git"
    if what == "objects":
        for path in directory.glob("objects/??/*"):
            path.chmod(0o600)
            path.write_bytes(b"")
    if what == "head":
        (directory / "HEAD").write_bytes(b"\0nonsense")
    if what == "ref":
        (directory / "refs/heads/main").write_bytes(b"\0" * 20)
    with contextlib.closing(Mirror(directory, remote_of(origin.url), home)) as again:
        assert (await again.fetch("main")).new == origin.head()
        assert await again.has(origin.head() or "")


async def test_what_a_killed_process_left_behind_is_removed(origin: Origin, mirror: Mirror, tmp_path: Path, home: Path) -> None:
    await mirror.fetch("main")
    directory = tmp_path / "mirror.git"
    for name in ("refs/heads/main.lock", "packed-refs.lock", "objects/pack/tmp_pack_x"):
        (directory / name).parent.mkdir(parents=True, exist_ok=True)
        (directory / name).write_bytes(b"")
    origin.commit({"a": "b"})
    with contextlib.closing(Mirror(directory, remote_of(origin.url), home)) as again:
        assert (await again.fetch("main")).new == origin.head()
    assert not (directory / "objects/pack/tmp_pack_x").exists()


async def test_a_lock_left_by_a_fetch_that_was_ended_does_not_last(origin: Origin, mirror: Mirror, tmp_path: Path) -> None:
    await mirror.fetch("main")
    lock = tmp_path / "mirror.git" / "refs/heads/main.lock"
    lock.write_bytes(b"")
    os.utime(lock, (1, 1))
    origin.commit({"a": "b"})
    with pytest.raises(Transient):
        await mirror.fetch("main")
    assert (await mirror.fetch("main")).new == origin.head()


async def test_many_fetches_at_once_take_turns(origin: Origin, mirror: Mirror) -> None:
    heads = await asyncio.gather(*(mirror.fetch("main") for _ in range(4)))
    assert {head.new for head in heads} == {origin.head()}


async def test_a_commit_that_no_branch_holds_is_kept_by_its_name(origin: Origin, mirror: Mirror) -> None:
    old = origin.head() or ""
    git(origin.path, "config", "uploadpack.allowAnySHA1InWant", "true")
    origin.rewrite({"a": "b"})
    await mirror.fetch("main")
    assert not await mirror.has(old)
    assert await mirror.keep(old)
    assert await mirror.has(old)
    assert not await mirror.keep("1" * 40)

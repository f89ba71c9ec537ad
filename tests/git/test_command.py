"""Starting git: a fixed world, an end for what hangs, and nothing left running."""

import asyncio
import os
import subprocess
from pathlib import Path

import pytest

from reconciler.git.command import GitCall, Runner, _Clean, _GitChild
from reconciler.git.environment import remote_of
from reconciler.git.errors import Damaged, Failed, Unreachable
from tests.kit.repositories import Origin, git
from tests.kit.smarthttp import Host


@pytest.fixture
def runner(origin: Origin, home: Path):
    found = Runner(origin.path, home)
    yield found
    found.close()


def children() -> set[int]:
    """The processes of our own session's descendants that run git."""
    found = set()
    for process in Path("/proc").iterdir():
        try:
            parent = int((process / "stat").read_text().rpartition(")")[2].split()[1]) if process.name.isdigit() else 0
        except (OSError, IndexError):
            continue
        if parent == os.getpid():
            found.add(int(process.name))
    return found


async def test_inherited_variables_do_not_steer_git(runner: Runner, origin: Origin, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_DIR", "/nowhere")
    monkeypatch.setenv("GIT_OBJECT_DIRECTORY", "/nowhere")
    assert await runner.git("rev-parse", "refs/heads/main") == origin.head()
    blob = git(origin.path, "--git-dir", str(origin.path), "rev-parse", "main:README.md").decode().strip()
    assert await runner.read([blob]) == [b"hello\n"]


async def test_the_users_configuration_does_not_count(runner: Runner, home: Path) -> None:
    (home / ".gitconfig").write_text("[user]\n\tname = Somebody\n")
    assert (await runner.run(GitCall(("config", "user.name")))).status == 1


async def test_blobs_are_read_by_one_held_process(runner: Runner, origin: Origin) -> None:
    blobs = (await runner.git("ls-tree", "-r", "--format=%(objectname)", "main")).split()
    assert await runner.read(blobs) == [b"hello\n", b"image: web:1\n"]
    running = children()
    await runner.read(blobs)
    assert children() == running
    origin.commit({"new.yaml": b"a\0b\n"})
    new = await runner.git("rev-parse", "main:new.yaml")
    assert await runner.read([new]) == [b"a\0b\n"]


async def test_a_name_is_looked_up_without_a_new_process_also_after_it_moved(runner: Runner, origin: Origin) -> None:
    (first,) = await runner.look(["refs/heads/main^{commit}"])
    running = children()
    moved = origin.commit({"new.yaml": "a"})
    commit, folder = await runner.look(["refs/heads/main^{commit}", f"{moved}:env"])
    assert (first.type, commit.oid, folder.type) == ("commit", moved, "tree")
    git(origin.path, "gc", "--quiet", "--prune=now")
    assert [found.oid for found in await runner.look(["refs/heads/main^{commit}"])] == [moved]
    assert children() == running
    with pytest.raises(Damaged):
        await runner.look([f"{moved}:no such folder missing"])


async def test_an_object_that_is_not_there_is_damage_and_the_next_read_works(runner: Runner) -> None:
    with pytest.raises(Damaged):
        await runner.read(["0" * 39 + "1"])
    blob = await runner.git("rev-parse", "main:README.md")
    assert await runner.read([blob]) == [b"hello\n"]


async def test_a_failure_says_what_failed(runner: Runner) -> None:
    with pytest.raises(Failed, match="git rev-parse"):
        await runner.output(GitCall(("rev-parse", "--verify", "nothing")))


async def test_a_server_that_never_answers_has_an_end(home: Path, host: Host) -> None:
    host.stalling = True
    runner, remote, before = Runner(home, home), remote_of(host.url("shop.git")), children()
    with pytest.raises(Unreachable, match=r"no answer in 0\.5 s"):
        await runner.run(GitCall(("ls-remote", "--", remote.url), remote=remote, seconds=0.5))
    assert children() <= before


async def test_a_cancelled_call_leaves_nothing_running(home: Path, host: Host) -> None:
    host.stalling = True
    runner, remote, before = Runner(home, home), remote_of(host.url("shop.git")), children()
    calling = asyncio.create_task(runner.run(GitCall(("ls-remote", "--", remote.url), remote=remote)))
    async with asyncio.timeout(20):
        await asyncio.to_thread(host.stalled.wait)
    calling.cancel()
    with pytest.raises(asyncio.CancelledError):
        await calling
    assert children() <= before


class Reaped:
    """A process as it looks between its end, seen by the thread that waits for it, and the next look of another thread."""

    def __init__(self) -> None:
        child = subprocess.Popen(["true"], start_new_session=True)
        child.wait()
        self.pid = child.pid

    def poll(self) -> None:
        return None


def test_ending_a_job_whose_process_is_gone_already_is_no_error(home: Path) -> None:
    job = _GitChild(_Clean(str(home)), GitCall(("version",)))
    job._process = Reaped()  # type: ignore[assignment]
    job.end()
    assert job._ended


async def test_only_the_transport_of_the_remote_is_allowed(home: Path, origin: Origin) -> None:
    runner = Runner(home, home)
    assert (await runner.run(GitCall(("ls-remote", "--", origin.url)))).status != 0
    assert (await runner.run(GitCall(("ls-remote", "--", origin.url), remote=remote_of("https://h/a")))).status != 0
    assert (await runner.run(GitCall(("ls-remote", "--", origin.url), remote=remote_of(origin.url)))).status == 0

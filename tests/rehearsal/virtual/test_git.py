"""One suite over git itself and its stand-in in memory: what the daemon does with a repository ends the same with both."""

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

import httpx
import pytest
from reconciler_sandbox.rehearsal.virtual.git import MemoryRunner
from reconciler_sandbox.rehearsal.virtual.objects import ObjectStore
from reconciler_sandbox.rehearsal.virtual.remote import MemoryRemote, PushAnswer

from reconciler.git.commit import Draft, Message, build
from reconciler.git.environment import remote_of
from reconciler.git.errors import BranchGone
from reconciler.git.history import commit_facts
from reconciler.git.mirror import Mirror
from reconciler.git.objects import Committer
from reconciler.git.proposals import ProposalBranches
from reconciler.git.push import AlreadyThere, Pushed, Pusher, PushRefused, Refusal
from reconciler.git.refs import RemoteRefs
from reconciler.git.tree import snapshot, with_files
from reconciler.kernel.errors import Terminal
from reconciler.renderers.registry import renderer
from reconciler.sources.follow import GitSource
from reconciler.sources.renderer import RenderOptions
from tests.kit.desk import SETTINGS
from tests.kit.repositories import ANN, Origin

AT = datetime(2026, 3, 1, 12, tzinfo=UTC)
FILES: Mapping[str, bytes | None] = {"env/web.yaml": b"image: web:1\n", "env/inner/more.yaml": b"kind: List\n", "README.md": b"hello\n"}


class Server(Protocol):
    """The other side: what people and rules do there."""

    def commit(self, files: Mapping[str, bytes | None], message: str) -> str: ...

    def rewrite(self, files: Mapping[str, bytes | None], message: str) -> str: ...

    def head(self, branch: str = "main") -> str | None: ...

    def read(self, name: str, branch: str = "main") -> bytes | None: ...

    def refuse(self, words: str) -> None: ...

    def remove(self, branch: str) -> None: ...


class RealServer:
    def __init__(self, origin: Origin) -> None:
        self._origin = origin
        self.head, self.read, self.refuse, self.remove = origin.head, origin.read, origin.refuse, origin.remove

    def commit(self, files: Mapping[str, bytes | None], message: str) -> str:
        return self._origin.commit(files, message)

    def rewrite(self, files: Mapping[str, bytes | None], message: str) -> str:
        return self._origin.rewrite(files, message)


class MemoryServer:
    def __init__(self, remote: MemoryRemote) -> None:
        self._remote = remote
        self.head, self.read = remote.head, remote.read

    def commit(self, files: Mapping[str, bytes | None], message: str) -> str:
        return self._remote.commit(files, message, at=ANN.at, person=f"{ANN.name} <{ANN.email}>")

    def rewrite(self, files: Mapping[str, bytes | None], message: str) -> str:
        return self._remote.rewrite(files, message, at=ANN.at, person=f"{ANN.name} <{ANN.email}>")

    def refuse(self, words: str) -> None:
        self._remote.judge = lambda _ref, _commit: PushAnswer("!", "[remote rejected] (pre-receive hook declined)", words)

    def remove(self, branch: str) -> None:
        del self._remote.store.refs[f"refs/heads/{branch}"]


@dataclass(frozen=True)
class Pair:
    """Both sides of one repository."""

    server: Server
    mirror: Mirror
    refs: RemoteRefs

    @property
    def pusher(self) -> Pusher:
        return Pusher(self.mirror.runner, self.mirror.remote, self.refs, lambda: None)

    async def draft(self, content: bytes, name: str = "env/web.yaml") -> Draft:
        head = (await self.mirror.fetch("main")).new
        message = Message("Restore web", "It failed.", {"Reconciler-Release": "shop/web-1"})
        return Draft(parent=head, files={name: content}, message=message, author=Committer(), time=AT)

    async def build(self, content: bytes) -> str:
        return await build(self.mirror.runner, await self.draft(content))


@pytest.fixture(params=["git", "memory"])
async def pair(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Pair]:
    home = tmp_path / "home"
    server: Server
    if request.param == "git":
        origin = Origin(tmp_path / "origin.git")
        server, mirror = RealServer(origin), Mirror(tmp_path / "mirror", remote_of(origin.url), home)
    else:
        url, remote, objects = "file:///memory", MemoryRemote(), ObjectStore()
        server = MemoryServer(remote)
        runners = lambda directory, _home: MemoryRunner(directory, objects, {url: remote})  # noqa: E731
        mirror = Mirror(tmp_path / "mirror", remote_of(url), home, runners=runners)
    async with httpx.AsyncClient(trust_env=False) as http:
        yield Pair(server, mirror, RemoteRefs(http, mirror.runner))
    mirror.close()


async def test_the_same_commits_have_the_same_names_as_in_git(tmp_path: Path) -> None:
    servers = (RealServer(Origin(tmp_path / "origin.git")), MemoryServer(MemoryRemote()))
    changes: tuple[Mapping[str, bytes | None], ...] = (
        FILES,
        {"env/web.yaml": b"2\n", "README.md": None},
        {"env/a/b/c.yaml": b"", "env-x": b"1"},
    )
    real, memory = ([server.commit(change, "words\n\nbody") for change in changes] for server in servers)
    assert real == memory


async def test_a_branch_is_brought_here_with_its_files(pair: Pair) -> None:
    first = pair.server.commit(FILES, "first")
    assert (await pair.mirror.fetch("main")).new == first == await pair.refs.head_of(pair.mirror.remote, "main")
    found = await snapshot(pair.mirror.runner, first, "env")
    assert dict(found.files) == {"env/web.yaml": b"image: web:1\n", "env/inner/more.yaml": b"kind: List\n"}


async def test_a_moved_branch_is_read_by_its_differences(pair: Pair) -> None:
    first = pair.server.commit(FILES, "first")
    await pair.mirror.fetch("main")
    before = await snapshot(pair.mirror.runner, first, "env")
    second = pair.server.commit({"env/web.yaml": b"image: web:2\n", "env/inner/more.yaml": None, "env/new.yaml": b"a: 1\n"}, "second")
    fetched = await pair.mirror.fetch("main")
    assert (fetched.old, fetched.new, fetched.rewritten) == (first, second, False)
    after = await snapshot(pair.mirror.runner, second, "env", before)
    assert dict(after.files) == {"env/web.yaml": b"image: web:2\n", "env/new.yaml": b"a: 1\n"}
    assert after.tree_id == (await snapshot(pair.mirror.runner, second, "env")).tree_id
    facts = await commit_facts(pair.mirror.runner, second)
    assert (facts.author_name, facts.subject, facts.files) == ("Ann", "second", ("env/inner/more.yaml", "env/new.yaml", "env/web.yaml"))


async def test_a_rewritten_branch_is_noticed_and_the_old_commit_stays(pair: Pair) -> None:
    pair.server.commit(FILES, "first")
    old = (await pair.mirror.fetch("main")).new
    pair.server.rewrite(FILES, "other words")
    assert (await pair.mirror.fetch("main")).rewritten
    assert await pair.mirror.keep(old)
    assert not await pair.mirror.has("0" * 39 + "1")


async def test_a_branch_or_a_folder_that_is_gone_is_said_so(pair: Pair) -> None:
    head = pair.server.commit(FILES, "first")
    await pair.mirror.fetch("main")
    with pytest.raises(Terminal, match="no folder"):
        await snapshot(pair.mirror.runner, head, "nowhere")
    pair.server.remove("main")
    assert await pair.refs.head_of(pair.mirror.remote, "main") is None
    with pytest.raises(BranchGone):
        await pair.mirror.fetch("main")


async def test_a_commit_changes_one_file_and_is_the_same_when_built_twice(pair: Pair) -> None:
    pair.server.commit(FILES, "first")
    made = await pair.build(b"image: web:0\n")
    assert made == await pair.build(b"image: web:0\n")
    assert await pair.pusher.push("main", made) == Pushed(made)
    assert pair.server.read("env/web.yaml") == b"image: web:0\n"
    assert pair.server.read("README.md") == b"hello\n"
    facts = await commit_facts(pair.mirror.runner, made)
    assert (facts.subject, facts.trailers, facts.files) == ("Restore web", {"Reconciler-Release": "shop/web-1"}, ("env/web.yaml",))
    with pytest.raises(Terminal, match="nothing"):
        await pair.build(b"image: web:0\n")
    with pytest.raises(Terminal, match="no regular file"):
        await build(pair.mirror.runner, await pair.draft(b"a", "env/absent.yaml"))


async def test_a_push_on_a_branch_that_moved_is_refused_and_twice_the_same_is_already_there(pair: Pair) -> None:
    pair.server.commit(FILES, "first")
    late = await pair.build(b"image: web:0\n")
    pair.server.commit({"README.md": b"faster\n"}, "faster")
    outcome = await pair.pusher.push("main", late)
    assert isinstance(outcome, PushRefused)
    assert outcome.kind is Refusal.MOVED
    made = await pair.build(b"image: web:0\n")
    assert await pair.pusher.push("main", made) == Pushed(made)
    assert await pair.pusher.push("main", made) == AlreadyThere(made)


async def test_what_a_rule_declines_keeps_its_words(pair: Pair) -> None:
    pair.server.commit(FILES, "first")
    made = await pair.build(b"image: web:0\n")
    pair.server.refuse("only on Mondays")
    outcome = await pair.pusher.push("main", made)
    assert isinstance(outcome, PushRefused)
    assert (outcome.kind, outcome.said) == (Refusal.HOOK, "only on Mondays")
    assert pair.server.head() != made


async def test_a_proposal_gets_a_branch_and_is_found_again(pair: Pair) -> None:
    pair.server.commit(FILES, "first")
    branches = ProposalBranches(pair.mirror, pair.refs, pair.pusher)
    draft = await pair.draft(b"image: web:0\n")
    placed = await branches.place("restore/web", draft, ())
    assert placed is not None
    assert pair.server.head("restore/web") == placed.oid
    again = await branches.place("restore/web", await pair.draft(b"image: web:0\n"), (placed.oid,))
    assert again is not None
    assert (again.oid, again.outcome) == (placed.oid, AlreadyThere(placed.oid))
    pair.server.commit({"README.md": b"more\n"}, "the branch goes on")
    third = await branches.place("restore/web", await pair.draft(b"image: web:00\n"), (placed.oid,))
    assert third is not None
    assert (third.branch, third.oid) == ("restore/web", pair.server.head("restore/web"))


async def test_a_source_knows_its_tip_its_past_and_who_wrote_a_file(pair: Pair) -> None:
    first = pair.server.commit(FILES, "first")
    settings = replace(SETTINGS, repository=pair.mirror.remote.url, path="env", branch="main")
    source = GitSource(settings, pair.mirror, pair.refs, renderer("plain", RenderOptions(path="env", namespace="", exclude=())), {})
    assert (await source.tip()).sha == first
    second = pair.server.commit({"README.md": b"other\n"}, "second")
    assert (await source.latest()).sha == first
    source.expect_news()
    assert (await source.latest()).sha == second
    assert (await source.parsed_at(first)) is not None
    assert (await source.parsed_at("0" * 39 + "1")) is None
    assert (await source.origin(["env/web.yaml"], second)).sha == first
    assert await source.mirror.runner.git("log", "--format=%H", "--grep=^sec", "-1", f"{first}..{second}") == second


async def test_files_by_name_and_whole_folders_are_had_beside_those_of_a_source(pair: Pair) -> None:
    commit = pair.server.commit(
        {**FILES, "env-x/no.yaml": b"", "chart/Chart.yaml": b"name: a\n", "chart/templates/_a.tpl": b"{{\n"}, "files"
    )
    await pair.mirror.fetch("main")
    known = await snapshot(pair.mirror.runner, commit, "env")
    more = await with_files(pair.mirror.runner, known, ("chart/", "README.md", "chart", "nothing", "nowhere/"))
    assert sorted(set(more.files) - set(known.files)) == ["README.md", "chart/Chart.yaml", "chart/templates/_a.tpl"]
    assert more.absent == {"chart/", "chart", "nothing", "nowhere/"}
    everything = await with_files(pair.mirror.runner, known, ("./",))
    assert "env-x/no.yaml" in everything.files

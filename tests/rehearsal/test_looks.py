"""Looks at a stage: objects, pods, Git, pull requests, users."""

from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest
from reconciler_sandbox.githost.records import Comment, Status
from reconciler_sandbox.node.behaviour import Behaviour
from reconciler_sandbox.rehearsal.compare import Comparison
from reconciler_sandbox.rehearsal.fittings import REPOSITORY
from reconciler_sandbox.rehearsal.looks import excerpt, look, looks_once
from reconciler_sandbox.rehearsal.parse_fields import KINDS
from reconciler_sandbox.rehearsal.stage import Stage
from reconciler_sandbox.rehearsal.story import (
    CommitNote,
    Commits,
    Edit,
    Flow,
    GitFile,
    ObjectField,
    ObjectName,
    PullNote,
    PullRequest,
    Push,
    Replicas,
    Share,
    Subject,
    Tagged,
    Users,
)

from tests.kit.rehearsal import CONFIG_MAPS, FILE, IMAGE, config_map, field_of, stage, web_objects
from tests.kit.wait import until

CONFIG = "ConfigMap"


async def observed(built: Stage, subject: Subject, *, held: bool) -> str:
    sight = await look(built, subject)
    assert sight.held is held, sight
    return sight.observed


async def test_a_field_of_an_object_is_seen(tmp_path: Path) -> None:
    async with stage(tmp_path) as built:
        await built.api.create(CONFIG_MAPS, dict(config_map("one", colour="red")))
        assert await observed(built, field_of(CONFIG, "one", "data.colour", equals="red"), held=True) == "red"
        assert await observed(built, field_of(CONFIG, "one", "data.shape", equals="red"), held=False) == "nothing there"
        assert await observed(built, field_of(CONFIG, "two", "data.colour", equals="red"), held=False) == "nothing there"


async def test_among_several_objects_fields_choose(tmp_path: Path) -> None:
    async with stage(tmp_path) as built:
        for name, colour in (("a-1", "red"), ("a-2", "blue"), ("b-1", "red")):
            await built.api.create(CONFIG_MAPS, dict(config_map(name, colour=colour)))
        target = ObjectName(KINDS[CONFIG], "shop", "a-*")
        chosen = ObjectField(target=target, path="metadata.name", where={"data.colour": "red"}, comparison=Comparison({"equals": "a-1"}))
        assert await observed(built, chosen, held=True) == "a-1"


class Moving:
    """Stands for a stage whose weights move while requests are made: after so many of them every one reaches version 2."""

    def __init__(self, after: int) -> None:
        self.recorder = SimpleNamespace(weights=[])
        self.mesh = self.users = self
        self._left = after

    async def settled(self) -> None:
        """At once."""

    async def burst(self, _traffic: str, count: int) -> list[SimpleNamespace]:
        old = max(0, min(count, self._left))
        self._left -= count
        if self._left < -LATE_BY:
            self.recorder.weights.append(SimpleNamespace(route="shop/web:primary"))
        return [SimpleNamespace(failed=False, version=version) for version, of in (("1", old), ("2", count - old)) for _ in range(of)]


LATE_BY = 150
"""Requests that are made before the recorder sees that the weights have moved."""


@pytest.mark.parametrize(
    "after, held, words", [(5000, True, "2,000 (100.0 %)"), (900, True, "900 (100.0 %); the weights moved on"), (250, False, "moved")]
)
async def test_requests_after_the_weights_have_moved_say_nothing_of_those_before(after: int, held: bool, words: str) -> None:
    wanted = Share(traffic="web", parts={"1": 1.0}, requests=2000)
    assert words in await observed(cast(Stage, Moving(after)), wanted, held=held)


async def test_weights_of_another_workload_are_no_reason_to_stop() -> None:
    at = Moving(300)
    at.recorder.weights = _Elsewhere()
    wanted = Share(traffic="web", parts={"1": 1.0}, requests=2000)
    assert "300 (15.0 %)" in await observed(cast(Stage, at), wanted, held=False)


class _Elsewhere(list[SimpleNamespace]):
    """Weights that are told of another route."""

    def append(self, _weights: SimpleNamespace) -> None:
        super().append(SimpleNamespace(route="shop/api:primary"))


async def test_a_share_that_is_not_as_asked_is_a_miss_also_where_the_weights_move() -> None:
    assert "moved on" in await observed(cast(Stage, Moving(900)), Share(traffic="web", parts={"2": 1.0}, requests=2000), held=False)


async def test_pods_and_users_are_real(tmp_path: Path) -> None:
    async with stage(tmp_path, {f"{IMAGE}:1.0": Behaviour("1.0")}) as built:
        for place, manifest in web_objects():
            await built.api.create(place, dict(manifest))
        ready = Replicas(f"{IMAGE}:1.0", Comparison({"equals": 1}))

        async def is_ready() -> bool:
            return (await look(built, ready)).held

        await until(is_ready)
        await built.users.change({"web": Flow(host="web.example.com", rate=0)})
        assert await observed(built, Share("web", {"1.0": 1.0}, requests=100), held=True) == "1.0: 100 (100.0 %)"
        assert await observed(built, Share("web", {"1.1": 1.0}, requests=100), held=False) == "1.0: 100 (100.0 %)"
        testers = {"x-release-tester": "ann"}
        await observed(built, Tagged(traffic="web", headers=testers, version="1.0", without="1.0"), held=True)
        other = Tagged(traffic="web", headers=testers, version="1.1", without="1.0")
        assert (await observed(built, other, held=False)).startswith("with 1.0")
        assert await observed(built, Users(traffic="web", version="1.0", comparison=Comparison({"atLeast": 200})), held=True)
        assert await observed(built, Users(traffic="web", failed=True, comparison=Comparison({"equals": 0})), held=True) == "0 of 220"


async def test_git_is_read_at_the_tip(tmp_path: Path) -> None:
    async with stage(tmp_path) as built:
        await built.people.push(Push(message="web 1.1\n\nbecause", edits=(Edit(file=FILE, replace={":1.0": ":1.1"}),)))
        assert ":1.1" in await observed(built, GitFile(file=FILE, comparison=Comparison({"contains": "shop/web:1.1"})), held=True)
        assert await observed(built, GitFile(file="no.yaml", comparison=Comparison({}, absent=True)), held=True) == "nothing there"
        assert await observed(built, GitFile(file="no.yaml", comparison=Comparison({"contains": "x"})), held=False) == "nothing there"
        assert (await observed(built, Commits(matching="^because", count=1), held=True)).endswith("web 1.1")
        await observed(built, Commits(matching="web", count=2), held=False)


async def test_a_pull_request_is_asked_what_it_was_told(tmp_path: Path) -> None:
    async with stage(tmp_path) as built:
        edit = Edit(file=FILE, replace={":1.0": ":1.1"})
        await built.people.push(Push(message="web 1.1", edits=(edit,), branch="b", pull=PullRequest("web 1.1")))
        note = PullNote(title="web 1.1", comments=1, text=Comparison({"contains": "proven"}), status="success")
        assert (await observed(built, note, held=False)).startswith("0 comments; no status")
        tell(built, "<!-- m -->\nproven", "success")
        assert await observed(built, note, held=True) == "1 comment; success (well done); proven"
        await observed(built, PullNote(title="web 1.1", comments=2), held=False)
        assert await observed(built, PullNote(title="other", comments=0), held=False) == "no such pull request"


async def test_a_commit_is_asked_what_it_was_told(tmp_path: Path) -> None:
    async with stage(tmp_path) as built:
        await built.people.push(Push(message="web 1.2", edits=(Edit(file=FILE, replace={":1.0": ":1.2"}),)))
        tell(built, "", "failure", sha=(await built.host.log(REPOSITORY))[0].sha)
        await observed(built, CommitNote(subject="web 1.2", status="failure", text=Comparison({"contains": "well"})), held=True)
        await observed(built, CommitNote(subject="web 1.2", status="success"), held=False)
        assert await observed(built, CommitNote(subject="other", status="success"), held=False) == "no such commit"


def tell(built: Stage, comment: str, state: str, sha: str = "") -> None:
    """As the forge's REST API would note it."""
    book = built.host._repositories[REPOSITORY].book
    if comment:
        book.comments[1] = Comment(id=1, number=1, author="bot", body=comment)
    place = sha or book.pulls[1].head_sha
    book.statuses[place] = [Status(id=2, sha=place, state=state, context="c", description="well done", target_url="", author="bot")]


@pytest.mark.parametrize(
    ("wanted", "seen"), [(["shop/web:1.1"], "image: shop/web:1.0"), (["cat"], "a file of 2 lines"), ([], "a file of 2 lines")]
)
def test_of_a_file_the_lines_that_matter_are_shown(wanted: list[str], seen: str) -> None:
    assert excerpt("name: x\nimage: shop/web:1.0\n", wanted) == seen


def test_only_bursts_are_looked_at_once() -> None:
    assert looks_once(Share("web", {"1": 1.0})) and not looks_once(Commits(matching="x", count=1))

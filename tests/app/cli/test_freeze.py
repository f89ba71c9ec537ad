"""The brake from a laptop."""

import pytest
from reconciler_sandbox.client import Answer, Call

from reconciler.kernel.frozen import FREEZE, FROZEN_BY, Frozen, frozen_in
from reconciler.kernel.identity import ObjectRef, annotations_of
from reconciler.kernel.resources import NAMESPACES
from reconciler.kube.client import Client
from tests.kit.shell import Shell


async def scope(client: Client) -> str | None:
    return annotations_of(await client.get(NAMESPACES, "", "reconciler")).get(FREEZE)


@pytest.mark.parametrize(
    ("flags", "word"), [((), "all"), (("--git",), "git"), (("--cluster",), "cluster"), (("--git", "--cluster"), "all")]
)
def test_a_freeze_says_what_it_stops(sh: Shell, flags: tuple[str, ...], word: str) -> None:
    ended = sh("freeze", *flags)
    assert (ended.code, ended.output) == (0, f"frozen: {word}; let it go on with: reconciler unfreeze\n")
    assert sh.ask(scope) == word


def test_unfreeze_takes_the_mark_away_and_may_be_repeated(sh: Shell) -> None:
    sh("freeze")
    for _ in range(2):
        assert sh("unfreeze").output == "unfrozen\n"
        assert sh.ask(scope) is None


def test_another_namespace_has_to_be_there(sh: Shell) -> None:
    ended = sh("freeze", "-n", "nowhere")
    assert ended.code == 3 and "name the daemon's own one with --namespace" in ended.errors


async def told(client: Client) -> tuple[Frozen, ...]:
    return frozen_in(await client.get(NAMESPACES, "", "reconciler"))


@pytest.mark.parametrize("halves", [("--git", "--cluster"), ("--cluster", "--git")])
def test_freezing_one_half_does_not_lift_the_other(sh: Shell, halves: tuple[str, str]) -> None:
    for half in halves:
        sh("freeze", half)
    assert sh.ask(scope) == "all"
    assert sh("freeze", "--git").output.startswith("frozen: all;")
    assert sh("unfreeze", halves[0]).output.startswith(f"still frozen: {halves[1].strip('-')};")
    assert sh.ask(scope) == halves[1].strip("-")
    assert sh("unfreeze", halves[1]).output == "unfrozen\n"
    assert sh.ask(told) == ()


@pytest.mark.parametrize(("word", "left"), [("git", "git"), ("cluster", "all"), ("all", "all"), ("a word of yesterday", "all")])
def test_what_an_older_version_wrote_is_read(sh: Shell, word: str, left: str) -> None:
    async def by_hand(client: Client) -> None:
        await client.patch(ObjectRef(NAMESPACES, "", "reconciler"), {"metadata": {"annotations": {FREEZE: word, FROZEN_BY: "{no json"}}})

    sh.ask(by_hand)
    sh("freeze", "--git")
    assert sh.ask(scope) == left


def test_who_froze_and_when_is_told_and_kept(sh: Shell) -> None:
    sh("freeze", "--git")
    (first,) = sh.ask(told)
    assert first.by and first.since.endswith("Z")
    sh("freeze")
    assert first in sh.ask(told)


def test_two_people_who_freeze_one_half_each_freeze_both(sh: Shell) -> None:
    """The other one writes between our read and our write."""
    crossed: list[str] = []

    async def cross(call: Call) -> Answer | None:
        if call.method == "PATCH" and not crossed:
            crossed.append(call.path)
            await sh.cluster.client.patch(ObjectRef(NAMESPACES, "", "reconciler"), {"metadata": {"annotations": {FREEZE: "git"}}})
        return None

    sh.cluster.server.faults = cross
    sh("freeze", "--cluster")
    assert crossed and sh.ask(scope) == "all"


def test_a_namespace_without_a_daemon_is_said(sh: Shell) -> None:
    assert "no daemon has held its lease in namespace shop" in sh("freeze", "-n", "shop").errors

"""The brake from a laptop."""

import pytest

from reconciler.kernel.identity import annotations_of
from reconciler.kernel.resources import NAMESPACES
from reconciler.kube.client import Client
from reconciler.runtime.freeze import FREEZE
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

"""What a person froze, as a Namespace carries it."""

import pytest

from reconciler.kernel.frozen import FREEZE, FROZEN_BY, Frozen, frozen_in, render_told, scopes_of, word_of
from reconciler.kernel.identity import Manifest


def namespace(word: str, told: str) -> Manifest:
    return {"metadata": {"name": "reconciler", "annotations": {FREEZE: word, FROZEN_BY: told}}}


@pytest.mark.parametrize(
    ("scopes", "word"), [((), None), (("git",), "git"), (("cluster",), "cluster"), (("git", "git"), "git"), (("git", "cluster"), "all")]
)
def test_one_half_has_its_own_word_and_both_are_all(scopes: tuple[str, ...], word: str | None) -> None:
    assert word_of(scopes) == word
    assert scopes_of(word or "") == frozenset(scopes)


def test_a_word_that_nobody_knows_freezes_both_halves() -> None:
    assert scopes_of("everything") == {"cluster", "git"}


def test_who_froze_which_half_is_read_as_it_was_written() -> None:
    frozen = (Frozen("cluster", "reconciler", "ann", "2030-01-01T00:00:00Z"), Frozen("git", "reconciler", "bob", "2030-01-02T00:00:00Z"))
    told = render_told(frozen)
    assert told is not None
    assert frozen_in(namespace("all", told)) == frozen


def test_nothing_is_told_of_nothing_frozen() -> None:
    assert render_told(()) is None
    assert frozen_in(namespace("", "")) == frozen_in(None) == ()


@pytest.mark.parametrize(
    "told",
    [
        "",
        "{",
        "[1]",
        '"git"',
        '{"git": "ann"}',
        '{"git": {"by": null, "since": null}}',
        '{"git": {}}',
        pytest.param("[" * 50_000, id="endless"),
    ],
)
def test_the_word_alone_freezes_however_the_telling_is_broken(told: str) -> None:
    assert frozen_in(namespace("git", told)) == (Frozen("git", "reconciler"),)

"""`reconciler replay`: the passes of a journal planned again by the code of today, with what comes out differently."""

from pathlib import Path

import orjson
import pytest
from reconciler_sandbox.rehearsal.hunt.play import play
from reconciler_sandbox.rehearsal.hunt.plots import SECRET
from reconciler_sandbox.rehearsal.hunt.tale import tale_of

from reconciler.app.cli.main import run
from reconciler.app.cli.offline.replay import planned_again
from reconciler.runtime.journal import FileJournal, entries


@pytest.fixture(scope="module")
def journal(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the daemons of one tale decided."""
    path = tmp_path_factory.mktemp("journal") / "tale.jsonl"
    kept = FileJournal(path, 1 << 30)
    assert play(tale_of(4), kept).wrong == []
    kept.close()
    return path


def edited(journal: Path, place: Path, old: bytes, new: bytes) -> Path:
    content = journal.read_bytes()
    assert old in content
    place.write_bytes(content.replace(old, new))
    return place


def test_the_same_code_decides_every_pass_of_a_tale_as_it_was_decided(journal: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["replay", str(journal)]) == 0
    said = capsys.readouterr().out
    assert "0 differ, 0 cannot be" in said
    assert {entry.kind for entry in entries(journal)} == {"rollout", "release", "source"}
    assert len(list(entries(journal))) > 50


def test_a_journal_holds_no_secret(journal: Path) -> None:
    assert SECRET.encode() not in journal.read_bytes()


def test_what_comes_out_differently_is_shown_by_its_place(journal: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    other = tmp_path / "j"
    lines = journal.read_bytes().splitlines(keepends=True)
    place = next(number for number, line in enumerate(lines) if b'"kind":"rollout"' in line)
    entry = orjson.loads(lines[place])
    entry["decided"]["fields"]["failure"] = "something else"
    other.write_bytes(b"".join([*lines[:place], orjson.dumps(entry) + b"\n", *lines[place + 1 :]]))
    assert run(["replay", str(other)]) == 1
    said = capsys.readouterr().out
    assert "failure: something else -> nothing" in said and "1 differ, 0 cannot be" in said


def test_facts_that_this_edition_cannot_read_are_said_and_stop_nothing(
    journal: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = edited(journal, tmp_path / "j", b"reconciler.releases.facts:ReleaseFacts", b"reconciler.releases.facts:FormerFacts")
    assert run(["replay", str(other), "--kind", "release"]) == 1
    said = capsys.readouterr().out
    assert "FormerFacts is no class of this edition" in said and " 0 the same" in said
    assert run(["replay", str(other), "--kind", "rollout"]) == 0


def test_only_what_is_asked_for_is_planned_again(journal: Path) -> None:
    assert {one.about for one in planned_again([journal], about="shop/web")} == {"shop/web"}
    assert {one.kind for one in planned_again([journal], kind="source")} == {"source"}


@pytest.mark.parametrize(("words", "said"), [(["none.jsonl"], "cannot be read"), (["--kind", "plan", "x"], "there is no such pass")])
def test_what_cannot_be_replayed_is_refused_in_words(words: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["replay", *words]) == 3
    assert said in capsys.readouterr().err

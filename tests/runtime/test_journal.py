"""The journal of a daemon: bounded, private, silent about what it cannot do but once, and readable to the last whole line."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from reconciler.kernel.errors import Terminal
from reconciler.runtime.journal import FileJournal, Silence, entries

NOW = datetime(2026, 1, 5, 9, tzinfo=UTC)


def kept(path: Path, *passes: tuple[str, object], size: int = 1 << 20) -> None:
    journal = FileJournal(path, size)
    for number, (about, facts) in enumerate(passes):
        journal.keep("rollout", about, (facts, NOW + timedelta(seconds=number)), {"weight": facts})
    journal.close()


def test_a_pass_is_kept_with_what_it_was_given_and_what_it_decided(tmp_path: Path) -> None:
    kept(tmp_path / "j", ("shop/web", 1))
    [entry] = entries(tmp_path / "j")
    assert (entry.kind, entry.about, entry.at, entry.decided) == ("rollout", "shop/web", "2026-01-05T09:00:00Z", {"weight": 1})
    assert entry.arguments() == [1, NOW]


def test_a_pass_that_knew_and_decided_the_same_is_kept_once(tmp_path: Path) -> None:
    kept(tmp_path / "j", ("shop/web", 1), ("shop/web", 1), ("shop/api", 1), ("shop/web", 2), ("shop/web", 1))
    assert [(entry.about, entry.given[0]) for entry in entries(tmp_path / "j")] == [
        ("shop/web", 1),
        ("shop/api", 1),
        ("shop/web", 2),
        ("shop/web", 1),
    ]


def test_both_files_together_never_have_more_than_their_size_and_end_with_the_newest(tmp_path: Path) -> None:
    kept(tmp_path / "j", *(("shop/web", f"{number} {'x' * 300}") for number in range(200)), size=20_000)
    files = [tmp_path / "j.1", tmp_path / "j"]
    assert sum(file.stat().st_size for file in files) <= 20_000
    numbers = [int(entry.given[0].split()[0]) for file in files for entry in entries(file)]
    assert numbers == list(range(numbers[0], 200)) and len(numbers) > 10


def test_what_an_earlier_daemon_kept_stays_until_half_of_the_size_is_full(tmp_path: Path) -> None:
    kept(tmp_path / "j", ("shop/web", 1))
    kept(tmp_path / "j", ("shop/web", 2))
    assert [entry.given[0] for name in ("j.1", "j") for entry in entries(tmp_path / name)] == [1, 2]


def test_nobody_else_can_read_it(tmp_path: Path) -> None:
    kept(tmp_path / "j", ("shop/web", 1))
    assert (tmp_path / "j").stat().st_mode & 0o077 == 0


def test_what_cannot_be_kept_is_said_once_and_costs_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with capture_logs() as logs:
        kept(tmp_path / "file" / "j", ("shop/web", 1), ("shop/web", 2))
        kept(tmp_path / "j", ("shop/web", object()), ("shop/web", 1))
    assert [log["event"] for log in logs] == ["journal: a pass is not kept"] * 2
    assert [entry.given[0] for entry in entries(tmp_path / "j")] == [1]


def test_the_last_line_may_be_cut_off(tmp_path: Path) -> None:
    kept(tmp_path / "j", ("shop/web", 1), ("shop/web", 2))
    whole = (tmp_path / "j").read_bytes()
    (tmp_path / "j").write_bytes(whole[:-20])
    assert [entry.given[0] for entry in entries(tmp_path / "j")] == [1]


@pytest.mark.parametrize("content", ["", "{}\n", "not JSON\n", '{"journal": 99}\n', "[1]\n"])
def test_another_file_is_refused_by_name(tmp_path: Path, content: str) -> None:
    (tmp_path / "j").write_text(content)
    with pytest.raises(Terminal, match="is no journal"):
        list(entries(tmp_path / "j"))


def test_a_file_that_is_not_there_or_has_a_broken_line_is_named(tmp_path: Path) -> None:
    with pytest.raises(Terminal, match="cannot be read"):
        list(entries(tmp_path / "none"))
    (tmp_path / "j").write_text('{"journal": 1}\n{"at": ""}\n')
    with pytest.raises(Terminal, match=":2: holds no pass"):
        list(entries(tmp_path / "j"))


def test_silence_keeps_nothing(tmp_path: Path) -> None:
    Silence().keep("rollout", "shop/web", (object(),), object())
    Silence().close()
    assert not list(tmp_path.iterdir())

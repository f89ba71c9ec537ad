"""Manifest files from disk."""

from pathlib import Path

import pytest

from reconciler.app.cli.offline.files import LIMIT, manifests_at, options_of, snapshot_at
from reconciler.kernel.errors import Terminal
from tests.kit.desk import config

PLAIN = options_of("", ())


def test_folders_are_read_whole_and_only_their_manifests(tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "b.yml").write_text(config("b"))
    (tmp_path / "a.yaml").write_text(config("a"))
    (tmp_path / "notes.txt").write_text("kind: [")
    assert [located.key[2] for located in manifests_at([tmp_path], PLAIN).manifests] == ["a", "b"]


def test_a_file_that_is_named_is_read_whatever_it_is_called(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("x")
    assert dict(snapshot_at([tmp_path / "notes.txt"]).files) == {str(tmp_path / "notes.txt"): b"x"}


def test_what_cannot_be_used_is_named(tmp_path: Path) -> None:
    with pytest.raises(Terminal, match=r"absent\.yaml: cannot be read: it does not exist; name a file or folder that can"):
        manifests_at([tmp_path / "absent.yaml"], PLAIN)
    (tmp_path / "broken.yaml").write_text("kind: [")
    with pytest.raises(Terminal, match=r"broken\.yaml:\d+: not YAML"):
        manifests_at([tmp_path], PLAIN)


def test_a_file_that_is_too_large_is_not_read(tmp_path: Path) -> None:
    (tmp_path / "big.yaml").write_text("# " + "x" * LIMIT)
    with pytest.raises(Terminal, match="larger than 1 MiB"):
        snapshot_at([tmp_path])

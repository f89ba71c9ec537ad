"""Manifest files from disk."""

from pathlib import Path

import pytest

from reconciler.app.cli.files import LIMIT, contents_at, manifests_at
from reconciler.kernel.errors import Terminal
from tests.kit.desk import config


def test_folders_are_read_whole_and_only_their_manifests(tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "b.yml").write_text(config("b"))
    (tmp_path / "a.yaml").write_text(config("a"))
    (tmp_path / "notes.txt").write_text("kind: [")
    assert [located.key[2] for located in manifests_at([tmp_path]).manifests] == ["a", "b"]


def test_a_file_that_is_named_is_read_whatever_it_is_called(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("x")
    assert contents_at([tmp_path / "notes.txt"]) == {str(tmp_path / "notes.txt"): b"x"}


def test_what_cannot_be_used_is_named(tmp_path: Path) -> None:
    with pytest.raises(Terminal, match=r"absent\.yaml: cannot be read: No such file"):
        manifests_at([tmp_path / "absent.yaml"])
    (tmp_path / "broken.yaml").write_text("kind: [")
    with pytest.raises(Terminal, match=r"broken\.yaml:\d+: not YAML"):
        manifests_at([tmp_path])


def test_a_file_that_is_too_large_is_not_read(tmp_path: Path) -> None:
    (tmp_path / "big.yaml").write_text("# " + "x" * LIMIT)
    with pytest.raises(Terminal, match="larger than 1 MiB"):
        contents_at([tmp_path])

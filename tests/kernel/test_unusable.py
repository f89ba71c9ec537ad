"""What the machine says of a file, a folder or a port, in words that help."""

import errno
import os
import re
import socket
from pathlib import Path

import pytest

from reconciler.kernel.unusable import REASONS, reason_of

ROOT = Path(__file__).resolve().parents[2]
SHOWN = re.compile(r"\berror\.strerror|\{error\}|str\(error\)|type\(error\)")


def refusal(path: Path) -> str:
    with pytest.raises((OSError, UnicodeDecodeError)) as raised:
        path.read_text(encoding="utf-8")
    return reason_of(raised.value)


def test_a_file_is_missing_a_folder_or_no_text(tmp_path: Path) -> None:
    (tmp_path / "binary").write_bytes(b"\xff\xfe\x00")
    (tmp_path / "circle").symlink_to(tmp_path / "circle")
    assert refusal(tmp_path / "absent") == "it does not exist"
    assert refusal(tmp_path) == "it is a folder"
    assert refusal(tmp_path / "binary" / "below") == "it is no folder, or a part of its path is none"
    assert refusal(tmp_path / "binary") == "it is no text in UTF-8"
    assert refusal(tmp_path / "circle") == "its links lead in a circle"


def test_a_port_is_taken() -> None:
    with socket.socket() as first, socket.socket() as second:
        first.bind(("127.0.0.1", 0))
        with pytest.raises(OSError) as raised:
            second.bind(first.getsockname())
    assert reason_of(raised.value) == "another program listens there"


def test_a_refusal_that_we_do_not_know_keeps_its_own_words_and_never_its_number_or_path() -> None:
    assert reason_of(OSError(errno.EIO, os.strerror(errno.EIO), "/secret/path")) == os.strerror(errno.EIO)
    assert reason_of(OSError("odd")) == "odd"
    assert reason_of(OSError()) == "OSError"


@pytest.mark.parametrize("number", REASONS)
def test_every_reason_is_a_clause_without_number(number: int) -> None:
    assert REASONS[number][0].islower() and not re.search(r"\d|Errno|\.$", REASONS[number])


def test_nothing_shows_a_person_what_the_system_says_of_a_file() -> None:
    """Between an `except OSError` and what it raises stands `reason_of`, never the exception itself."""
    handlers = re.compile(r"except \(?[^\n]*(?:OSError|UnicodeDecodeError)[^\n]* as error:\n((?:[ ]+[^\n]*\n){1,3})")
    ours = [*(ROOT / "reconciler").rglob("*.py"), *(ROOT / "sandbox/reconciler_sandbox/rehearsal").rglob("*.py")]
    found = [
        (path, body)
        for path in ours
        for body in handlers.findall(path.read_text())
        if "raise Terminal" in body or "raise Transient" in body
    ]
    assert len(found) >= 10
    assert [path for path, body in found if SHOWN.search(body) or "reason_of(error)" not in body] == []

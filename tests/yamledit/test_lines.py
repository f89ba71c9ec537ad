"""Whole entries in and out, line by line."""

import pytest

from reconciler.yamledit.lines import Part, insert_lines, remove_lines, replace_lines
from reconciler.yamledit.splice import EditRefused


def test_an_entry_is_taken_out_with_everything_in_it() -> None:
    before = b"a: 1\nb:\n  - x: |\n      1\n\n      2\n\n# about c\nc: 3\n"
    assert remove_lines(Part(before, 0, ("b",))) == b"a: 1\n\n# about c\nc: 3\n"


def test_the_last_entry_of_a_file_without_a_final_line_end() -> None:
    assert remove_lines(Part(b"a: 1\nb: 2", 0, ("b",))) == b"a: 1\n"


@pytest.mark.parametrize(
    ("content", "path"),
    [
        (b"a: {x: 1, y: 2}\n", ("a", "x")),
        (b"a:\n  x: 1\n", ("a", "x")),
        (b"a:\n  - x: 1\n    y: 2\n", ("a", 0, "x")),
        (b"- - a\n  - b\n", (0, 0)),
        ("a: 1\u2028\nb: 2\n".encode(), ("b",)),
    ],
)
def test_an_entry_that_does_not_fill_its_lines_is_refused(content: bytes, path: tuple) -> None:
    with pytest.raises(EditRefused):
        remove_lines(Part(content, 0, path))


def test_an_entry_is_put_behind_its_old_neighbour_with_the_indentation_of_the_place() -> None:
    old = b"k:\n  a: 1\n  b:\n    - x\n  c: 3\n"
    now = b"k:\r\n      a: 1\r\n      c: 3\r\n"
    assert insert_lines(Part(old, 0, ("k", "b")), Part(now, 0, ("k",))) == b"k:\r\n      a: 1\r\n      b:\r\n        - x\r\n      c: 3\r\n"


def test_an_entry_without_a_neighbour_goes_first() -> None:
    assert insert_lines(Part(b"a: 1\nb: 2\n", 0, ("a",)), Part(b"b: 2\n", 0, ())) == b"a: 1\nb: 2\n"


def test_an_entry_is_written_as_another_version_writes_it() -> None:
    old, now = b"a: |\n  x\n  y\nb: 1\n", b"# top\na: |\n  z\n# tail\nb: 1\n"
    assert replace_lines(Part(old, 0, ("a",)), Part(now, 0, ("a",))) == b"# top\na: |\n  x\n  y\n# tail\nb: 1\n"


def test_a_place_that_is_gone_is_refused() -> None:
    with pytest.raises(EditRefused):
        insert_lines(Part(b"k: {}\nl:\n  a: 1\n", 0, ("l", "a")), Part(b"k: 1\n", 0, ("l",)))


def test_an_entry_that_cannot_move_left_is_refused() -> None:
    with pytest.raises(EditRefused, match="left"):
        insert_lines(Part(b"k:\n    a: 'x\n  y'\n    b: 1\n", 0, ("k", "a")), Part(b"k:\n b: 1\n", 0, ("k",)))


def test_nothing_is_put_behind_a_line_without_an_end() -> None:
    with pytest.raises(EditRefused, match="line end"):
        insert_lines(Part(b"a: 1\nb: 2\n", 0, ("b",)), Part(b"a: 1", 0, ()))

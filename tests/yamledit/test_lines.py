"""Whole entries in and out, line by line."""

import pytest

from reconciler.yamledit.lines import Part, entry_of, insert_lines, new_entry, remove_lines, replace_lines
from reconciler.yamledit.nodes import compose
from reconciler.yamledit.splice import EditRefused
from reconciler.yamledit.values import value_of


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
    ],
)
def test_an_entry_that_does_not_fill_its_lines_is_refused(content: bytes, path: tuple) -> None:
    with pytest.raises(EditRefused):
        remove_lines(Part(content, 0, path))


def test_an_entry_is_put_behind_its_old_neighbour_with_the_indentation_of_the_place() -> None:
    old = b"k:\n  a: 1\n  b:\n    - x\n  c: 3\n"
    now = b"k:\r\n      a: 1\r\n      c: 3\r\n"
    entry = entry_of(Part(old, 0, ("k", "b")))
    assert insert_lines(entry, Part(now, 0, ("k",)), "a") == b"k:\r\n      a: 1\r\n      b:\r\n        - x\r\n      c: 3\r\n"


def test_an_entry_without_a_neighbour_goes_first() -> None:
    assert insert_lines(entry_of(Part(b"a: 1\nb: 2\n", 0, ("a",))), Part(b"b: 2\n", 0, ()), None) == b"a: 1\nb: 2\n"


def test_an_entry_is_written_as_another_version_writes_it() -> None:
    old, now = b"a: |\n  x\n  y\nb: 1\n", b"# top\na: |\n  z\n# tail\nb: 1\n"
    assert replace_lines(entry_of(Part(old, 0, ("a",))), Part(now, 0, ("a",))) == b"# top\na: |\n  x\n  y\n# tail\nb: 1\n"


def test_a_place_that_is_gone_is_refused() -> None:
    with pytest.raises(EditRefused):
        insert_lines(new_entry("a", 1), Part(b"k: 1\n", 0, ("l",)), None)


def test_an_entry_that_cannot_move_left_is_refused() -> None:
    with pytest.raises(EditRefused, match="left"):
        insert_lines(entry_of(Part(b"k:\n    a: 'x\n  y'\n    b: 1\n", 0, ("k", "a"))), Part(b"k:\n b: 1\n", 0, ("k",)), None)


def test_a_file_without_a_final_line_end_stays_without_one() -> None:
    entry = entry_of(Part(b"a: 1\nb: 2\n", 0, ("b",)))
    assert insert_lines(entry, Part(b"a: 1", 0, ()), "a") == b"a: 1\nb: 2"
    assert replace_lines(entry, Part(b"a: 1\r\nb: 3", 0, ("b",))) == b"a: 1\r\nb: 2"


def test_rare_line_ends_count_as_the_reader_of_yaml_counts_them() -> None:
    assert remove_lines(Part("a: 1 # x\u2028\nb: 2\n".encode(), 0, ("b",))) == "a: 1 # x\u2028\n".encode()


def test_comments_left_of_an_entry_come_along_when_it_moves_left() -> None:
    entry = entry_of(Part(b"k:\n    a:\n # note\n      x: 1\n", 0, ("k", "a")))
    assert insert_lines(entry, Part(b"b: 1\n", 0, ()), "b") == b"b: 1\na:\n# note\n  x: 1\n"


def test_what_nobody_wrote_is_written_so_that_every_reader_takes_it_for_the_same() -> None:
    entry = new_entry("env", [{"name": "A", "value": "1e3"}, {"name": "B", "value": "on"}, {"x": "a: b", "y": "two\nlines", "z": ""}])
    assert yaml_value("\n".join(entry.lines))["env"][2] == {"x": "a: b", "y": "two\nlines", "z": ""}
    assert entry.lines[2:4] == ('  value: "1e3"', "- name: B")


def yaml_value(text: str) -> dict:
    (document,) = compose(text)
    assert document.root is not None
    value = value_of(document.root)
    assert isinstance(value, dict)
    return value

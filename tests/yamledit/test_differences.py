"""The smallest parts that differ, matched by name where there are names."""

from reconciler.yamledit.differences import canonical, differences
from reconciler.yamledit.nodes import Node, compose


def tree(text: str) -> Node:
    (document,) = compose(text)
    assert document.root is not None
    return document.root


def paths(old: str, new: str) -> list[tuple]:
    return [(part.old_path if part.old else None, part.new_path if part.new else None) for part in differences(tree(old), tree(new))]


def test_equal_values_written_differently_do_not_differ() -> None:
    assert paths("a: [1, 'x']\nb: {c: yes}\n", "b:\n  c: true\na:\n- 1\n- x\n") == []


def test_items_are_matched_by_name() -> None:
    assert paths("[{name: a, v: 1}, {name: b, v: 1}]", "[{name: b, v: 2}, {name: a, v: 1}]") == [((1, "v"), (0, "v"))]


def test_items_without_names_are_matched_by_position() -> None:
    assert paths("[1, 2]", "[1, 3, 4]") == [((1,), (1,)), (None, (2,))]


def test_repeated_names_are_no_identity() -> None:
    assert paths("[{name: a, v: 1}, {name: a, v: 2}]", "[{name: a, v: 1}, {name: a, v: 3}]") == [((1, "v"), (1, "v"))]


def test_added_and_removed_parts_are_whole() -> None:
    assert paths("a: {x: 1}\n", "b: {x: 1, y: 2}\n") == [(None, ("b",)), (("a",), None)]


def test_a_value_that_becomes_a_mapping_differs_once() -> None:
    assert paths("a: 1\n", "a: {x: 1}\n") == [(("a",), ("a",))]
    assert paths("a: {}\n", "a: {x: 1}\n") == [(("a",), ("a",))]


def test_types_are_told_apart() -> None:
    assert len({canonical(value) for value in (1, True, "1", 1.0, None)}) == 5

"""The tree of a file: places are exact, and hostile files cost no more than honest ones."""

import pytest

from reconciler.yamledit.nodes import DEEPEST, MOST_NODES, NotYaml, compose, decode, leaves, node_at


def places(text: str) -> dict[tuple, str]:
    return {place.path: place.node.text for document in compose(text) for place in leaves(document)}


def test_every_scalar_has_its_place() -> None:
    assert places("a:\n  - b: 1\n  - [x, 'y']\n") == {("a", 0, "b"): "1", ("a", 1, 0): "x", ("a", 1, 1): "y"}


def test_lines_and_columns_count_from_one() -> None:
    (document,) = compose("# é\na:\n  bé: 🎉x\n")
    node = node_at(document.root, ("a", "bé"))
    assert node is not None
    assert (node.line, node.column) == (3, 7)


@pytest.mark.parametrize("path", [("a", 2), ("a", -1), ("a", "0"), ("a", 0, "c"), (0,), ("a", 0, "b", 0)])
def test_a_path_that_leads_nowhere_has_no_node(path: tuple[str | int, ...]) -> None:
    (document,) = compose("a:\n  - b: 1\n  - 2\n")
    assert node_at(document.root, path) is None
    assert node_at(document.root, ("a", 1)) is not None


def test_empty_documents_keep_their_number() -> None:
    documents = compose("---\n# nothing\n---\na: 1\n---\n")
    assert [document.root is None for document in documents] == [True, False, True]


def test_a_bomb_of_aliases_is_refused_before_it_is_written_out() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 9)]
    with pytest.raises(NotYaml, match=str(MOST_NODES)) as error:
        compose("\n".join(lines))
    assert error.value.line > 1


def test_deep_nesting_is_refused() -> None:
    with pytest.raises(NotYaml, match="nest"):
        compose("[" * 100_000)


def test_deep_nesting_through_aliases_is_refused() -> None:
    lines = ["a0: &a0 " + "[" * 90 + "]" * 90, "a1: &a1 " + "[" * 90 + "*a0" + "]" * 90, "a2: " + "[" * 90 + "*a1" + "]" * 90]
    with pytest.raises(NotYaml, match=str(DEEPEST)):
        compose("\n".join(lines))


def test_an_anchor_inside_itself_is_refused() -> None:
    with pytest.raises(NotYaml, match="inside its own anchor"):
        compose("a: &a [*a]\n")


def test_an_alias_without_anchor_is_refused_also_when_another_document_has_it() -> None:
    with pytest.raises(NotYaml, match="no anchor"):
        compose("a: &x 1\n---\nb: *x\n")


def test_too_many_values_are_refused() -> None:
    with pytest.raises(NotYaml, match=str(MOST_NODES)):
        compose("[" + "1," * (MOST_NODES + 1) + "]")


@pytest.mark.parametrize("content", [b"\xff\xfea\x00", b"a: 1\nb: \xe9\n"])
def test_only_utf8_is_read(content: bytes) -> None:
    with pytest.raises(NotYaml, match="UTF"):
        decode(content)


def test_a_syntax_error_names_its_line() -> None:
    with pytest.raises(NotYaml) as error:
        compose("a: 1\nb: [1\nc: 2\n")
    assert error.value.line == 3


def test_a_shared_value_is_marked_at_every_place() -> None:
    (document,) = compose("a: &a {x: 1}\nb: *a\nc: {<<: *a}\nd: 1\n")
    assert {place.path for place in leaves(document) if place.shared} == {("a", "x"), ("b", "x"), ("c", "<<", "x")}


def test_a_key_that_is_a_list_is_refused() -> None:
    (document,) = compose("? [a]\n: 1\n")
    with pytest.raises(NotYaml, match="key"):
        list(leaves(document))

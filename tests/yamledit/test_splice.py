"""The byte splice: one value moves, everything else stays, and what cannot be done exactly is refused."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.yamledit.nodes import NotYaml, compose, decode, leaves
from reconciler.yamledit.splice import EditRefused, ScalarEdit, Stale, splice

IMAGE = ("spec", "image")
OLD, NEW = "r.io/web:1.4.2", "r.io/web:1.5.0"

# Each file holds OLD once as the value of spec.image of document 0 and must come back with exactly that text replaced.
EXACT = {
    "plain": "spec:\n  image: r.io/web:1.4.2\n",
    "no final newline": "spec:\n  image: r.io/web:1.4.2",
    "double quotes": 'spec:\n  image: "r.io/web:1.4.2"\n',
    "single quotes": "spec:\n  image: 'r.io/web:1.4.2'\n",
    "trailing comment": "spec:\n  image: r.io/web:1.4.2   # r.io/web:1.4.2-old is gone\n",
    "flux marker": 'spec:\n  image: r.io/web:1.4.2 # {"$imagepolicy": "flux:web"}\n',
    "crlf": "spec:\r\n  image: r.io/web:1.4.2\r\n  other: x\r\n",
    "byte order mark": "\ufeffspec:\n  image: r.io/web:1.4.2\n",
    "flow mapping": "spec: {image: r.io/web:1.4.2, replicas: 1}\n",
    "flow over lines": "spec: {\n  replicas: 1,\n  image: r.io/web:1.4.2\n}\n",
    "json": '{"spec":{"image":"r.io/web:1.4.2","n":[1,2]}}',
    "json pretty": '{\n\t"spec": {\n\t\t"image": "r.io/web:1.4.2"\n\t}\n}\n',
    "emoji before": "note: 🎉🎉 ünïcode\nspec:\n  image: r.io/web:1.4.2\n",
    "comment with the same text": "# r.io/web:1.4.2\nspec:\n  # image: r.io/web:1.4.2\n  image: r.io/web:1.4.2\n",
    "value on the next line": "spec:\n  image:\n    r.io/web:1.4.2\n",
    "wide indentation": "spec:\n        image: r.io/web:1.4.2\n        b:   [ 1,2 ]\n",
    "trailing spaces": "spec:   \n  image: r.io/web:1.4.2   \n\n\n  \n",
    "tag": "spec:\n  image: !!str r.io/web:1.4.2\n",
    "unused anchor": "spec:\n  image: &tag r.io/web:1.4.2\n",
    "anchor and tag": "spec:\n  image: &tag !!str 'r.io/web:1.4.2'\n",
    "block literal": "spec:\n  image: |-\n    r.io/web:1.4.2\n",
    "folded": "spec:\n  image: >-\n    r.io/web:1.4.2\n  after: 1\n",
    "end marker": "---\nspec:\n  image: r.io/web:1.4.2\n...\n",
    "directive": "%YAML 1.1\n---\nspec:\n  image: r.io/web:1.4.2\n",
    "second document": "spec:\n  image: r.io/web:1.4.2\n---\n# only a comment\n---\nspec: {image: other}\n",
    "null and tilde": "a: ~\nb:\nc: null\nspec:\n  image: r.io/web:1.4.2\n",
    "odd numbers": "a: 0644\nb: 1e3\nc: 1_000\nspec:\n  image: r.io/web:1.4.2\n",
    "escapes elsewhere": 'a: "\\u00e9\\n"\nspec:\n  image: r.io/web:1.4.2\n',
    "long block elsewhere": "a: |+\n  x\n\n\n   y\nspec:\n  image: r.io/web:1.4.2\n",
    "folded plain elsewhere": "a: one\n  two\n  three\nspec:\n  image: r.io/web:1.4.2\n",
    "quoted key": "spec:\n  'image': r.io/web:1.4.2\n",
    "question mark key": "spec:\n  ? image\n  : r.io/web:1.4.2\n",
    "very long line": f"a: {'x' * 500}\nspec:\n  image: r.io/web:1.4.2\n",
    "unrelated alias": "a: &a {x: 1}\nb: *a\nspec:\n  image: r.io/web:1.4.2\n",
    "merge elsewhere": "a: &a {x: 1}\nb: {<<: *a, y: 2}\nspec:\n  image: r.io/web:1.4.2\n",
}
REFUSED = {
    "anchored and repeated": ("a: &i r.io/web:1.4.2\nspec:\n  image: *i\n", "anchor"),
    "inside a repeated mapping": ("spec: &s\n  image: r.io/web:1.4.2\nagain: *s\n", "anchor"),
    "repeated key": ("spec:\n  image: r.io/web:1.4.2\n  image: r.io/web:1.4.2\n", "twice"),
    "repeated parent key": ("spec:\n  image: r.io/web:1.4.2\nspec:\n  image: r.io/web:1.4.2\n", "twice"),
}
STALE = {
    "other value": "spec:\n  image: r.io/web:1.4.3\n",
    "gone": "spec:\n  picture: r.io/web:1.4.2\n",
    "mapping now": "spec:\n  image: {}\n",
    "list now": "spec:\n  image: [r.io/web:1.4.2]\n",
    "empty file": "",
}


@pytest.mark.parametrize("name", EXACT)
def test_exactly_the_value_moves(name: str) -> None:
    before = EXACT[name].encode()
    position = before.index(OLD.encode(), before.index(b"spec"))
    if name == "comment with the same text":
        position = before.rindex(OLD.encode())
    wanted = before[:position] + NEW.encode() + before[position + len(OLD) :]
    assert splice(before, ScalarEdit(0, IMAGE, OLD, NEW)) == wanted


@pytest.mark.parametrize("name", REFUSED)
def test_what_would_move_more_than_one_value_is_refused(name: str) -> None:
    content, reason = REFUSED[name]
    with pytest.raises(EditRefused, match=reason):
        splice(content.encode(), ScalarEdit(0, IMAGE, OLD, NEW))


def test_a_block_of_several_lines_is_refused() -> None:
    with pytest.raises(EditRefused, match="several lines"):
        splice(b"a: |\n  x\n  x\n", ScalarEdit(0, ("a",), "x\nx\n", "y"))


@pytest.mark.parametrize("name", STALE)
def test_another_value_is_stale(name: str) -> None:
    with pytest.raises(Stale):
        splice(STALE[name].encode(), ScalarEdit(0, IMAGE, OLD, NEW))


def test_a_value_over_several_lines_is_refused() -> None:
    with pytest.raises(EditRefused, match="several lines"):
        splice(b"a: one\n  two\n", ScalarEdit(0, ("a",), "one two", "three"))


@pytest.mark.parametrize("content", [b"{{ if x }}\nspec:\n  image: a\n{{ end }}\n", b"a: [", b"\xff\xfea\x00", b"a: \xe9\n"])
def test_what_is_not_yaml_is_said_so(content: bytes) -> None:
    with pytest.raises(NotYaml):
        splice(content, ScalarEdit(0, ("a",), "x", "y"))


@pytest.mark.parametrize(
    "number", ["1.10", "1", "0x1f", "1e3", "1234567e5", "0644", "true", "yes", "n", "null", "~", "1_000", "2024-01-01", ".5", "1:30"]
)
def test_a_text_that_reads_as_something_else_is_quoted(number: str) -> None:
    assert splice(b"tag: v1\n", ScalarEdit(0, ("tag",), "v1", number)) == f'tag: "{number}"\n'.encode()


@pytest.mark.parametrize(
    "text", ["a: b", "a #b", "#a", "- a", "[a", "{a}", "*a", "&a", "!a", "%a", "@a", "`a", "a, b", " a", "a ", "", "'a", '"a']
)
def test_a_text_with_yaml_signs_is_quoted(text: str) -> None:
    after = splice(b"tag: v1 # note\n", ScalarEdit(0, ("tag",), "v1", text))
    (document,) = compose(decode(after))
    assert [place.node.text for place in leaves(document)] == [text]
    assert after.endswith(b" # note\n")


def test_a_bare_number_stays_bare_when_it_is_meant_as_one() -> None:
    assert splice(b'port: "http"\n', ScalarEdit(0, ("port",), "http", "8080", text=False)) == b"port: 8080\n"


def test_a_bare_value_that_would_read_as_more_is_refused() -> None:
    with pytest.raises(EditRefused):
        splice(b"port: 1\n", ScalarEdit(0, ("port",), "1", "2\nother: 3", text=False))
    with pytest.raises(EditRefused):
        splice(b"port: 1\n", ScalarEdit(0, ("port",), "1", "2 #", text=False))


def test_a_value_is_put_where_none_was() -> None:
    assert splice(b"a:\nb: 1\n", ScalarEdit(0, ("a",), "", "x")) == b"a: x\nb: 1\n"


@pytest.mark.parametrize("value", ["a\nb", "a\x00", "a\x1b[0m", "a\u2028b", "a\x85b"])
def test_control_characters_never_reach_a_file(value: str) -> None:
    with pytest.raises(EditRefused, match="control"):
        splice(b"tag: v1\n", ScalarEdit(0, ("tag",), "v1", value))


def test_the_right_one_of_two_equal_images_moves() -> None:
    before = b"c:\n  - {name: a, image: r/x:1}\n  - {name: b, image: r/x:1}\n  - {name: c, image: r/x:1-debug}\n"
    after = splice(before, ScalarEdit(0, ("c", 1, "image"), "r/x:1", "r/x:2"))
    assert after == before.replace(b"b, image: r/x:1}", b"b, image: r/x:2}")


WORDS = st.text(
    st.characters(codec="utf-8", exclude_categories=("Cc", "Cs", "Cn", "Zl", "Zp"), exclude_characters="\ufeff\x85"),
    min_size=1,
    max_size=12,
)
VALUES = st.recursive(
    WORDS | st.integers() | st.booleans() | st.none(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=3),
    max_leaves=8,
)


@settings(max_examples=120, deadline=None)
@given(
    before=st.dictionaries(WORDS, VALUES, max_size=3),
    old=WORDS,
    new=WORDS,
    form=st.tuples(st.sampled_from(["plain", "'", '"']), st.sampled_from(["\n", "\r\n"]), st.booleans()),
)
def test_bytes_outside_the_edited_value_never_change(before: dict, old: str, new: str, form: tuple[str, str, bool]) -> None:
    style, ending, mark = form
    lines = [f"{json.dumps(f'k{n}')}: {json.dumps(value, ensure_ascii=False)}" for n, value in enumerate(before.values())]
    head = ("\ufeff" if mark else "") + ending.join([*lines, "target:"]) + " "
    tail = f"  # kept{ending}tail: [1,  2 ]{ending}"
    source = {"plain": "x", "'": "'" + old.replace("'", "''") + "'", '"': json.dumps(old, ensure_ascii=False)}[style]
    was = "x" if style == "plain" else old
    content = f"{head}{source}{tail}".encode()
    after = splice(content, ScalarEdit(0, ("target",), was, new))
    assert after.startswith(head.encode())
    assert after.endswith(tail.encode())
    (document,) = compose(decode(after))
    assert {place.path: place.node for place in leaves(document)}[("target",)].text == new

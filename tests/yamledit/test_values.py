"""Values are typed as kubectl types them."""

from typing import Any

import pytest

from reconciler.yamledit.nodes import NotYaml, compose
from reconciler.yamledit.values import reads_as_text, value_of


def value(text: str) -> Any:
    (document,) = compose(text)
    assert document.root is not None
    return value_of(document.root)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("yes", True), ("Off", False), ("y", True), ("N", False), ("true", True), ("null", None), ("~", None),
        ("1", 1), ("-7", -7), ("0644", 420), ("0o17", 15), ("0x1F", 31), ("0b11", 3), ("1_000", 1000), ("009", 9.0),
        ("1.5", 1.5), ("1e3", 1000.0), (".5", 0.5), ("1.", 1.0), ("1:30", "1:30"), ("2024-01-01", "2024-01-01"),
        ("1.2.3", "1.2.3"), ("'1'", "1"), ('"yes"', "yes"), ("!!str 1", "1"), ("!!float 1", 1.0), ("=", "="), ("1h", "1h"),
    ],
)  # fmt: skip
def test_scalars_are_typed_as_kubectl_does(text: str, expected: Any) -> None:
    found = value(f"a: {text}\n")["a"]
    assert (type(found), found) == (type(expected), expected)


def test_an_image_is_always_its_text() -> None:
    assert value("image: 1.10\n") == {"image": "1.10"}
    assert value("image:\n") == {"image": None}
    assert value("image: {reference: 1.5}\n") == {"image": {"reference": 1.5}}


def test_keys_become_text() -> None:
    assert value("1: a\ntrue: b\n'x': c\n0x10: d\n") == {"1": "a", "true": "b", "x": "c", "16": "d"}


def test_merge_keys_are_written_out_and_own_keys_win() -> None:
    text = "a: &a {x: 1, w: 1}\nb: &b {w: 2, z: 2}\nc:\n  <<: [*a, *b]\n  x: 3\n"
    assert value(text)["c"] == {"x": 3, "w": 1, "z": 2}


@pytest.mark.parametrize("text", ["a: 1\nb: 2\na: 3\n", "a: {b: 1, 'b': 2}\n"])
def test_a_repeated_key_is_an_error(text: str) -> None:
    with pytest.raises(NotYaml, match="twice"):
        value(text)


@pytest.mark.parametrize("text", [".inf", "-.INF", ".nan", "1e999", "!custom x", "!!python/object:os.system x", "1" * 400])
def test_what_json_cannot_hold_is_an_error(text: str) -> None:
    with pytest.raises(NotYaml) as error:
        value(f"ok: 1\na: {text}\n")
    assert error.value.line == 2


@pytest.mark.parametrize("text", ["1.10", "1e3", "1234567e5", "no", "", "0o17", "1:30", "2024-01-01"])
def test_a_text_that_some_reader_takes_for_another_type_needs_quotes(text: str) -> None:
    assert not reads_as_text(text)


@pytest.mark.parametrize("text", ["v1.10", "web:1.0", "1.2.3", "abc", "nope"])
def test_an_honest_text_needs_no_quotes(text: str) -> None:
    assert reads_as_text(text)

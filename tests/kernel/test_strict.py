"""Strict reading: every value by name and type, and nothing unasked."""

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.kernel.errors import Terminal
from reconciler.kernel.strict import FieldError, StrictFields, duration_of


def refused(read: Callable[[], object]) -> str:
    with pytest.raises(FieldError) as caught:
        read()
    assert isinstance(caught.value, Terminal)
    return str(caught.value)


@pytest.mark.parametrize("document", [None, [], "text", 3])
def test_a_document_that_is_no_mapping_is_refused(document: Any) -> None:
    assert refused(lambda: StrictFields(document)).startswith("document: expected a mapping, got ")


def test_values_have_their_types() -> None:
    fields = StrictFields({"t": "x", "f": True, "n": 3, "d": "1h30m", "c": "a", "l": ["a", "b"]})
    assert (fields.text("t"), fields.flag("f"), fields.whole("n")) == ("x", True, 3)
    assert fields.duration("d") == timedelta(minutes=90)
    assert (fields.choice("c", ("a", "b")), fields.texts("l")) == ("a", ("a", "b"))
    fields.done()


def test_the_least_whole_number_is_one_that_is_taken() -> None:
    fields = StrictFields({"n": 3, "z": 0})
    assert (fields.whole("n", least=3), fields.whole("z")) == (3, 0)
    assert refused(lambda: fields.whole("n", least=4)) == "n: expected a whole number of at least 4, got 3"


@pytest.mark.parametrize(
    ("read", "value", "words"),
    [
        (lambda f: f.text("x"), 3, "x: expected a text, got 3"),
        (lambda f: f.flag("x"), "yes", "x: expected true or false, got the text 'yes'"),
        (lambda f: f.whole("x"), True, "x: expected a whole number of at least 0, got True"),
        (lambda f: f.whole("x", least=1), 0, "x: expected a whole number of at least 1, got 0"),
        (lambda f: f.whole("x"), 1.5, "x: expected a whole number, got 1.5"),
        (lambda f: f.choice("x", ("a", "b")), "c", "x: 'c' is not one of a, b"),
        (lambda f: f.texts("x"), "a", "x: expected a list, got the text 'a'"),
        (lambda f: f.texts("x"), ["a", {}], "x[1]: expected a text, got a mapping"),
        (lambda f: f.duration("x"), "5", "x: '5' is not a duration; write for example 90s, 10m or 1h30m"),
        (lambda f: f.span("x"), "0s", "x: must be longer than zero"),
        (lambda f: f.matching("x", re.compile("[a-z]+"), "a small word"), "A", "x: 'A' is not a small word"),
        (lambda f: f.inner("x", StrictFields.done), [], "x: expected a mapping, got a list"),
        (lambda f: f.each("x", lambda inner: inner.text("name")), [{"name": "a"}, {}], "x[1].name: is required: a text"),
    ],
)
def test_what_does_not_fit_is_named_with_its_path(read: Callable[[StrictFields], object], value: Any, words: str) -> None:
    assert refused(lambda: read(StrictFields({"x": value}))) == words


def test_an_absent_value_is_its_default_or_required() -> None:
    assert StrictFields({}).text("x", "d") == "d"
    assert StrictFields({"x": None}).whole("x", 4) == 4
    assert StrictFields({}).inner("x", lambda f: f.text("y")) is None
    assert StrictFields({}).each("x", lambda f: f.text("y")) == ()
    assert refused(lambda: StrictFields({}).text("x")) == "x: is required: a text"


def test_what_nobody_asked_for_is_an_error_that_names_what_is_known() -> None:
    fields = StrictFields({"brnch": "main"}, "sources[0]")
    fields.text("branch", "")
    fields.text("name", "")
    assert refused(fields.done) == "sources[0].brnch: unknown field; known here: branch, name"


@pytest.mark.parametrize("text", ["", "s", "10", "-5s", "1d", "1h 30m", "5s5", "1e3s", "٣s", "NaNs"])
def test_bad_durations_are_refused(text: str) -> None:
    assert "is not a duration" in refused(lambda: duration_of(text, "x"))


def test_a_duration_beyond_all_time_is_refused() -> None:
    assert "longer than anything" in refused(lambda: duration_of("9" * 30 + "h", "x"))


@given(st.integers(0, 99), st.integers(0, 59), st.integers(0, 59), st.integers(0, 999))
def test_durations_are_the_sum_of_their_parts(hours: int, minutes: int, seconds: int, milliseconds: int) -> None:
    text = f"{hours}h{minutes}m{seconds}s{milliseconds}ms"
    assert duration_of(text, "x") == timedelta(hours=hours, minutes=minutes, seconds=seconds, milliseconds=milliseconds)

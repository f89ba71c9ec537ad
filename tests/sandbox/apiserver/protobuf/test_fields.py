"""Rows of text to fields."""

import pytest
from reconciler_sandbox.apiserver.protobuf.fields import ALWAYS, LIST, MAP, PLAIN, POINTER, Field, parse


def test_a_row_names_number_field_form_and_type() -> None:
    assert parse("1 name, 2 ports[] Port, 3 data{} bytes, 4 optional? bool, 5 ready! bool, 6 + Inner") == {
        1: Field("name", "text", PLAIN),
        2: Field("ports", "Port", LIST),
        3: Field("data", "bytes", MAP),
        4: Field("optional", "bool", POINTER),
        5: Field("ready", "bool", ALWAYS),
        6: Field("+", "Inner", PLAIN),
    }
    assert parse("6 + Inner")[6].embedded


def test_a_number_cannot_be_two_fields() -> None:
    with pytest.raises(ValueError, match="number 1 twice"):
        parse("1 a, 1 b")

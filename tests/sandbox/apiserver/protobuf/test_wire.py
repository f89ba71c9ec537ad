"""The wire format: numbers, lengths, and bytes that are no message."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from reconciler_sandbox.apiserver.protobuf.wire import Malformed, fields, numbers, signed, varint

from tests.kit import protobuf


@given(st.integers(-(2**63), 2**63 - 1))
def test_a_number_comes_back_with_its_sign(number: int) -> None:
    raw = protobuf.varint(number)
    found, end = varint(raw, 0)
    assert signed(found) == number and end == len(raw)


def test_fields_come_in_the_order_of_the_bytes() -> None:
    raw = protobuf.message((1, "a"), (300, 7), (1, b"b"))
    assert list(fields(raw)) == [(1, b"a"), (300, 7), (1, b"b")]


def test_fixed_numbers_are_little_endian() -> None:
    assert list(fields(b"\x0d\x01\x00\x00\x00" + b"\x11\x02" + bytes(7))) == [(1, 1), (2, 2)]


def test_a_packed_list_is_read() -> None:
    assert list(numbers(protobuf.varint(1) + protobuf.varint(-1) + protobuf.varint(300))) == [1, -1, 300]


@pytest.mark.parametrize(
    ("raw", "what"),
    [
        (b"\x0a", "cut off"),
        (b"\x0a\x05abc", "5 bytes are announced and 3 are there"),
        (b"\x80", "cut off"),
        (b"\x08" + b"\xff" * 10 + b"\x01", "longer than 10"),
        (b"\x00\x01", "field number 0"),
        (b"\x0b", "wire type 3"),
        (b"\x0f", "wire type 7"),
        (b"\x0a" + b"\xff" * 9 + b"\x01", "announced"),
    ],
)
def test_what_is_no_message_is_refused(raw: bytes, what: str) -> None:
    with pytest.raises(Malformed, match=what):
        list(fields(raw))


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(raw: bytes) -> None:
    try:
        assert sum(1 for _ in fields(raw)) <= len(raw)
    except Malformed as error:
        assert str(error)

"""The protobuf wire format: bytes to numbered fields, with a refusal for everything that is none."""

from collections.abc import Iterator

VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5
MAX_VARINT_BYTES = 10
WORD = (1 << 64) - 1
SIGN = 1 << 63

Value = int | bytes
"""A varint or fixed number as it came (unsigned), or the bytes of text, bytes, a message or packed numbers."""


class Malformed(Exception):
    """The bytes are not what their envelope says they are."""


def varint(raw: bytes, at: int) -> tuple[int, int]:
    """The unsigned number at a place, and the place after it."""
    number = 0
    for index in range(MAX_VARINT_BYTES):
        if at + index >= len(raw):
            raise Malformed("a number is cut off")
        byte = raw[at + index]
        number |= (byte & 0x7F) << (7 * index)
        if byte < 0x80:
            return number & WORD, at + index + 1
    raise Malformed(f"a number is longer than {MAX_VARINT_BYTES} bytes")


def signed(number: int) -> int:
    """A varint as the int32 or int64 it stands for."""
    return number - (1 << 64) if number & SIGN else number


def fields(raw: bytes) -> Iterator[tuple[int, Value]]:
    """Field numbers and values of one message, in the order of the bytes. Raises Malformed."""
    at = 0
    while at < len(raw):
        key, at = varint(raw, at)
        number, kind = key >> 3, key & 7
        if number == 0:
            raise Malformed("field number 0")
        value, at = _value(raw, at, kind)
        yield number, value


def _value(raw: bytes, at: int, kind: int) -> tuple[Value, int]:
    if kind == VARINT:
        return varint(raw, at)
    if kind == BYTES:
        size, at = varint(raw, at)
        return _slice(raw, at, size), at + size
    if kind in (FIXED32, FIXED64):
        size = 4 if kind == FIXED32 else 8
        return int.from_bytes(_slice(raw, at, size), "little"), at + size
    raise Malformed(f"wire type {kind}")


def _slice(raw: bytes, at: int, size: int) -> bytes:
    if size > len(raw) - at:
        raise Malformed(f"{size} bytes are announced and {len(raw) - at} are there")
    return raw[at : at + size]


def numbers(packed: bytes) -> Iterator[int]:
    """The numbers of a packed list."""
    at = 0
    while at < len(packed):
        number, at = varint(packed, at)
        yield signed(number)

"""Prometheus's remote write, as far as samples need it: protobuf and snappy by hand (both formats allow the plainest form)."""

import struct
from collections.abc import Iterable, Mapping, Sequence

STALE = struct.pack("<Q", 0x7FF0000000000002)
LITERAL = 60 << 2  # a chunk whose length, less one, follows in one byte
LONGEST_CHUNK = 256

Sample = tuple[int, float | None]


def request(series: Iterable[tuple[Mapping[str, str], Sequence[Sample]]]) -> bytes:
    """A compressed WriteRequest; times are in ms, the value None is a staleness marker."""
    return snappy(b"".join(_field(1, _series(labels, samples)) for labels, samples in series))


def snappy(plain: bytes) -> bytes:
    """Valid snappy that compresses nothing."""
    chunks = [plain[start : start + LONGEST_CHUNK] for start in range(0, len(plain), LONGEST_CHUNK)]
    return _varint(len(plain)) + b"".join(bytes([LITERAL, len(chunk) - 1]) + chunk for chunk in chunks)


def _series(labels: Mapping[str, str], samples: Sequence[Sample]) -> bytes:
    named = b"".join(_field(1, _field(1, name.encode()) + _field(2, value.encode())) for name, value in sorted(labels.items()))
    return named + b"".join(_field(2, _sample(*sample)) for sample in samples)


def _sample(time: int, value: float | None) -> bytes:
    return b"\x09" + (STALE if value is None else struct.pack("<d", value)) + b"\x10" + _varint(time)


def _field(number: int, content: bytes) -> bytes:
    return bytes([number << 3 | 2]) + _varint(len(content)) + content


def _varint(number: int) -> bytes:
    written = bytearray()
    while number > 0x7F:
        written.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*written, number])

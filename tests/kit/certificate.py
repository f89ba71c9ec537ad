"""A certificate for one run: self-signed, for loopback, made without any library. For tests and rehearsals, never to be kept.

An elliptic curve (P-256) and DER are all it takes; nothing here resists an attacker who measures time.
"""

import base64
import hashlib
import secrets
import ssl
import tempfile
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

PRIME = 2**256 - 2**224 + 2**192 + 2**96 - 1
ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
GENERATOR = (
    0x6B17D1F2E12C4247F8BCE6E563A440F277037D812DEB33A0F4A13945D898C296,
    0x4FE342E2FE1A7F9B8EE7EB4A7C0F9E162BCE33576B315ECECBB6406837BF51F5,
)
Point = tuple[int, int] | None
"""Affine coordinates; None is the neutral element."""

CURVE, PUBLIC_KEY, SIGNATURE = "1.2.840.10045.3.1.7", "1.2.840.10045.2.1", "1.2.840.10045.4.3.2"
COMMON_NAME, KEY_ID, KEY_USAGE, NAMES, CONSTRAINTS, PURPOSE = "2.5.4.3", "2.5.29.14", "2.5.29.15", "2.5.29.17", "2.5.29.19", "2.5.29.37"
SERVER = "1.3.6.1.5.5.7.3.1"
VALID = timedelta(days=7)
HOSTS = ("127.0.0.1", "localhost")


@dataclass(frozen=True, slots=True)
class Certificate:
    """A self-signed certificate and its key, as PEM; the certificate is its own authority."""

    authority: str
    key: str = field(repr=False)

    def context(self) -> ssl.SSLContext:
        """What a server needs to serve TLS with it."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "both.pem"
            path.touch(mode=0o600)
            path.write_text(self.key + self.authority)
            context.load_cert_chain(path)
        return context


def self_signed(hosts: tuple[str, ...] = HOSTS) -> Certificate:
    """A new certificate for some hosts, good for a week."""
    secret = secrets.randbelow(ORDER - 1) + 1
    public = _encoded(_times(secret, GENERATOR))
    body = _body(public, hosts, datetime.now(UTC))
    signed = _sequence(body, _sequence(_identifier(SIGNATURE)), _bits(_sign(body, secret)))
    key = _sequence(_number(1), _tagged(4, secret.to_bytes(32, "big")), _tagged(0xA0, _identifier(CURVE)), _tagged(0xA1, _bits(public)))
    return Certificate(_pem("CERTIFICATE", signed), _pem("EC PRIVATE KEY", key))


# -- the curve --------------------------------------------------------------------------------------------------------


def _plus(one: Point, other: Point) -> Point:
    if one is None or other is None:
        return one or other
    if one[0] == other[0] and (one[1] + other[1]) % PRIME == 0:
        return None
    if one == other:
        slope = (3 * one[0] * one[0] - 3) * pow(2 * one[1], -1, PRIME)
    else:
        slope = (other[1] - one[1]) * pow(other[0] - one[0], -1, PRIME)
    across = (slope * slope - one[0] - other[0]) % PRIME
    return across, (slope * (one[0] - across) - one[1]) % PRIME


def _times(factor: int, point: Point) -> Point:
    found: Point = None
    while factor:
        if factor & 1:
            found = _plus(found, point)
        point = _plus(point, point)
        factor >>= 1
    return found


def _encoded(point: Point) -> bytes:
    if point is None:
        raise ValueError("the neutral element is no key")
    return b"\x04" + point[0].to_bytes(32, "big") + point[1].to_bytes(32, "big")


def _sign(message: bytes, secret: int) -> bytes:
    digest = int.from_bytes(hashlib.sha256(message).digest(), "big")
    while True:
        once = secrets.randbelow(ORDER - 1) + 1
        point = _times(once, GENERATOR)
        first = (point[0] if point else 0) % ORDER
        second = pow(once, -1, ORDER) * (digest + first * secret) % ORDER
        if first and second:
            return _sequence(_number(first), _number(second))


# -- the certificate in DER -------------------------------------------------------------------------------------------


def _body(public: bytes, hosts: tuple[str, ...], now: datetime) -> bytes:
    name = _sequence(_tagged(0x31, _sequence(_identifier(COMMON_NAME), _tagged(0x0C, b"sandbox"))))
    times = _sequence(*(_tagged(0x18, moment.strftime("%Y%m%d%H%M%SZ").encode()) for moment in (now - timedelta(hours=1), now + VALID)))
    key = _sequence(_sequence(_identifier(PUBLIC_KEY), _identifier(CURVE)), _bits(public))
    return _sequence(
        _tagged(0xA0, _number(2)),
        _number(secrets.randbits(120) + 1),
        _sequence(_identifier(SIGNATURE)),
        name,
        times,
        name,
        key,
        _tagged(0xA3, _extensions(public, hosts)),
    )


def _extensions(public: bytes, hosts: tuple[str, ...]) -> bytes:
    return _sequence(
        _extension(CONSTRAINTS, _sequence(_tagged(1, b"\xff")), critical=True),
        _extension(KEY_USAGE, _tagged(3, b"\x02\x84"), critical=True),  # digital signature, certificate signing
        _extension(PURPOSE, _sequence(_identifier(SERVER))),
        _extension(NAMES, _sequence(*(_host(host) for host in hosts))),
        _extension(KEY_ID, _tagged(4, hashlib.sha256(public).digest()[:20])),
    )


def _extension(kind: str, value: bytes, *, critical: bool = False) -> bytes:
    return _sequence(_identifier(kind), *([_tagged(1, b"\xff")] if critical else []), _tagged(4, value))


def _host(host: str) -> bytes:
    try:
        return _tagged(0x87, ip_address(host).packed)
    except ValueError:
        return _tagged(0x82, host.encode())


def _tagged(tag: int, value: bytes) -> bytes:
    if len(value) < 0x80:
        return bytes([tag, len(value)]) + value
    size = len(value).to_bytes((len(value).bit_length() + 7) // 8, "big")
    return bytes([tag, 0x80 | len(size)]) + size + value


def _sequence(*parts: bytes) -> bytes:
    return _tagged(0x30, b"".join(parts))


def _bits(value: bytes) -> bytes:
    return _tagged(3, b"\x00" + value)


def _number(value: int) -> bytes:
    return _tagged(2, value.to_bytes(value.bit_length() // 8 + 1, "big"))


def _identifier(dotted: str) -> bytes:
    first, second, *rest = (int(part) for part in dotted.split("."))
    encoded = bytearray([first * 40 + second])
    for part in rest:
        groups = [part & 0x7F]
        while part := part >> 7:
            groups.append(part & 0x7F | 0x80)
        encoded += bytes(reversed(groups))
    return _tagged(6, bytes(encoded))


def _pem(label: str, raw: bytes) -> str:
    return f"-----BEGIN {label}-----\n{base64.encodebytes(raw).decode()}-----END {label}-----\n"

"""Protobuf bodies to the values that JSON would have brought: envelope, messages, Kubernetes' own scalar types."""

import base64
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson

from reconciler_sandbox.apiserver.protobuf.fields import FREE, LIST, MAP, PLAIN, SCALARS, Field
from reconciler_sandbox.apiserver.protobuf.tables import message, message_of
from reconciler_sandbox.apiserver.protobuf.wire import Malformed, Value, fields, numbers, signed
from reconciler_sandbox.apiserver.times import rfc3339, rfc3339_micro

Manifest = dict[str, Any]
MAGIC = b"k8s\x00"
MAX_VALUES = 500_000
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
ZEROS: tuple[Any, ...] = ("", 0, None, {}, [])


class Unreadable(Exception):
    """The body is sound, and of a kind or encoding that is not read as protobuf here."""


def decode(body: bytes) -> Manifest:
    """The object in a body. Raises Malformed for bytes that are none, Unreadable for kinds without a table."""
    if not body.startswith(MAGIC):
        raise Malformed("the body does not start with the four bytes of a Kubernetes envelope")
    envelope = dict(fields(body[len(MAGIC) :]))
    types = {number: text(value) for number, value in fields(_bytes(envelope.get(1, b"")))}
    api_version, kind = types.get(1, ""), types.get(2, "")
    if envelope.get(3) or _bytes(envelope.get(4, b"")) not in (b"", b"application/vnd.kubernetes.protobuf"):
        raise Unreadable(f"the {kind} in the envelope is itself encoded")
    name = message_of(api_version, kind)
    if not name:
        raise Unreadable(f"{kind or 'an object without a kind'} in {api_version or 'no version'} is not read as protobuf")
    return {"apiVersion": api_version, "kind": kind, **_Decoder().message(name, _bytes(envelope.get(2, b"")))}


class _Decoder:
    """Decodes one body; counts what it makes, as two bytes can stand for an object of a hundred."""

    def __init__(self) -> None:
        self._left = MAX_VALUES

    def message(self, name: str, raw: bytes) -> Manifest:
        """The fields of a message that are set. What the table does not know is from a newer client, and dropped as by a server."""
        table, found = message(name), Manifest()
        for number, value in fields(raw):
            field = table.get(number)
            if field is not None:
                self._count()
                self._put(found, field, value)
        return found

    def _count(self) -> None:
        self._left -= 1
        if self._left < 0:
            raise Malformed(f"more than {MAX_VALUES} values")

    def _put(self, found: Manifest, field: Field, value: Value) -> None:
        if field.embedded:
            found.update(self.message(field.type, _bytes(value)))
        elif field.form == LIST:
            found.setdefault(field.name, []).extend(self._items(field, value))
        elif field.form == MAP:
            found.setdefault(field.name, {}).update(self._entry(field, _bytes(value)))
        else:
            one = self._one(field, value)
            if one is not None and (field.form != PLAIN or one not in ZEROS):
                found[field.name] = one

    def _items(self, field: Field, value: Value) -> list[Any]:
        if field.type == "int" and isinstance(value, bytes):
            return list(numbers(value))
        return [self._one(field, value)]

    def _entry(self, field: Field, raw: bytes) -> Manifest:
        entry = dict(fields(raw))
        empty: Value = 0 if field.type in ("int", "bool") else b""
        return {text(entry.get(1, b"")): self._one(field, entry.get(2, empty))}

    def _one(self, field: Field, value: Value) -> Any:
        if field.type not in SCALARS:
            return self.message(field.type, _bytes(value))
        if field.type == FREE:
            return _nothing(field, value)
        return CONVERTERS[field.type](value)


def _nothing(field: Field, value: Value) -> Manifest:
    """What is not looked into may be there and empty, as parts that are no pointers always are."""
    if value:
        raise Unreadable(f"{field.name} is not read as protobuf")
    return {}


def _bytes(value: Value) -> bytes:
    if not isinstance(value, bytes):
        raise Malformed("a number where text or a message belongs")
    return value


def text(value: Value) -> str:
    """Text, which is UTF-8."""
    try:
        return _bytes(value).decode()
    except UnicodeDecodeError as error:
        raise Malformed("text that is not UTF-8") from error


def _integer(value: Value) -> int:
    if isinstance(value, bytes):
        raise Malformed("bytes where a number belongs")
    return signed(value)


def _boolean(value: Value) -> bool:
    return bool(_integer(value))


def _base64(value: Value) -> str:
    return base64.b64encode(_bytes(value)).decode()


def _quantity(value: Value) -> str:
    return text(dict(fields(_bytes(value))).get(1, b""))


def _int_or_string(value: Value) -> int | str:
    parts = dict(fields(_bytes(value)))
    return text(parts.get(3, b"")) if _integer(parts.get(1, 0)) else _integer(parts.get(2, 0))


def _moment(value: Value) -> datetime | None:
    parts = dict(fields(_bytes(value)))
    seconds, nanos = _integer(parts.get(1, 0)), _integer(parts.get(2, 0))
    if not seconds and not nanos:
        return None
    try:
        return EPOCH + timedelta(seconds=seconds, microseconds=nanos // 1000)
    except OverflowError as error:
        raise Malformed("a time outside the calendar") from error


def _time(value: Value) -> str | None:
    moment = _moment(value)
    return rfc3339(moment) if moment else None


def _micro_time(value: Value) -> str | None:
    moment = _moment(value)
    return rfc3339_micro(moment) if moment else None


def _raw(value: Value) -> Any:
    inner = _bytes(dict(fields(_bytes(value))).get(1, b""))
    try:
        return orjson.loads(inner) if inner else None
    except orjson.JSONDecodeError as error:
        raise Malformed("JSON inside that is none") from error


CONVERTERS: Mapping[str, Callable[[Value], Any]] = {
    "text": text,
    "int": _integer,
    "bool": _boolean,
    "bytes": _base64,
    "Quantity": _quantity,
    "IntOrString": _int_or_string,
    "Time": _time,
    "MicroTime": _micro_time,
    "Raw": _raw,
}

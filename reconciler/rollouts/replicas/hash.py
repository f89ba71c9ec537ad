"""The names of versions: FNV-1a over the Go JSON of a pod template or of canary steps, in a readable alphabet (contract 10.1, 10.3)."""

import json
from collections.abc import Iterator
from typing import Any

from reconciler.kernel.identity import Manifest
from reconciler.rollouts.replicas.defaults import canonical_quantity
from reconciler.rollouts.replicas.shapes import SHAPES, Field

ALPHABET = "bcdfghjklmnpqrstvwxz2456789"
HTML = {"<": "\\u003c", ">": "\\u003e", "&": "\\u0026", "\u2028": "\\u2028", "\u2029": "\\u2029"}
ESCAPES = str.maketrans(HTML)


def template_hash(template: Manifest, collisions: int | None = None) -> str:
    """The hash of a pod template; `collisions` is `status.collisionCount`, if it is set (contract 10.1)."""
    content = go_json(template, "PodTemplate").encode()
    if collisions is not None:
        content += collisions.to_bytes(4, "little") + bytes(4)
    return _readable(content)


def steps_hash(steps: list[Manifest] | None) -> str:
    """The hash of `spec.strategy.canary.steps`; no steps are `null` (contract 10.3)."""
    return _readable(go_json(steps, "Step").encode())


def _readable(content: bytes) -> str:
    return "".join(ALPHABET[ord(digit) % 27] for digit in str(fnv1a(content)))


def fnv1a(content: bytes) -> int:
    """The 32 bit FNV-1a hash."""
    value = 0x811C9DC5
    for byte in content:
        value = (value ^ byte) * 0x01000193 & 0xFFFFFFFF
    return value


def go_json(value: Any, shape: str) -> str:
    """What Go's encoding/json writes for a value of a type of `shapes`, HTML escapes included."""
    return json.dumps(canonical(value, shape), ensure_ascii=False, separators=(",", ":")).translate(ESCAPES)


def canonical(value: Any, shape: str) -> Any:
    """The value of a type of `shapes`, rebuilt in Go's order, without what `omitempty` drops and with canonical quantities."""
    if shape == "Quantity":
        return canonical_quantity(value)
    if isinstance(value, list):
        return [canonical(item, shape) for item in value]
    if not isinstance(value, dict):
        return value
    if shape in SHAPES:
        return dict(_members(value, shape))
    return {key: canonical(value[key], "Quantity" if shape == "Quantities" else "") for key in sorted(value)}


def _members(value: Manifest, shape: str) -> Iterator[tuple[str, Any]]:
    fields = SHAPES[shape]
    for field in fields:
        if field.always:
            yield field.name, canonical(value.get(field.name) or _zero(field), field.shape)
        elif field.name in value and _written(value[field.name], field):
            yield field.name, canonical(value[field.name], field.shape)
    unknown = value.keys() - {field.name for field in fields} - {"creationTimestamp"}
    yield from ((name, canonical(value[name], "")) for name in sorted(unknown) if value[name] is not None)


def _zero(field: Field) -> Any:
    return "0" if field.shape == "Quantity" else {}


def _written(value: Any, field: Field) -> bool:
    """True when Go writes a present value: pointers to structs even when empty, the rest of the zeros only if marked."""
    if field.kept:
        return value is not None
    return bool(value) or (value == {} and field.shape in SHAPES)

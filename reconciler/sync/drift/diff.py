"""How live differs from desired, field by field: only what Git says counts, what runtime owns is left out."""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from reconciler.kernel.identity import Manifest

ABSENT = "(absent)"
KEYS = ("name", "mountPath", "containerPort", "port", "key", "type", "ip")


@dataclass(frozen=True, slots=True)
class LiveDifference:
    """One field that Git sets and that lives otherwise."""

    field: str
    desired: Any
    live: Any
    by: str = ""
    """The other manager that has changed it; empty where Git has not been applied yet, or the server keeps nothing of it."""
    since: str = ""


def digest(manifest: Manifest) -> str:
    """A short hash of what Git asks for: equal text, equal hash, whatever the order of keys."""
    text = json.dumps(manifest, sort_keys=True, separators=(",", ":"), default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def differences(desired: Manifest, live: Manifest) -> tuple[LiveDifference, ...]:
    """Every field of `desired` (status and server-set metadata excepted) whose live value is another one."""
    wanted = {key: value for key, value in desired.items() if key not in ("status", "metadata")}
    metadata = desired.get("metadata") or {}
    for key in ("labels", "annotations"):
        if metadata.get(key):
            wanted.setdefault("metadata", {})[key] = metadata[key]
    return tuple(_compare("", wanted, live))


def _compare(path: str, desired: Any, live: Any) -> Iterator[LiveDifference]:
    if isinstance(desired, dict) and isinstance(live, dict):
        for key, value in desired.items():
            yield from _compare(f"{path}.{key}" if path else str(key), value, live.get(key, ABSENT))
    elif isinstance(desired, list) and isinstance(live, list):
        yield from _compare_lists(path, desired, live)
    elif not same(desired, live):
        yield LiveDifference(path, desired, live)


def _compare_lists(path: str, desired: list[Any], live: list[Any]) -> Iterator[LiveDifference]:
    if len(desired) != len(live):
        yield LiveDifference(path, desired, live)
        return
    key = next((k for k in KEYS if all(isinstance(i, dict) and isinstance(i.get(k), str | int) for i in desired + live)), None)
    others = {i[key]: i for i in live} if key else {}
    for index, item in enumerate(desired):
        partner = others.get(item[key], ABSENT) if key else live[index]
        yield from _compare(f"{path}[{item[key] if key else index}]", item, partner)


def same(desired: Any, live: Any, *, literal: bool = False) -> bool:
    """Equal, or equal once the server has written it its own way (numbers in quotes, empty collections, quantities).

    Where texts are `literal` a number in one is no number.
    """
    if desired == live or (desired in (None, {}, [], "") and live in (ABSENT, None, {}, [])):
        return True
    if literal:
        return False
    one, other = quantity(desired), quantity(live)
    return one is not None and one == other


SUFFIXES = {"m": 1e-3, "": 1.0, "k": 1e3, "M": 1e6, "G": 1e9, "T": 1e12, "Ki": 2.0**10, "Mi": 2.0**20, "Gi": 2.0**30, "Ti": 2.0**40}


def quantity(value: Any) -> float | None:
    """A Kubernetes quantity such as `1024Mi` or `500m` as a number; None when it is not one."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int | float):
        return float(value)
    if not isinstance(value, str):
        return None
    digits = value.rstrip("kKMGTim")
    suffix = value[len(digits) :]
    try:
        return float(digits) * SUFFIXES[suffix]
    except (ValueError, KeyError):
        return None

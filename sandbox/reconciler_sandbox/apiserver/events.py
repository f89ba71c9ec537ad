"""Events: what everybody has, what they can be selected by, and where they may be."""

from collections.abc import Mapping
from typing import Any

import orjson

from reconciler_sandbox.apiserver.causes import Cause
from reconciler_sandbox.apiserver.times import parse

Manifest = dict[str, Any]
ABOUT = ("kind", "namespace", "name", "uid", "apiVersion", "resourceVersion", "fieldPath")
SELECTABLE = frozenset({f"involvedObject.{name}" for name in ABOUT} | {"reason", "type", "source", "reportingComponent"})
BLANKS: Mapping[str, Any] = {
    "involvedObject": {},
    "source": {},
    "reportingComponent": "",
    "reportingInstance": "",
    "eventTime": None,
    "firstTimestamp": None,
    "lastTimestamp": None,
}
"""What a stored Event has even if nobody wrote it."""

MOMENTS = ("eventTime", "firstTimestamp", "lastTimestamp")
LONE_NAMESPACES = ("default", "kube-system")


def filled(manifest: Manifest) -> Manifest:
    """A stored Event with what every one has, and without what says nothing."""
    said = {name: value for name, value in manifest.items() if value not in (None, "", 0)}
    return {**BLANKS, **said}


def validate(new: Manifest, old: Manifest | None) -> list[Cause]:
    """What is wrong with an Event. Raises ValueError for times that are none."""
    for holder, name in (*((new, name) for name in MOMENTS), (new.get("series") or {}, "lastObservedTime")):
        text = holder.get(name)
        if text is not None and (not isinstance(text, str) or parse(text) is None):
            raise ValueError(f"{name}: parsing time {orjson.dumps(text).decode()[:100]}: it is none")
    return _about(new)


def _about(new: Manifest) -> list[Cause]:
    """An Event lives in the namespace of what it is about; one about something without a namespace in a few only."""
    own, about = new["metadata"].get("namespace", ""), (new.get("involvedObject") or {}).get("namespace") or ""
    timed = bool(new.get("eventTime"))
    allowed = (own in (LONE_NAMESPACES if timed else LONE_NAMESPACES[:1])) if not about else timed or own == about
    if allowed:
        return []
    text = f"Invalid value: {orjson.dumps(about).decode()}: does not match event.namespace"
    return [Cause("involvedObject.namespace", text)]

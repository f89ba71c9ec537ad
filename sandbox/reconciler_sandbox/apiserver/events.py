"""Events, kept as core/v1 and shown as events.k8s.io/v1, too: their faces' names, rules, and when one was last seen.

The rules of the newer face are those of a real server, older clients of the first face are let through with less.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import orjson

from reconciler_sandbox.apiserver.causes import Cause
from reconciler_sandbox.apiserver.faces import Face
from reconciler_sandbox.apiserver.names import SUBDOMAIN, Rule
from reconciler_sandbox.apiserver.times import parse

Manifest = dict[str, Any]
GROUP = "events.k8s.io"
NEWER = Face(
    version=f"{GROUP}/v1",
    stored_version="v1",
    stored_group="",
    renamed={
        "regarding": "involvedObject",
        "note": "message",
        "reportingController": "reportingComponent",
        "deprecatedSource": "source",
        "deprecatedFirstTimestamp": "firstTimestamp",
        "deprecatedLastTimestamp": "lastTimestamp",
        "deprecatedCount": "count",
    },
    always={
        "eventTime": None,
        "regarding": {},
        "deprecatedSource": {},
        "deprecatedFirstTimestamp": None,
        "deprecatedLastTimestamp": None,
    },
)
ABOUT = ("kind", "namespace", "name", "uid", "apiVersion", "resourceVersion", "fieldPath")
SELECTABLE = frozenset({f"involvedObject.{name}" for name in ABOUT} | {"reason", "type", "source", "reportingComponent"})
NEWER_SELECTABLE = frozenset({f"regarding.{name}" for name in ABOUT} | {"reason", "type", "reportingController"})
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
TYPES = ("Normal", "Warning")
SHORT_TEXT, LONG_TEXT = 128, 1024
LONE_NAMESPACES = ("default", "kube-system")
QUALIFIED = Rule(
    "([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]",
    "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character",
    "'MyName',  or 'my.name',  or '123-abc'",
)
MAX_NAME, MAX_PREFIX = 63, 253
# Stored field → whether it may differ after an update through the newer face: only the series goes on.
FIXED = (
    *("involvedObject", "reason", "message", "source", "firstTimestamp", "lastTimestamp", "count"),
    *("type", "eventTime", "action", "related", "reportingComponent", "reportingInstance"),
)
NAMES_IN_MESSAGES: Mapping[str, str] = {"reportingComponent": "reportingController"}


def filled(manifest: Manifest) -> Manifest:
    """A stored Event with what every one has, and without what says nothing."""
    said = {name: value for name, value in manifest.items() if value not in (None, "", 0)}
    return {**BLANKS, **said}


def seen_at(manifest: Manifest) -> datetime | None:
    """When an Event was last seen, as it says itself; None if it says nothing that can be read."""
    series = manifest.get("series")
    last = series.get("lastObservedTime") if isinstance(series, dict) else None
    told = (last, manifest.get("lastTimestamp"), manifest.get("eventTime"), manifest["metadata"].get("creationTimestamp"))
    return next((moment for text in told if text and (moment := parse(str(text)))), None)


def validate(new: Manifest, old: Manifest | None) -> list[Cause]:
    """What is wrong with an Event that came as core/v1. Raises ValueError for times that are none."""
    for holder, name in (*((new, name) for name in MOMENTS), (new.get("series") or {}, "lastObservedTime")):
        text = holder.get(name)
        if text is not None and (not isinstance(text, str) or parse(text) is None):
            raise ValueError(f"{name}: parsing time {orjson.dumps(text).decode()[:100]}: it is none")
    return _about(new) + (_complete(new) if new.get("eventTime") else [])


def validate_newer(new: Manifest, old: Manifest | None) -> list[Cause]:
    """What is wrong with an Event, in its stored form, that came as events.k8s.io/v1."""
    causes = validate(new, old)
    if old is not None:
        changed = [name for name in FIXED if (new.get(name) or None) != (old.get(name) or None)]
        series = _series(new) if new.get("series") != old.get("series") else []
        return causes + series + [_fixed(name, new.get(name)) for name in changed]
    causes += _series(new)
    if not new.get("eventTime"):
        causes.append(_required("eventTime"))
    if new.get("type") not in TYPES:
        causes.append(_invalid("type", f"has invalid value: {new.get('type') or ''}"))
    source = new.get("source") or {}
    held = {name: new.get(name) for name in ("firstTimestamp", "lastTimestamp", "count")}
    held["source"] = source.get("component") or source.get("host")
    return causes + [_invalid(name, "needs to be unset") for name, value in held.items() if value]


def _about(new: Manifest) -> list[Cause]:
    """An Event lives in the namespace of what it is about; one about something without a namespace in a few only."""
    own, about = new["metadata"].get("namespace", ""), (new.get("involvedObject") or {}).get("namespace") or ""
    timed = bool(new.get("eventTime"))
    allowed = (own in (LONE_NAMESPACES if timed else LONE_NAMESPACES[:1])) if not about else timed or own == about
    if allowed:
        return []
    text = f"Invalid value: {orjson.dumps(about).decode()}: does not match event.namespace"
    return [Cause("involvedObject.namespace", text)]


def _complete(new: Manifest) -> list[Cause]:
    """What an Event with an eventTime must say."""
    controller = new.get("reportingComponent") or ""
    causes = [] if controller else [_required("reportingController")]
    causes += [
        Cause("reportingController", f"Invalid value: {orjson.dumps(controller).decode()}: {why}") for why in _unqualified(controller)
    ]
    for name in ("reportingInstance", "action", "reason"):
        causes += _text(new, name)
    if len((new.get("message") or "").encode()) > LONG_TEXT:
        causes.append(_invalid("message", f"can have at most {LONG_TEXT} characters"))
    return causes


def _text(new: Manifest, name: str) -> list[Cause]:
    text = new.get(name) or ""
    if not text:
        return [_required(name)]
    return [_invalid(name, f"can have at most {SHORT_TEXT} characters")] if len(text.encode()) > SHORT_TEXT else []


def _unqualified(name: str) -> list[str]:
    """Why a text is no qualified name, in the order of a real server."""
    prefix, slash, last = name.rpartition("/")
    if "/" in prefix:
        return [f"a qualified name {QUALIFIED.why} with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')"]
    causes = []
    if slash and not prefix:
        causes.append("prefix part must be non-empty")
    elif slash and not SUBDOMAIN.fits(prefix):
        causes.append(f"prefix part {SUBDOMAIN.why}")
    elif len(prefix) > MAX_PREFIX:
        causes.append(f"prefix part must be no more than {MAX_PREFIX} characters")
    if not last:
        causes.append("name part must be non-empty")
    elif len(last) > MAX_NAME:
        causes.append(f"name part must be no more than {MAX_NAME} characters")
    return causes if QUALIFIED.fits(last) else [*causes, f"name part {QUALIFIED.why}"]


def _series(new: Manifest) -> list[Cause]:
    series = new.get("series")
    if series is None:
        return []
    causes = [] if (series.get("count") or 0) >= 2 else [_invalid("series.count", "should be at least 2")]
    return causes if series.get("lastObservedTime") else [*causes, _required("series.lastObservedTime")]


def _fixed(name: str, value: Any) -> Cause:
    return Cause(NAMES_IN_MESSAGES.get(name, name), f"Invalid value: {orjson.dumps(value).decode()}: field is immutable")


def _required(name: str) -> Cause:
    return Cause(name, "Required value", "Required")


def _invalid(name: str, why: str) -> Cause:
    """A real server does not repeat the value here."""
    return Cause(name, f'Invalid value: "": {why}')

"""Times on the wire: seconds with Z, micro times with six digits, whatever offset a client wrote."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

SECONDS = frozenset(
    {
        "creationTimestamp",
        "deletionTimestamp",
        "lastTransitionTime",
        "lastUpdateTime",
        "lastProbeTime",
        "lastHeartbeatTime",
        "lastScaleTime",
        "lastScheduleTime",
        "lastSuccessfulTime",
        "startTime",
        "completionTime",
        "startedAt",
        "finishedAt",
        "firstTimestamp",
        "lastTimestamp",
        "deprecatedFirstTimestamp",
        "deprecatedLastTimestamp",
    }
)
MICROSECONDS = frozenset({"eventTime", "renewTime", "acquireTime", "lastObservedTime"})
FREE_FORM = frozenset({"labels", "annotations", "data", "stringData", "binaryData", "managedFields", "matchLabels"})
UNUSUAL = re.compile(rb"T\d\d:\d\d:\d\d(?:\.\d+Z|(?:\.\d+)?[+-]\d\d:?\d\d)|Time\":\s*\"[-\dT:]+Z")


def rfc3339(moment: datetime) -> str:
    """A Time: seconds, UTC."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def rfc3339_micro(moment: datetime) -> str:
    """A MicroTime: six digits, UTC."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def parse(text: str) -> datetime | None:
    """A time with any offset; None if it is none."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def normalised(value: Any, encoded: bytes) -> Any:
    """A built-in object with its times in the server's own form; `encoded` tells cheaply whether there is anything to do."""
    return _walk(value) if UNUSUAL.search(encoded) else value


def _walk(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: inner if name in FREE_FORM else _field(name, inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [_walk(inner) for inner in value]
    return value


def _field(name: str, value: Any) -> Any:
    render = RENDER.get(name)
    if render is None or not isinstance(value, str):
        return _walk(value)
    moment = parse(value)
    return value if moment is None else render(moment)


RENDER: Mapping[str, Any] = {**dict.fromkeys(SECONDS, rfc3339), **dict.fromkeys(MICROSECONDS, rfc3339_micro)}

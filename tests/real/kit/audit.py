"""What the API server's own audit log says: who asked for what, when, and whether they were allowed."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

READS = frozenset({"get", "list", "watch"})


@dataclass(frozen=True, slots=True)
class Entry:
    """One request, once it was answered; `resource` with its subresource after a slash, as rules name it."""

    user: str
    verb: str
    group: str
    resource: str
    namespace: str
    name: str
    code: int
    at: datetime
    done: datetime

    @property
    def writes(self) -> bool:
        return self.verb not in READS


def entries(log: Path, user: str = "") -> list[Entry]:
    """The answered requests for resources in the order they were received, of one user if named."""
    found = [entry for entry in _parsed(log) if not user or entry.user == user]
    return sorted(found, key=lambda entry: entry.at)


def _parsed(log: Path) -> Iterator[Entry]:
    with log.open(encoding="utf-8") as lines:
        for line in lines:
            event = json.loads(line)
            if "objectRef" in event and event["stage"] != "RequestReceived":
                yield _entry(event)


def _entry(event: dict[str, Any]) -> Entry:
    about = event["objectRef"]
    parts = [about.get("resource", ""), about.get("subresource", "")]
    return Entry(
        user=event["user"]["username"],
        verb=event["verb"],
        group=about.get("apiGroup", ""),
        resource="/".join(part for part in parts if part),
        namespace=about.get("namespace", ""),
        name=about.get("name", ""),
        code=int((event.get("responseStatus") or {}).get("code") or 0),
        at=_moment(event["requestReceivedTimestamp"]),
        done=_moment(event["stageTimestamp"]),
    )


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text)

"""Writes Events, the trace operators read; a refused event never stops the work it tells about.

What was told before is told again by its count, as clients of a real server do.
"""

import logging
from collections import OrderedDict
from dataclasses import dataclass

from reconciler_sandbox.client import ApiClient, ApiError
from reconciler_sandbox.controllers.objects import Manifest, collection, name_of, now, timestamp, uid_of

REMEMBERED = 1024

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Subject:
    """What an event is about: list items carry no kind, so it is said here."""

    api_version: str
    kind: str
    manifest: Manifest


class Recorder:
    """Writes events as one component."""

    def __init__(self, client: ApiClient, component: str) -> None:
        self._client = client
        self._component = component
        self._last = 0
        self._told: OrderedDict[tuple[str, str, str, str], tuple[str, int]] = OrderedDict()

    async def normal(self, subject: Subject, reason: str, message: str) -> None:
        """Something went as it should."""
        await self._write(subject, "Normal", reason, message)

    async def warning(self, subject: Subject, reason: str, message: str) -> None:
        """Something an operator should look at."""
        await self._write(subject, "Warning", reason, message)

    async def _write(self, subject: Subject, kind: str, reason: str, message: str) -> None:
        same = (uid_of(subject.manifest), kind, reason, message)
        try:
            path, count = await self._again(same) or await self._first(subject, kind, reason, message)
        except ApiError as error:
            log.debug("event %s refused: %s", reason, error)
            return
        self._told[same] = (path, count)
        self._told.move_to_end(same)
        if len(self._told) > REMEMBERED:
            self._told.popitem(last=False)

    async def _again(self, same: tuple[str, str, str, str]) -> tuple[str, int] | None:
        """Count an event that was written before; nothing if it was not, or is gone."""
        if same not in self._told:
            return None
        path, count = self._told[same]
        try:
            await self._client.patch(path, {"count": count + 1, "lastTimestamp": timestamp(now())})
        except ApiError as error:
            if error.status != 404:
                raise
            return None
        return path, count + 1

    async def _first(self, subject: Subject, kind: str, reason: str, message: str) -> tuple[str, int]:
        namespace = subject.manifest["metadata"].get("namespace") or "default"
        moment = timestamp(now())
        self._last = max(int(now().timestamp() * 1e9), self._last + 1)
        name = f"{name_of(subject.manifest)}.{self._last:x}"
        event = {
            "apiVersion": "v1",
            "kind": "Event",
            "metadata": {"name": name, "namespace": namespace},
            "involvedObject": self._involved(subject, namespace),
            "type": kind,
            "reason": reason,
            "message": message,
            "source": {"component": self._component},
            "firstTimestamp": moment,
            "lastTimestamp": moment,
            "count": 1,
        }
        events = collection("v1/events", namespace)
        await self._client.create(events, event)
        return f"{events}/{name}", 1

    def _involved(self, subject: Subject, namespace: str) -> Manifest:
        return {
            "apiVersion": subject.api_version,
            "kind": subject.kind,
            "name": name_of(subject.manifest),
            "namespace": namespace,
            "uid": uid_of(subject.manifest),
            "resourceVersion": subject.manifest["metadata"].get("resourceVersion", ""),
        }

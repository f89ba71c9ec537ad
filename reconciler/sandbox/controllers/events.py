"""Writes Events, the trace operators read; a refused event never stops the work it tells about."""

import logging
import time
from dataclasses import dataclass

from reconciler.sandbox.client import ApiClient, ApiError
from reconciler.sandbox.controllers.objects import Manifest, collection, name_of, now, timestamp, uid_of

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

    async def normal(self, subject: Subject, reason: str, message: str) -> None:
        """Something went as it should."""
        await self._write(subject, "Normal", reason, message)

    async def warning(self, subject: Subject, reason: str, message: str) -> None:
        """Something an operator should look at."""
        await self._write(subject, "Warning", reason, message)

    async def _write(self, subject: Subject, kind: str, reason: str, message: str) -> None:
        namespace = subject.manifest["metadata"].get("namespace") or "default"
        moment = timestamp(now())
        self._last = max(time.time_ns(), self._last + 1)
        event = {
            "apiVersion": "v1",
            "kind": "Event",
            "metadata": {"name": f"{name_of(subject.manifest)}.{self._last:x}", "namespace": namespace},
            "involvedObject": self._involved(subject, namespace),
            "type": kind,
            "reason": reason,
            "message": message,
            "source": {"component": self._component},
            "firstTimestamp": moment,
            "lastTimestamp": moment,
            "count": 1,
        }
        try:
            await self._client.create(collection("v1/events", namespace), event)
        except ApiError as error:
            log.debug("event %s refused: %s", reason, error)

    def _involved(self, subject: Subject, namespace: str) -> Manifest:
        return {
            "apiVersion": subject.api_version,
            "kind": subject.kind,
            "name": name_of(subject.manifest),
            "namespace": namespace,
            "uid": uid_of(subject.manifest),
            "resourceVersion": subject.manifest["metadata"].get("resourceVersion", ""),
        }

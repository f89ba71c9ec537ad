"""Judges webhook deliveries: who sent it, what it is, whether it was seen before; only then is it a hint."""

import json
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs

from reconciler.web.webhook import Hint, WebhookShape

REMEMBERED = 10_000
JSON, FORM = "application/json", "application/x-www-form-urlencoded"


@dataclass(frozen=True, slots=True)
class WebhookAnswer:
    """What to answer, and the hint to act on if there is one."""

    status: int
    message: str
    hint: Hint | None = None


@dataclass(slots=True)
class Webhooks:
    """`secret` is asked at each delivery, because it rotates.

    The last 10,000 proofs are remembered, not the ids of deliveries: proofs cover the body, while anybody may invent an id.
    """

    shapes: Iterable[WebhookShape]
    secret: Callable[[], bytes]
    _seen: OrderedDict[str, None] = field(default_factory=OrderedDict)

    def receive(self, headers: Mapping[str, str], body: bytes) -> WebhookAnswer:
        """Judge one delivery: 401 not proven, 415 of another type, 400 no JSON, else 202."""
        lower = {name.lower(): value for name, value in headers.items()}
        shape = next((shape for shape in self.shapes if shape.proof(lower)), None)
        if shape is None or not shape.genuine(self.secret(), shape.proof(lower), body):
            return WebhookAnswer(401, "the signature does not match")
        kind = lower.get("content-type", JSON).partition(";")[0].strip().lower()
        if kind not in (JSON, FORM):
            return WebhookAnswer(415, f"send {JSON}")
        document = _document(kind, body)
        if document is None:
            return WebhookAnswer(400, "the body is not JSON")
        if self._replayed(shape.proof(lower)):
            return WebhookAnswer(202, "seen before")
        return WebhookAnswer(202, "accepted", shape.hint(lower, document))

    def _replayed(self, proof: str) -> bool:
        if proof in self._seen:
            return True
        self._seen[proof] = None
        if len(self._seen) > REMEMBERED:
            self._seen.popitem(last=False)
        return False


def _document(kind: str, body: bytes) -> Any:
    try:
        return json.loads(parse_qs(body.decode())["payload"][0] if kind == FORM else body)
    except (ValueError, KeyError, RecursionError):
        return None

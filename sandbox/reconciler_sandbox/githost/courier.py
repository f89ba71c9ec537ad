"""Webhook deliveries: signed, tried a few times, and written down."""

import asyncio
import hashlib
import hmac
import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import aiohttp

ATTEMPTS = 4
FIRST_PAUSE = 0.1
TIMEOUT = 10.0


@dataclass(frozen=True, slots=True)
class Hook:
    """Where to deliver, and the secret that signs."""

    url: str
    secret: str


@dataclass(frozen=True, slots=True)
class Delivery:
    """One attempt: `status` is the answer's, 0 when there was none."""

    id: str
    url: str
    event: str
    payload: Mapping[str, Any]
    attempt: int
    status: int


class Courier:
    """Delivers events in the background; `deliveries` holds every attempt in the order they ended."""

    def __init__(self) -> None:
        self.deliveries: list[Delivery] = []
        self._running: set[asyncio.Task[None]] = set()
        self._session: aiohttp.ClientSession | None = None

    def send(self, hook: Hook, event: str, payload: Mapping[str, Any]) -> None:
        """Start one delivery and return at once."""
        task = asyncio.create_task(self._deliver(hook, event, payload))
        self._running.add(task)
        task.add_done_callback(self._running.discard)

    async def settle(self) -> None:
        """Wait until no delivery is under way."""
        while self._running:
            await asyncio.wait(set(self._running))

    async def stop(self) -> None:
        """Give up what is under way and close the connections."""
        for task in self._running:
            task.cancel()
        await asyncio.gather(*self._running, return_exceptions=True)
        if self._session:
            await self._session.close()

    async def _deliver(self, hook: Hook, event: str, payload: Mapping[str, Any]) -> None:
        body = json.dumps(payload).encode()
        identity = str(uuid.uuid4())
        headers = {
            "Content-Type": "application/json",
            "User-Agent": "GitHub-Hookshot/sandbox",
            "X-GitHub-Event": event,
            "X-GitHub-Delivery": identity,
            "X-Hub-Signature-256": "sha256=" + hmac.new(hook.secret.encode(), body, hashlib.sha256).hexdigest(),
        }
        for attempt in range(1, ATTEMPTS + 1):
            status = await self._attempt(hook.url, body, headers)
            self.deliveries.append(Delivery(identity, hook.url, event, payload, attempt, status))
            if 200 <= status < 300 or attempt == ATTEMPTS:
                return
            await asyncio.sleep(FIRST_PAUSE * 2 ** (attempt - 1))

    async def _attempt(self, url: str, body: bytes, headers: Mapping[str, str]) -> int:
        if self._session is None:
            self._session = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=TIMEOUT))
        try:
            async with self._session.post(url, data=body, headers=headers, allow_redirects=False) as answer:
                return answer.status
        except (TimeoutError, aiohttp.ClientError):
            return 0

"""The client that all metrics share: a budget for each host, `Retry-After` obeyed, and one request for questions that are the same.

A release of a hundred workloads asks one server a hundred times in the same second, often the same. What is shared is known by a keyed
digest of the whole request, so that no credential stands in a key.
"""

import asyncio
import hashlib
import json
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from enum import StrEnum
from secrets import token_bytes

import httpx

from reconciler.kernel.address import NOWHERE, split_address
from reconciler.kernel.clock import Clock, Timers
from reconciler.kernel.errors import Terminal, Transient
from reconciler.web.client import ClientSettings, HttpAnswer, HttpCall, ask, open_client

PER_HOST = 10
"""Requests at a time; Prometheus carries out 20 queries at a time, and others ask it too."""
TICK = 1.0
"""Seconds for which the answer to a question about a named moment is kept."""
KEPT_ANSWERS, KEPT_BYTES = 256, 1 << 20
"""How many answers are kept at most, and how large one may be."""
MOST_QUIET = 30.0
"""Seconds that a host is left alone at most, whatever it asks for: four errors in a row are what a metric stands by default."""
LONGEST_WAIT = 5.0
"""Seconds of that which a request waits out; the workers that wait here are wanted elsewhere."""
BUSY = (429, 503)
SKEW, NO_CLOCK = timedelta(minutes=1), timedelta(days=1)
"""From when on two clocks differ; a date that is further off is no server's clock, but one that was made up or kept."""
MOST_CLOCKS = 1000


class Sharing(StrEnum):
    """When one answer may serve several who ask."""

    NEVER = "never"
    """The request may change something."""
    IN_FLIGHT = "in flight"
    """It reads what is now: who asks the same meanwhile gets the same answer."""
    TICK = "tick"
    """It names the moment it asks about: the answer stays the same."""


@dataclass(slots=True)
class _Host:
    """How one host is treated: who may ask it, and until when it is left alone."""

    slots: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(PER_HOST))
    users: int = 0
    quiet_until: float = 0.0


@dataclass(slots=True)
class _Flight:
    """A request that some are waiting for."""

    task: asyncio.Task[HttpAnswer]
    waiting: int = 0


class MetricsClient:
    """Sends the calls of providers; whose answers are the same is told by what would be sent, credentials included."""

    def __init__(self, http: httpx.AsyncClient, clock: Clock, timers: Timers) -> None:
        self._http = http
        self._clock = clock
        self._timers = timers
        self._salt = token_bytes(32)
        self._hosts: dict[str, _Host] = {}
        self._flights: dict[bytes, _Flight] = {}
        self._kept: dict[bytes, tuple[float, HttpAnswer]] = {}
        self._skews: dict[str, timedelta] = {}

    def now(self) -> datetime:
        """The time by the clock that everything here goes by."""
        return self._clock.now()

    def skew(self, address: str) -> timedelta | None:
        """How far the clock of a server is ahead of ours, as its last answer told; None: they agree, or it did not say."""
        return self._skews.get(origin_of(address))

    async def send(self, call: HttpCall, *, insecure: bool, sharing: Sharing) -> HttpAnswer:
        """The answer to one call. Raises Transient when none came in time, or none may be asked for yet; Terminal as `web.client.ask`."""
        if sharing is Sharing.NEVER:
            return await self._budgeted(call, insecure, again=False)
        key = self._key(call, insecure)
        kept = self._recent(key) if sharing is Sharing.TICK else None
        if kept is not None:
            return kept
        answer = await self._joined(key, call, insecure)
        if sharing is Sharing.TICK:
            self._keep(key, answer)
        return answer

    def _key(self, call: HttpCall, insecure: bool) -> bytes:
        """What tells two requests apart: all of them that is sent, and how it is sent."""
        sent = [call.method, call.url, sorted(call.headers.items()), sorted(call.query.items()), call.timeout, call.limit, insecure]
        return hashlib.blake2b(json.dumps(sent).encode() + b"\0" + call.body, key=self._salt, digest_size=32).digest()

    async def _joined(self, key: bytes, call: HttpCall, insecure: bool) -> HttpAnswer:
        """The answer of the request that is under way for the same question, or of one that begins now.

        The request belongs to all who wait: when one of them is cancelled the others go on waiting; when none is left it ends.
        """
        flight = self._flights.get(key)
        if flight is None:
            flight = self._flights[key] = _Flight(asyncio.create_task(self._budgeted(call, insecure, again=True)))
        flight.waiting += 1
        try:
            return await asyncio.shield(flight.task)
        finally:
            flight.waiting -= 1
            if flight.task.done() or not flight.waiting:
                if self._flights.get(key) is flight:
                    del self._flights[key]
                await _end(flight.task)

    async def _budgeted(self, call: HttpCall, insecure: bool, *, again: bool) -> HttpAnswer:
        """One request within the host's budget; one more where the host named a time and the call may be repeated."""
        async with self._host(call) as host:
            answer = await self._asked(host, call, insecure)
            pause = self._asked_pause(answer)
            if pause is None:
                return answer
            host.quiet_until = max(host.quiet_until, self._clock.monotonic() + pause)
            return await self._asked(host, call, insecure) if again and pause <= LONGEST_WAIT else answer

    async def _asked(self, host: _Host, call: HttpCall, insecure: bool) -> HttpAnswer:
        await self._leave_alone(host, call)
        try:
            async with asyncio.timeout(call.timeout):
                await host.slots.acquire()
        except TimeoutError as error:
            raise Transient(f"{_origin(call)}: busy with {PER_HOST} requests of ours for {call.timeout:g} s") from error
        try:
            await self._leave_alone(host, call)  # who had the slot before may have been told to wait
            return await self._once(call, insecure)
        finally:
            host.slots.release()

    async def _leave_alone(self, host: _Host, call: HttpCall) -> None:
        """Wait out the time that a host asked for; a longer one is no time to wait here."""
        left = host.quiet_until - self._clock.monotonic()
        if left > LONGEST_WAIT:
            raise Transient(f"{_origin(call)}: asked to be left alone for {left:.0f} s more", retry_after=left)
        if left > 0:
            await self._timers.sleep(left)

    @asynccontextmanager
    async def _host(self, call: HttpCall) -> AsyncIterator[_Host]:
        """What is known of the host, forgotten when there is no more to know."""
        name = _origin(call)
        host = self._hosts.setdefault(name, _Host())
        host.users += 1
        try:
            yield host
        finally:
            host.users -= 1
            now = self._clock.monotonic()
            for other in [other for other, known in self._hosts.items() if not known.users and known.quiet_until <= now]:
                del self._hosts[other]

    async def _once(self, call: HttpCall, insecure: bool) -> HttpAnswer:
        """One request through the shared client, or through one of its own that trusts every certificate."""
        answer = await self._sent(call, insecure)
        self._compare_clocks(_origin(call), answer)
        return answer

    async def _sent(self, call: HttpCall, insecure: bool) -> HttpAnswer:
        if not insecure:
            return await ask(self._http, call)
        async with open_client(ClientSettings(connections=1, environment=self._http.trust_env, tls=_trusting())) as own:
            own.event_hooks = self._http.event_hooks
            return await ask(own, call)

    def _compare_clocks(self, origin: str, answer: HttpAnswer) -> None:
        """Remember a server whose clock is another than ours (RFC 9110, 6.6.1); what a cache kept (`Age`) tells no time."""
        told = _moment(answer.headers.get("Date", "")) if "Age" not in answer.headers else None
        skew = timedelta(0) if told is None else told - self._clock.now()
        if SKEW <= abs(skew) < NO_CLOCK and (origin in self._skews or len(self._skews) < MOST_CLOCKS):
            self._skews[origin] = skew
        else:
            self._skews.pop(origin, None)

    def _asked_pause(self, answer: HttpAnswer) -> float | None:
        """The seconds that a busy server asks for, within bounds; None when it asks for none."""
        text = answer.headers.get("Retry-After", "") if answer.status in BUSY else ""
        seconds = _seconds(text.strip(), self._clock.now())
        return None if seconds is None else min(max(seconds, 0.0), MOST_QUIET)

    def _recent(self, key: bytes) -> HttpAnswer | None:
        since, answer = self._kept.get(key, (0.0, None))
        return answer if answer is not None and self._clock.monotonic() - since < TICK else None

    def _keep(self, key: bytes, answer: HttpAnswer) -> None:
        """Keep a good answer for the rest of the tick, and let go of what is older."""
        now = self._clock.monotonic()
        self._kept = {other: kept for other, kept in self._kept.items() if now - kept[0] < TICK}
        if answer.status < 300 and len(answer.body) <= KEPT_BYTES and len(self._kept) < KEPT_ANSWERS:
            self._kept.setdefault(key, (now, answer))


async def _end(task: asyncio.Task[HttpAnswer]) -> None:
    """End a request that nothing waits for, and hear its last word."""
    task.cancel()
    with suppress(asyncio.CancelledError, Transient, Terminal):
        await task


def _origin(call: HttpCall) -> str:
    """Scheme, host and port: what has a budget. An address that is none is refused as it is sent."""
    return origin_of(call.url)


def origin_of(url: str) -> str:
    """The same of an address; empty for one that is none. It holds no credential."""
    parts = split_address(url)
    return f"{parts.scheme}://{parts.hostname or ''}{f':{parts.port}' if parts.port else ''}" if parts != NOWHERE else ""


def _seconds(text: str, now: datetime) -> float | None:
    """`Retry-After` is a number of seconds or a date (RFC 9110, 10.2.3); whatever else it says is nothing."""
    if text.isascii() and text.isdigit():
        return float(text[:9])
    moment = _moment(text)
    return None if moment is None else moment.timestamp() - now.timestamp()


def _moment(text: str) -> datetime | None:
    """A date of HTTP; None for what is none."""
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, TypeError, OverflowError):
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _trusting() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context

"""Steady users: a constant rate of requests to one address, each remembered with the version that answered."""

import asyncio
import json
import time
from collections import Counter, deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from ipaddress import ip_address
from itertools import takewhile

import aiohttp

ANSWER_SECONDS = 15.0
MOST_SAMPLES = 200_000
NO_ANSWER = 0


class NotLoopback(Exception):
    """The address is not on this machine: load is for rehearsals, never for other people's servers."""


@dataclass(frozen=True, slots=True)
class Sample:
    """One request: when it was sent (Unix seconds), the `version` of the JSON answer or "", the status or 0 without an answer.

    `tagged` says that the request carried further headers, as a tester's does.
    """

    time: float
    version: str
    status: int
    tagged: bool

    @property
    def failed(self) -> bool:
        return self.status == NO_ANSWER or self.status >= 500


@dataclass(slots=True)
class Load:
    """`rate` requests a second to `address`, with at most `connections` in flight; those that would be more are not sent."""

    address: tuple[str, int]
    host: str = field(kw_only=True)
    path: str = field(default="/", kw_only=True)
    headers: Mapping[str, str] = field(default_factory=dict, kw_only=True)
    rate: float = field(kw_only=True)
    connections: int = field(default=10, kw_only=True)
    now: Callable[[], float] = field(default=time.time, kw_only=True)
    samples: deque[Sample] = field(default_factory=lambda: deque(maxlen=MOST_SAMPLES), init=False)
    _session: aiohttp.ClientSession | None = field(default=None, init=False)
    _task: asyncio.Task[None] | None = field(default=None, init=False)
    _slots: asyncio.Semaphore = field(init=False)

    def __post_init__(self) -> None:
        _must_be_loopback(self.address[0])
        self._slots = asyncio.Semaphore(self.connections)

    async def start(self) -> None:
        """Begin to send."""
        self._task = asyncio.create_task(self._send_steadily())

    async def stop(self) -> None:
        """Stop sending; requests in flight are given up."""
        if self._task:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            self._task = None
        if self._session:
            await self._session.close()
            self._session = None

    def counts_since(self, moment: float) -> Counter[str]:
        """How many requests sent since then each version answered; failures are under ""."""
        # Samples are kept in the order of their answers, so one sent earlier may follow one sent later, but not by much.
        recent = takewhile(lambda sample: sample.time >= moment - ANSWER_SECONDS, reversed(self.samples))
        return Counter("" if sample.failed else sample.version for sample in recent if sample.time >= moment)

    @property
    def failures(self) -> list[Sample]:
        """Requests without an answer or with a 5xx."""
        return [sample for sample in self.samples if sample.failed]

    async def burst(self, count: int, *, headers: Mapping[str, str] | None = None) -> list[Sample]:
        """`count` requests as fast as the connections allow, also recorded; `headers` replace the load's own."""
        chosen = self.headers if headers is None else headers
        waiting = iter(range(count))
        found: list[Sample] = []

        async def send_some() -> None:
            for _ in waiting:
                async with self._slots:
                    found.append(await self._send(chosen))

        async with asyncio.TaskGroup() as group:
            for _ in range(min(self.connections, count)):
                group.create_task(send_some())
        return found

    async def _send_steadily(self) -> None:
        loop = asyncio.get_running_loop()
        due = loop.time()
        async with asyncio.TaskGroup() as group:
            while True:
                if not self._slots.locked():
                    await self._slots.acquire()
                    group.create_task(self._send_and_free())
                due = max(due + 1 / self.rate, loop.time() - 1)  # a pause of the machine is made up for, at most a second of it
                await asyncio.sleep(max(0.0, due - loop.time()))

    async def _send_and_free(self) -> None:
        try:
            await self._send(self.headers)
        finally:
            self._slots.release()

    async def _send(self, headers: Mapping[str, str]) -> Sample:
        sent = self.now()
        status, version = await self._answer({"Host": self.host, **headers})
        sample = Sample(sent, version, status, tagged=bool(headers))
        self.samples.append(sample)
        return sample

    async def _answer(self, headers: Mapping[str, str]) -> tuple[int, str]:
        url = f"http://{self.address[0]}:{self.address[1]}{self.path}"
        try:
            async with self._connected().get(url, headers=headers, allow_redirects=False) as response:
                return response.status, _version(await response.read())
        except (aiohttp.ClientError, OSError, TimeoutError):
            return NO_ANSWER, ""

    def _connected(self) -> aiohttp.ClientSession:
        if self._session is None:
            connector = aiohttp.TCPConnector(limit=self.connections)
            self._session = aiohttp.ClientSession(connector=connector, timeout=aiohttp.ClientTimeout(total=ANSWER_SECONDS))
        return self._session


def _version(body: bytes) -> str:
    """The `version` of a JSON object; empty for any other answer."""
    try:
        answer = json.loads(body)
    except ValueError:
        return ""
    return str(answer.get("version", "")) if isinstance(answer, dict) else ""


def _must_be_loopback(host: str) -> None:
    try:
        loopback = host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        loopback = False
    if not loopback:
        raise NotLoopback(f"{host} is not an address of this machine; load goes to loopback only")

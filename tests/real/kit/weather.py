"""Bad weather between a daemon and its API server: seeded faults on a proxy, before a request is carried out and after it."""

import asyncio
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from random import Random
from typing import Any

from aiohttp import web
from reconciler_sandbox.githost.faults import Fault

RETRY_AFTER = "1"
REFUSALS: Mapping[str, tuple[int, str]] = {
    "conflict": (409, "Conflict"),
    "too many requests": (429, "TooManyRequests"),
    "internal error": (500, "InternalError"),
    "unavailable": (503, "ServiceUnavailable"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Rates:
    """How often what happens, as shares of all requests; conflicts of PUT and PATCH, cuts of watches."""

    delay: float = 0.08
    dropped: float = 0.03
    lost: float = 0.05
    conflict: float = 0.05
    too_many: float = 0.02
    internal: float = 0.02
    unavailable: float = 0.02
    cut: float = 0.8
    longest_delay: float = 0.4
    longest_watch: float = 6.0


@dataclass(slots=True)
class Weather:
    """Decides for each request what becomes of it, and counts."""

    dice: Random
    rates: Rates = field(default_factory=Rates)
    met: Counter[str] = field(default_factory=Counter)

    @property
    def words(self) -> tuple[str, ...]:
        """Everything that may happen."""
        return ("delay", "dropped", "lost", "cut", *REFUSALS)

    def faults(self) -> list[Fault]:
        return [Fault(self._before, times=None), Fault(self._after, times=None, after=True)]

    async def _before(self, request: web.BaseRequest) -> web.StreamResponse | None:
        """A request on its way to the server."""
        if self._strikes(self.rates.delay):
            self.met["delay"] += 1
            await asyncio.sleep(self.dice.uniform(0, self.rates.longest_delay))
        if self._strikes(self.rates.dropped):
            return self._hung_up(request, "dropped")
        if request.method in ("PUT", "PATCH") and self._strikes(self.rates.conflict):
            return self._refused("conflict")
        for word, rate in (
            ("too many requests", self.rates.too_many),
            ("internal error", self.rates.internal),
            ("unavailable", self.rates.unavailable),
        ):
            if self._strikes(rate):
                return self._refused(word)
        return None

    async def _after(self, request: web.BaseRequest) -> web.StreamResponse | None:
        """An answer on its way back."""
        if request.query.get("watch") != "true":
            return self._hung_up(request, "lost") if self._strikes(self.rates.lost) else None
        if self._strikes(self.rates.cut):
            self.met["cut"] += 1
            asyncio.get_running_loop().call_later(self.dice.uniform(0, self.rates.longest_watch), _abort, request)
        return None

    def _strikes(self, rate: float) -> bool:
        return self.dice.random() < rate

    def _hung_up(self, request: web.BaseRequest, word: str) -> web.Response:
        self.met[word] += 1
        _abort(request)
        return web.Response(status=500)

    def _refused(self, word: str) -> web.Response:
        self.met[word] += 1
        code, reason = REFUSALS[word]
        status: dict[str, Any] = {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure", "code": code, "reason": reason}
        headers = {"Retry-After": RETRY_AFTER} if code in (429, 503) else {}
        return web.json_response({**status, "message": f"{word}: as the weather is"}, status=code, headers=headers)


def _abort(request: web.BaseRequest) -> None:
    if request.transport is not None:
        request.transport.abort()

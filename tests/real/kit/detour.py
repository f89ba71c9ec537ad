"""Proxies on the way from a daemon to a real API server, encrypted on both sides, and the kubeconfigs that lead through them."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from json import dumps, loads
from pathlib import Path
from random import Random
from typing import TypeVar

import aiohttp
from aiohttp import web
from reconciler_sandbox.githost.faults import Fault, cut
from reconciler_sandbox.rehearsal.proxy import Proxy, Tls

from tests.kit.certificate import self_signed
from tests.real.kit.controlplane import RealCluster

LATE_SECONDS = 2.0
EXPIRED = b'"code":410'
Made = TypeVar("Made", bound=Proxy)


class Forgetting(Proxy):
    """Hides from most watches that the server is away: they end in good order once it is `back`, so they go on from where they were.

    `expired` counts the answers that this version is no longer known.
    """

    def __init__(self, upstream: str, *, tls: Tls | None = None) -> None:
        super().__init__(upstream, tls=tls)
        self.expired = 0
        self.back = asyncio.Event()
        self._dice = Random(1)

    async def _copy(self, request: web.BaseRequest, answer: aiohttp.ClientResponse, response: web.StreamResponse) -> None:
        try:
            async for chunk in answer.content.iter_any():
                self.expired += chunk.count(EXPIRED)
                await response.write(chunk)
        except aiohttp.ClientError:
            if request.query.get("watch") != "true" or self._dice.random() < 0.3:
                raise
            await self.back.wait()


class Late(Proxy):
    """Loses the first answer to who creates one of some resources, and brings news of it only after the next attempt."""

    def __init__(self, upstream: str, plurals: Sequence[str], *, tls: Tls | None = None) -> None:
        super().__init__(upstream, tls=tls)
        self._quiet_until: dict[str, float] = {}
        for plural in plurals:
            self.faults.add(Fault(self._hush, method="POST", path=f"*/{plural}"))
            self.faults.add(Fault(cut(), method="POST", path=f"*/{plural}", after=True))

    async def _hush(self, request: web.BaseRequest) -> web.StreamResponse | None:
        """The event of what is about to be created may be faster than its answer."""
        self._quiet_until[_plural(request)] = asyncio.get_running_loop().time() + LATE_SECONDS
        return None

    async def _copy(self, request: web.BaseRequest, answer: aiohttp.ClientResponse, response: web.StreamResponse) -> None:
        async for chunk in answer.content.iter_any():
            if request.query.get("watch") == "true":
                await asyncio.sleep(self._quiet_until.get(_plural(request), 0.0) - asyncio.get_running_loop().time())
            await response.write(chunk)


def _plural(request: web.BaseRequest) -> str:
    return request.path.rpartition("/")[2]


@asynccontextmanager
async def through(cluster: RealCluster, folder: Path, token: str, make: Callable[..., Made] = Proxy) -> AsyncIterator[tuple[Made, str]]:
    """A proxy before the cluster, and the kubeconfig that leads through it."""
    certificate = self_signed()
    authority = folder / "proxy.crt"
    authority.write_text(certificate.authority, encoding="utf-8")
    async with make(cluster.url, tls=Tls(certificate.context(), cluster.tls())) as proxy:
        document = loads(cluster.kubeconfig_of(token))
        document["clusters"][0]["cluster"] = {"server": proxy.url, "certificate-authority": str(authority)}
        yield proxy, dumps(document)

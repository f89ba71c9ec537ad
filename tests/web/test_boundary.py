"""Addresses that lend a machine's rights: never asked unless allowed, however they are written and wherever a name leads."""

from collections.abc import Mapping
from typing import Any

import httpx
import pytest
from aiohttp import web

from reconciler.kernel.clock import SystemClock
from reconciler.kernel.errors import Terminal
from reconciler.providers.metrics_client import MetricsClient, Sharing
from reconciler.web.client import ClientSettings, HttpAnswer, HttpCall, ask, open_client
from tests.web.test_client import echo, serving

REFUSED = (
    "http://169.254.169.254/latest/meta-data",
    "http://169.254.170.2/",
    "http://[fe80::1]/",
    "http://[fd00:ec2::254]/latest",
    "http://[::ffff:169.254.169.254]/",
    "http://[::ffff:a9fe:a9fe]/",
    "http://100.100.100.200/",
    "http://metadata.google.internal/computeMetadata/v1/",
    "http://METADATA.google.internal./",
    "http://user:hunter2@169.254.169.254/?token=hunter2",
)


async def send(client: httpx.AsyncClient, url: str, *, insecure: bool) -> HttpAnswer:
    metrics = MetricsClient(client, SystemClock(), SystemClock())
    return await metrics.send(HttpCall(method="GET", url=url), insecure=insecure, sharing=Sharing.NEVER)


class Elsewhere:
    """A connection that says it leads to the metadata service, and is closed when it was."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream
        self.closed = False

    def get_extra_info(self, name: str) -> Any:
        real = self._stream.get_extra_info(name)
        assert real[0] == "127.0.0.1", "the transport says where a connection leads"
        return ("169.254.169.254", real[1])

    async def aclose(self) -> None:
        self.closed = True
        await self._stream.aclose()


@pytest.mark.parametrize("url", REFUSED)
@pytest.mark.parametrize("insecure", [False, True])
async def test_an_address_that_lends_rights_is_refused_without_its_secrets(url: str, insecure: bool) -> None:
    async with open_client() as client:
        with pytest.raises(Terminal, match="linkLocal") as refusal:
            await send(client, url, insecure=insecure)
    assert "hunter2" not in str(refusal.value)


@pytest.mark.parametrize("insecure", [False, True])
async def test_a_loopback_address_is_asked_and_so_it_is_when_all_are_allowed(insecure: bool) -> None:
    for settings in (ClientSettings(), ClientSettings(link_local=True)):
        async with serving(echo) as url, open_client(settings) as client:
            assert (await send(client, url, insecure=insecure)).status == 200


@pytest.mark.parametrize("allowed", [False, True])
async def test_a_name_that_leads_to_such_an_address_gets_no_request(allowed: bool) -> None:
    seen, streams = [], []

    async def serve(request: web.BaseRequest) -> web.StreamResponse:
        seen.append(request.path)
        return web.Response(text="rights")

    async def divert(request: httpx.Request) -> None:
        judge = request.extensions.get("trace")

        async def trace(event: str, details: Mapping[str, Any]) -> None:
            if event == "connection.connect_tcp.complete":
                streams.append(Elsewhere(details["return_value"]))
                details = {"return_value": streams[-1]}
            if judge:
                await judge(event, details)

        request.extensions["trace"] = trace

    async with serving(serve) as url, open_client(ClientSettings(link_local=allowed)) as client:
        client.event_hooks = {"request": [*client.event_hooks["request"], divert]}
        call = HttpCall(method="GET", url=f"{url}/latest")
        if allowed:
            assert (await ask(client, call)).body == b"rights"
        else:
            with pytest.raises(Terminal, match="link-local"):
                await ask(client, call)
    assert (seen, [stream.closed for stream in streams]) == ((["/latest"], [False]) if allowed else ([], [True]))

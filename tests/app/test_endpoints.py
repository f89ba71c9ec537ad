"""Our own endpoints: what they answer, and to whom."""

import asyncio
import hashlib
import hmac
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest

from reconciler.app.endpoints import Endpoints
from reconciler.app.indexes import INDEXES
from reconciler.app.settings.reading import settings_of
from reconciler.app.telemetry import Telemetry
from reconciler.kernel.clock import SystemClock
from reconciler.kernel.errors import Terminal
from reconciler.kube.cache import Cache
from reconciler.runtime.engine import Engine
from reconciler.web.webhook import Hint
from tests.kit.clusters import api, running
from tests.kit.ports import free_port
from tests.kit.wait import until


class Served:
    """A running server, and what its webhook hinted."""

    def __init__(self, url: str, engine: Engine) -> None:
        self.url, self.engine = url, engine
        self.hints: list[Hint] = []
        self.notes: list[str] = []

    def hinted(self, hint: Hint) -> int:
        self.hints.append(hint)
        return 1

    async def ask(self, path: str, *, method: str = "GET", body: bytes = b"", **headers: str) -> httpx.Response:
        async with httpx.AsyncClient(trust_env=False) as http:
            named = {name.replace("_", "-"): value for name, value in headers.items()}
            return await http.request(method, self.url + path, content=body, headers=named)


@asynccontextmanager
async def serving(extra: str = "") -> AsyncIterator[Served]:
    port = free_port()
    async with api() as cluster:
        engine = Engine([], cluster.client, Cache((), INDEXES), SystemClock())
        served = Served(f"http://127.0.0.1:{port}", engine)
        settings = settings_of(f"listen: 127.0.0.1:{port}\n{extra}", "t")
        async with running(Endpoints(settings, Telemetry(), engine, served.hinted, lambda: served.notes).run()):

            async def up() -> bool:
                try:
                    return (await served.ask("/healthz")).status_code == 200
                except httpx.ConnectError:
                    return False

            await until(up)
            yield served


async def test_ready_means_that_every_informer_has_listed() -> None:
    async with serving() as served:
        assert (await served.ask("/readyz")).status_code == 503
        served.engine.ready.set()
        assert (await served.ask("/readyz")).text == "ready\n"
        served.notes.append("a.yaml:3: not understood")
        noted = await served.ask("/readyz")
        assert (noted.status_code, noted.text) == (200, "ready\na.yaml:3: not understood\n")


async def test_metrics_are_text_and_count_what_waits() -> None:
    async with serving() as served:
        answer = await served.ask("/metrics")
        assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
        assert "reconciler_queue_ready 0.0" in answer.text


async def test_without_a_secret_there_is_no_webhook() -> None:
    async with serving() as served:
        assert (await served.ask("/webhook", method="POST")).status_code == 404


async def test_a_webhook_needs_a_signature(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("s3cret\n")
    push = {
        "ref": "refs/heads/main",
        "repository": {"full_name": "shop/manifests", "clone_url": "https://git.example.com/shop/manifests.git"},
    }
    body = json.dumps(push).encode()
    signature = "sha256=" + hmac.new(b"s3cret", body, hashlib.sha256).hexdigest()
    headers = {"X_GitHub_Event": "push", "X_GitHub_Delivery": "1", "Content_Type": "application/json"}
    async with serving(f"webhook: {{secretFile: {secret}}}") as served:
        wrong = await served.ask("/webhook", method="POST", body=body, X_Hub_Signature_256="sha256=00", **headers)
        assert wrong.status_code in (401, 403) and served.hints == []
        right = await served.ask("/webhook", method="POST", body=body, X_Hub_Signature_256=signature, **headers)
        assert right.status_code < 300 and len(served.hints) == 1
        assert served.hints[0].concerns("https://git.example.com/shop/manifests.git", "main")
        secret.unlink()
        gone = await served.ask("/webhook", method="POST", body=body, X_Hub_Signature_256=signature, **headers)
        assert gone.status_code >= 400 and len(served.hints) == 1


@pytest.mark.parametrize(("listen", "words"), [("host:x", "is not host:port"), ("203.0.113.1:80", "cannot be used")])
async def test_an_address_that_does_not_work_says_what_to_do(listen: str, words: str) -> None:
    async with api() as cluster:
        engine = Engine([], cluster.client, Cache((), INDEXES), SystemClock())
        endpoints = Endpoints(settings_of(f"listen: '{listen}'\n", "t"), Telemetry(), engine, lambda _: 0, tuple)
        with pytest.raises(Terminal, match=words):
            await asyncio.wait_for(endpoints.run(), 20)

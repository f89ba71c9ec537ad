"""An OCI registry on this machine, as the distribution specification has it: a challenge, tokens for a password, manifests and blobs."""

import base64
import hashlib
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

from aiohttp import web

from reconciler.renderers.chart_oci import CONFIG, LAYER, MANIFESTS
from tests.kit.chartrepository import ChartRepository

TOKEN = "t0ken"
USER, PASSWORD = "me", "s3cr3t"
MANIFEST, TAGGED = "/v2/charts/part/manifests/1.2.3_build", "1.2.3+build"


class WitnessRegistry(ChartRepository):
    """`answers` as a repository has them. Who shows no `credential` gets the `challenge`; `scopes` are the questions for a token."""

    challenge: str = ""
    credential: str = f"Bearer {TOKEN}"
    scopes: list[Mapping[str, str]]

    async def serve(self, request: web.BaseRequest) -> web.StreamResponse:
        if request.path == "/token":
            self.asked.append(request.path)
            self.headers[request.path] = request.headers
            self.scopes.append(dict(request.query))
            allowed = request.headers.get("Authorization") == basic()
            return web.json_response({"token": TOKEN}) if allowed else web.Response(status=401)
        if self.challenge and request.path.startswith("/v2/") and request.headers.get("Authorization") != self.credential:
            self.asked.append(f"refused {request.path}")
            return web.Response(status=401, headers={"WWW-Authenticate": self.challenge})
        return await super().serve(request)

    @property
    def oci(self) -> str:
        return self.url.replace("http://", "oci://")


def basic() -> str:
    return f"Basic {base64.b64encode(f'{USER}:{PASSWORD}'.encode()).decode()}"


def manifest(content: bytes, **changes: Any) -> bytes:
    """As `helm push` writes it."""
    layer = {"mediaType": LAYER, "digest": f"sha256:{hashlib.sha256(content).hexdigest()}", "size": len(content)}
    found = {"schemaVersion": 2, "mediaType": MANIFESTS, "config": {"mediaType": CONFIG}, "layers": [layer]}
    return json.dumps({**found, **changes}).encode()


def blob(content: bytes) -> str:
    return f"/v2/charts/part/blobs/sha256:{hashlib.sha256(content).hexdigest()}"


@asynccontextmanager
async def oci_registry(content: bytes) -> AsyncIterator[WitnessRegistry]:
    """A registry that asks everybody for a token and has one chart, `charts/part` in version 1.2.3+build."""
    found = WitnessRegistry()
    found.scopes = []
    async with found.listening():
        found.challenge = f'Bearer realm="{found.url}/token",service="charts, ours",scope="repository:*:push"'
        found.answers |= {MANIFEST: manifest(content), blob(content): content}
        yield found

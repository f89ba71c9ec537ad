"""A repository of charts on this machine: whatever a test says is at each path, and what was asked for."""

import gzip
import hashlib
import io
import tarfile
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import yaml
from aiohttp import web

from reconciler.renderers.helm_lock import digest_of

Answer = bytes | tuple[int, Mapping[str, str]] | None
"""A body; a status with headers; or a body without an end."""
PART = {
    "Chart.yaml": "apiVersion: v2\nname: part\nversion: 1.2.3\n",
    "templates/it.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: part}\n",
}


@dataclass
class ChartRepository:
    """`answers` by path, which a test may change; `asked` are the paths in their order, `headers` those of the last request of each."""

    url: str = ""
    answers: dict[str, Answer] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    headers: dict[str, Mapping[str, str]] = field(default_factory=dict)

    async def serve(self, request: web.BaseRequest) -> web.StreamResponse:
        self.asked.append(request.path)
        self.headers[request.path] = request.headers
        match self.answers.get(request.path, (404, {})):
            case None:
                return await _endless(request)
            case bytes() as body:
                return web.Response(body=body)
            case (status, headers):
                return web.Response(status=status, headers=headers)

    @asynccontextmanager
    async def listening(self) -> AsyncIterator[None]:
        """The server at work, with its `url` set."""
        runner = web.ServerRunner(web.Server(self.serve), shutdown_timeout=0.1)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        self.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        try:
            yield
        finally:
            await runner.cleanup()


async def _endless(request: web.BaseRequest) -> web.StreamResponse:
    response = web.StreamResponse()
    await response.prepare(request)
    while True:
        await response.write(b"# more\n" * 100_000)


@asynccontextmanager
async def chart_repository(**charts: bytes) -> AsyncIterator[ChartRepository]:
    """A server with these archives of version 1.2.3 in its folder `stable`."""
    found = ChartRepository()
    found.answers["/stable/index.yaml"] = index(charts)
    found.answers |= {f"/stable/{name}-1.2.3.tgz": content for name, content in charts.items()}
    async with found.listening():
        yield found


def index(charts: Mapping[str, bytes], url: str = "", digest: str | None = None) -> bytes:
    """The `index.yaml` of archives, as `helm repo index` writes it."""
    entries = [
        f"  {name}:\n  - apiVersion: v2\n    annotations: {{version: 9.9.9}}\n    dependencies:\n    - {{name: x, version: 7.0.0}}\n"
        f"    digest: {hashlib.sha256(content).hexdigest() if digest is None else digest}\n    name: {name}\n"
        f"    urls:\n    - {url or f'{name}-1.2.3.tgz'}\n    - https://mirror.invalid/x.tgz\n    version: 1.2.3\n"
        for name, content in charts.items()
    ]
    return f"apiVersion: v1\nentries:\n{''.join(entries)}generated: '2026-01-01T00:00:00Z'\n".encode()


def archive(files: Mapping[str, str | bytes | tarfile.TarInfo], folder: str = "part/") -> bytes:
    """A chart as `helm package` makes it; a TarInfo is taken as it is."""
    whole = io.BytesIO()
    with tarfile.open(fileobj=whole, mode="w") as tar:
        for name, content in files.items():
            if isinstance(content, tarfile.TarInfo):
                content.name = f"{folder}{name}"
                tar.addfile(content)
                continue
            body = content.encode() if isinstance(content, str) else content
            member = tarfile.TarInfo(f"{folder}{name}")
            member.size = len(body)
            tar.addfile(member, io.BytesIO(body))
    return gzip.compress(whole.getvalue(), mtime=0)


def unreachable_chart() -> dict[str, str]:
    """A chart whose one dependency is in a repository that nobody listens at, with its lock."""
    where = "{name: part, version: 1.2.3, repository: 'http://127.0.0.1:9/stable'}"
    entry = yaml.safe_load(where)
    return {
        "Chart.yaml": f"apiVersion: v2\nname: web\nversion: 0.1.0\ndependencies: [{where}]\n",
        "Chart.lock": f"dependencies: [{where}]\ndigest: {digest_of([entry], [entry])}\n",
    }

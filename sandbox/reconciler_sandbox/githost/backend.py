"""Smart HTTP: one `git http-backend` per request, spoken to as CGI (RFC 3875), bodies streamed both ways."""

import asyncio
import re
from dataclasses import dataclass
from pathlib import Path

import aiohttp
from aiohttp import web

from reconciler_sandbox.githost.command import end, environment, git

CHUNK = 65536
ROUTE = re.compile(r"/(?P<name>[\w.-]+/[\w.-]+?)(?:\.git)?/(?P<service>info/refs|git-upload-pack|git-receive-pack)")


@dataclass(frozen=True, slots=True)
class GitCall:
    """What a git client asks: of which repository, which service, and whether it wants to write."""

    name: str
    service: str
    writes: bool


def git_call(request: web.BaseRequest) -> GitCall | None:
    """The git call in a request, or None when the path is no git path (dumb HTTP included)."""
    match = ROUTE.fullmatch(request.path)
    if match is None:
        return None
    service = match["service"]
    if service == "info/refs":
        service = request.query.get("service", "")
    if service not in ("git-upload-pack", "git-receive-pack"):
        return None
    return GitCall(match["name"], match["service"], service == "git-receive-pack")


async def find_program() -> str:
    """Where this machine keeps git's CGI program."""
    return (await git(Path("/"), "--exec-path")).text + "/git-http-backend"


@dataclass(frozen=True, slots=True)
class Backend:
    """Git's CGI program and the folder of all repositories."""

    program: str
    root: Path


def variables(request: web.BaseRequest, root: Path, call: GitCall, user: str) -> dict[str, str]:
    """The CGI environment of a request.

    Without CONTENT_LENGTH git reads to the end of the body; with it, git 2.39 spins for ever on a body that breaks off.
    """
    optional = {
        "CONTENT_TYPE": request.headers.get("Content-Type"),
        "HTTP_CONTENT_ENCODING": request.headers.get("Content-Encoding"),
        "GIT_PROTOCOL": request.headers.get("Git-Protocol"),
    }
    return {
        **environment(),
        "GIT_PROJECT_ROOT": str(root),
        "GIT_HTTP_EXPORT_ALL": "1",
        "PATH_INFO": f"/{call.name}.git/{call.service}",
        "QUERY_STRING": request.rel_url.raw_query_string,
        "REQUEST_METHOD": request.method,
        "REMOTE_USER": user,
        "REMOTE_ADDR": request.remote or "",
        **{key: value for key, value in optional.items() if value is not None},
    }


async def serve_git(request: web.BaseRequest, backend: Backend, call: GitCall, user: str) -> web.StreamResponse:
    """Answer one git request: a push as a whole once git is done, everything else while git works."""
    child = await asyncio.create_subprocess_exec(
        backend.program,
        env=variables(request, backend.root, call, user),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        start_new_session=True,
    )
    feeding = asyncio.create_task(_feed(request, child))
    try:
        return await (_whole(child) if call.writes else _streamed(request, child))
    finally:
        feeding.cancel()
        await asyncio.gather(feeding, return_exceptions=True)
        await end(child)


async def _feed(request: web.BaseRequest, child: asyncio.subprocess.Process) -> None:
    """Pass the body on; when the client goes away halfway, git sees the end and gives up."""
    assert child.stdin is not None
    try:
        async for chunk in request.content.iter_chunked(CHUNK):
            child.stdin.write(chunk)
            await child.stdin.drain()
    except (ConnectionError, aiohttp.ClientError):
        pass
    finally:
        child.stdin.close()


async def _head(stream: asyncio.StreamReader) -> tuple[int, dict[str, str]]:
    status, headers = 200, {}
    while line := (await stream.readline()).strip().decode("latin-1"):
        key, _, value = line.partition(":")
        if key.lower() == "status":
            status = int(value.split()[0])
        else:
            headers[key] = value.strip()
    return status, headers


async def _whole(child: asyncio.subprocess.Process) -> web.StreamResponse:
    assert child.stdout is not None
    status, headers = await _head(child.stdout)
    body = await child.stdout.read()
    await child.wait()
    headers.pop("Content-Length", None)
    return web.Response(status=status, headers=headers, body=body)


async def _streamed(request: web.BaseRequest, child: asyncio.subprocess.Process) -> web.StreamResponse:
    assert child.stdout is not None
    status, headers = await _head(child.stdout)
    response = web.StreamResponse(status=status, headers=headers)
    await response.prepare(request)
    while chunk := await child.stdout.read(CHUNK):
        await response.write(chunk)
    await response.write_eof()
    return response

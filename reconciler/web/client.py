"""The shared HTTP client: bounded in connections, time and size, and never led to another host.

Forges, providers and the ls-refs poll call through one `httpx.AsyncClient`; opening one per call costs a TLS context each time.
"""

import asyncio
import json
import socket
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.cookiejar import DefaultCookiePolicy
from typing import Any

import httpx

from reconciler.kernel.errors import Terminal, Transient
from reconciler.web.boundary import guard

USER_AGENT = "reconciler"
BODY_LIMIT = 4 << 20
REDIRECTS = 5
REDIRECTING = (301, 302, 303, 307, 308)
DEEPEST_CAUSE = 8
LOOPBACK = ("all://localhost", "all://127.0.0.1", "all://[::1]")
"""Never asked through a proxy: it would mean itself by them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientSettings:
    """How the client behaves; times in seconds. `link_local` lets through what `boundary` refuses.

    With `environment` the variables HTTP_PROXY, HTTPS_PROXY, ALL_PROXY and NO_PROXY say how others are reached, but never this machine, and
    SSL_CERT_FILE or SSL_CERT_DIR which authorities are trusted.
    """

    connections: int = 64
    connect: float = 5.0
    read: float = 30.0
    environment: bool = False
    tls: ssl.SSLContext | None = None
    user_agent: str = USER_AGENT
    link_local: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpCall:
    """One request: `timeout` covers all of it, redirects included; an answer larger than `limit` bytes is refused.

    Without `follow` a redirect is the answer.
    """

    method: str
    url: str
    headers: Mapping[str, str] = field(default_factory=dict)
    query: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    timeout: float = 30.0
    limit: int = BODY_LIMIT
    follow: bool = True


@dataclass(frozen=True, slots=True)
class HttpAnswer:
    """One answer, read to its end."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def document(self) -> Any:
        """The body as JSON; None when it is none, however it fails."""
        try:
            return json.loads(self.body)
        except (ValueError, RecursionError):
            return None


def open_client(settings: ClientSettings | None = None) -> httpx.AsyncClient:
    """A client that the caller closes; it follows no redirect by itself, see `ask`."""
    settings = settings or ClientSettings()
    client = httpx.AsyncClient(
        limits=httpx.Limits(max_connections=settings.connections, max_keepalive_connections=settings.connections, keepalive_expiry=60),
        timeout=httpx.Timeout(settings.read, connect=settings.connect),
        verify=settings.tls or True,
        follow_redirects=False,
        trust_env=settings.environment,
        mounts=dict.fromkeys(LOOPBACK) if settings.environment else None,
        headers={"User-Agent": settings.user_agent, "Accept-Encoding": "gzip"},
        event_hooks={"request": [] if settings.link_local else [guard]},
    )
    # No cookie that one system sets may follow us into the next call.
    client.cookies.jar.set_policy(DefaultCookiePolicy(allowed_domains=[]))
    return client


async def ask(client: httpx.AsyncClient, call: HttpCall) -> HttpAnswer:
    """Send one request and read the answer; Transient when none came in time, Terminal when it is too large or leads elsewhere.

    Reads follow redirects within the same scheme, host and port; other methods return the redirect as the answer.
    """
    try:
        request = _request(client, call)
        async with asyncio.timeout(call.timeout):
            return await _follow(client, request, call)
    except TimeoutError as error:
        raise Transient(f"{_place(request.url)}: no answer within {call.timeout:g} s") from error
    except (httpx.InvalidURL, httpx.UnsupportedProtocol) as error:
        # Its words quote the address, and with it whatever credential was written into it.
        raise Terminal(f"{call.method}: not an http(s) URL, or a redirect to none ({type(error).__name__})") from None
    except httpx.RequestError as error:
        raise Transient(f"{_place(request.url)}: no answer: {_why(error)}") from error


def _why(error: httpx.RequestError) -> str:
    """Why there is none, as far as what lies below says it in words of its own; else the kind of error."""
    found: BaseException | None = error
    for _ in range(DEEPEST_CAUSE):
        match found:
            case ssl.SSLCertVerificationError():
                return f"its certificate is not trusted ({found.verify_message}); name its authority in SSL_CERT_FILE"
            case ssl.SSLError():
                return f"no TLS was agreed on ({found.reason or type(found).__name__})"
            case socket.gaierror():
                return "its name is not known here"
            case ConnectionRefusedError():
                return "nobody listens there (connection refused)"
            case None:
                break
        found = found.__cause__ or found.__context__
    return type(error).__name__


def _request(client: httpx.AsyncClient, call: HttpCall) -> httpx.Request:
    query = dict(call.query) or None
    return client.build_request(call.method, call.url, headers=dict(call.headers), params=query, content=call.body or None)


async def _follow(client: httpx.AsyncClient, request: httpx.Request, call: HttpCall) -> HttpAnswer:
    for _ in range(REDIRECTS + 1):
        response = await client.send(request, stream=True)
        try:
            redirected = _redirect(client, request, response) if call.follow else None
            if redirected is None:
                return HttpAnswer(response.status_code, response.headers, await read_bounded(response, call.limit))
            request = redirected
        finally:
            await response.aclose()
    raise Terminal(f"{_place(request.url)}: more than {REDIRECTS} redirects")


def _redirect(client: httpx.AsyncClient, request: httpx.Request, response: httpx.Response) -> httpx.Request | None:
    location = response.headers.get("Location")
    if response.status_code not in REDIRECTING or not location or request.method not in ("GET", "HEAD"):
        return None
    target = request.url.join(location)
    if (target.scheme, target.host, target.port) != (request.url.scheme, request.url.host, request.url.port):
        raise Terminal(f"{_place(request.url)}: redirected to another host ({target.host}); configure the address it moved to")
    return client.build_request(request.method, target, headers=request.headers)


async def read_bounded(response: httpx.Response, limit: int = BODY_LIMIT) -> bytes:
    """The body of a streamed response, decompressed; Terminal as soon as it exceeds `limit` bytes."""
    parts, size = [], 0
    async for part in response.aiter_bytes():
        size += len(part)
        if size > limit:
            raise Terminal(f"{_place(response.url)}: the answer is larger than {limit} bytes")
        parts.append(part)
    return b"".join(parts)


def _place(url: httpx.URL) -> str:
    """A URL for messages: without credentials and query."""
    return f"{url.scheme}://{url.netloc.decode()}{url.path}"

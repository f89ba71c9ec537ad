"""Serves the pages on this machine: addresses, JSON beside HTML, headers that let a page load nothing from elsewhere, whom we answer."""

import hashlib
import re
from collections.abc import Awaitable, Callable, Mapping
from functools import cache
from importlib.resources import files
from pathlib import PurePosixPath

from aiohttp import web

from reconciler.app.console.live import LiveLimits, LivePages
from reconciler.app.console.pages import ConsolePage, Pages
from reconciler.app.console.rendering import PagePlace, PageRenderer, digest_of, document_text
from reconciler.kernel.clock import Clock
from reconciler.web.listener import Route

POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self'; script-src 'self'; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cache-Control": "no-store",
    "Vary": "Accept",
}
TYPES = {".css": "text/css", ".svg": "image/svg+xml", ".js": "text/javascript"}
HOST = re.compile(r"(\[[0-9a-f:]+\]|[a-z0-9.-]+)(?::\d{1,5})?", re.IGNORECASE)
LOCAL = frozenset({"localhost", "127.0.0.1", "[::1]"})
FORMATS = ("html", "json")
Answered = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Console:
    """The routes of one console; `hosts` are the names by which it may be called, so that no other site reads it by a name of its own."""

    def __init__(self, pages: Pages, renderer: PageRenderer, clock: Clock, hosts: frozenset[str]) -> None:
        self._pages = pages
        self._renderer = renderer
        self._clock = clock
        self._hosts = hosts
        self._live = LivePages(pages, clock, HEADERS, LiveLimits())

    def routes(self) -> tuple[Route, ...]:
        """What we answer, as data."""
        answers = {"/live": self._live.stream, "/static/{name}": self._static, "/{rest:.*}": self._page}
        return tuple(Route("GET", path, self._guarded(answer)) for path, answer in answers.items())

    def close(self) -> None:
        """End what is open, before the server ends."""
        self._live.close()

    def _guarded(self, answer: Answered) -> Answered:
        """Only who calls us by our own name is answered: a name that was made to lead here (DNS rebinding) is not ours."""

        async def guarded(request: web.Request) -> web.StreamResponse:
            if not is_ours(request.headers.get("Host", ""), self._hosts):
                known = ", ".join(sorted(self._hosts))
                return web.Response(status=421, text=f"this console is not called by that name: use one of {known}\n", headers=HEADERS)
            return await answer(request)

        return guarded

    async def _page(self, request: web.Request) -> web.StreamResponse:
        asked = format_of(request.query.get("format", ""), request.headers.get("Accept", ""))
        if not asked:
            text = f"format: {request.query['format'][:40]!r} is not one of {', '.join(FORMATS)}\n"
            return web.Response(status=400, text=text, headers=HEADERS)
        found = await self._pages.at(request.raw_path)
        return self._written(found, asked, str(request.rel_url.update_query(format="json")))

    def _written(self, page: ConsolePage, asked: str, machine: str) -> web.Response:
        if asked == "json":
            return web.Response(status=page.status, text=document_text(page), content_type="application/json", headers=HEADERS)
        text = self._renderer.html(page, self._clock.now(), PagePlace(served_at, machine, digest_of(page)))
        return web.Response(status=page.status, text=text, content_type="text/html", headers=HEADERS)

    async def _static(self, request: web.Request) -> web.StreamResponse:
        name = request.match_info["name"]
        body = static_files().get(name)
        if body is None:
            return self._written(self._pages.missing(request.path), "html", "")
        kept = "public, max-age=31536000, immutable" if request.query.get("v") == version_of(name) else "no-cache"
        kind = TYPES[PurePosixPath(name).suffix]
        return web.Response(body=body, content_type=kind, charset="utf-8", headers={**HEADERS, "Cache-Control": kept})


def is_ours(host: str, hosts: frozenset[str]) -> bool:
    """True of a Host header that names us, with whatever port."""
    match = HOST.fullmatch(host)
    return match is not None and match[1].lower() in hosts


def format_of(asked: str, accept: str) -> str:
    """html or json; empty for a format that we do not have. Without a word a browser gets HTML, and who asks for JSON gets that."""
    if asked:
        return asked if asked in FORMATS else ""
    kinds = [part.partition(";")[0].strip().lower() for part in accept.split(",")]
    return "json" if "application/json" in kinds and "text/html" not in kinds else "html"


@cache
def static_files() -> Mapping[str, bytes]:
    """What pages load beside themselves, by name."""
    folder = files("reconciler.app.console") / "static"
    return {entry.name: entry.read_bytes() for entry in folder.iterdir() if PurePosixPath(entry.name).suffix in TYPES}


@cache
def version_of(name: str) -> str:
    """Which version of a file it is, so that browsers keep it for as long as it stays the same."""
    return hashlib.sha256(static_files()[name]).hexdigest()[:12]


def served_at(path: str) -> str:
    """An address of ours as the server's own pages write it."""
    name = path.removeprefix("/static/")
    return f"{path}?v={version_of(name)}" if name != path else path

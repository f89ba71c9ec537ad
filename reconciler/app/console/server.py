"""Serves the pages on this machine: addresses, JSON beside HTML, headers that let a page load nothing from elsewhere, whom we answer."""

import asyncio
import hashlib
import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from functools import cache
from importlib.resources import files
from pathlib import PurePosixPath
from urllib.parse import unquote, urlencode

from aiohttp import web

from reconciler.app.console.detail import Detail
from reconciler.app.console.door import ConsoleDoor, LoginRefused
from reconciler.app.console.live import LiveLimits, LivePages
from reconciler.app.console.pages import ConsolePage, Pages
from reconciler.app.console.rendering import PagePlace, PageRenderer, digest_of, document_text
from reconciler.app.console.verb_pages import VerbPages, offers, press_place
from reconciler.app.console.visitors import STRANGER, Visitor
from reconciler.kernel.address import split_address
from reconciler.kernel.clock import Clock
from reconciler.web.listener import Route

POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self'; script-src 'self'; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    # Not `no-referrer`: a browser then says `Origin: null` of our own forms, and they are refused as another site's.
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cache-Control": "no-store",
    "Vary": "Accept",
}
TYPES = {".css": "text/css", ".svg": "image/svg+xml", ".js": "text/javascript"}
HOST = re.compile(r"(\[[0-9a-f:]+\]|[a-z0-9.-]+)(?::\d{1,5})?", re.IGNORECASE)
LOCAL = frozenset({"localhost", "127.0.0.1", "[::1]"})
FORMATS = ("html", "json")
READING = ("GET", "HEAD")
Answered = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass(frozen=True, slots=True)
class Entrance:
    """By which names a console may be called, so that no other site reads it by a name of its own, and who is let in."""

    hosts: frozenset[str]
    door: ConsoleDoor


class Console:
    """The routes of one console."""

    def __init__(self, pages: Pages, renderer: PageRenderer, verbs: VerbPages, entrance: Entrance, clock: Clock) -> None:
        self._pages = pages
        self._renderer = renderer
        self._verbs = verbs
        self._entrance = entrance
        self._clock = clock
        self._live = LivePages(clock, HEADERS, LiveLimits())

    def routes(self) -> tuple[Route, ...]:
        """What we answer, as data."""
        own = (*self._entrance.door.routes(), Route("GET", "/live", self._stream), Route("GET", "/static/{name}", self._static))
        all_ = (*own, Route("GET", "/{rest:.*}", self._page), Route("POST", "/{rest:.*}", self._press))
        return tuple(Route(route.method, route.path, self._guarded(route.handler)) for route in all_)

    def close(self) -> None:
        """End what is open, before the server ends."""
        self._live.close()

    def _guarded(self, answer: Answered) -> Answered:
        """Only who calls us by our own name is answered: a name that was made to lead here (DNS rebinding) is not ours."""

        async def guarded(request: web.Request) -> web.StreamResponse:
            if not is_ours(request.headers.get("Host", ""), self._entrance.hosts):
                known = ", ".join(sorted(self._entrance.hosts))
                return web.Response(status=421, text=f"this console is not called by that name: use one of {known}\n", headers=HEADERS)
            if request.method not in READING and not is_from_here(request.headers):
                return web.Response(status=403, text="a page of another site asked for this: nothing was done\n", headers=HEADERS)
            try:
                response = await answer(request)
            except LoginRefused as refused:
                response = self._written(self._login_page(request, str(refused), refused.status), "html", "", STRANGER)
                response.headers.update({"Retry-After": str(refused.wait)} if refused.wait else {})
            if not response.prepared:
                response.headers.update({name: value for name, value in HEADERS.items() if name not in response.headers})
            return response

        return guarded

    async def _page(self, request: web.Request) -> web.StreamResponse:
        asked = format_of(request.query.get("format", ""), request.headers.get("Accept", ""))
        if not asked:
            text = f"format: {request.query['format'][:40]!r} is not one of {', '.join(FORMATS)}\n"
            return web.Response(status=400, text=text, headers=HEADERS)
        parts, visitor = parts_of(request.raw_path), self._entrance.door.visitor(request)
        if parts == ("login",) and self._has_login:
            return self._written(self._login_page(request), asked, "", visitor or STRANGER)
        if visitor is None:
            return self._unknown(request, asked)
        place = press_place(parts, self._pages.scope.own)
        if place is not None:
            found = await self._verbs.ask(place, visitor)
        else:
            whole = asked == "json" and "page" not in request.query
            found = await self._pages.seen_by(visitor.sight).at(request.raw_path, whole=whole)
        if asked == "json":
            text = await asyncio.to_thread(document_text, found)
            return web.Response(status=found.status, text=text, content_type="application/json", headers=HEADERS)
        return self._written(found, asked, str(request.rel_url.update_query(format="json")), visitor)

    async def _press(self, request: web.Request) -> web.StreamResponse:
        """What a form of ours asked for."""
        place = press_place(parts_of(request.raw_path), self._pages.scope.own)
        visitor = self._entrance.door.visitor(request)
        if visitor is None:
            raise LoginRefused("your login has ended, nothing was done: log in again, and look at what it is then", 401)
        if place is None:
            return self._written(self._pages.missing(request.path), "html", "", visitor)
        found = await self._verbs.answer(place, visitor, await request.post(), self._entrance.door)
        if found.page is None:
            return web.Response(status=303, headers={**HEADERS, "Location": found.location})
        return self._written(found.page, "html", "", visitor)

    async def _stream(self, request: web.Request) -> web.StreamResponse:
        visitor = self._entrance.door.visitor(request)
        if visitor is None:
            return web.Response(status=401, text="log in first\n", headers=HEADERS)
        return await self._live.stream(request, self._pages.seen_by(visitor.sight))

    @property
    def _has_login(self) -> bool:
        return self._entrance.door.ways.any

    def _unknown(self, request: web.Request, asked: str) -> web.StreamResponse:
        """Who has to log in first is led there, and back afterwards; programs are told."""
        if asked == "json":
            return web.json_response({"problem": "log in first"}, status=401, headers=HEADERS)
        return web.Response(status=303, headers={**HEADERS, "Location": f"/login?{urlencode({'next': request.raw_path[:2000]})}"})

    def _login_page(self, request: web.Request, words: str = "", status: int = 200) -> ConsolePage:
        shown = {"ways": self._entrance.door.ways, "words": words, "onward": request.query.get("next", "/")[:2000]}
        page = ConsolePage(template="login.html.j2", title="Log in", path="/login", document={"problem": words}, shown=shown)
        return replace(page, status=status, still=True)

    def _written(self, page: ConsolePage, asked: str, machine: str, visitor: Visitor) -> web.Response:
        if asked == "json":
            return web.Response(status=page.status, text=document_text(page), content_type="application/json", headers=HEADERS)
        detail, now = page.shown.get("detail"), self._clock.now()
        able = offers(detail, visitor, now) if isinstance(detail, Detail) and not page.old else ()
        place = PagePlace(served_at, machine, "" if page.still else digest_of(page), visitor, able, self._has_login)
        text = self._renderer.html(page, now, place)
        return web.Response(status=page.status, text=text, content_type="text/html", headers=HEADERS)

    async def _static(self, request: web.Request) -> web.StreamResponse:
        name = request.match_info["name"]
        body = static_files().get(name)
        if body is None:
            return self._written(self._pages.missing(request.path), "html", "", STRANGER)
        kept = "public, max-age=31536000, immutable" if request.query.get("v") == version_of(name) else "no-cache"
        kind = TYPES[PurePosixPath(name).suffix]
        return web.Response(body=body, content_type=kind, charset="utf-8", headers={**HEADERS, "Cache-Control": kept})


def is_ours(host: str, hosts: frozenset[str]) -> bool:
    """True of a Host header that names us, with whatever port."""
    match = HOST.fullmatch(host)
    return match is not None and match[1].lower() in hosts


def is_from_here(headers: Mapping[str, str]) -> bool:
    """True unless a browser says that a page of another site sent this."""
    site, origin = headers.get("Sec-Fetch-Site", "same-origin"), headers.get("Origin", "")
    return site in ("same-origin", "none") and (not origin or split_address(origin).netloc.lower() == headers.get("Host", "").lower())


def parts_of(raw_path: str) -> tuple[str, ...]:
    """The parts of an address, whatever names hold."""
    return tuple(unquote(part) for part in raw_path.partition("?")[0].strip("/").split("/"))


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

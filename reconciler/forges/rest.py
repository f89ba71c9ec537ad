"""REST calls on a forge: one bearer token that may rotate, answers as documents, and every refusal as Transient or Terminal."""

import re
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from typing import Any

import httpx
import orjson

from reconciler.kernel.errors import Terminal, Transient
from reconciler.kernel.redaction import Redactor
from reconciler.kernel.text import shortened
from reconciler.web.client import HttpAnswer, HttpCall, ask

PAGES = 50
SECONDARY_PAUSE = 60.0
LONGEST_PAUSE = 3600.0
WORDS = 300
NEXT = re.compile(r'<([^>]+)>\s*;\s*rel="next"')
Token = Callable[[], Awaitable[str]]


class ForgeNotFound(Terminal):
    """404: it does not exist, or the token may not see it; forges do not say which."""


class TooManyPages(Terminal):
    """A list goes on behind the last page that we read."""


class Invalid(Terminal):
    """422 and every other refusal of this very request; `words` are the forge's."""

    def __init__(self, message: str, words: str) -> None:
        super().__init__(message)
        self.words = words


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """One call: `path` below the API's address; `permission` is what the token needs for it, in the forge's words."""

    method: str
    path: str
    permission: str
    query: Mapping[str, str] = field(default_factory=dict)
    document: Mapping[str, Any] | None = None


class Rest:
    """Calls one API; the token is asked for at each call and never appears in a message."""

    def __init__(self, api: str, client: httpx.AsyncClient, token: Token, headers: Mapping[str, str]) -> None:
        self._api = api.rstrip("/")
        self._client = client
        self._token = token
        self._headers = headers

    async def send(self, order: Order) -> Any:
        """The document of a successful answer; None if it has no body."""
        return self._document(await self._answer(order, self._api + order.path))

    async def pages(self, order: Order) -> AsyncIterator[Any]:
        """The documents of all pages; a next page on another host is not followed. Raises TooManyPages after 50 where there are more."""
        answer = await self._answer(order, self._api + order.path)
        for _ in range(PAGES):
            yield self._document(answer)
            next_link = NEXT.search(answer.headers.get("Link", ""))
            if next_link is None or not next_link[1].startswith(self._api + "/"):
                return
            answer = await self._answer(Order(method="GET", path=order.path, permission=order.permission), next_link[1])
        raise TooManyPages(f"{order.path}: more than {PAGES} pages")

    async def _answer(self, order: Order, url: str) -> HttpAnswer:
        token = await self._fresh_token()
        answer = await self._once(order, url, token)
        if answer.status == 401 and (fresh := await self._fresh_token()) != token:
            token = fresh
            answer = await self._once(order, url, token)
        if 200 <= answer.status < 300:
            return answer
        raise refusal(order, answer, Redactor((token,)))

    async def _once(self, order: Order, url: str, token: str) -> HttpAnswer:
        headers = {**self._headers, **({"Authorization": f"Bearer {token}"} if token else {})}
        body = orjson.dumps(order.document) if order.document is not None else b""
        if body:
            headers["Content-Type"] = "application/json"
        return await ask(self._client, HttpCall(method=order.method, url=url, headers=headers, query=order.query, body=body))

    async def _fresh_token(self) -> str:
        token = (await self._token()).strip()
        if not (token.isascii() and token.isprintable()):
            raise Terminal("the forge's token holds characters that no HTTP header may carry; check its file")
        return token

    def _document(self, answer: HttpAnswer) -> Any:
        if not answer.body:
            return None
        document = answer.document()
        if document is None:
            raise Transient(f"{self._api}: the answer is not JSON; is this the address of the API?")
        return document


def refusal(order: Order, answer: HttpAnswer, redactor: Redactor) -> Transient | Terminal:
    """The error of an answer that is not a success, in words without secrets."""
    words = words_of(answer, redactor)
    place = f"{order.method} {order.path}: HTTP {answer.status}" + (f" ({words})" if words else "")
    pause = pause_of(answer, words)
    if pause is not None:
        return Transient(f"{place}; the forge asks us to wait", retry_after=pause)
    if answer.status >= 500 or answer.status in (408, 425, 429):
        return Transient(place)
    if answer.status == 401:
        return Terminal(f"{place}; the forge does not accept the token: renew it (it needs {order.permission})")
    if answer.status == 403:
        return Terminal(f"{place}; the token needs {order.permission}")
    if answer.status == 404:
        return ForgeNotFound(f"{place}; it does not exist, or the token lacks {order.permission}")
    if answer.status in (301, 302, 307, 308):
        return Terminal(f"{place}; the repository moved: configure its new name")
    return Invalid(place, words)


def pause_of(answer: HttpAnswer, words: str) -> float | None:
    """Seconds to wait if this is a rate limit or carries Retry-After: counted on the server's own clock."""
    if answer.status not in (403, 429) and answer.status < 500:
        return None
    retry = answer.headers.get("Retry-After", "")
    if retry.isdecimal():
        return min(float(retry), LONGEST_PAUSE)
    if answer.status >= 500:
        return None
    if answer.headers.get("X-RateLimit-Remaining") == "0":
        return _until(answer.headers.get("X-RateLimit-Reset", ""), answer.headers.get("Date", ""))
    return SECONDARY_PAUSE if answer.status == 429 or "rate limit" in words.lower() else None


def _until(reset: str, date: str) -> float:
    if not reset.isdecimal():
        return SECONDARY_PAUSE
    try:
        seconds = float(reset) - parsedate_to_datetime(date).timestamp()
    except (ValueError, OverflowError):
        return SECONDARY_PAUSE
    return min(max(seconds, 1.0), LONGEST_PAUSE)


def words_of(answer: HttpAnswer, redactor: Redactor) -> str:
    """The forge's own message, and those of its field errors, on one bounded line."""
    document = answer.document()
    if not isinstance(document, dict):
        return ""
    errors = document.get("errors")
    inner = [error.get("message") for error in errors if isinstance(error, dict)] if isinstance(errors, list) else []
    texts = [text for text in [document.get("message"), *inner] if isinstance(text, str)]
    return shortened(redactor.text(" ".join(texts)), WORDS)

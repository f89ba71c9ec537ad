"""Any server that takes JSON: one POST a release, and its newer state in place of the older one.

The first answer may name the place of what was said by `Location` (then it is PUT there) or a `handle` of its own (then it is POSTed with
it); a server that says neither gets the message's key. The same message has the same `Idempotency-Key`.
"""

import hashlib
import hmac
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from urllib.parse import parse_qsl, urljoin

import httpx
import msgspec

from reconciler.kernel.address import NOWHERE, is_web_address, split_address
from reconciler.kernel.errors import Terminal, Transient
from reconciler.kernel.redaction import SHORTEST, Redactor
from reconciler.kernel.text import log_line
from reconciler.releases.announce.notice import NoticeLimits, ReleaseMessage, fitted
from reconciler.web.client import HttpAnswer, HttpCall, ask

TRIES = 3
PAUSE, LONGEST_PAUSE = 0.5, 5.0
TIMEOUT = 10.0
ANSWER_LIMIT, SIZE_LIMIT, HANDLE_LIMIT, WORDS = 64 << 10, 256 << 10, 2000, 300
AGAIN = frozenset({408, 425, 429})
GONE = frozenset({404, 410})
NOT_THERE = frozenset({405, 501})
Text = Callable[[], Awaitable[str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookTerms:
    """Where to and who we are; each text is asked for at every use, because it rotates, and each may be empty but the address."""

    url: Text
    token: Text
    secret: Text


@dataclass(frozen=True, slots=True)
class _Recipient:
    """The resolved terms of one telling, and what hides them."""

    url: str
    token: str
    secret: str
    redactor: Redactor


class WebhookNotifier:
    """Tells one address. What it answers and why it refuses is shown without the address's path, which is often the secret itself."""

    def __init__(self, terms: WebhookTerms, client: httpx.AsyncClient, sleep: Callable[[float], Awaitable[None]]) -> None:
        self._terms = terms
        self._client = client
        self._sleep = sleep

    @property
    def limits(self) -> NoticeLimits:
        return NoticeLimits(size=SIZE_LIMIT)

    async def tell(self, message: ReleaseMessage, handle: str) -> str:
        recipient = await self._target()
        shown = fitted(message, self.limits)
        if _within(handle, recipient.url):
            answer = await self._tried(recipient, _call(recipient, "PUT", handle, shown, handle))
            if answer.status not in GONE | NOT_THERE:
                return self._told(recipient, answer, handle, message)
            handle = ""  # it was removed there: told anew
        answer = await self._tried(recipient, _call(recipient, "POST", recipient.url, shown, handle))
        return self._told(recipient, answer, handle, message)

    async def _target(self) -> _Recipient:
        url, token, secret = (await self._terms.url()).strip(), (await self._terms.token()).strip(), (await self._terms.secret()).strip()
        if not is_web_address(url):
            raise Terminal("the notifier's address is no http(s) URL: check `url` or the file that `urlFile` names")
        if not (token.isascii() and token.isprintable()):
            raise Terminal("the notifier's token holds characters that no HTTP header may carry; check its file")
        parts = split_address(url)
        path = [part for part in (parts.path, *parts.path.split("/")) if len(part) >= SHORTEST]
        return _Recipient(
            url, token, secret, Redactor((token, secret, *path, parts.query, *(value for _, value in parse_qsl(parts.query))))
        )

    async def _tried(self, recipient: _Recipient, call: HttpCall) -> HttpAnswer:
        """The answer, after a few tries where another one may help. Raises Transient when none did."""
        for attempt in range(1, TRIES + 1):
            pause = PAUSE * 2**attempt
            try:
                answer = await ask(self._client, call)
                if answer.status < 500 and answer.status not in AGAIN:
                    return answer
                if answer.status in NOT_THERE:
                    return answer
                pause, error = _asked_pause(answer) or pause, Transient(f"HTTP {answer.status}{_words(answer)}", _asked_pause(answer))
            except Transient as failure:
                error = failure
            except Terminal as failure:
                raise Terminal(recipient.redactor.text(f"the notifier: {failure}")) from None
            if attempt < TRIES and pause <= LONGEST_PAUSE:
                await self._sleep(pause)
        raise Transient(recipient.redactor.text(f"the notifier does not take it: {error}"), error.retry_after)

    def _told(self, recipient: _Recipient, answer: HttpAnswer, handle: str, message: ReleaseMessage) -> str:
        if not 200 <= answer.status < 300:
            raise Terminal(recipient.redactor.text(f"the notifier refuses the message: HTTP {answer.status}{_words(answer)}"))
        return _named_place(answer, recipient.url) or handle or message.key


def _call(recipient: _Recipient, method: str, url: str, message: ReleaseMessage, handle: str) -> HttpCall:
    body = msgspec.json.encode({"key": message.key, "handle": handle, "message": message})
    headers = {"Content-Type": "application/json", "Idempotency-Key": hashlib.sha256(body).hexdigest()}
    if recipient.token:
        headers["Authorization"] = f"Bearer {recipient.token}"
    if recipient.secret:
        headers["X-Reconciler-Signature-256"] = "sha256=" + hmac.new(recipient.secret.encode(), body, hashlib.sha256).hexdigest()
    return HttpCall(method=method, url=url, headers=headers, body=body, timeout=TIMEOUT, limit=ANSWER_LIMIT)


def _named_place(answer: HttpAnswer, url: str) -> str:
    """The place that the answer names, if it is one of the same server; else the handle in its document."""
    location = answer.headers.get("Location", "")
    if location and split_address(location) != NOWHERE and _within(urljoin(url, location), url):
        return urljoin(url, location)
    document = answer.document()
    named = document.get("handle") if isinstance(document, dict) else None
    return named if isinstance(named, str) and len(named) <= HANDLE_LIMIT else ""


def _within(handle: str, url: str) -> bool:
    """True of a handle that is a place on the server that we were told to speak to, and no other one."""
    place, home = split_address(handle), split_address(url)
    return bool(place.scheme) and (place.scheme, place.hostname, place.port) == (home.scheme, home.hostname, home.port)


def _asked_pause(answer: HttpAnswer) -> float | None:
    retry = answer.headers.get("Retry-After", "")
    return min(float(retry), 3600.0) if retry.isascii() and retry.isdecimal() else None


def _words(answer: HttpAnswer) -> str:
    words = log_line(answer.body.decode(errors="replace"), WORDS)
    return f" ({words})" if words else ""

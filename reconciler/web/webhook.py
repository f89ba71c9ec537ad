"""Webhooks as hints: a verified push pulls the next poll of a source forward, and nothing in it is trusted as content.

Pure but for the delivery ids it remembers; GitHub's signature covers the raw body (webhooks, "Validating deliveries").
"""

import hashlib
import hmac
import json
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlsplit

BODY_LIMIT = 25 << 20
REMEMBERED = 10_000
ADDRESSES = ("clone_url", "ssh_url", "html_url", "git_url", "url")


@dataclass(frozen=True, slots=True)
class Hint:
    """A branch of a repository may have moved; `places` are the repository's addresses in canonical form."""

    places: frozenset[str]
    branch: str

    def concerns(self, repository: str, branch: str) -> bool:
        """True when a configured repository and branch is meant."""
        return branch == self.branch and place_of(repository) in self.places


@dataclass(frozen=True, slots=True)
class WebhookAnswer:
    """What to answer, and the hint to act on if there is one."""

    status: int
    message: str
    hint: Hint | None = None


def place_of(url: str) -> str:
    """`host/owner/name` of an http, ssh, git or scp-like address, so that all forms of one repository are equal."""
    scheme, separator, rest = url.strip().partition("://")
    if separator:
        parts = _split(url.strip())
        host, path = parts if parts else ("", rest)
    else:
        host, _, path = scheme.partition(":")
        host = host.rpartition("@")[2].lower()
    return f"{host}/{path.strip('/').removesuffix('.git')}".lower()


def _split(url: str) -> tuple[str, str] | None:
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return None
    usual = {"http": 80, "https": 443, "ssh": 22, "git": 9418}.get(parts.scheme)
    host = parts.hostname or ""
    return (f"{host}:{port}" if port and port != usual else host), parts.path


def signed(secret: bytes, body: bytes, signature: str) -> bool:
    """True when `signature` (`sha256=<hex>`) is ours; an empty secret signs nothing."""
    expected = "sha256=" + hmac.new(secret, body, hashlib.sha256).hexdigest()
    return bool(secret) and hmac.compare_digest(expected.encode(), signature.encode())


def hint_of(event: str, document: Any) -> Hint | None:
    """The hint in a push event; every other event, tag and shape has none."""
    if event != "push" or not isinstance(document, dict):
        return None
    ref, repository = document.get("ref"), document.get("repository")
    if not isinstance(ref, str) or not ref.startswith("refs/heads/") or not isinstance(repository, dict):
        return None
    addresses = [repository.get(name) for name in ADDRESSES]
    places = frozenset(place_of(address) for address in addresses if isinstance(address, str))
    return Hint(places, ref.removeprefix("refs/heads/")) if places else None


@dataclass(slots=True)
class Webhook:
    """Judges deliveries. `secret` is asked at each one, because it rotates; the last 10,000 delivery ids are remembered."""

    secret: Callable[[], bytes]
    _seen: OrderedDict[str, None] = field(default_factory=OrderedDict)

    def receive(self, headers: Mapping[str, str], body: bytes) -> WebhookAnswer:
        """Verify one delivery: 413 too large, 401 not signed by our secret, 400 no JSON, else 202."""
        if len(body) > BODY_LIMIT:
            return WebhookAnswer(413, "the body is too large")
        lower = {name.lower(): value for name, value in headers.items()}
        if not signed(self.secret(), body, lower.get("x-hub-signature-256", "")):
            return WebhookAnswer(401, "the signature does not match")
        document = _document(lower.get("content-type", ""), body)
        if document is None:
            return WebhookAnswer(400, "the body is not JSON")
        if self._replayed(lower.get("x-github-delivery", "")):
            return WebhookAnswer(202, "seen before")
        return WebhookAnswer(202, "accepted", hint_of(lower.get("x-github-event", ""), document))

    def _replayed(self, delivery: str) -> bool:
        if not delivery:
            return False
        if delivery in self._seen:
            return True
        self._seen[delivery] = None
        if len(self._seen) > REMEMBERED:
            self._seen.popitem(last=False)
        return False


def _document(content_type: str, body: bytes) -> Any:
    try:
        if content_type.startswith("application/x-www-form-urlencoded"):
            body = parse_qs(body.decode())["payload"][0].encode()
        return json.loads(body)
    except (ValueError, KeyError, RecursionError):
        return None

"""HTTP as providers speak it: headers from a metric, what in a configuration is a secret, OAuth2 client credentials."""

import base64
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import parse_qsl, unquote, urlencode, urlsplit

from reconciler.kernel.errors import Terminal
from reconciler.kernel.fields import Fields
from reconciler.kernel.identity import Manifest
from reconciler.kernel.redaction import smells
from reconciler.providers.metrics_client import MetricsClient, Sharing
from reconciler.web.client import HttpCall

FORM = {"Content-Type": "application/x-www-form-urlencoded"}
TOKEN_LIMIT = 64 << 10


def headers_of(config: Fields) -> dict[str, str]:
    """The headers a metric adds. Raises Terminal for one that cannot be sent."""
    found = {header.text("key"): header.text("value") for header in config.each("headers")}
    for name, value in found.items():
        if not name or not f"{name}{value}".isascii() or not f"{name}{value}".isprintable():
            raise Terminal(f"headers: {name!r} cannot be sent: names and values are printable ASCII")
    return found


def confided(config: Manifest) -> Iterator[str]:
    """What a configuration of HTTP holds that is not for people: credentials in headers, bodies, addresses and authentication."""
    for header in _mappings(config.get("headers")):
        if smells(str(header.get("key") or "")):
            value = str(header.get("value") or "")
            yield from (value, value.partition(" ")[2])
    yield from _credentials(config.get("authentication"))
    yield from (value for address in ("url", "address") for value in _in_address(str(config.get(address) or "")))


def _credentials(value: Any) -> Iterator[str]:
    """Every text under a name that smells of a secret, at any depth; and how a username and a password go into a header together."""
    if not isinstance(value, dict):
        return
    for name, member in value.items():
        if isinstance(member, str) and smells(str(name)):
            yield member
        yield from _credentials(member)
    if isinstance(value.get("username"), str) and isinstance(value.get("password"), str):
        yield basic(value["username"], value["password"]).partition(" ")[2]


def _in_address(address: str) -> Iterator[str]:
    """The user's part of a URL, and its parameters whose names smell."""
    try:
        parts = urlsplit(address)
        named = parse_qsl(parts.query)
    except ValueError:
        return
    user, at, _ = parts.netloc.rpartition("@")
    if at:
        yield from (user, unquote(user.partition(":")[2]))
    yield from (value for name, value in named if smells(name))


def _mappings(value: Any) -> Iterator[Mapping[str, Any]]:
    yield from (item for item in (value if isinstance(value, list) else ()) if isinstance(item, dict))


def basic(username: str, password: str) -> str:
    """The value of an Authorization header (RFC 7617)."""
    return "Basic " + base64.b64encode(f"{username}:{password}".encode()).decode()


async def bearer(client: MetricsClient, oauth: Fields, *, insecure: bool, timeout: float) -> str:
    """A fresh access token by client credentials (RFC 6749, 4.4); the credentials go in the header, then in the form. Raises Terminal."""
    identity, secret = oauth.text("clientId"), oauth.text("clientSecret")
    if not identity or not secret:
        raise Terminal("authentication.oauth2: clientId and clientSecret are required")
    form = {"grant_type": "client_credentials"}
    scopes = oauth.raw.get("scopes") or []
    if scopes:
        form["scope"] = " ".join(map(str, scopes))
    ways: tuple[tuple[Mapping[str, str], Mapping[str, str]], ...] = (
        ({"Authorization": basic(identity, secret)}, {}),
        ({}, {"client_id": identity, "client_secret": secret}),
    )
    status = 0
    for headers, extra in ways:
        body = urlencode({**form, **extra}).encode()
        call = HttpCall(
            method="POST", url=oauth.text("tokenUrl"), headers={**FORM, **headers}, body=body, timeout=timeout, limit=TOKEN_LIMIT
        )
        answer = await client.send(call, insecure=insecure, sharing=Sharing.IN_FLIGHT)
        document = answer.document()
        token = document.get("access_token") if answer.status == 200 and isinstance(document, dict) else None
        if isinstance(token, str):
            return _bearing(token)
        status = answer.status
    raise Terminal(f"authentication.oauth2: the token endpoint answered {status} without a token")


def _bearing(token: str) -> str:
    if not token or not token.isascii() or not token.isprintable():
        raise Terminal("authentication.oauth2: the token endpoint answered a token that no header can carry")
    return f"Bearer {token}"


def tokens_of(headers: Mapping[str, str]) -> frozenset[str]:
    """The secrets in the headers that authorize a request: their values, and the tokens in them."""
    return frozenset(part for value in headers.values() for part in (value, value.partition(" ")[2]) if part)

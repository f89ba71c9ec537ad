"""HTTP as providers speak it: headers from a metric, OAuth2 client credentials, and servers whose certificate is not to be verified."""

import base64
import ssl
from collections.abc import Mapping
from urllib.parse import urlencode

import httpx

from reconciler.kernel.errors import Terminal
from reconciler.kernel.fields import Fields
from reconciler.web.client import ClientSettings, HttpAnswer, HttpCall, ask, open_client

FORM = {"Content-Type": "application/x-www-form-urlencoded"}
TOKEN_LIMIT = 64 << 10


async def send(client: httpx.AsyncClient, call: HttpCall, *, insecure: bool) -> HttpAnswer:
    """One request through the shared client, or through one of its own that trusts every certificate."""
    if not insecure:
        return await ask(client, call)
    async with open_client(ClientSettings(connections=1, environment=client.trust_env, tls=_trusting())) as own:
        return await ask(own, call)


def _trusting() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def headers_of(config: Fields) -> dict[str, str]:
    """The headers a metric adds. Raises Terminal for one that cannot be sent."""
    found = {header.text("key"): header.text("value") for header in config.each("headers")}
    for name, value in found.items():
        if not name or not f"{name}{value}".isascii() or not f"{name}{value}".isprintable():
            raise Terminal(f"headers: {name!r} cannot be sent: names and values are printable ASCII")
    return found


def basic(username: str, password: str) -> str:
    """The value of an Authorization header (RFC 7617)."""
    return "Basic " + base64.b64encode(f"{username}:{password}".encode()).decode()


async def bearer(client: httpx.AsyncClient, oauth: Fields, *, insecure: bool, timeout: float) -> str:
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
        answer = await send(client, call, insecure=insecure)
        document = answer.document()
        if answer.status == 200 and isinstance(document, dict) and isinstance(document.get("access_token"), str):
            return f"Bearer {document['access_token']}"
        status = answer.status
    raise Terminal(f"authentication.oauth2: the token endpoint answered {status} without a token")

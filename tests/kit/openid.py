"""A small identity provider that speaks the real protocol: discovery, JWKS, authorization code with PKCE, signed tokens, userinfo.

And a cluster that reviews tokens and access, and refuses what an impersonated person may not do.
"""

import base64
import hashlib
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from html import escape
from typing import Any
from urllib.parse import parse_qs, unquote, urlencode

from aiohttp import web
from joserfc import jwt
from joserfc.jwk import RSAKey

from reconciler.kube.errors import Forbidden
from reconciler.kube.transport import Request, Response, Transport
from reconciler.web.listener import Route, listening

CLIENT, SECRET = "console", "s3cr3t/of+the client"


@dataclass
class IdentityProvider:
    """What it says, and what it was asked; tests change what it says."""

    address: str = ""
    claims: dict[str, Any] = field(default_factory=lambda: {"sub": "u1", "email": "ann@example.com", "groups": ["sre"]})
    key: RSAKey = field(default_factory=lambda: RSAKey.generate_key(2048, {"kid": "one", "use": "sig", "alg": "RS256"}))
    published: list[dict[str, Any]] = field(default_factory=list)
    issuer: str = ""
    token: str = ""
    """Given in place of the one it would sign."""
    ahead: float = 0.0
    """Seconds by which its clock differs from ours."""
    life: float = 300.0
    away: bool = False
    asks: bool = False
    """The person agrees on a page of the provider, by a link, instead of having agreed before."""
    forgotten: bool = False
    """The access token counts no more."""
    asked: list[str] = field(default_factory=list)
    codes: dict[str, dict[str, str]] = field(default_factory=dict)

    def signed(self, nonce: str, /, **changes: Any) -> str:
        now = datetime.now(UTC).timestamp() + self.ahead
        claims = {"iss": self.address, "aud": CLIENT, "iat": now, "exp": now + self.life, "nonce": nonce, **self.claims, **changes}
        kept = {name: value for name, value in claims.items() if value is not None}
        return jwt.encode({"alg": "RS256", "kid": self.key.kid}, kept, self.key)

    def routes(self) -> list[Route]:
        answers = {"/.well-known/openid-configuration": self._describe, "/keys": self._keys, "/authorize": self._authorize, "/me": self._me}
        return [*(Route("GET", path, answer) for path, answer in answers.items()), Route("POST", "/token", self._token)]

    async def _describe(self, request: web.Request) -> web.Response:
        self._note(request)
        places = {"authorization_endpoint": "authorize", "token_endpoint": "token", "jwks_uri": "keys", "userinfo_endpoint": "me"}
        named = {name: f"{self.address}/{place}" for name, place in places.items()}
        return web.json_response({"issuer": self.issuer or self.address, **named})

    async def _keys(self, request: web.Request) -> web.Response:
        self._note(request)
        return web.json_response({"keys": self.published or [self.key.as_dict(private=False)]})

    async def _authorize(self, request: web.Request) -> web.Response:
        """The person is there and agrees."""
        self._note(request)
        asked = dict(request.query)
        assert asked["response_type"] == "code" and asked["client_id"] == CLIENT and asked["code_challenge_method"] == "S256"
        code = f"code-{len(self.codes)}"
        self.codes[code] = asked
        back = f"{asked['redirect_uri']}?{urlencode({'code': code, 'state': asked['state']})}"
        if self.asks:
            return web.Response(text=f'<title>Provider</title><a href="{escape(back)}">Yes, it is me</a>', content_type="text/html")
        return web.Response(status=302, headers={"Location": back})

    async def _token(self, request: web.Request) -> web.Response:
        self._note(request)
        form = {name: values[0] for name, values in parse_qs(await request.text()).items()}
        pair = base64.b64decode(request.headers.get("Authorization", "").removeprefix("Basic ")).decode()
        name, _, secret = pair.partition(":")
        if (unquote(name), unquote(secret)) != (CLIENT, SECRET):
            return web.json_response({"error": "invalid_client"}, status=401)
        asked = self.codes.pop(form.get("code", ""), None)
        verifier = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
        proven = asked and base64.urlsafe_b64encode(verifier).rstrip(b"=").decode() == asked["code_challenge"]
        if asked is None or not proven or form["redirect_uri"] != asked["redirect_uri"]:
            return web.json_response({"error": "invalid_grant"}, status=400)
        return web.json_response({"id_token": self.token or self.signed(asked["nonce"]), "access_token": "access", "token_type": "Bearer"})

    async def _me(self, request: web.Request) -> web.Response:
        self._note(request)
        if self.forgotten or request.headers.get("Authorization") != "Bearer access":
            return web.json_response({"error": "invalid_token"}, status=401)
        return web.json_response(self.claims)

    def _note(self, request: web.Request) -> None:
        self.asked.append(request.path)
        if self.away:
            raise web.HTTPServiceUnavailable


@asynccontextmanager
async def identity_provider() -> AsyncIterator[IdentityProvider]:
    provider = IdentityProvider()
    async with listening(provider.routes(), "127.0.0.1", 0) as address:
        provider.address = address
        yield provider


@dataclass
class Reviewing:
    """A transport to a cluster that knows tokens and rights; the sandbox itself lets everybody do everything."""

    inner: Transport
    people: dict[str, tuple[str, list[str]]] = field(default_factory=dict)
    """By token: name and groups."""
    allowed: set[tuple[str, str]] = field(default_factory=set)
    """Group and namespace ("" for what is in none) that may patch."""
    wrote: list[tuple[str, str, tuple[str, ...]]] = field(default_factory=list)
    """Writes of persons: path, name, groups."""

    @asynccontextmanager
    async def open(self, request: Request) -> AsyncIterator[Response]:
        if request.path.endswith("/tokenreviews"):
            name, groups = self.people.get(json.loads(request.body)["spec"]["token"], ("", []))
            yield _Answered({"status": {"authenticated": bool(name), "user": {"username": name, "groups": groups}}})
            return
        if request.path.endswith("/subjectaccessreviews"):
            spec = json.loads(request.body)["spec"]
            yield _Answered({"status": {"allowed": self._may(spec["groups"], spec["resourceAttributes"].get("namespace", ""))}})
            return
        if request.user:
            namespace = request.path.partition("/namespaces/")[2].partition("/")
            if not self._may(request.groups, namespace[0] if namespace[1] else ""):
                raise Forbidden(403, "Forbidden", f"User {request.user} cannot patch {request.path}")
            if "dryRun" not in request.query:
                self.wrote.append((request.path, request.user, request.groups))
        async with self.inner.open(request) as response:
            yield response

    def _may(self, groups: Any, namespace: str) -> bool:
        return any((group, namespace) in self.allowed for group in groups)


class _Answered:
    def __init__(self, document: Mapping[str, Any]) -> None:
        self.status = 201
        self.headers: Mapping[str, str] = {}
        self._document = document

    async def read(self) -> bytes:
        return json.dumps(self._document).encode()

    async def lines(self) -> AsyncIterator[bytes]:
        yield await self.read()

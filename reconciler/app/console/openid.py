"""One identity provider, asked by the authorization code flow with PKCE (OpenID Connect Core 1.0, RFC 7636)."""

import base64
import hashlib
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import httpx
from joserfc.jwk import KeySet

from reconciler.app.console.identity_token import Expected, UnknownKey, checked_claims, public_keys
from reconciler.app.console.persons import Person, groups_of, person_of_claims
from reconciler.app.settings.model import OpenIdSettings
from reconciler.kernel.address import split_address
from reconciler.kernel.clock import Clock
from reconciler.kernel.errors import Terminal, Transient
from reconciler.kernel.unusable import reason_of
from reconciler.web.client import HttpAnswer, HttpCall, ask

WELL_KNOWN = "/.well-known/openid-configuration"
KEPT = 3600.0
"""Seconds for which what the provider says of itself is good."""
AGAIN = 10.0
"""Seconds between two looks for a key that is not there: tokens of strangers do not make us ask."""
TIMEOUT = 10.0


@dataclass(frozen=True, slots=True)
class LoginAttempt:
    """What one login began with; only the browser that began it has it, sealed."""

    state: str
    nonce: str
    verifier: str
    onward: str

    @classmethod
    def begin(cls, onward: str) -> "LoginAttempt":
        return cls(secrets.token_urlsafe(24), secrets.token_urlsafe(24), secrets.token_urlsafe(48), onward)

    @property
    def challenge(self) -> str:
        """S256 of the verifier."""
        return base64.urlsafe_b64encode(hashlib.sha256(self.verifier.encode()).digest()).rstrip(b"=").decode()


@dataclass(frozen=True, slots=True)
class OpenIdEndpoints:
    """What a provider says of itself."""

    authorization: str
    token: str
    keys: str
    userinfo: str = ""


class OpenId:
    """Asks one provider."""

    def __init__(self, settings: OpenIdSettings, redirect: str, http: httpx.AsyncClient, clock: Clock) -> None:
        self._settings = settings
        self._redirect = redirect
        self._http = http
        self._clock = clock
        self._provider: OpenIdEndpoints | None = None
        self._keys = KeySet([])
        self._known_until = self._keys_asked = float("-inf")

    async def address(self, attempt: LoginAttempt) -> str:
        """Where a browser goes to log in. Raises Transient while the provider is away."""
        provider = await self._known()
        query = {
            "response_type": "code",
            "client_id": self._settings.client,
            "redirect_uri": self._redirect,
            "scope": " ".join(self._settings.scopes),
            "state": attempt.state,
            "nonce": attempt.nonce,
            "code_challenge": attempt.challenge,
            "code_challenge_method": "S256",
        }
        return f"{provider.authorization}{'&' if '?' in provider.authorization else '?'}{urlencode(query)}"

    async def person(self, code: str, attempt: LoginAttempt) -> tuple[Person, str]:
        """Who came back with a code, and the token to ask about them later. Raises Terminal with what is wrong."""
        provider = await self._known()
        form = {"grant_type": "authorization_code", "code": code, "redirect_uri": self._redirect, "code_verifier": attempt.verifier}
        headers = {"Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json"}
        secret = self._secret()
        if secret:
            pair = f"{quote(self._settings.client, safe='')}:{quote(secret, safe='')}"
            headers["Authorization"] = f"Basic {base64.b64encode(pair.encode()).decode()}"
        else:
            form["client_id"] = self._settings.client
        body = urlencode(form).encode()
        answer = await self._asked(HttpCall(method="POST", url=provider.token, headers=headers, body=body, timeout=TIMEOUT))
        told = answer.document()
        if answer.status != 200 or not isinstance(told, Mapping) or not isinstance(told.get("id_token"), str):
            raise Terminal(f"the identity provider gives no token (HTTP {answer.status}{_error_of(told)}): begin again")
        claims = await self._claims(str(told["id_token"]), attempt)
        return person_of_claims(claims, self._settings), str(told.get("access_token") or "")

    async def still(self, person: Person, access: str) -> Person:
        """The person as the provider knows them now. Raises Terminal when the login was taken back, Transient when it does not answer."""
        provider = await self._known()
        if not provider.userinfo or not access:
            return person
        answer = await self._asked(
            HttpCall(method="GET", url=provider.userinfo, headers={"Authorization": f"Bearer {access}"}, timeout=TIMEOUT)
        )
        told = answer.document()
        if answer.status in (400, 401, 403) or (isinstance(told, Mapping) and told.get("sub") != person.subject):
            raise Terminal("the identity provider does not know this login any more: log in again")
        if answer.status != 200 or not isinstance(told, Mapping):
            raise Transient(f"the identity provider answers HTTP {answer.status} when asked who you are")
        groups = groups_of(told, self._settings)
        return person if groups is None else Person(person.name, groups, person.subject)

    async def _claims(self, token: str, attempt: LoginAttempt) -> Mapping[str, Any]:
        """Checked with the keys that are known, or with those that the provider has now."""
        expected = Expected(self._settings.issuer, self._settings.client, attempt.nonce)
        try:
            return checked_claims(token, self._keys, expected, self._clock.now())
        except UnknownKey:
            await self._renew_keys()
        try:
            return checked_claims(token, self._keys, expected, self._clock.now())
        except UnknownKey as error:
            raise Terminal("the identity token is signed with a key that the provider does not publish") from error

    async def _renew_keys(self) -> None:
        if self._clock.monotonic() - self._keys_asked < AGAIN:
            return
        self._keys_asked = self._clock.monotonic()
        answer = await self._asked(HttpCall(method="GET", url=(await self._known()).keys, timeout=TIMEOUT))
        self._keys = public_keys(answer.document())

    async def _known(self) -> OpenIdEndpoints:
        if self._provider is None or self._clock.monotonic() >= self._known_until:
            url = self._settings.issuer.rstrip("/") + WELL_KNOWN
            answer = await self._asked(HttpCall(method="GET", url=url, timeout=TIMEOUT))
            self._provider = self._described(answer)
            self._known_until = self._clock.monotonic() + KEPT
        return self._provider

    def _described(self, answer: HttpAnswer) -> OpenIdEndpoints:
        told = answer.document()
        if answer.status != 200 or not isinstance(told, Mapping):
            raise Transient(f"the identity provider does not describe itself (HTTP {answer.status} for {WELL_KNOWN})")
        if told.get("issuer") != self._settings.issuer:
            raise Terminal(f"the identity provider calls itself {str(told.get('issuer'))[:200]!r}: write exactly that as openid.issuer")
        secure = split_address(self._settings.issuer).scheme == "https"
        found = {name: str(told.get(name) or "") for name in ("authorization_endpoint", "token_endpoint", "jwks_uri", "userinfo_endpoint")}
        for name, url in found.items():
            if (not url and name != "userinfo_endpoint") or (url and secure and split_address(url).scheme != "https"):
                raise Terminal(f"the identity provider names no {name} that can be used")
        return OpenIdEndpoints(found["authorization_endpoint"], found["token_endpoint"], found["jwks_uri"], found["userinfo_endpoint"])

    async def _asked(self, call: HttpCall) -> HttpAnswer:
        try:
            return await ask(self._http, call)
        except Transient as error:
            raise Transient(f"the identity provider is away: {error}") from error

    def _secret(self) -> str:
        if not self._settings.secret_file:
            return ""
        try:
            return Path(self._settings.secret_file).read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            why = reason_of(error) if isinstance(error, OSError) else "it is no text"
            raise Terminal(f"openid.clientSecretFile {self._settings.secret_file} cannot be read: {why}") from None


def _error_of(told: Any) -> str:
    """The provider's own word for it (RFC 6749, 5.2), without what it quotes."""
    error = told.get("error") if isinstance(told, Mapping) else None
    return f", {error[:60]}" if isinstance(error, str) and error.isascii() and error.replace("_", "").isalnum() else ""

"""Checks an identity token of OpenID Connect (Core 1.0, 3.1.3.7): signature, issuer, audience, nonce and times, each by its name. Pure."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from joserfc import jwt
from joserfc.errors import BadSignatureError, InvalidKeyIdError, JoseError, UnsupportedAlgorithmError
from joserfc.jwk import JWKRegistry, KeySet

from reconciler.kernel.errors import Terminal

ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "Ed25519", "EdDSA")
"""Of public keys only: with `none` or a shared secret everybody could sign."""
LEEWAY = 60
"""Seconds by which two clocks may differ."""
LONGEST = 16384


class UnknownKey(Exception):
    """The token is signed with a key that is not among those known: the provider may have changed them."""


@dataclass(frozen=True, slots=True)
class Expected:
    """What a token must say."""

    issuer: str
    client: str
    nonce: str


def public_keys(document: Any) -> KeySet:
    """The keys of a JWKS document that may sign; those that we do not understand are left out."""
    listed = document.get("keys") if isinstance(document, Mapping) else None
    found = []
    for one in listed if isinstance(listed, Sequence) else ():
        if isinstance(one, Mapping) and one.get("kty") in ("RSA", "EC", "OKP") and one.get("use", "sig") == "sig":
            with suppress(JoseError, ValueError, TypeError, KeyError):
                found.append(JWKRegistry.import_key(dict(one)))
    return KeySet(found)


def checked_claims(token: str, keys: KeySet, expected: Expected, now: datetime) -> Mapping[str, Any]:
    """The claims of a token that is good now. Raises UnknownKey, or Terminal with what is wrong."""
    claims = _signed(token, keys)
    if claims.get("iss") != expected.issuer:
        raise Terminal("the identity token is of another issuer than the one in the settings")
    audience = claims.get("aud")
    listed = audience if isinstance(audience, list) else [audience]
    if expected.client not in listed:
        raise Terminal("the identity token was made for another client (aud)")
    if (len(listed) > 1 or "azp" in claims) and claims.get("azp") != expected.client:
        raise Terminal("the identity token was made for another client (azp)")
    if not expected.nonce or claims.get("nonce") != expected.nonce:
        raise Terminal("the identity token was not made for this login (nonce): begin again")
    if not isinstance(claims.get("sub"), str) or not claims["sub"]:
        raise Terminal("the identity token names nobody (sub)")
    _timely(claims, now.timestamp())
    return claims


def _signed(token: str, keys: KeySet) -> Mapping[str, Any]:
    if len(token) > LONGEST or not keys.keys:
        raise UnknownKey
    try:
        return jwt.decode(token, keys, algorithms=ALGORITHMS).claims
    except InvalidKeyIdError as error:
        raise UnknownKey from error
    except UnsupportedAlgorithmError as error:
        raise Terminal("the identity token is signed in a way that proves nothing (alg)") from error
    except BadSignatureError as error:
        raise Terminal("the identity token is forged: its signature is not the provider's") from error
    except (JoseError, ValueError) as error:
        raise Terminal(f"the identity token cannot be read: {type(error).__name__}") from error


def _timely(claims: Mapping[str, Any], now: float) -> None:
    ends, begun = _number(claims, "exp"), _number(claims, "iat")
    if begun - LEEWAY > now or _number(claims, "nbf", 0.0) - LEEWAY > now:
        ahead = max(begun, _number(claims, "nbf", 0.0)) - now
        raise Terminal(f"the identity token is from the future: the provider's clock is {ahead:.0f} s ahead of ours; set one of them right")
    if ends + LEEWAY <= now:
        raise Terminal(f"the identity token ended {now - ends:.0f} s ago: log in again, and compare the clocks if that does not help")


def _number(claims: Mapping[str, Any], name: str, default: float | None = None) -> float:
    value = claims.get(name, default)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise Terminal(f"the identity token says no time ({name})")
    return float(value)

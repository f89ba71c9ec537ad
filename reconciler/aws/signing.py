"""The signature of a request to AWS (Signature Version 4), as "Signing AWS API requests" describes it (docs.aws.amazon.com)."""

import hashlib
import hmac
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from urllib.parse import quote, urlsplit

from reconciler.web.client import HttpCall


@dataclass(frozen=True, slots=True)
class Keys:
    """Credentials, until when they may be used."""

    identity: str
    secret: str = field(repr=False)
    token: str = field(default="", repr=False)
    until: datetime | None = None

    @property
    def texts(self) -> frozenset[str]:
        """What is never shown."""
        return frozenset(text for text in (self.secret, self.token) if text)


@dataclass(frozen=True, slots=True)
class SigningScope:
    """What a signature is for."""

    region: str
    service: str


def signed(call: HttpCall, keys: Keys, scope: SigningScope, now: datetime) -> HttpCall:
    """The same call with its signature in the headers."""
    moment = now.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")
    parts = urlsplit(call.url)
    dated = {**call.headers, "X-Amz-Date": moment, **({"X-Amz-Security-Token": keys.token} if keys.token else {})}
    headers = {name.lower(): " ".join(value.split()) for name, value in {**dated, "host": parts.netloc.rpartition("@")[2]}.items()}
    names = ";".join(sorted(headers))
    asked = [tuple(pair.partition("=")[::2]) for pair in parts.query.split("&") if pair]
    asked += [(quote(name, safe="-_.~"), quote(value, safe="-_.~")) for name, value in call.query.items()]
    request = "\n".join(
        (
            call.method,
            quote(parts.path or "/", safe="/-_.~"),
            "&".join(f"{name}={value}" for name, value in sorted(asked)),
            *(f"{name}:{headers[name]}" for name in sorted(headers)),
            "",
            names,
            hashlib.sha256(call.body).hexdigest(),
        )
    )
    place = f"{moment[:8]}/{scope.region}/{scope.service}/aws4_request"
    text = f"AWS4-HMAC-SHA256\n{moment}\n{place}\n{hashlib.sha256(request.encode()).hexdigest()}"
    key = f"AWS4{keys.secret}".encode()
    for part in place.split("/"):
        key = hmac.digest(key, part.encode(), "sha256")
    signature = hmac.digest(key, text.encode(), "sha256").hex()
    told = f"AWS4-HMAC-SHA256 Credential={keys.identity}/{place}, SignedHeaders={names}, Signature={signature}"
    return replace(call, headers={**dated, "Authorization": told})

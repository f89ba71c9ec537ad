"""What a service of AWS checks of a request: that its signature is the one over what arrived."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import NamedTuple

from reconciler.aws.signing import Keys, SigningScope, signed
from reconciler.web.client import HttpCall

CREDENTIAL = re.compile(
    r"AWS4-HMAC-SHA256 Credential=(\w+)/(\d{8})/([\w-]+)/(\w+)/aws4_request, SignedHeaders=([\w;-]+), Signature=[0-9a-f]{64}"
)
ADDED = ("host", "x-amz-date", "x-amz-security-token")


class Request(NamedTuple):
    """A request as it arrived."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: str


def genuine(request: Request, url: str, keys: Keys) -> tuple[str, str]:
    """Region and service of a request whose signature is right: signed again from what arrived. Raises AssertionError."""
    found = CREDENTIAL.fullmatch(request.headers.get("Authorization") or "")
    assert found is not None and found[1] == keys.identity
    names = found[5].split(";")
    assert {"host", "x-amz-date"} <= set(names)
    assert request.headers.get("X-Amz-Security-Token", "") == keys.token
    plain = {name: value for name, value in request.headers.items() if name.lower() in names and name.lower() not in ADDED}
    at = datetime.strptime(request.headers["X-Amz-Date"], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    call = HttpCall(method=request.method, url=f"{url}{request.path}", headers=plain, body=request.body.encode())
    again = signed(call, keys, SigningScope(found[3], found[4]), at)
    assert again.headers["Authorization"] == request.headers["Authorization"]
    return found[3], found[4]

"""Webhooks as hints: a verified push pulls the next poll of a source forward, and nothing in it is trusted as content.

How a delivery is signed and what it looks like is the forge's affair: a plug-in says it as a `WebhookShape`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from reconciler.kernel.address import NOWHERE, split_address


@dataclass(frozen=True, slots=True)
class Hint:
    """A branch of a repository may have moved; `places` are the repository's addresses in canonical form."""

    places: frozenset[str]
    branch: str

    def concerns(self, repository: str, branch: str) -> bool:
        """True when a configured repository and branch is meant."""
        return branch == self.branch and place_of(repository) in self.places


class WebhookShape(Protocol):
    """How one kind of forge delivers. Pure; header names arrive in lower case, values may hold anything that fits a header."""

    def proof(self, headers: Mapping[str, str]) -> str:
        """What of a delivery proves who sent it; empty when it is none of this forge's."""
        ...

    def genuine(self, secret: bytes, proof: str, body: bytes) -> bool:
        """True when the proof was made with the secret, compared in constant time; an empty secret proves nothing."""
        ...

    def hint(self, headers: Mapping[str, str], document: Any) -> Hint | None:
        """Which branch a push moved; every other event and shape has none."""
        ...


def place_of(url: str) -> str:
    """`host/owner/name` of an http, ssh, git or scp-like address, so that all forms of one repository are equal."""
    scheme, separator, rest = url.strip().partition("://")
    if separator:
        host, path = _host_and_path(url.strip()) or ("", rest)
    else:
        host, _, path = scheme.partition(":")
        host = host.rpartition("@")[2].lower()
    return f"{host}/{path.strip('/').removesuffix('.git')}".lower()


def _host_and_path(url: str) -> tuple[str, str] | None:
    parts = split_address(url)
    if parts == NOWHERE:
        return None
    port = parts.port
    usual = {"http": 80, "https": 443, "ssh": 22, "git": 9418}.get(parts.scheme)
    host = parts.hostname or ""
    return (f"{host}:{port}" if port and port != usual else host), parts.path

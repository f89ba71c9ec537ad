"""GitHub's deliveries: an HMAC over the raw body (webhooks, "Validating deliveries"), and what a push event says.

Gitea and Forgejo sign alike.
"""

import hashlib
import hmac
from collections.abc import Mapping
from typing import Any

from reconciler.web.webhook import Hint, place_of

ADDRESSES = ("clone_url", "ssh_url", "html_url", "git_url", "url")
BRANCHES = "refs/heads/"


class GitHubWebhook:
    """`X-Hub-Signature-256: sha256=<hex>` and `X-GitHub-Event: push`."""

    def proof(self, headers: Mapping[str, str]) -> str:
        return headers.get("x-hub-signature-256", "")

    def genuine(self, secret: bytes, proof: str, body: bytes) -> bool:
        expected = "sha256=" + hmac.new(secret, body, hashlib.sha256).hexdigest()
        # Headers are decoded with escapes for bytes that are no text: such a proof is compared like any other.
        return bool(secret) and hmac.compare_digest(expected.encode(), proof.encode("utf-8", "surrogateescape"))

    def hint(self, headers: Mapping[str, str], document: Any) -> Hint | None:
        if headers.get("x-github-event") != "push" or not isinstance(document, dict):
            return None
        ref, repository = document.get("ref"), document.get("repository")
        if not isinstance(ref, str) or not ref.startswith(BRANCHES) or not isinstance(repository, dict):
            return None
        addresses = [repository.get(name) for name in ADDRESSES]
        places = frozenset(place_of(address) for address in addresses if isinstance(address, str))
        return Hint(places, ref.removeprefix(BRANCHES)) if places else None

"""Which notifiers there are: a kind's name to its constructor."""

from asyncio import sleep
from collections.abc import Callable, Mapping

import httpx

from reconciler.kernel.errors import Terminal
from reconciler.notifiers.webhook import WebhookNotifier, WebhookTerms
from reconciler.releases.announce.notice import Notifier

NOTIFIERS: Mapping[str, Callable[[WebhookTerms, httpx.AsyncClient], Notifier]] = {
    "webhook": lambda terms, client: WebhookNotifier(terms, client, sleep),
}


def notifier(kind: str, terms: WebhookTerms, client: httpx.AsyncClient) -> Notifier:
    """The notifier of a kind; unknown kinds are Terminal and name those known."""
    if kind not in NOTIFIERS:
        raise Terminal(f"notifiers: unknown kind {kind!r}; known are {', '.join(sorted(NOTIFIERS))}")
    return NOTIFIERS[kind](terms, client)

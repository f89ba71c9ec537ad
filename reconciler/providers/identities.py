"""Who we are at servers that do not take a password: cloud identities, and Secrets of the daemon's namespace. One for all providers."""

from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from functools import partial
from urllib.parse import urlsplit

from reconciler.aws.credentials import Aws
from reconciler.kernel.errors import Terminal
from reconciler.kube.client import Client
from reconciler.providers.accounts import needed, texts_of
from reconciler.providers.google import Google
from reconciler.providers.metrics_client import MetricsClient, Sharing
from reconciler.providers.requests import basic

Secrets = Callable[[str], Awaitable[Mapping[str, str]]]


class Identities:
    """AWS, Google Cloud, and what a Secret of ours says of one address."""

    def __init__(self, http: MetricsClient, variables: Mapping[str, str], secrets: Secrets) -> None:
        self.aws = Aws(partial(http.send, insecure=False, sharing=Sharing.IN_FLIGHT), variables)
        self.google = Google(http, variables)
        self._http = http
        self._secrets = secrets

    def now(self) -> datetime:
        """The time that a signature bears, and that keys are compared with."""
        return self._http.now()

    async def account(self, name: str, address: str) -> dict[str, str]:
        """The headers that a Secret says for its own address.

        A policy may name any Secret and any address: so that none is sent elsewhere, the Secret has to name the address as well.
        """
        texts, where = await self._secrets(name), f"secret {name}"
        if _origin(needed(texts, "address", where)) != _origin(address):
            raise Terminal(f"{where} is for another address: its entry address and the one that is asked have to agree")
        tenant = {"X-Scope-OrgID": needed(texts, "tenant", where)} if texts.get("tenant") else {}
        if texts.get("token"):
            return {**tenant, "Authorization": f"Bearer {needed(texts, 'token', where)}"}
        if texts.get("username"):
            return {**tenant, "Authorization": basic(needed(texts, "username", where), needed(texts, "password", where))}
        if not tenant:
            raise Terminal(f"{where} has no token, no username and no tenant")
        return tenant


def secrets_of(client: Client, namespace: str) -> Secrets:
    """The Secrets of the daemon's namespace."""

    async def read(name: str) -> Mapping[str, str]:
        return await texts_of(client, namespace, name)

    return read


def _origin(address: str) -> tuple[str, str]:
    try:
        parts = urlsplit(address)
    except ValueError as error:
        raise Terminal("prometheus address is not is url format") from error
    return parts.scheme, parts.netloc.rpartition("@")[2]

"""Which forges there are: a kind's name to its constructor."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import httpx

from reconciler.forges.github import API, GitHub
from reconciler.forges.github_webhook import GitHubWebhook
from reconciler.forges.plain import Plain
from reconciler.forges.rest import Token
from reconciler.kernel.address import split_address
from reconciler.kernel.errors import Terminal
from reconciler.releases.announce.forge import Forge
from reconciler.web.webhook import WebhookShape

REPOSITORY = re.compile(r"[\w.-]+/[\w.-]+", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class ForgeTerms:
    """One source's forge: `repository` is owner/name; an empty `api` is the kind's public address."""

    repository: str
    token: Token
    api: str = ""


def _github(settings: ForgeTerms, client: httpx.AsyncClient) -> Forge:
    if not REPOSITORY.fullmatch(settings.repository):
        raise Terminal(f"forge.repository: {settings.repository!r} is not of the form owner/name")
    return GitHub(settings.repository, settings.token, client, settings.api or API)


FORGES: Mapping[str, Callable[[ForgeTerms, httpx.AsyncClient], Forge]] = {
    "github": _github,
    "plain": lambda settings, client: Plain(),
}


WEBHOOKS: Mapping[str, WebhookShape] = {"github": GitHubWebhook()}
"""How those that push deliver it, by kind: headers and signatures."""


def forge(kind: str, settings: ForgeTerms, client: httpx.AsyncClient) -> Forge:
    """The forge of a kind; unknown kinds are Terminal and name those known."""
    if kind not in FORGES:
        raise Terminal(f"forge.kind: unknown kind {kind!r}; known are {', '.join(sorted(FORGES))}")
    return FORGES[kind](settings, client)


def repository_of(url: str) -> str:
    """`owner/name` out of a repository's URL, http, ssh or scp-like."""
    path = split_address(url).path if "://" in url else url.partition(":")[2]
    parts = path.strip("/").removesuffix(".git").split("/")
    if len(parts) < 2 or not all(parts):
        raise Terminal(f"forge.repository: cannot be read from {path!r}; write it as owner/name")
    return "/".join(parts[-2:])

"""What every notifier promises, and every fake of one too."""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

import pytest

from reconciler.notifiers.fenced import FencedNotifier
from reconciler.notifiers.registry import NOTIFIERS
from reconciler.notifiers.webhook import WebhookNotifier, WebhookTerms
from reconciler.releases.announce.notice import Notifier
from reconciler.web.client import open_client
from tests.kit.notices import SAYS, NotingNotifier, inbox, message

NAMES = ("noting", *(f"webhook {says}" for says in SAYS), "fenced webhook")


@dataclass(frozen=True, slots=True)
class Told:
    """A notifier, what people read there now, and how everything of it is thrown away."""

    notifier: Notifier
    shown: Callable[[], Sequence[str]]
    forget: Callable[[], None]


async def never(seconds: float) -> None:
    raise AssertionError("nothing is to be waited for")


@asynccontextmanager
async def told(name: str) -> AsyncIterator[Told]:
    if name == "noting":
        noting = NotingNotifier()
        yield Told(noting, lambda: [one.headline for one in noting.told.values()], noting.told.clear)
        return
    async with open_client() as client, inbox(name.split()[1] if name.startswith("webhook") else "location") as box:

        async def url() -> str:
            return box.url

        async def nothing() -> str:
            return ""

        webhook = WebhookNotifier(WebhookTerms(url=url, token=nothing, secret=nothing), client, never)
        notifier = FencedNotifier(webhook, lambda _: None) if name.startswith("fenced") else webhook
        yield Told(notifier, lambda: [one["headline"] for one in box.held.values()], box.held.clear)


def test_every_kind_has_its_case() -> None:
    assert {name.split()[0] for name in NAMES} >= set(NOTIFIERS)


@pytest.mark.parametrize("name", NAMES)
async def test_the_first_telling_answers_a_handle_to_keep(name: str) -> None:
    async with told(name) as case:
        assert await case.notifier.tell(message(headline="under way"), "")
        assert case.shown() == ["under way"]


@pytest.mark.parametrize("name", NAMES)
async def test_a_newer_state_takes_the_place_of_the_older_one(name: str) -> None:
    async with told(name) as case:
        handle = await case.notifier.tell(message(headline="under way"), "")
        for headline in ("failed", "restored", "restored"):
            handle = await case.notifier.tell(message(headline=headline), handle)
        assert case.shown()[-1] == "restored" and len(case.shown()) <= 2
        assert name == "webhook nothing" or case.shown() == ["restored"]


@pytest.mark.parametrize("name", NAMES)
async def test_what_was_thrown_away_is_told_anew(name: str) -> None:
    async with told(name) as case:
        handle = await case.notifier.tell(message(headline="under way"), "")
        case.forget()
        again = await case.notifier.tell(message(headline="failed"), handle)
        assert again and case.shown() == ["failed"]


@pytest.mark.parametrize("name", NAMES)
async def test_other_attempts_are_other_messages(name: str) -> None:
    async with told(name) as case:
        await case.notifier.tell(message(headline="one"), "")
        await case.notifier.tell(message(headline="two", attempt=2), "")
        assert sorted(case.shown()) == ["one", "two"]

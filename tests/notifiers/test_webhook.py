"""Messages as JSON over real HTTP: signed, tried again, bounded, and never with the secret in a complaint."""

import hashlib
import hmac
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest
from aiohttp import web

from reconciler.kernel.errors import Terminal, Transient
from reconciler.notifiers.fenced import FencedNotifier
from reconciler.notifiers.registry import notifier
from reconciler.notifiers.webhook import SIZE_LIMIT, TRIES, WebhookNotifier, WebhookTerms
from reconciler.releases.announce.notice import NextStep
from reconciler.web.client import open_client
from tests.kit.notices import Inbox, inbox, message
from tests.kit.ports import free_port


@dataclass
class Teller:
    """A notifier with its terms as texts, and the pauses it made."""

    url: str = ""
    token: str = "t0k3n-of-hook"
    secret: str = "s3cret-of-hook"
    pauses: list[float] = field(default_factory=list)

    def terms(self) -> WebhookTerms:
        async def url() -> str:
            return self.url + "\n"

        async def token() -> str:
            return self.token

        async def secret() -> str:
            return self.secret

        return WebhookTerms(url=url, token=token, secret=secret)

    async def sleep(self, seconds: float) -> None:
        self.pauses.append(seconds)

    async def tell(self, handle: str = "", **changes: object) -> str:
        async with open_client() as client:
            return await WebhookNotifier(self.terms(), client, self.sleep).tell(message(**changes), handle)


@asynccontextmanager
async def telling(says: str = "location") -> AsyncIterator[tuple[Teller, Inbox]]:
    async with inbox(says) as box:
        yield Teller(box.url), box


async def test_the_body_is_data_signed_and_authorized() -> None:
    async with telling() as (teller, box):
        await teller.tell(next_steps=(NextStep(text="again", command="reconciler retry web"),), needs_person=True)
    method, headers, body = box.requests[0]
    document = json.loads(body)
    assert method == "POST" and headers["Authorization"] == "Bearer t0k3n-of-hook"
    assert headers["X-Reconciler-Signature-256"] == "sha256=" + hmac.new(b"s3cret-of-hook", body, hashlib.sha256).hexdigest()
    assert (document["key"], document["handle"]) == ("production/shop/shop/web/web-bad/1", "")
    assert document["message"]["needsPerson"] is True
    assert document["message"]["nextSteps"] == [{"text": "again", "command": "reconciler retry web"}]


async def test_a_place_is_put_to_and_a_handle_is_sent_back() -> None:
    async with telling() as (teller, box):
        handle = await teller.tell()
        assert handle == f"{box.url}/m0" and await teller.tell(handle) == handle
        assert [method for method, _, _ in box.requests] == ["POST", "PUT"]
    async with telling("handle") as (teller, box):
        assert await teller.tell(await teller.tell()) == "m0"
        assert [method for method, _, _ in box.requests] == ["POST", "POST"] and len(box.held) == 1


async def test_the_same_message_has_the_same_idempotency_key() -> None:
    async with telling() as (teller, box):
        box.refusals = [web.Response(status=503), web.Response(status=500)]
        await teller.tell()
        await teller.tell(headline="other")
    keys = [headers["Idempotency-Key"] for _, headers, _ in box.requests]
    assert len(keys) == 4 and len(set(keys[:3])) == 1 and keys[3] != keys[0]
    assert len(teller.pauses) == 2


@pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503])
async def test_what_may_pass_is_tried_a_few_times_and_then_later(status: int) -> None:
    async with telling() as (teller, box):
        box.refusals = [web.Response(status=status, text="t0k3n-of-hook is busy") for _ in range(TRIES)]
        with pytest.raises(Transient) as refused:
            await teller.tell()
    assert len(box.requests) == TRIES and f"HTTP {status}" in str(refused.value) and "t0k3n" not in str(refused.value)


async def test_a_long_retry_after_is_handed_on_and_not_slept() -> None:
    async with telling() as (teller, box):
        box.refusals = [web.Response(status=429, headers={"Retry-After": "120"}) for _ in range(TRIES)]
        with pytest.raises(Transient) as refused:
            await teller.tell()
    assert refused.value.retry_after == 120 and not teller.pauses


@pytest.mark.parametrize("status", [301, 400, 401, 403, 413, 422])
async def test_a_refusal_says_what_the_server_said_and_no_secret(status: int) -> None:
    async with telling() as (teller, box):
        teller.url = box.url + "?key=very-secret-key"
        box.refusals = [web.Response(status=status, text=f"no: {box.url} very-secret-key s3cret-of-hook\x1b[2J\nnext")]
        with pytest.raises(Terminal) as refused:
            await teller.tell()
    words = str(refused.value)
    assert f"HTTP {status} (no:" in words and "\n" not in words and "\x1b" not in words
    assert not [secret for secret in ("very-secret-key", "s3cret-of-hook", "t0k3n", "/hook") if secret in words]


async def test_an_address_where_nobody_is_hides_its_path() -> None:
    teller = Teller(f"http://127.0.0.1:{free_port()}/services/T000/B000/very-secret")
    with pytest.raises(Transient) as refused:
        await teller.tell()
    assert "very-secret" not in str(refused.value) and "127.0.0.1" in str(refused.value)


@pytest.mark.parametrize("url", ["", "ftp://x/y", "no url", "http://"])
async def test_an_address_that_is_none_says_where_to_look(url: str) -> None:
    with pytest.raises(Terminal, match="check `url` or the file"):
        await Teller(url).tell()


async def test_a_token_that_no_header_carries_is_not_shown() -> None:
    async with telling() as (teller, _):
        teller.token = "tök\nen"
        with pytest.raises(Terminal) as refused:
            await teller.tell()
    assert "tök" not in str(refused.value)


@pytest.mark.parametrize("elsewhere", ["https://evil.example/m", "//evil.example/m", "http://127.0.0.1:1/m", "http://[::1/m"])
async def test_a_place_on_another_server_is_never_gone_to(elsewhere: str) -> None:
    async with telling() as (teller, box):
        box.refusals = [web.Response(status=201, headers={"Location": elsewhere})]
        handle = await teller.tell()
        assert handle == message().key
        await teller.tell(elsewhere)
    assert [method for method, _, _ in box.requests] == ["POST", "POST"]


async def test_a_huge_answer_is_an_error_and_no_memory() -> None:
    async with telling() as (teller, box):
        box.refusals = [web.Response(text="x" * 1_000_000)]
        with pytest.raises(Terminal, match="larger than"):
            await teller.tell()


async def test_frozen_is_frozen_for_messages_too() -> None:
    def refuse(words: str) -> None:
        raise Transient(f"frozen: {words}")

    async with telling() as (teller, box), open_client() as client:
        fenced = FencedNotifier(notifier("webhook", teller.terms(), client), refuse)
        with pytest.raises(Transient, match="frozen: notice of web-bad"):
            await fenced.tell(message(), "")
    assert not box.requests


async def test_unknown_kinds_name_those_known_and_a_webhook_says_its_limits() -> None:
    async with open_client() as client:
        with pytest.raises(Terminal, match="known are webhook"):
            notifier("pigeon", Teller().terms(), client)
        found = notifier("webhook", Teller().terms(), client)
        assert isinstance(found, WebhookNotifier) and found.limits.size == SIZE_LIMIT

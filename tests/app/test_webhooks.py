"""Webhooks: what is signed, what is only a hint, what is refused."""

import asyncio
import hashlib
import hmac
import json
from pathlib import Path
from urllib.parse import urlencode

import pytest
from aiohttp import web

from reconciler.app.webhooks import REMEMBERED, WebhookAnswer, Webhooks
from reconciler.forges.registry import WEBHOOKS
from reconciler.web.listener import Route, listening
from reconciler.web.webhook import Hint, place_of
from tests.kit.githost import REPO, git_host

SECRET = b"s3cret"
PUSH = {"ref": "refs/heads/main", "repository": {"clone_url": "https://git.example.com/shop/manifests.git"}}


def delivery(body: bytes, event: str = "push", number: str = "1", **more: str) -> dict[str, str]:
    signature = "sha256=" + hmac.new(SECRET, body, hashlib.sha256).hexdigest()
    return {"X-GitHub-Event": event, "X-GitHub-Delivery": number, "X-Hub-Signature-256": signature, **more}


def webhook(secret: bytes = SECRET) -> Webhooks:
    return Webhooks(tuple(WEBHOOKS.values()), lambda: secret)


def test_a_signed_push_is_a_hint_to_its_branch() -> None:
    body = json.dumps(PUSH).encode()
    verdict = webhook().receive(delivery(body), body)
    assert verdict == WebhookAnswer(202, "accepted", Hint(frozenset({"git.example.com/shop/manifests"}), "main"))


def test_a_form_delivery_is_read_too() -> None:
    body = urlencode({"payload": json.dumps(PUSH)}).encode()
    headers = delivery(body, **{"content-type": "application/x-www-form-urlencoded"})
    assert webhook().receive(headers, body).hint is not None


@pytest.mark.parametrize(
    "signature",
    ["", "sha256=", "sha256=00", "sha1=abc", "sha256=ü", "sha256=\udcff", "\udcc3\udcbc", "SHA256", "sha256=" + "0" * 64, "x" * 8000],
)
def test_a_wrong_signature_is_refused(signature: str) -> None:
    body = json.dumps(PUSH).encode()
    assert webhook().receive({**delivery(body), "X-Hub-Signature-256": signature}, body) == WebhookAnswer(
        401, "the signature does not match"
    )


def test_a_changed_body_is_refused() -> None:
    body = json.dumps(PUSH).encode()
    assert webhook().receive(delivery(body), body + b" ").status == 401


def test_without_a_secret_nothing_is_accepted() -> None:
    body = json.dumps(PUSH).encode()
    signature = "sha256=" + hmac.new(b"", body, hashlib.sha256).hexdigest()
    assert webhook(b"").receive({**delivery(body), "X-Hub-Signature-256": signature}, body).status == 401


def test_a_rotated_secret_counts_at_once() -> None:
    secrets = [b"old"]
    hook, body = Webhooks(tuple(WEBHOOKS.values()), lambda: secrets[0]), json.dumps(PUSH).encode()
    assert hook.receive(delivery(body), body).status == 401
    secrets[0] = SECRET
    assert hook.receive(delivery(body), body).status == 202


def test_a_replayed_delivery_hints_once_whatever_it_calls_itself_and_a_refused_one_is_not_remembered() -> None:
    hook, body = webhook(), json.dumps(PUSH).encode()
    hook.receive({**delivery(body), "X-Hub-Signature-256": "sha256=0"}, body)
    assert hook.receive(delivery(body), body).hint is not None
    assert hook.receive(delivery(body), body) == WebhookAnswer(202, "seen before")
    assert hook.receive(delivery(body, number="2"), body) == WebhookAnswer(202, "seen before")
    another = json.dumps({**PUSH, "after": "b"}).encode()
    assert hook.receive(delivery(another), another).hint is not None


def test_the_memory_of_deliveries_is_bounded() -> None:
    hook = webhook()
    bodies = [str(number).encode() for number in range(REMEMBERED + 1)]
    for body in bodies:
        hook.receive(delivery(body), body)
    assert hook.receive(delivery(bodies[0]), bodies[0]).message == "accepted"
    assert hook.receive(delivery(bodies[-1]), bodies[-1]).message == "seen before"


@pytest.mark.parametrize("kind", ["text/plain", "application/xml", "multipart/form-data; boundary=x", "json", "\udcff"])
def test_a_signed_delivery_of_another_type_is_refused(kind: str) -> None:
    body = json.dumps(PUSH).encode()
    assert webhook().receive(delivery(body, **{"Content-Type": kind}), body).status == 415


@pytest.mark.parametrize("kind", ["application/json", "Application/JSON; charset=utf-8"])
def test_json_may_say_its_charset(kind: str) -> None:
    body = json.dumps(PUSH).encode()
    assert webhook().receive(delivery(body, **{"Content-Type": kind}), body).hint is not None


@pytest.mark.parametrize("body", [b"", b"nonsense", b"\xff", b"[" * 100_000])
def test_a_signed_body_that_is_no_json_is_refused(body: bytes) -> None:
    assert webhook().receive(delivery(body), body).status == 400


@pytest.mark.parametrize(
    ("event", "document"),
    [
        ("ping", PUSH),
        ("push", []),
        ("push", {}),
        ("push", {**PUSH, "ref": "refs/tags/v1"}),
        ("push", {**PUSH, "ref": 1}),
        ("push", {**PUSH, "repository": None}),
        ("push", {**PUSH, "repository": {"clone_url": 1}}),
    ],
)
def test_other_events_and_shapes_are_no_hints(event: str, document: object) -> None:
    body = json.dumps(document).encode()
    assert webhook().receive(delivery(body, event), body) == WebhookAnswer(202, "accepted")


@pytest.mark.parametrize(
    "url",
    [
        "https://git.example.com/shop/manifests.git",
        "https://user:token@git.example.com/shop/manifests",
        "https://git.example.com:443/shop/manifests/",
        "ssh://git@git.example.com/shop/manifests.git",
        "git@git.example.com:shop/manifests.git",
        "HTTPS://Git.Example.com/Shop/Manifests.git",
    ],
)
def test_all_forms_of_an_address_are_one_place(url: str) -> None:
    assert place_of(url) == "git.example.com/shop/manifests"
    assert Hint(frozenset({"git.example.com/shop/manifests"}), "main").concerns(url, "main")


def test_another_branch_host_or_port_is_another_place() -> None:
    hint = Hint(frozenset({"git.example.com/shop/manifests"}), "main")
    assert not hint.concerns("https://git.example.com/shop/manifests", "dev")
    assert not hint.concerns("https://evil.example.com/shop/manifests", "main")
    assert not hint.concerns("https://git.example.com:8443/shop/manifests", "main")
    assert not hint.concerns("https://git.example.com:port/shop/manifests", "main")


async def test_a_push_to_a_real_host_arrives_as_a_hint_for_its_clone_url(tmp_path: Path) -> None:
    hook, hints = webhook(), asyncio.Queue[Hint | None]()

    async def receive(request: web.Request) -> web.Response:
        verdict = hook.receive(request.headers, await request.read())
        hints.put_nowait(verdict.hint)
        return web.Response(status=verdict.status)

    async with listening([Route("POST", "/webhook", receive)], "127.0.0.1", 0) as url, git_host(tmp_path) as host:
        host.add_webhook(REPO, url + "/webhook", SECRET.decode())
        await host.push_files(REPO, "main", {"app.yaml": b"x\n"}, "Change")
        hint = await asyncio.wait_for(hints.get(), 20)
        assert hint is not None
        assert hint.concerns(host.clone_url(REPO, "bot"), "main")
        await asyncio.wait_for(host.delivered(), 20)
        assert [d.status for d in host.deliveries] == [202]

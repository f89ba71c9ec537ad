"""The console over HTTP: what it answers to whom, as HTML and as JSON, and what it never lets out."""

import json
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from reconciler.app.console.pages import ConsoleScope
from reconciler.app.console.rendering import web_address
from reconciler.app.console.server import is_ours
from reconciler.app.console.serving import names_of
from reconciler.kernel.identity import ObjectRef
from reconciler.kernel.resources import RELEASES, ROLLOUTS
from tests.kit.consoles import Served, serving
from tests.kit.schemas import violations

SCHEMAS = Path(__file__).resolve().parents[3] / "docs" / "schemas"
RELEASE = "/releases/shop/storefront-3f9a1c2b-8d0e4f7"
PAGES = {
    "/": "list-rollouts",
    "/rollouts/shop/storefront": "get-rollout",
    "/rollouts/shop/checkout": "get-rollout",
    "/rollouts/shop/storefront/history": "releases-list",
    RELEASE: "releases-show",
    "/holds": "hold-list",
    "/sources": "sources",
    "/policies": "policies",
    "/audit": "audit",
}


class Links(HTMLParser):
    """Every address that a page names, and every element that may not be there."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self.forbidden: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        named = dict(attrs)
        self.found += [str(named[name]) for name in ("href", "src", "action") if named.get(name)]
        if tag in ("style", "iframe", "object", "img") or any(name == "style" or name.startswith("on") for name, _ in attrs):
            self.forbidden.append(f"{tag} {named}")


def links_of(text: str) -> Links:
    links = Links()
    links.feed(text)
    return links


@pytest.mark.parametrize(("path", "schema"), PAGES.items())
async def test_every_page_is_html_and_a_document_that_fits_its_schema(path: str, schema: str) -> None:
    async with serving() as console:
        page = await console.ask(path, Accept="text/html")
        assert page.status_code == 200 and page.headers["Content-Type"].startswith("text/html")
        asked = await console.ask(path, Accept="application/json")
        named = await console.ask(f"{path}?format=json", Accept="text/html")
        assert asked.headers["Content-Type"].startswith("application/json")
        assert asked.json() == named.json() and asked.json()
        assert violations(asked.json(), json.loads((SCHEMAS / f"{schema}.json").read_text())) == []


async def test_every_link_of_every_page_leads_somewhere() -> None:
    async with serving() as console:
        waiting, seen = ["/"], set()
        while waiting:
            path = waiting.pop()
            answer = await console.ask(path)
            assert answer.status_code == 200, path
            if not answer.headers["Content-Type"].startswith("text/html"):
                continue
            links = links_of(answer.text)
            assert links.forbidden == []
            news = {link.partition("#")[0] for link in links.found if link.startswith(("/", "?"))} - seen
            seen |= news
            waiting += [link if link.startswith("/") else f"{path.partition('?')[0]}{link}" for link in news if link]
        assert {RELEASE, "/rollouts/pay/ledger", "/holds", "/rollouts/shop/cart/history"} <= seen


async def test_a_page_may_load_nothing_from_elsewhere_and_is_kept_by_nobody() -> None:
    async with serving() as console:
        headers = (await console.ask("/")).headers
        assert "default-src 'none'" in headers["Content-Security-Policy"] and "unsafe" not in headers["Content-Security-Policy"]
        assert headers["X-Content-Type-Options"] == "nosniff" and headers["Cache-Control"] == "no-store"
        assert headers["Referrer-Policy"] == "same-origin"
        assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]


@pytest.mark.parametrize("host", ["rebound.example.com", "rebound.example.com:8091", "127.0.0.1.example.com", "", "localhost@x", "[::2]"])
async def test_who_was_led_here_by_another_name_is_refused(host: str) -> None:
    async with serving() as console:
        for path in ("/", "/?format=json", "/static/console.css", "/nothing"):
            refused = await console.ask(path, Host=host)
            assert refused.status_code == 421 and "storefront" not in refused.text


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost:1", "LOCALHOST", "[::1]:8091"])
async def test_our_own_names_are_answered_with_any_port(host: str) -> None:
    async with serving() as console:
        assert (await console.ask("/", Host=host)).status_code == 200


@pytest.mark.parametrize(
    ("listen", "hosts", "own", "strange"),
    [("10.0.0.7", (), "10.0.0.7", "10.0.0.8"), ("0.0.0.0", ("c.example.com",), "c.example.com", "0.0.0.0"), ("::1", (), "[::1]", "[::]")],
)
def test_a_daemon_is_called_by_its_address_and_by_the_names_in_its_settings(
    listen: str, hosts: tuple[str, ...], own: str, strange: str
) -> None:
    names = names_of(listen, hosts)
    assert is_ours(f"{own}:8091", names) and is_ours("localhost", names) and not is_ours(strange, names)


async def test_an_unknown_page_says_so_and_leads_back() -> None:
    async with serving() as console:
        for path in (
            "/nothing",
            "/rollouts/shop/gone",
            "/releases/shop/gone",
            "/rollouts/shop/gone/history",
            "/rollouts/shop",
            "/static/x",
        ):
            answer = await console.ask(path, Accept="text/html")
            assert answer.status_code == 404 and 'href="/"' in answer.text, path
        assert (await console.ask("/releases/shop/gone?format=json")).json() == {"problem": "there is nothing at /releases/shop/gone"}


async def test_a_format_that_is_not_there_is_refused_by_name() -> None:
    async with serving() as console:
        answer = await console.ask("/?format=<xml>")
        assert answer.status_code == 400 and "html, json" in answer.text
        assert answer.headers["Content-Type"].startswith("text/plain")


async def test_the_first_page_is_light() -> None:
    async with serving() as console:
        page = await console.ask("/")
        beside = [link for link in links_of(page.text).found if link.startswith("/static/")]
        assert len(beside) >= 2
        total = len(page.content) + sum([len((await console.ask(link)).content) for link in beside])
        assert total <= 120_000
        assert "immutable" in (await console.ask(beside[0])).headers["Cache-Control"]


async def test_whoever_only_looks_writes_nothing() -> None:
    async with serving() as console:
        for path in PAGES:
            await console.ask(path)
        assert console.transport.asked and all(call.startswith("GET ") for call in console.transport.asked)
        assert {route.method for route in console.parts.console.routes()} == {"GET", "POST"}


HOSTILE = "<script>alert(1)</script><img src=x onerror=alert(1)> & \"'</title>"


async def hostile(console: Served) -> None:
    """Words of strangers wherever they are shown."""
    release = ObjectRef(RELEASES, "shop", "storefront-3f9a1c2b-8d0e4f7")
    pull = {"number": 1, "url": "javascript:alert(1)", "title": HOSTILE}
    commit = {"sha": "c" * 40, "author": HOSTILE, "subject": HOSTILE}
    change = [{"file": HOSTILE, "line": 1, "field": HOSTILE, "old": HOSTILE, "new": "https://u:hunter2secret@example.com/x?token=abcdefgh"}]
    spec = {"pull": pull, "commit": commit, "changes": change, "environment": HOSTILE, "images": {"a": HOSTILE}}
    await console.cluster.client.patch(release, {"spec": spec})
    row = {"run": HOSTILE, "metric": HOSTILE, "phase": HOSTILE, "condition": HOSTILE, "query": HOSTILE, "values": [HOSTILE]}
    status = {"reason": HOSTILE, "evidence": [row], "verdict": "failed", "phase": "Closed", "held": True}
    await console.cluster.client.patch(release, {"status": status}, subresource="status")
    message = {"message": HOSTILE, "phase": "Degraded", "abort": True}
    condition = {"conditions": [{"type": "Progressing", "status": "False", "reason": "RolloutAborted", "message": HOSTILE}]}
    await console.cluster.client.patch(
        ObjectRef(ROLLOUTS, "shop", "storefront"), {"status": {**message, **condition}}, subresource="status"
    )


@pytest.mark.parametrize("path", ["/", "/rollouts/shop/storefront", RELEASE, "/rollouts/shop/storefront/history", "/holds"])
async def test_words_of_strangers_are_text(path: str) -> None:
    async with serving() as console:
        await hostile(console)
        page = await console.ask(path)
        assert page.status_code == 200 and "&lt;script&gt;" in page.text
        links = links_of(page.text)
        assert links.forbidden == [] and not [link for link in links.found if "javascript:" in link]
        assert page.text.count("<script") == page.text.count('<script src="/static/console.js') == 1


ODD = ["javascript:alert(1)", "javascript://example.com/%0aalert(1)", "data:text/html,x", "//example.com", "https://a:b@x.org", "https://["]


@pytest.mark.parametrize("text", ODD)
def test_only_an_address_on_the_web_becomes_a_link(text: str) -> None:
    assert web_address(text) == "" and web_address("https://example.com/pull/1") == "https://example.com/pull/1"


async def test_credentials_are_masked_on_pages_and_in_documents() -> None:
    async with serving() as console:
        await hostile(console)
        for path in (RELEASE, f"{RELEASE}?format=json"):
            text = (await console.ask(path)).text
            assert "example.com/x" in text and "hunter2secret" not in text and "abcdefgh" not in text


async def test_a_search_of_a_stranger_is_text_and_stays_in_the_address() -> None:
    async with serving() as console:
        page = await console.ask("/", q="")
        answer = await console.ask("/?q=%22%3E%3Cscript%3Ealert(1)%3C/script%3E")
        assert page.status_code == answer.status_code == 200
        assert "<script>alert" not in answer.text and "Nothing matches" in answer.text


async def test_a_namespace_is_all_that_a_narrow_console_shows() -> None:
    async with serving(ConsoleScope(namespace="pay")) as console:
        page = (await console.ask("/")).text
        assert "ledger" in page and "storefront" not in page
        assert (await console.ask("/rollouts/shop/storefront")).status_code == 404
        assert not [call for call in console.transport.asked if re.search(r"/apis/\S+/v1alpha1/(rollouts|releases)$", call)]

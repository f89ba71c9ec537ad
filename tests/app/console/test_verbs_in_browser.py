"""Verbs and logins by a real Chromium, which says of itself what HTTP tests only suppose: origins, cookies, redirects, policies."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from playwright.async_api import Page, Route, expect

from tests.app.console.test_login import ABORT, URL, Guarded, guarded
from tests.app.console.test_verbs import HELD, STOREFRONT, release, rollout
from tests.kit.browsers import Window, window
from tests.kit.consoles import serving

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]
WEB = "/rollouts/shop/storefront"


@asynccontextmanager
async def logged_in(one: Guarded, group: str, *, script: bool = True) -> AsyncIterator[Window]:
    """The window of a person of a group, who came in by the provider's own page and stands where they wanted to go."""
    one.provider.claims["groups"], one.provider.asks = [group], True

    async def home(route: Route) -> None:
        """The address in the settings is the console's, whatever port it has here."""
        await route.fulfill(status=302, headers={"Location": one.console.address + route.request.url.removeprefix(URL)})

    async with window(f"{one.console.address}/login?next={WEB}", script=script) as shown:
        await shown.page.route(f"{URL}/**", home)
        await shown.page.get_by_role("link", name="Log in", exact=True).click()
        await shown.page.get_by_role("link", name="Yes, it is me").click()
        await shown.page.wait_for_url(f"{one.console.address}{WEB}")
        yield shown


async def pressed(page: Page, verb: str, why: str = "") -> None:
    """The verb is chosen on the page, a reason given, and the question answered."""
    await page.get_by_role("navigation", name="Verbs").get_by_role("link", name=verb, exact=True).click()
    await page.get_by_label("Why").fill(why)
    await page.get_by_role("button", name=verb, exact=True).click()


@pytest.mark.parametrize("script", [True, False])
async def test_a_releaser_logs_in_aborts_and_sees_it_done(script: bool, tmp_path: Path) -> None:
    async with guarded(tmp_path) as one, logged_in(one, "sre", script=script) as shown:
        await expect(shown.page.locator("footer")).to_contain_text("You are ann@example.com")
        await pressed(shown.page, "Abort", "500s")
        await shown.page.wait_for_url(f"**{WEB}")
        await expect(shown.page.locator("main")).to_contain_text("abort by ann@example.com: 500s")
        assert await one.aborted() and {name for _, name, _ in one.cluster.wrote} == {"ann@example.com"}
        assert shown.trouble == []


async def test_a_viewer_is_offered_nothing_and_refused(tmp_path: Path) -> None:
    async with guarded(tmp_path) as one, logged_in(one, "lookers") as shown:
        assert await shown.page.get_by_role("navigation", name="Verbs").count() == 0
        await shown.page.goto(one.console.address + ABORT)
        await expect(shown.page.get_by_role("alert")).to_contain_text("needs the role releaser in namespace shop")
        assert await shown.page.locator("main form").count() == 0 and not await one.aborted()


async def test_who_logs_out_is_asked_who_they_are(tmp_path: Path) -> None:
    async with guarded(tmp_path) as one, logged_in(one, "sre") as shown:
        await shown.page.get_by_role("button", name="Log out").click()
        await shown.page.wait_for_url("**/login")
        await shown.page.goto(one.console.address + WEB)
        await expect(shown.page.get_by_role("heading", name="Who are you?")).to_be_visible()


async def test_a_token_of_the_cluster_is_typed_and_lets_in(tmp_path: Path) -> None:
    async with guarded(tmp_path) as one, window(f"{one.console.address}/login?next={WEB}") as shown:
        one.cluster.people["good"] = ("bo", ["sre"])
        await shown.page.get_by_label("A token of the cluster").fill("good")
        await shown.page.get_by_role("button", name="Log in with the token").click()
        await shown.page.wait_for_url(f"**{WEB}")
        await expect(shown.page.locator("footer")).to_contain_text("You are bo")


async def test_a_hold_is_lifted_and_held_again() -> None:
    async with serving(keyed=True) as console, window(f"{console.address}/enter?key={console.key}") as shown:
        await shown.page.goto(f"{console.address}/releases/shop/{HELD}")
        await pressed(shown.page, "Lift", "fixed outside")
        await shown.page.wait_for_url(f"**/{HELD}")
        assert (await release(console, HELD))["status"]["held"] is False
        await pressed(shown.page, "Hold", "not fixed")
        await shown.page.wait_for_url(f"**/{HELD}")
        assert (await release(console, HELD))["status"]["held"] is True and shown.trouble == []


async def test_a_form_of_another_site_presses_nothing() -> None:
    async with serving(keyed=True) as console, window(f"{console.address}/enter?key={console.key}") as shown:
        await shown.page.goto(console.address + ABORT)
        token = await shown.page.locator("input[name=token]").input_value()
        form = f'<form method="post" action="{console.address}{ABORT}"><input name="token" value="{token}"><button>Win</button></form>'
        await shown.page.goto("about:blank")
        await shown.page.set_content(form)
        await shown.page.get_by_role("button", name="Win").click()
        await shown.page.wait_for_url(f"**{ABORT}")
        assert not (await rollout(console))["status"].get("abort")
        assert "presses" not in (await release(console, STOREFRONT)).get("status", {})

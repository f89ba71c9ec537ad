"""One release from dark to proven, watched on an open page that nobody loads again; and two people who press opposite verbs."""

from datetime import UTC, datetime

import pytest
from playwright.async_api import expect

from reconciler.kernel.identity import Manifest, ObjectRef
from reconciler.kernel.moment import render_moment
from reconciler.kernel.resources import RELEASES, ROLLOUTS
from tests.kit.browsers import window
from tests.kit.consoles import Served, serving

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]
STOREFRONT, RELEASE = ObjectRef(ROLLOUTS, "shop", "storefront"), ObjectRef(RELEASES, "shop", "storefront-3f9a1c2b-8d0e4f7")


async def stands(console: Served, weight: int, step: int, **more: object) -> None:
    weights: Manifest = {"weights": {"canary": {"weight": weight, "podTemplateHash": "storefront-new"}, "stable": {"weight": 100 - weight}}}
    status = {"currentStepIndex": step, "canary": weights, "pauseConditions": None, "phase": "Progressing", **more}
    await console.cluster.client.patch(STOREFRONT, {"status": status}, subresource="status")


async def test_a_release_is_watched_from_dark_to_proven_without_loading_the_page_again() -> None:
    async with serving() as console:
        await stands(console, 0, 0)
        async with window(f"{console.address}/rollouts/shop/storefront") as shown:
            page = shown.page
            await page.get_by_text("live", exact=True).wait_for()
            figure, present = page.locator("h2 .figure"), page.locator("[aria-current=step]")
            await expect(figure).to_have_text("0 %")
            await page.evaluate("window.stayed = true")
            for weight, step, label in ((5, 1, "wait 2m"), (25, 4, "wait 10m"), (60, 6, "wait 15m")):
                await stands(console, weight, step)
                await expect(figure).to_have_text(f"{weight} %")
                await expect(present).to_contain_text(label)
            await stands(console, 100, 7, stableRS="storefront-new", phase="Healthy", message="")
            now = render_moment(datetime.now(UTC))
            proven = {"phase": "Closed", "verdict": "passed", "reason": "8 measurements passed", "decidedAt": now, "promotedAt": now}
            await console.cluster.client.patch(RELEASE, {"status": proven}, subresource="status")
            await page.get_by_text("✓ proven").first.wait_for()
            await expect(present).to_have_count(0)
            assert await page.evaluate("window.stayed") is True and shown.trouble == []


async def test_of_two_people_with_opposite_verbs_the_second_is_told_on_their_screen() -> None:
    async with serving(keyed=True) as console, window(f"{console.address}/enter?key={console.key}") as ann:
        async with window(f"{console.address}/enter?key={console.key}") as bo:
            for shown, verb in ((ann, "abort"), (bo, "promote-full")):
                await shown.page.goto(f"{console.address}/rollouts/shop/storefront/press/{verb}")
            await ann.page.get_by_label("Why").fill("errors in chat")
            await ann.page.get_by_role("button", name="Abort").click()
            await ann.page.get_by_role("heading", name="storefront").wait_for()
            await bo.page.get_by_role("button", name="Promote in full").click()
            told = bo.page.get_by_role("alert")
            await expect(told).to_contain_text("Not done: what you saw has changed")
            await expect(told).to_contain_text("pressed abort")
            await expect(told).to_contain_text("errors in chat")
        live = await console.cluster.client.get(ROLLOUTS, "shop", "storefront")
        assert live["status"]["abort"] is True and not live["status"].get("promoteFull")

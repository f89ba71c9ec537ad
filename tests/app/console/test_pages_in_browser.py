"""The console in a real Chromium: within its window, readable in the dark, by keyboard, without a script, and asking nobody else."""

import asyncio
import re
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Page, expect

from tests.app.console.test_export import fleet
from tests.app.console.test_login import guarded
from tests.app.console.test_server import HOSTILE, PAGES, RELEASE, hostile
from tests.kit.browsers import window
from tests.kit.consoles import serving
from tests.kit.shell import Shell

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]
WIDE, PHONE = 1280, 390
CONTRAST = """() => {
  const linear = part => part <= .03928 ? part / 12.92 : ((part + .055) / 1.055) ** 2.4;
  const light = colour => {
    const [red, green, blue] = colour.match(/[\\d.]+/g).slice(0, 3).map(part => linear(part / 255));
    return .2126 * red + .7152 * green + .0722 * blue;
  };
  const paper = element => {
    for (let e = element; e; e = e.parentElement) {
      const colour = getComputedStyle(e).backgroundColor;
      if (!/, 0\\)$/.test(colour)) return colour;
    }
  };
  const told = e => [...e.childNodes].some(node => node.nodeType == 3 && node.textContent.trim());
  const seen = e => !e.closest('svg') && !e.closest('.visually-hidden') && e.getClientRects().length;
  return [...document.querySelectorAll('main *, header *, footer *')].filter(e => told(e) && seen(e)).map(e => {
    const [dark, bright] = [light(getComputedStyle(e).color), light(paper(e))].sort((a, b) => a - b);
    return [(bright + .05) / (dark + .05), e.outerHTML.slice(0, 90)];
  }).filter(([ratio]) => ratio < 4.5);
}"""
"""Every text that stands out from its paper by less than WCAG's 4.5 to 1."""


QUESTIONS = ("/rollouts/shop/storefront/press/abort", "/releases/shop/checkout-77b1e0aa-51c2d3e/press/lift", "/freeze/press/freeze")


async def violations(page: Page) -> list[str]:
    """What axe finds, as rule and element."""
    found = (await Axe().run(page)).response["violations"]
    return [f"{rule['id']}: {node['html'][:90]}" for rule in found for node in rule["nodes"]]


async def overflow(page: Page) -> int:
    found: int = await page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    return found


@pytest.mark.parametrize("width", [WIDE, PHONE])
@pytest.mark.parametrize("dark", [False, True])
async def test_every_page_fits_its_window_and_can_be_read(width: int, dark: bool) -> None:
    async with serving() as console, window(console.address, width, dark=dark) as shown:
        for path in PAGES:
            await shown.page.goto(console.address + path)
            assert await overflow(shown.page) <= 0, path
            assert await shown.page.evaluate(CONTRAST) == [], path
        assert shown.trouble == [] and shown.elsewhere == []


@pytest.mark.parametrize("dark", [False, True])
async def test_axe_finds_nothing_on_any_page(dark: bool) -> None:
    async with serving(keyed=True) as console, window(f"{console.address}/enter?key={console.key}", dark=dark) as shown:
        for path in (*PAGES, *QUESTIONS, "/nowhere"):
            await shown.page.goto(console.address + path)
            assert await violations(shown.page) == [], path
        await shown.page.goto("about:blank")
        await shown.page.set_content("<img src=x>")
        assert await violations(shown.page), "and it looks"


@pytest.mark.parametrize("dark", [False, True])
async def test_axe_finds_nothing_where_people_log_in(dark: bool, tmp_path: Path) -> None:
    async with guarded(tmp_path) as one, window(f"{one.console.address}/login", dark=dark) as shown:
        assert await violations(shown.page) == []
        await shown.page.get_by_label("A token of the cluster").fill("no")
        await shown.page.get_by_role("button", name="Log in with the token").click()
        await shown.page.get_by_role("alert").wait_for()
        assert await violations(shown.page) == []


@pytest.mark.parametrize("width", [WIDE, PHONE])
async def test_charts_are_drawn_once_and_have_a_size(width: int) -> None:
    async with serving() as console, window(f"{console.address}/rollouts/shop/storefront", width) as shown:
        charts = shown.page.locator("svg.chart:visible")
        boxes = [await charts.nth(place).bounding_box() for place in range(await charts.count())]
        assert len(boxes) == 3, "one of weights, two of metrics"
        assert all(box and box["width"] > 200 and box["height"] > 60 for box in boxes)


async def test_words_of_strangers_run_nothing_and_break_nothing() -> None:
    async with serving() as console:
        await hostile(console)
        async with window(console.address, PHONE) as shown:
            for path in ("/", "/rollouts/shop/storefront", RELEASE, "/holds"):
                await shown.page.goto(console.address + path)
                assert await shown.page.locator("main script, main img").count() == 0
                assert HOSTILE[:20] in await shown.page.locator("main").inner_text()
                assert await overflow(shown.page) <= 0, path
            assert shown.trouble == [] and shown.elsewhere == []


async def test_a_person_finds_a_release_by_keyboard_alone_and_without_a_script() -> None:
    async with serving() as console, window(console.address, script=False) as shown:
        await shown.page.keyboard.press("Tab")
        assert await shown.page.locator("a.skip").evaluate("e => getComputedStyle(e).left") != "-1386px"
        await shown.page.locator("#q").focus()
        await shown.page.keyboard.type("renovate cart")
        await shown.page.keyboard.press("Enter")
        await shown.page.wait_for_url("**/?q=renovate+cart*")
        assert await shown.page.locator(".row").count() == 1
        await shown.page.locator("a.name").focus()
        await shown.page.keyboard.press("Enter")
        await shown.page.wait_for_url("**/rollouts/shop/cart")
        assert await shown.page.locator("h1").inner_text() == "cart ✓ settled ✓ proven"


async def test_a_slash_searches_and_a_question_mark_shows_the_keys() -> None:
    async with serving(keyed=True) as console, window(f"{console.address}/enter?key={console.key}") as shown:
        keys, search = shown.page.get_by_role("dialog", name="Keys"), shown.page.locator("#q")
        await shown.page.keyboard.press("?")
        await expect(keys).to_be_visible()
        assert await violations(shown.page) == []
        await shown.page.keyboard.press("?")
        await expect(keys).to_be_hidden()
        await shown.page.keyboard.press("/")
        await expect(search).to_be_focused()
        await shown.page.keyboard.type("a/b?")
        await expect(search).to_have_value("a/b?")
        await expect(keys).to_be_hidden()
        await shown.page.goto(f"{console.address}/rollouts/shop/storefront")
        await shown.page.keyboard.press("/")
        await shown.page.wait_for_url("**/#q")
        await expect(search).to_be_focused()
        await shown.page.goto(f"{console.address}/rollouts/shop/storefront/press/abort")
        await shown.page.keyboard.press("?")
        await expect(keys).to_be_visible()
        assert shown.trouble == []


async def test_no_state_is_said_by_colour_alone() -> None:
    async with serving() as console, window(console.address) as shown:
        for path in PAGES:
            await shown.page.goto(console.address + path)
            said = await shown.page.locator(".state, .status").all_inner_texts()
            assert all(text.strip()[0] in "▸■✕‖✓?!→◦·" and len(text.strip()) > 3 for text in said), said


async def test_every_time_is_a_time() -> None:
    async with serving() as console, window(f"{console.address}{RELEASE}") as shown:
        times = await shown.page.locator("time").evaluate_all("all => all.map(e => [Date.parse(e.dateTime), e.title])")
        assert len(times) >= 3 and all(stamp > 0 and title.endswith("UTC") for stamp, title in times)


def test_an_exported_page_is_styled_and_linked_from_the_disk(sh: Shell, tmp_path: Path) -> None:
    fleet(sh)
    assert sh("console", "-A", "--export", str(tmp_path)).code == 0

    async def looked() -> tuple[str, str, list[str]]:
        async with window((tmp_path / "index.html").as_uri(), PHONE) as shown:
            await shown.page.get_by_role("link", name="storefront").click()
            width = await shown.page.evaluate("getComputedStyle(document.querySelector('.card')).borderRadius")
            return str(width), await shown.page.title(), shown.trouble

    radius, title, trouble = asyncio.run(looked())
    assert (radius, title, trouble) == ("8px", "storefront · reconciler", [])


async def test_times_are_those_of_who_reads_and_the_exact_one_is_behind() -> None:
    async with serving() as console, window(f"{console.address}/rollouts/shop/storefront", zone="Asia/Tokyo") as shown:
        page = shown.page
        await page.get_by_text("Times are those of Asia/Tokyo (UTC+09:00)").wait_for()
        began = page.locator("dd time[data-form=full]").first
        moment = datetime.fromisoformat(await began.get_attribute("datetime") or "")
        here = (moment + timedelta(hours=9)).strftime("%Y-%m-%d %H:%M:%S UTC+09:00")
        assert await began.inner_text() == here and await began.get_attribute("title") == f"{here} ({moment:%Y-%m-%d %H:%M:%S} UTC)"
        tick = page.locator("svg.chart:visible text[data-at]").first
        there = datetime.fromisoformat(await tick.get_attribute("data-at") or "") + timedelta(hours=9)
        assert await tick.text_content() == f"{there:%H:%M}"
        told = page.locator("svg.chart:visible .served title").first
        assert re.match(r"\d\d:\d\d:\d\d: [\d.]+ % of 2400 requests", await told.text_content() or "")


async def test_without_a_script_times_are_utc_and_say_so() -> None:
    async with serving() as console, window(f"{console.address}/", script=False, zone="Asia/Tokyo") as shown:
        assert await shown.page.get_by_text("Times are UTC").count() == 1
        assert "UTC" in (await shown.page.locator("main time").first.get_attribute("title") or "")

"""The demo's page in a real Chromium: it is drawn, fits its window, asks nobody for anything, and runs nothing of a stranger's."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Page, sync_playwright
from reconciler_sandbox.rehearsal.page import page
from reconciler_sandbox.rehearsal.played_page import played_page

from tests.kit.rehearsal import entry, outcome, played, report

PROGRAMS = ("chromium", "chromium-browser", "google-chrome")
# Nothing of the browser's own may leave the machine either: every name but the file itself goes to a closed port of loopback.
FLAGS = ["--proxy-server=http://127.0.0.1:9", "--host-resolver-rules=MAP * ~NOTFOUND", "--no-sandbox"]
HOSTILE = "<img src=x onerror=document.title='owned'><script>document.title='owned'</script> [click](javascript:alert(1))"
WIDTHS = (1280, 390)
pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]


@contextmanager
def opened(file: Path, width: int, trouble: list[str], *, dark: bool = False) -> Iterator[Page]:
    """The page in a window of a width; whatever it requested or complained of is in `trouble`."""
    program = next((found for name in PROGRAMS if (found := shutil.which(name))), None)
    if program is None:
        pytest.skip(f"none of {', '.join(PROGRAMS)} is installed")
    with sync_playwright() as tools:
        browser = tools.chromium.launch(executable_path=program, args=FLAGS)
        try:
            shown = browser.new_page(viewport={"width": width, "height": 900}, color_scheme="dark" if dark else "light")
            shown.on("request", lambda request: trouble.append(request.url) if request.url != file.as_uri() else None)
            shown.on("console", lambda message: trouble.append(message.text))
            shown.on("pageerror", lambda error: trouble.append(str(error)))
            shown.goto(file.as_uri())
            yield shown
        finally:
            browser.close()


@pytest.fixture
def written(tmp_path: Path) -> Path:
    file = tmp_path / "index.html"
    missed = outcome(HOSTILE, held=False, observed=HOSTILE)
    told = report(
        entry(f"Ann pushes {HOSTILE}", "step"), entry(HOSTILE, "outcome", came=missed), comment=f"**proven** {HOSTILE}", title=HOSTILE
    )
    file.write_text(page(told), encoding="utf-8")
    return file


@pytest.mark.parametrize("width", WIDTHS)
def test_the_page_is_drawn_within_its_window_and_asks_nobody(written: Path, width: int) -> None:
    trouble: list[str] = []
    with opened(written, width, trouble) as shown:
        charts = shown.locator("svg")
        boxes = [charts.nth(index).bounding_box() for index in range(charts.count())]
        assert boxes and all(box and box["width"] > 50 and box["height"] > 20 for box in boxes)
        assert shown.evaluate("document.documentElement.scrollWidth") <= width, "the page is wider than its window"
        assert shown.get_by_text("1 of 1 expectations missed").is_visible()
    assert trouble == []


def test_a_strangers_text_runs_nothing_and_leads_nowhere(written: Path) -> None:
    trouble: list[str] = []
    with opened(written, WIDTHS[0], trouble) as shown:
        assert shown.title() == HOSTILE
        assert shown.locator("img, script").count() == 0
        assert shown.locator("a[href^='javascript:']").count() == 0
    assert trouble == []


def test_every_link_of_the_menu_leads_to_its_part(written: Path) -> None:
    with opened(written, WIDTHS[0], []) as shown:
        for link in shown.locator("nav a").all():
            link.click()
            target = shown.locator(shown.evaluate("location.hash"))
            assert target.count() == 1 and target.is_visible()


def test_the_dark_page_has_light_ink(written: Path) -> None:
    def ink_and_paper(*, dark: bool) -> tuple[int, int]:
        with opened(written, WIDTHS[0], [], dark=dark) as shown:
            style = "getComputedStyle(document.body)"
            ink, paper = (shown.evaluate(f"{style}.{name}.match(/\\d+/g).slice(0, 3).map(Number)") for name in ("color", "backgroundColor"))
        return sum(ink), sum(paper)

    ink, paper = ink_and_paper(dark=False)
    assert ink < paper
    ink, paper = ink_and_paper(dark=True)
    assert ink > paper


def test_the_page_of_played_releases_fits_a_phone_asks_nobody_and_is_read_by_keyboard(tmp_path: Path) -> None:
    file = tmp_path / "played.html"
    trouble: list[str] = []
    file.write_text(played_page(HOSTILE, [played(text=HOSTILE)]), encoding="utf-8")
    with opened(file, WIDTHS[1], trouble, dark=True) as shown:
        assert shown.evaluate("document.documentElement.scrollWidth") <= WIDTHS[1]
        assert all((box := chart.bounding_box()) and box["width"] > 50 for chart in shown.locator("svg").all())
        shown.keyboard.press("Tab")
        assert shown.evaluate("document.activeElement.textContent") == "To the releases"
        shown.locator("summary").last.focus()
        shown.keyboard.press("Enter")
        assert shown.get_by_role("region", name="Timeline of").is_visible()
        assert shown.title() == HOSTILE and shown.locator("script, img").count() == 0
    assert trouble == []

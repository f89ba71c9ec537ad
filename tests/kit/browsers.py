"""A real Chromium that reaches nothing but this machine; what it asked for and complained of is kept."""

import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest
from playwright.async_api import Page, async_playwright, expect

PROGRAMS = ("chromium", "chromium-browser", "google-chrome")
# Nothing of the browser's own may leave the machine: every name but loopback's address goes nowhere.
FLAGS = ["--proxy-server=http://127.0.0.1:9", "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1", "--no-sandbox"]
PATIENCE = 60_000
"""Milliseconds that a page may take to show something, on a machine with other work."""


@dataclass
class Window:
    """One page in a window, and what went wrong in it."""

    page: Page
    asked: list[str] = field(default_factory=list)
    trouble: list[str] = field(default_factory=list)

    @property
    def elsewhere(self) -> list[str]:
        """What was asked of anything but our own address."""
        own = self.page.url.split("/")[:3]
        return [url for url in self.asked if url.split("/")[:3] != own]


@asynccontextmanager
async def window(address: str, width: int = 1280, *, dark: bool = False, script: bool = True, zone: str = "UTC") -> AsyncIterator[Window]:
    """A page that has loaded. Skips where no Chromium is installed."""
    program = next((found for name in PROGRAMS if (found := shutil.which(name))), None)
    if program is None:
        pytest.skip(f"none of {', '.join(PROGRAMS)} is installed")
    expect.set_options(timeout=PATIENCE)
    async with async_playwright() as tools:
        browser = await tools.chromium.launch(executable_path=program, args=FLAGS)
        try:
            scheme = "dark" if dark else "light"
            context = await browser.new_context(
                viewport={"width": width, "height": 900}, color_scheme=scheme, java_script_enabled=script, timezone_id=zone
            )
            context.set_default_timeout(PATIENCE)
            page = await context.new_page()
            shown = Window(page)
            page.on("request", lambda request: shown.asked.append(request.url))
            page.on("console", lambda message: shown.trouble.append(message.text))
            page.on("pageerror", lambda error: shown.trouble.append(str(error)))
            await page.goto(address)
            yield shown
        finally:
            await browser.close()

"""Takes the pictures of docs/console.md, in a real Chromium. Run it after changing how a page looks."""

import asyncio
import os
from dataclasses import dataclass
from pathlib import Path

from tests.kit.browsers import window
from tests.kit.consoles import serving

FOLDER = Path(__file__).resolve().parent.parent / "docs" / "pictures"
WIDE, PHONE, HEIGHT = 1060, 390, 1000


@dataclass(frozen=True, slots=True)
class Picture:
    """One page at one size; no higher than `height`."""

    name: str
    path: str
    width: int = WIDE
    height: int = HEIGHT
    dark: bool = False


PICTURES = (
    Picture("console-now", "/", height=720),
    Picture("console-release", "/rollouts/shop/storefront"),
    Picture("console-failed", "/rollouts/shop/checkout"),
    Picture("console-question", "/rollouts/shop/storefront/press/abort", height=700),
    Picture("console-policies", "/policies", height=800),
    Picture("console-phone", "/rollouts/shop/storefront", PHONE, 1100, dark=True),
)


async def take(folder: Path) -> None:
    """Write every picture into a folder."""
    async with serving(keyed=True) as console:
        for picture in PICTURES:
            async with window(f"{console.address}/enter?key={console.key}", picture.width, dark=picture.dark) as shown:
                await shown.page.goto(console.address + picture.path)
                await shown.page.evaluate("document.fonts.ready")
                high = await shown.page.evaluate("document.documentElement.scrollHeight")
                clip = {"x": 0, "y": 0, "width": picture.width, "height": min(high, picture.height)}
                await shown.page.screenshot(path=folder / f"{picture.name}.png", clip=clip, full_page=True)


if __name__ == "__main__":
    os.environ["LOGNAME"] = "ann"
    FOLDER.mkdir(exist_ok=True)
    asyncio.run(take(FOLDER))

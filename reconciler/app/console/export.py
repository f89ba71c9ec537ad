"""The same pages as files in a folder, for post-mortems: they link to each other, and need no server."""

import re
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from functools import partial
from pathlib import Path, PurePosixPath
from urllib.parse import parse_qs, quote, urlsplit

from reconciler.app.console.pages import ConsolePage, Pages
from reconciler.app.console.rendering import PagePlace, PageRenderer, address, document_text
from reconciler.app.console.server import static_files
from reconciler.kernel.clock import Clock
from reconciler.kernel.errors import Terminal, Transient
from reconciler.kernel.unusable import reason_of

Asked = Callable[[Mapping[str, str]], Awaitable[ConsolePage]]
DOTS = re.compile(r"^\.+")


async def export(pages: Pages, renderer: PageRenderer, clock: Clock, folder: Path) -> int:
    """Write every page; how many. Raises Terminal when the folder cannot be written, Transient when the cluster is away."""
    written = 0
    try:
        async for asked, page in every_page(pages):
            if page.status != 200:
                raise Transient("; ".join(notice.text for notice in page.notices) or f"{asked} cannot be read now")
            file = file_of(asked)
            machine = PurePosixPath(file).with_suffix(".json")
            place = PagePlace(partial(relative, file), quote(machine.name))
            _write(folder / file, renderer.html(page, clock.now(), place).encode())
            _write(folder / machine, document_text(page).encode())
            written += 1
        for name, body in static_files().items():
            _write(folder / "static" / name, body)
    except OSError as error:
        raise Terminal(f"{error.filename or folder} cannot be written: {reason_of(error)}; name another folder with --export") from error
    return written


def _write(file: Path, body: bytes) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(body)


async def every_page(pages: Pages) -> AsyncIterator[tuple[str, ConsolePage]]:
    """Every address there is now, with its page; lists with all their sheets."""
    for parts, asked in (((), pages.now), (("holds",), pages.holds), (("audit",), pages.audit), (("policies",), pages.policies)):
        async for place, page in _sheets(parts, asked):
            yield place, page
    yield "/sources", await pages.sources()
    known = await pages.known()
    for namespace, name in dict.fromkeys([*known.rollouts, *known.of_workloads]):
        if (page_ := await pages.rollout(namespace, name)) is not None:
            yield address("rollouts", namespace, name), page_
        if (page_ := await pages.history(namespace, name, {})) is not None:
            yield address("rollouts", namespace, name, "history"), page_
    for release in known.releases:
        if (page_ := await pages.release(release.namespace, release.name)) is not None:
            yield address("releases", release.namespace, release.name), page_


async def _sheets(parts: tuple[str, ...], asked: Asked) -> AsyncIterator[tuple[str, ConsolePage]]:
    for number in range(1, 1 << 20):
        page = await asked({"page": str(number)})
        yield address(*parts, page=str(number) if number > 1 else ""), page
        if page.status != 200 or number >= page.shown["sheet"].last:
            break


def file_of(asked: str) -> str:
    """The file of an address: `/` is index.html, `/holds?page=2` holds-2.html; no name leads out of the folder."""
    parts = urlsplit(asked)
    segments = [DOTS.sub(lambda dots: "%2E" * len(dots[0]), part) for part in parts.path.strip("/").split("/")]
    number = parse_qs(parts.query).get("page", [""])[0]
    segments[-1] = f"{segments[-1] or 'index'}{f'-{number}' if number else ''}.html"
    return "/".join(segments)


def relative(here: str, path: str) -> str:
    """The address of a page or a static file as the page in file `here` has to write it."""
    up = "../" * here.count("/")
    return up + (path.lstrip("/") if path.startswith("/static/") else quote(file_of(path)))

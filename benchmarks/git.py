"""What following a repository costs on loopback: a poll without news, and one changed image among many files."""

import asyncio
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from statistics import median

import httpx

from benchmarks.measure import Row, medians_in_turn
from reconciler.git.environment import remote_of
from reconciler.git.mirror import Mirror
from reconciler.git.refs import RemoteRefs, question, ref_of
from reconciler.renderers.registry import renderer
from reconciler.sources.changes import changes
from reconciler.sources.follow import GitSource
from reconciler.sources.renderer import RenderOptions
from reconciler.sources.settings import Allow, SourceSettings
from tests.kit.manifests import deployment
from tests.kit.repositories import Origin
from tests.kit.smarthttp import Handler, serve

FOLDER = 100
"""Files in one folder, as people sort them."""


class Prompt(Handler):
    """Sends head and body at once; with Nagle's algorithm the second waits 40 ms for a delayed ACK."""

    disable_nagle_algorithm = True


@dataclass(frozen=True, slots=True)
class Followed:
    """One followed repository, and the raw connection to it."""

    origin: Origin
    source: GitSource
    http: httpx.AsyncClient


def rows(files: int = 10_000, rounds: int = 5) -> list[Row]:
    """Both questions to one repository."""
    return asyncio.run(_rows(files, rounds))


async def _rows(files: int, rounds: int) -> list[Row]:
    with tempfile.TemporaryDirectory(prefix="reconciler-bench-") as folder:
        async with _followed(Path(folder), files) as followed:
            first = time.perf_counter()
            await followed.source.tip()
            first = time.perf_counter() - first
            return [await _poll(followed, rounds * 10), await _change(followed, files, rounds, first)]


async def _poll(followed: Followed, rounds: int) -> Row:
    """The whole look of a source, and the same bytes sent by a bare client: what is left is ours."""
    ours, raw = await medians_in_turn(followed.source.tip, lambda: _ask(followed), rounds)
    return Row("no-change poll of one repository", ours * 1e3, 5, "ms", f"bare request: {raw * 1e3:.1f} ms, ours {ours / raw:.2f}x")


async def _ask(followed: Followed) -> None:
    headers = {"Git-Protocol": "version=2", "Content-Type": "application/x-git-upload-pack-request"}
    address = followed.source.mirror.remote.url + "/git-upload-pack"
    answer = await followed.http.post(address, content=question(ref_of("main")), headers=headers)
    answer.raise_for_status()


async def _change(followed: Followed, files: int, rounds: int, first: float) -> Row:
    spans = []
    for number in range(rounds):
        before = await followed.source.tip()
        followed.origin.commit({_name(0): deployment("app-0", f"registry.example.com/app-0:2.{number}")})
        begin = time.perf_counter()
        found = changes(before.parsed, (await followed.source.tip()).parsed)
        spans.append(time.perf_counter() - begin)
        assert [change.images[0].container for change in found] == ["app-0"], found
    beside = f"first look at all files: {first:.1f} s"
    return Row(f"one image changed in {files:,} files → change known", median(spans) * 1e3, 150, "ms", beside)


@asynccontextmanager
async def _followed(folder: Path, files: int) -> AsyncIterator[Followed]:
    origin = Origin(folder / "host" / "shop.git")
    origin.commit({_name(number): deployment(f"app-{number}", f"registry.example.com/app-{number}:1.0") for number in range(files)})
    with serve(origin.path.parent) as host:
        host.RequestHandlerClass = Prompt
        mirror = Mirror(folder / "mirror.git", remote_of(host.url("shop.git")), folder / "home")
        try:
            async with httpx.AsyncClient(trust_env=False) as http:
                settings, refs = _settings(host.url("shop.git")), RemoteRefs(http, mirror.runner)
                yield Followed(origin, GitSource(settings, mirror, refs, renderer("plain", RenderOptions()), {}), http)
        finally:
            mirror.close()


def _name(number: int) -> str:
    return f"team-{number // FOLDER}/app-{number}.yaml"


def _settings(url: str) -> SourceSettings:
    return SourceSettings(
        name="bench",
        repository=url,
        branch="main",
        path=".",
        environment="bench",
        interval=timedelta(seconds=30),
        apply=False,
        allow=Allow(),
    )

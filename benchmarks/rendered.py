"""Sources that are rendered: once and from memory, an unrelated commit beside 5,000 apps, and the way back, each beside the bare tools.

Git is a repository on disk. Renders are counted where the interpreter tells of processes that it starts, so that none is missed.
"""

import asyncio
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
from git import Actor, Repo
from msgspec.structs import replace as changed

from benchmarks.measure import Row, median_awaited, median_seconds
from reconciler.forges.plain import Plain
from reconciler.git.environment import remote_of
from reconciler.git.mirror import Mirror
from reconciler.git.objects import Snapshot
from reconciler.git.refs import RemoteRefs
from reconciler.kernel.clock import SystemClock
from reconciler.releases.identity import identity_hash
from reconciler.releases.model import Previous, Release, ReleaseStatus, Restore, RestoreState, Verdict
from reconciler.releases.restore.restoring import Hands, Restoration
from reconciler.renderers.child import program
from reconciler.renderers.kustomize import KustomizeRenderer
from reconciler.renderers.registry import renderer
from reconciler.sources.documents import Parsed
from reconciler.sources.follow import GitSource
from reconciler.sources.model import WorkloadId
from reconciler.sources.renderer import RenderOptions, render_options
from reconciler.sources.settings import SourceSettings
from reconciler.sources.templates import workloads
from tests.kit.desk import SETTINGS
from tests.kit.helm import helm_named
from tests.kit.manifests import deployment
from tests.kit.releases import NOW
from tests.kit.releases import release as a_release
from tests.kit.repositories import Origin
from tests.kit.ways_back import SHAPES, Shape

APPS, FOLDERS = 5_000, 50
"""How many apps there are, and in how many folders: each folder is a source with a kustomization of its own."""
ONCE, CACHED, UNRELATED, RESTORED = 1.5, 10.0, 30.0, 20.0
"""Budgets: rendering as a multiple of the bare program, the others in ms or as a multiple of GitPython's commit and push."""
WEB = WorkloadId("Rollout", "shop", "web")
RENDERING = ("kustomize", "template")


class Renders:
    """How many renders are started while it counts."""

    def __init__(self) -> None:
        self.count = 0
        sys.addaudithook(self._hear)

    def _hear(self, event: str, arguments: tuple[Any, ...]) -> None:
        if event == "subprocess.Popen" and any(str(word) in RENDERING for word in arguments[1]):
            self.count += 1


def rows(apps: int = APPS, folders: int = FOLDERS, rounds: int = 5) -> list[Row]:
    """Once and from memory, an unrelated commit, and the way back through both tools."""
    return asyncio.run(_rows(apps, folders, rounds))


async def _rows(apps: int, folders: int, rounds: int) -> list[Row]:
    ways = [await way_back(name, rounds) for name in ("kustomize", "library helm")]
    return [*await once(rounds), *await unrelated(apps, folders), *ways]


@asynccontextmanager
async def _place() -> AsyncIterator[Path]:
    with tempfile.TemporaryDirectory(prefix="reconciler-bench-") as folder:
        yield Path(folder)


async def once(rounds: int) -> list[Row]:
    """One overlay of a hundred apps, and one chart: ours beside the program that does it."""
    async with _place() as place:
        return await _once(place, rounds)


async def _once(place: Path, rounds: int) -> list[Row]:
    overlay = _apps("overlay", 100)
    ours, cached = await _rendered(lambda: KustomizeRenderer(RenderOptions(path="overlay")), overlay, rounds)
    raw = _bare(place / "bare", overlay, (program("kubectl"), "kustomize", "./overlay"), rounds)
    helm = helm_named("library", place)
    shape = SHAPES["library helm"](place)
    chart = {name: text.encode() for name, text in shape.files(dict.fromkeys(shape.names, "100")).items()}
    charted, chart_cached = await _rendered(lambda: renderer("", render_options(shape.settings)), chart, rounds)
    words = (helm, "template", "web", "./chart", "--namespace", "shop", "--values", "chart/values-prod.yaml")
    raw_chart = _bare(place / "bare-chart", chart, words, rounds)
    beside = f"`helm template` by helm's library: {raw_chart:.2f} s each, ours {charted / raw_chart / 2:.2f}x"
    return [
        Row("render an overlay of 100 apps", ours, raw * ONCE, "s", f"kubectl kustomize: {raw:.2f} s, ours {ours / raw:.2f}x"),
        Row("the same from memory", cached * 1e3, CACHED, "ms"),
        Row("render a chart, twice for what is random", charted, raw_chart * 2 * ONCE, "s", beside),
        Row("the same from memory", chart_cached * 1e3, CACHED, "ms"),
    ]


async def _rendered(made: Any, files: Mapping[str, bytes], rounds: int) -> tuple[float, float]:
    """The median of a first rendering, and of one that is remembered."""
    whole = Snapshot("a" * 40, "", files)
    first = await median_awaited(lambda: made().render(whole), rounds)
    known = made()
    await known.render(whole)
    return first, await median_awaited(lambda: known.render(whole), rounds * 10)


def _bare(place: Path, files: Mapping[str, bytes], words: tuple[str, ...], rounds: int) -> float:
    for name, content in files.items():
        (place / name).parent.mkdir(parents=True, exist_ok=True)
        (place / name).write_bytes(content)
    return median_seconds(lambda: subprocess.run(words, cwd=place, check=True, capture_output=True), rounds)


def _apps(folder: str, count: int, first: int = 0) -> dict[str, bytes]:
    names = [f"app-{number}" for number in range(first, first + count)]
    resources = "".join(f"- {name}.yaml\n" for name in names)
    found = {f"{folder}/{name}.yaml": deployment(name, "registry.example.com/app").encode() for name in names}
    image = "images: [{name: registry.example.com/app, newTag: '1.0'}]\n"
    return {**found, f"{folder}/kustomization.yaml": f"resources:\n{resources}{image}".encode()}


async def unrelated(apps: int, folders: int) -> list[Row]:
    """Every source of one repository looks after a commit that is about none of them."""
    async with _place() as place:
        return [await _unrelated(place, apps, folders)]


async def _unrelated(place: Path, apps: int, folders: int) -> Row:
    each, origin = apps // folders, Origin(place / "apps.git")
    files: dict[str, bytes] = {}
    for number in range(folders):
        files |= _apps(f"team-{number}", each, number * each)
    origin.commit(files)
    renders = Renders()
    async with _repository(place / "apps-mirror", origin) as known:
        sources = [known(replace(SETTINGS, path=f"team-{number}")) for number in range(folders)]
        begin = time.perf_counter()
        for source in sources:
            await source.tip()
        first, rendered = time.perf_counter() - begin, renders.count
        origin.commit({"NOTES.md": "unrelated\n"})
        begin = time.perf_counter()
        for source in sources:
            await source.tip()
        spent = time.perf_counter() - begin
    again, what = renders.count - rendered, f"an unrelated commit beside {apps:,} apps in {folders} sources"
    assert rendered == folders, f"{rendered} renders of {folders} folders were counted"
    return Row(what, spent / folders * 1e3, UNRELATED, "ms", f"a source; {again} renders; first look at all: {first:.1f} s")


@asynccontextmanager
async def _repository(folder: Path, origin: Origin) -> AsyncIterator[Any]:
    """What makes sources of one mirrored repository."""
    mirror = Mirror(folder, remote_of(origin.url), folder.parent / "home")
    try:
        async with httpx.AsyncClient(trust_env=False) as http:

            def source(settings: SourceSettings) -> GitSource:
                settings = replace(settings, repository=origin.url)
                return GitSource(settings, mirror, RemoteRefs(http, mirror.runner), renderer("", render_options(settings)), {})

            yield source
    finally:
        mirror.close()


async def way_back(name: str, rounds: int) -> Row:
    """A failed release is restored by a push: its edit found, proven by rendering, built and pushed; beside a commit of the known edit."""
    async with _place() as place:
        return await _way_back(place, name, rounds)


async def _way_back(place: Path, name: str, rounds: int) -> Row:
    origin = Origin(place / "origin.git")
    shape = SHAPES[name](place)
    async with _repository(place / "mirror", origin) as known:
        source: GitSource = known(shape.settings)
        good, bad = await _pushed(source, origin, shape, "100"), await _pushed(source, origin, shape, "200")
        hands = Hands(source, Plain(), lambda: None, source.mirror.remote)
        spans = []
        for number in range(rounds):
            origin.force(bad.commit)
            origin.commit({"NOTES.md": f"{number}\n"})
            await source.tip()
            begin = time.perf_counter()
            record = await Restoration({"shop": hands}, SystemClock(), SystemClock()).restore(_rejected(good, bad), [])
            spans.append(time.perf_counter() - begin)
            assert record.state is RestoreState.PUSHED, record
    plain = _gitpython(place, origin, rounds)
    ours = sorted(spans)[len(spans) // 2]
    return Row(f"restore through {name}", ours, plain * RESTORED, "s", f"GitPython commits and pushes the known edit: {plain:.2f} s")


async def _pushed(source: GitSource, origin: Origin, shape: Shape, tag: str) -> Parsed:
    origin.commit(shape.files({**dict.fromkeys(shape.names, "100"), "tag": tag}))
    return (await source.tip()).parsed


def _rejected(good: Parsed, bad: Parsed) -> Release:
    previous = Previous(release="web-good", sha=good.commit, identity=_asked(good), proven=True)
    found = a_release(sha=bad.commit, identity=_asked(bad), previous=previous)
    return changed(found, status=ReleaseStatus(verdict=Verdict.FAILED, decided_at=NOW, restore=Restore(state=RestoreState.WANTED)))


def _asked(parsed: Parsed) -> str:
    return identity_hash(parsed, workloads(parsed)[WEB])


def _gitpython(place: Path, origin: Origin, rounds: int) -> float:
    """One file changed, committed and pushed from a clone with a worktree."""
    clone, person = Repo.clone_from(origin.url, place / "clone"), Actor("Ann", "ann@example.com")
    numbers = iter(range(rounds + 1))

    def work() -> None:
        (place / "clone" / "NOTES.md").write_text(f"again {next(numbers)}\n")
        clone.index.add(["NOTES.md"])
        clone.index.commit("restore", author=person, committer=person)
        clone.remote().push().raise_if_error()

    with clone:
        return median_seconds(work, rounds)

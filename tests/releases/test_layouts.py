"""The way back in repositories as teams have them: each shape is bumped, and exactly the bump is taken back."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from reconciler.git.environment import remote_of
from reconciler.git.mirror import Mirror
from reconciler.git.refs import RemoteRefs
from reconciler.renderers.registry import renderer
from reconciler.sources.documents import Parsed
from reconciler.sources.edits import Caution, Direct, Outcome, ProposedEdit, restore_edits
from reconciler.sources.follow import GitSource
from reconciler.sources.model import WorkloadId
from reconciler.sources.renderer import render_options
from reconciler.sources.rewrites import rewrites
from reconciler.sources.settings import HelmSettings
from reconciler.sources.templates import identity, workloads
from tests.kit.desk import SETTINGS
from tests.kit.helm import HELMS, helm_named
from tests.kit.layouts import PLAIN, Layout
from tests.kit.layouts_helm import HELM
from tests.kit.layouts_kustomize import KUSTOMIZE
from tests.kit.repositories import Origin

WEB = WorkloadId("Rollout", "shop", "web")


@asynccontextmanager
async def followed(folder: Path, origin: Origin, layout: Layout, helm: HelmSettings) -> AsyncIterator[GitSource]:
    mirror = Mirror(folder / "mirror", remote_of(origin.url), folder / "home")
    try:
        async with httpx.AsyncClient(trust_env=False) as http:
            settings = replace(SETTINGS, repository=origin.url, path=layout.path, helm=helm)
            yield GitSource(settings, mirror, RemoteRefs(http, mirror.runner), renderer("", render_options(settings)), {})
    finally:
        mirror.close()


async def pushed(source: GitSource, origin: Origin, files: Mapping[str, str | bytes | None]) -> Parsed:
    origin.commit(files)
    parsed = (await source.tip()).parsed
    assert not [problem for problem in parsed.problems if not problem.note]
    return parsed


async def way_back(source: GitSource, good: Parsed, bad: Parsed, tip: Parsed) -> Outcome:
    if not tip.inputs:
        return restore_edits(good, bad, tip, WEB)
    return await source.answered(rewrites(good, bad, tip, WEB), tip)


def asked(parsed: Parsed) -> str:
    return identity(parsed, workloads(parsed)[WEB])


@pytest.mark.parametrize("layout", [*PLAIN, *KUSTOMIZE], ids=lambda layout: layout.name)
async def test_exactly_the_bump_is_taken_back(layout: Layout, tmp_path: Path) -> None:
    await play(layout, tmp_path, HelmSettings())


@pytest.mark.parametrize("program", HELMS)
@pytest.mark.parametrize("layout", HELM, ids=lambda layout: layout.name)
async def test_exactly_the_bump_of_a_chart_is_taken_back(layout: Layout, program: str, tmp_path: Path) -> None:
    await play(layout, tmp_path, HelmSettings(program=helm_named(program, tmp_path), value_files=tuple(layout.value_files)))


async def play(layout: Layout, folder: Path, helm: HelmSettings) -> None:
    """Push, bump, push something else; then what the way back writes is judged."""
    origin = Origin(folder / "origin.git")
    async with followed(folder, origin, layout, helm) as source:
        good = await pushed(source, origin, layout.files)
        bad = await pushed(source, origin, layout.moved)
        assert asked(bad) != asked(good)
        tip = await pushed(source, origin, {"NOTES.md": "later\n"})
        outcome = await way_back(source, good, bad, tip)
        assert isinstance(outcome, ProposedEdit if layout.shared else Direct), outcome
        if isinstance(outcome, ProposedEdit):
            assert outcome.caution is Caution.SHARED and all(place in str(outcome) for place in layout.shared), outcome
        written = {name: content.decode() for name, content in outcome.edit.files.items()}
        assert written == layout.restored
        assert asked(await pushed(source, origin, outcome.edit.files)) == asked(good)

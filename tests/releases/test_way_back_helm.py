"""The way back through Helm: one line in the file that set the value, and the rendered workload is the one that served before."""

import random
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from reconciler.app.settings.manifest import parse_settings
from reconciler.releases.manifest import parse_release
from reconciler.releases.model import Release, RestoreState
from reconciler.sources.settings import HelmSettings
from reconciler.views.companion.appliers import HELM_RELEASES
from reconciler.views.companion.argo_applications import ArgoBeside
from reconciler.views.companion.flux_appliers import flux_applier
from tests.kit.appliers import tool_object
from tests.kit.clusters import api
from tests.kit.desk import Desk, config, desk, life, rollout
from tests.kit.helm import HELMS, helm_named
from tests.kit.repositories import Origin
from tests.kit.rollouts import rollout as live_rollout

PROGRAM = ""
Files = Mapping[str, str | bytes | None]
IMAGE = "registry.example.com/web"
TEMPLATE = rollout('"{{ .Values.image.name }}:{{ .Values.image.tag | default .Chart.AppVersion }}"')


def chart(version: str = "1.0") -> str:
    return f'apiVersion: v2\nname: web\nversion: 0.1.0\nappVersion: "{version}"  # by the bot\n'


def values(tag: str, more: str = "") -> str:
    return f"# what runs\nimage:\n  name: {IMAGE}\n  tag: {tag}   # by the bot\n{more}"


WEB = {"web/Chart.yaml": chart(), "web/templates/web.yaml": TEMPLATE, "web/values.yaml": values("'1.0'")}


def charted(folder: Path, *value_files: str, others: Sequence[Mapping[str, Any]] = (), **more: Any) -> AbstractAsyncContextManager[Desk]:
    return desk(folder, path="web", others=others, helm=HelmSettings(program=PROGRAM, value_files=value_files, **more))


@pytest.fixture(params=HELMS, autouse=True)
def program(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """What renders the charts of this file."""
    found = helm_named(request.param, tmp_path)
    monkeypatch.setattr("tests.releases.test_way_back_helm.PROGRAM", found)
    return found


@pytest.fixture
async def prod(tmp_path: Path, program: str) -> AsyncIterator[Desk]:
    async with charted(tmp_path, "../env/common.yaml", "prod.yaml") as found:
        yield found


async def lost(shop: Desk, good: Files, bad: Files) -> Release:
    """A proven version, then one that the rollout layer sent home."""
    shop.push(good, "good")
    await shop.look()
    assert not await shop.problems()
    await shop.proven()
    shop.push(bad, "bad")
    await shop.look()
    await shop.lost()
    return parse_release((await shop.releases())[-1])


def state(release: Release) -> tuple[RestoreState, str]:
    assert release.status.restore is not None
    return release.status.restore.state, release.status.restore.message


NOTHING = {"env/common.yaml": "{}\n", "web/prod.yaml": "{}\n"}
CASES: Mapping[str, tuple[Files, Files]] = {
    "the chart's own values": ({}, {"web/values.yaml": values("6.6.6")}),
    "the version of the app": (
        {"web/values.yaml": values("''")},
        {"web/Chart.yaml": chart("6.6.6")},
    ),
    "a value file outside of the chart": (
        {"env/common.yaml": "image: {tag: '1.0'}  # all\n"},
        {"env/common.yaml": "image: {tag: '6.6.6'}  # all\n"},
    ),
    "of two value files the one that wins": (
        {"env/common.yaml": "image: {tag: '1.0'}\n", "web/prod.yaml": "image: {tag: '1.0'}\n"},
        {"web/prod.yaml": "image: {tag: '6.6.6'}\n"},
    ),
    "a value that was added": ({}, {"web/prod.yaml": "image: {tag: 6.6.6}\n"}),
    "a value in a template": ({}, {"web/templates/web.yaml": rollout(f"{IMAGE}:6.6.6")}),
}


@pytest.mark.parametrize("case", CASES)
async def test_the_value_goes_back_where_it_was_set(prod: Desk, case: str) -> None:
    good, bad = CASES[case]
    before = {**WEB, **NOTHING, **good}
    release = await lost(prod, before, bad)
    assert state(release) == (RestoreState.PUSHED, "")
    for name, content in before.items():
        assert prod.origin.read(name).decode() == content, name
    assert len(prod.origin.log("%H")) == 3 and release.spec.revert == "direct"
    assert {change.file for change in release.spec.changes} <= set(bad), "people are shown where it was really set"


async def test_a_value_file_of_a_helm_release_comes_back_to_the_byte_by_the_source_that_doctor_prints(tmp_path: Path) -> None:
    git = {"spec": {"url": "https://git.example.com/shop/manifests.git", "ref": {"branch": "main"}}}
    reference = {"kind": "GitRepository", "name": "manifests"}
    files = ["./web/values.yaml", "env/prod.yaml"]
    chart_spec = {"chart": "./web", "valuesFiles": files, "sourceRef": reference, "reconcileStrategy": "Revision"}
    applier = tool_object(HELM_RELEASES, "shop", {"chart": {"spec": chart_spec}, "targetNamespace": "shop"})
    found = flux_applier(live_rollout(), applier, git, ArgoBeside(()))
    assert found.problems == ()
    (source,) = parse_settings({"sources": [found.source]}).sources
    assert (source.companion, source.path) == (True, "web")
    before = {**WEB, "env/prod.yaml": '# prod\nimage: {tag: \'1.1\'}   # {"$imagepolicy": "flux-system:web:tag"}'}
    async with desk(tmp_path, path=source.path, helm=replace(source.helm, program=PROGRAM)) as shop:
        release = await lost(shop, before, {"env/prod.yaml": before["env/prod.yaml"].replace("1.1", "6.6.6")})
        assert state(release) == (RestoreState.PUSHED, "")
        for name, content in before.items():
            assert shop.origin.read(name).decode() == content, name


async def test_a_random_object_beside_the_workload_does_not_keep_it_from_coming_back(tmp_path: Path) -> None:
    token = config("token", "{{ randAlphaNum 12 }}")
    async with charted(tmp_path) as shop:
        shop.push({**WEB, "web/templates/token.yaml": token}, "good")
        await shop.look()
        assert "web/templates/token.yaml" in await shop.problems()
        await shop.proven()
        shop.push({"web/values.yaml": values("6.6.6")}, "bad")
        await shop.look()
        await shop.lost()
        assert state(parse_release((await shop.releases())[-1])) == (RestoreState.PUSHED, "")
        assert shop.origin.read("web/values.yaml").decode() == values("'1.0'")


async def test_another_chart_that_is_made_from_the_same_one_is_proposed_and_named(tmp_path: Path) -> None:
    needs = "dependencies:\n  - {name: web, version: 0.1.0, repository: 'file://../web'}\n"
    other = {"all/Chart.yaml": chart().replace("name: web", "name: all") + needs}
    async with charted(tmp_path) as shop:
        release = await lost(shop, {**WEB, **other}, {"web/values.yaml": values("6.6.6")})
        assert state(release) == (RestoreState.PROPOSED, "the edit would also change Rollout shop/web in all")


@pytest.mark.parametrize(
    "stage, others",
    [
        ("replicas: 3\n", "Rollout shop/web in web with web/values-stage.yaml"),
        ("image: {tag: stage}\n", ""),
        ("image: [\n", ""),
    ],
)
async def test_another_environment_that_has_the_same_default_is_named(tmp_path: Path, stage: str, others: str) -> None:
    files = {**WEB, "web/values-prod.yaml": "{}\n", "web/values-stage.yaml": stage}
    async with charted(tmp_path, "values-prod.yaml") as shop:
        release = await lost(shop, files, {"web/values.yaml": values("6.6.6")})
        expected = (RestoreState.PROPOSED, f"the edit would also change {others}") if others else (RestoreState.PUSHED, "")
        assert state(release) == expected


@pytest.mark.parametrize("shared", ["../env/common.yaml", "prod.yaml"])
async def test_a_value_file_that_another_source_has_too_is_proposed_and_named(tmp_path: Path, shared: str) -> None:
    other = {"name": "batch", "helm": HelmSettings(program=PROGRAM, value_files=(shared,))}
    async with charted(tmp_path, "../env/common.yaml", "prod.yaml", others=[other]) as shop:
        release = await lost(shop, {**WEB, **NOTHING}, {"env/common.yaml": "image: {tag: 6.6.6}\n"})
        named = (RestoreState.PROPOSED, "the edit would also change Rollout shop/web in the source batch")
        assert state(release) == (named if "common" in shared else (RestoreState.PUSHED, ""))


async def test_a_tip_that_cannot_be_rendered_is_waited_for(prod: Desk) -> None:
    prod.push({**WEB, **NOTHING})
    await prod.look()
    await prod.proven()
    prod.push({"web/values.yaml": values("6.6.6")})
    await prod.look()
    prod.push({"web/templates/web.yaml": "{{ fail `no` }}"})
    await prod.look()
    assert "web/templates/web.yaml:1" in await prod.problems()
    with pytest.raises(Exception, match=r"cannot be read: web/templates/web\.yaml:1"):
        await prod.lost()
    prod.push({"web/templates/web.yaml": TEMPLATE})
    await prod.look()
    await prod.judge()
    assert prod.origin.read("web/values.yaml").decode() == values("'1.0'")


@pytest.mark.parametrize("seed", range(6))
async def test_a_random_release_comes_back_to_the_byte(tmp_path: Path, seed: int) -> None:
    """Any of the places that may set a value, among noise that the same commit leaves behind."""
    dice = random.Random(seed)
    case = dice.choice(sorted(CASES))
    good, bad = CASES[case]
    more = "".join(f"{key}: {dice.randrange(9)}   # {dice.choice(('kept', 'é', '→'))}\n" for key in dice.sample("qrstuvw", 3))
    noise = {name: str(content) + more for name, content in {**WEB, **NOTHING, **good}.items() if name.endswith("values.yaml")}
    before = {**WEB, **NOTHING, **good, **noise}
    wrong = {name: str(content) + (more if name.endswith("values.yaml") else "") for name, content in bad.items()}
    async with charted(tmp_path, "../env/common.yaml", "prod.yaml") as shop:
        release = await lost(shop, before, {**wrong, "README.md": "read me\n"})
        assert state(release) == (RestoreState.PUSHED, ""), case
        assert {name: shop.origin.read(name).decode() for name in before} == before, case
        assert shop.origin.read("README.md") == b"read me\n"


async def test_a_value_of_our_own_settings_is_left_to_people_and_said(tmp_path: Path) -> None:
    def settings(tag: str) -> HelmSettings:
        return HelmSettings(program=PROGRAM, values={"image": {"tag": tag}})

    origin = Origin(tmp_path / "origin.git")
    async with api() as cluster:
        async with life(cluster, origin, tmp_path / "one", path="web", helm=settings("1.0")) as shop:
            shop.push(WEB, "good")
            await shop.look()
            await shop.proven()
        async with life(cluster, origin, tmp_path / "two", path="web", helm=settings("6.6.6")) as shop:
            await shop.look()
            await shop.lost()
            release = parse_release((await shop.releases())[-1])
    assert release.status.restore is not None and release.status.restore.state is RestoreState.IMPOSSIBLE
    assert "in the settings of the source" in release.status.restore.message
    assert len(origin.log("%H")) == 1

"""The same by seed where manifests are plain, and where a chart or jsonnet makes them: what made the difference goes back, to the byte.

`WAYS_BACK=1000` plays more of them than the suite does; charts by helm itself in `make real`.
"""

import os
import random
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import httpx
import pytest

from reconciler.git.environment import remote_of
from reconciler.git.mirror import Mirror
from reconciler.git.refs import RemoteRefs
from reconciler.renderers.registry import renderer
from reconciler.sources.edits import Caution, Direct, ProposedEdit
from reconciler.sources.follow import GitSource, way_back
from reconciler.sources.renderer import render_options
from reconciler.sources.settings import HelmSettings, SourceSettings
from tests.kit.desk import SETTINGS, config, rollout
from tests.kit.helm import helm_named, real_helm, toy_helm
from tests.kit.jsonnet import WITH_JSONNET
from tests.kit.repositories import Origin
from tests.releases.test_ways_back_by_seed import WEB, asked, pushed

PLAYED = int(os.environ.get("WAYS_BACK", "0"))
Values = Mapping[str, str]
EXTRA = "          env: [{{name: LEVEL, value: '{level}'}}]  # kept\n          envFrom: [{{configMapRef: {{name: settings}}}}]\n"


def plain(values: Values) -> dict[str, str]:
    """Manifests as they are, several in one file."""
    web = rollout(f"registry.example.com/web:{values['tag']}", extra=EXTRA.format(level=values["level"]))
    return {
        "prod/web.yaml": f"# {values['comment']}\n{web}---\n{config('settings', values['file'])}",
        "prod/api.yaml": rollout(f"registry.example.com/api:{values['api']}", name="api"),
        "prod/notes.yaml": config("notes", values["note"]),
        "stage/web.yaml": rollout(f"registry.example.com/web:{values['stage']}"),
    }


def charted(values: Values) -> dict[str, str]:
    """A chart with the values of two environments beside it; the image's name is theirs together."""
    image = "{{ .Values.image.name }}:{{ .Values.image.tag }}"
    return {
        "chart/Chart.yaml": "apiVersion: v2\nname: web\nversion: 0.1.0\n",
        "chart/values.yaml": f"image:\n  name: registry.example.com/web-{values['name']}\nlevel: '0'\nfile: '0'\nnote: '0'\napi: '0'\n",
        "chart/values-prod.yaml": (
            f"# {values['comment']}\nimage: {{tag: '{values['tag']}'}}   # ours\nlevel: '{values['level']}'\n\n"
            f"file: '{values['file']}'\nnote: \"{values['note']}\"\napi: '{values['api']}'"
        ),
        "chart/values-stage.yaml": f"image:\n  tag: '{values['stage']}'\n",
        "chart/templates/web.yaml": rollout(image, extra=EXTRA.format(level="{{ .Values.level }}")),
        "chart/templates/settings.yaml": config("settings", "{{ .Values.file }}"),
        "chart/templates/notes.yaml": config("notes", "{{ .Values.note }}"),
        "chart/templates/api.yaml": rollout("registry.example.com/api:{{ .Values.api }}", name="api"),
    }


def evaluated(values: Values) -> dict[str, str]:
    """Two environments in jsonnet, with a library that both import and a text that it reads; plain manifests beside it."""
    return {
        "prod/main.jsonnet": (
            f"// {values['comment']}\nlocal web = import '../lib/web.libsonnet';\nlocal values = import 'values.libsonnet';\n"
            "[web.rollout(values), web.settings(values)]\n"
        ),
        "prod/values.libsonnet": (
            f"{{\n  tag: '{values['tag']}',  // ours\n  level: '{values['level']}',\n\n  file: \"{values['file']}\",\n"
            f"  unused: '{values['note']}',\n}}"
        ),
        "prod/api.yaml": rollout(f"registry.example.com/api:{values['api']}", name="api"),
        "stage/main.jsonnet": f"(import '../lib/web.libsonnet').rollout({{ tag: '{values['stage']}', level: '0' }})\n",
        "lib/web.libsonnet": (
            f"{{\n  local name = 'web-{values['name']}',\n"
            "  rollout(values): std.parseYaml((importstr 'web.txt') % (values { name: name })),\n"
            "  settings(values): {\n    apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'settings', namespace: 'shop' },\n"
            "    data: { file: values.file },\n  },\n}\n"
        ),
        "lib/web.txt": rollout("registry.example.com/%(name)s:%(tag)s", extra=EXTRA.format(level="%(level)s")),
    }


@dataclass(frozen=True)
class Shape:
    """A repository whose values are known: those of the workload alone, those that it shares, those that are not its own."""

    files: Callable[[Values], dict[str, str]]
    settings: SourceSettings
    shared: tuple[str, ...] = ()
    own: tuple[str, ...] = ("tag", "level", "file")
    others: tuple[str, ...] = ("api", "note", "stage", "comment")


def chart_with(program: str) -> Shape:
    helm = HelmSettings(program=program, value_files=("values-prod.yaml",))
    return Shape(charted, replace(SETTINGS, path="chart", helm=helm), shared=("name",))


SHAPES: Mapping[str, Callable[[Path], Shape]] = {
    "plain": lambda _folder: Shape(plain, replace(SETTINGS, path="prod")),
    "jsonnet": lambda _folder: Shape(evaluated, replace(SETTINGS, path="prod"), shared=("name",)),
    "toy helm": lambda folder: chart_with(toy_helm(folder)),
    "library helm": lambda folder: chart_with(helm_named("library", folder)),
    "helm": lambda _folder: chart_with(real_helm()),
}
SEEDS = {"plain": PLAYED or 12, "jsonnet": PLAYED or 6, "toy helm": 2, "library helm": PLAYED or 4, "helm": PLAYED or 4}
MARKS = {"helm": [pytest.mark.real], "jsonnet": [WITH_JSONNET]}
CASES = [pytest.param(name, seed, marks=MARKS.get(name, []), id=f"{name} {seed}") for name, count in SEEDS.items() for seed in range(count)]


@asynccontextmanager
async def source_of(folder: Path, origin: Origin, known: SourceSettings) -> AsyncIterator[GitSource]:
    mirror = Mirror(folder / "mirror", remote_of(origin.url), folder / "home")
    try:
        async with httpx.AsyncClient(trust_env=False) as http:
            settings = replace(known, repository=origin.url)
            yield GitSource(settings, mirror, RemoteRefs(http, mirror.runner), renderer("", render_options(settings)), {})
    finally:
        mirror.close()


@pytest.mark.parametrize(("name", "seed"), CASES)
async def test_exactly_what_made_the_difference_goes_back(tmp_path: Path, name: str, seed: int) -> None:
    chance, origin, shape = random.Random(seed), Origin(tmp_path / "origin.git"), SHAPES[name](tmp_path)
    first = {value: str(chance.randint(100, 999)) for value in (*shape.own, "name", *shape.others)}
    own = chance.sample(shape.own, chance.randint(1, 3))
    shared = [value for value in shape.shared if chance.random() < 0.5]
    moved = {value: str(chance.randint(1000, 9999)) for value in (*own, *shared, *chance.sample(shape.others, chance.randint(1, 4)))}
    async with source_of(tmp_path, origin, shape.settings) as source:
        good = await pushed(source, origin, shape.files(first))
        bad = await pushed(source, origin, shape.files({**first, **moved}))
        tip = await pushed(source, origin, shape.files({**first, **moved, "api": str(chance.randint(10000, 99999))}))
        now = {file: origin.read(file).decode() for file in shape.files(first)}
        outcome = await way_back(source, good, (bad, tip), WEB)
        assert isinstance(outcome, ProposedEdit if shared else Direct), outcome
        if isinstance(outcome, ProposedEdit):
            assert outcome.caution is Caution.SHARED and "stage" in str(outcome)
        for value in (*own, *shared):
            now = {file: text.replace(moved[value], first[value]) for file, text in now.items()}
        written = {file: content.decode() for file, content in outcome.edit.files.items()}
        assert written == {file: now[file] for file in written}, "nothing else moves in the files that are edited"
        after = await pushed(source, origin, dict(written))
        assert asked(after) == asked(good) != asked(bad)
        assert {file: origin.read(file).decode() for file in now} == now

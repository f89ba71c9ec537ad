"""What an Application's override files say, and what is rendered with them."""

from collections.abc import AsyncIterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from reconciler.releases.manifest import parse_release
from reconciler.renderers.helm import HelmRenderer
from reconciler.renderers.kustomize import KustomizeRenderer
from reconciler.renderers.overrides import override_files, overrides_of, with_images
from reconciler.sources.documents import Parsed
from reconciler.sources.renderer import Renderer, RenderOptions
from reconciler.sources.settings import HelmSettings
from tests.kit.desk import Desk, desk, rollout
from tests.kit.helm import toy_helm
from tests.kit.manifests import deployment
from tests.kit.manifests import snapshot as files_of

IMAGE = "registry.example.com/web"
NAME = ".argocd-source-shop.yaml"
OPTIONS = RenderOptions(path="o", application="shop")
OVERLAY = {"o/kustomization.yaml": "resources: [web.yaml]\n", "o/web.yaml": deployment(image=f"{IMAGE}:1.0")}
CHART = {
    "o/Chart.yaml": "apiVersion: v2\nname: web\nversion: 0.1.0\n",
    "o/values.yaml": "image: {name: r/web, tag: '1.0'}\n",
    "o/templates/web.yaml": deployment(image="{{ .Values.image.name }}:{{ .Values.image.tag }}"),
}


def images(*texts: str) -> str:
    return "kustomize:\n  images:\n" + "".join(f"    - {text}\n" for text in texts)


def parameters(**said: str) -> str:
    lines = "".join(
        f"    - name: {name.replace('_', '.')}\n      value: {value!r}\n      forcestring: true\n" for name, value in said.items()
    )
    return f"helm:\n  parameters:\n{lines}"


async def rendered(one: Renderer, files: Mapping[str, str]) -> Parsed:
    found = files_of(files)
    while missing := one.missing(found):
        found = replace(found, absent=found.absent | set(missing))
    return await one.render(found)


def image(parsed: Parsed) -> str:
    assert not parsed.problems, parsed.problems
    return str(parsed.manifests[0].manifest["spec"]["template"]["spec"]["containers"][0]["image"])


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({}, f"{IMAGE}:1.0"),
        ({NAME: images(f"{IMAGE}:2.0")}, f"{IMAGE}:2.0"),
        ({NAME: images(f"{IMAGE}=mirror.example.com:5000/web:2.0")}, "mirror.example.com:5000/web:2.0"),
        ({NAME: images(f"{IMAGE}@sha256:{'a' * 64}")}, f"{IMAGE}@sha256:{'a' * 64}"),
        ({".argocd-source.yaml": images(f"{IMAGE}:2.0")}, f"{IMAGE}:2.0"),
        ({".argocd-source.yaml": images(f"{IMAGE}:2.0"), NAME: images(f"{IMAGE}:3.0")}, f"{IMAGE}:3.0"),
        ({".argocd-source-other.yaml": images(f"{IMAGE}:2.0")}, f"{IMAGE}:1.0"),
    ],
)
async def test_images_are_laid_over_a_kustomization(files: dict[str, str], expected: str) -> None:
    over = {f"o/{name}": text for name, text in files.items()}
    parsed = await rendered(KustomizeRenderer(OPTIONS), {**OVERLAY, **over})
    assert image(parsed) == expected
    own = {f"o/{name}" for name in files if "other" not in name}
    assert own <= set(parsed.inputs), "they are inputs: an edit of them is a release"


async def test_without_an_application_they_mean_nothing() -> None:
    over = {f"o/{NAME}": images(f"{IMAGE}:2.0")}
    assert image(await rendered(KustomizeRenderer(replace(OPTIONS, application="")), {**OVERLAY, **over})) == f"{IMAGE}:1.0"


def test_an_entry_that_stands_there_keeps_its_new_name_and_loses_its_digest() -> None:
    known = {"images": [{"name": "a", "newName": "b", "digest": "sha256:1"}, {"name": "c", "newTag": "1"}]}
    assert with_images(known, ["a:2"])["images"] == [{"name": "c", "newTag": "1"}, {"name": "a", "newName": "b", "newTag": "2"}]


async def test_parameters_are_laid_over_a_chart_and_are_texts_where_that_is_forced(tmp_path: Path) -> None:
    options = replace(OPTIONS, helm=HelmSettings(program=toy_helm(tmp_path), assignments={"image.tag": "0"}))
    parsed = await rendered(HelmRenderer(options), {**CHART, f"o/{NAME}": parameters(image_tag="2.0")})
    assert image(parsed) == "r/web:2.0"
    forced = "{name: d, value: '1', forceString: true}"
    text = f"helm: {{parameters: [{{name: a, value: '1'}}, {{name: b, value: 'true'}}, {{name: c, value: '01'}}, {forced}]}}"
    said = overrides_of({f"o/{NAME}": text.encode()}, override_files(OPTIONS))
    assert said.parameters == {"a": 1, "b": True, "c": "01", "d": "1"}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("kustomize: {namePrefix: a-}\n", "kustomize.namePrefix is not read here"),
        ("helm: {valueFiles: [a.yaml]}\n", "helm.valueFiles is not read here"),
        ("directory: {recurse: true}\n", "directory is not read here"),
        ("helm: x\n", "helm is not read here"),
        ("- a\n", "is no override of an Application"),
        ("a: [", "not YAML"),
    ],
)
async def test_what_is_not_read_stops_the_source_and_is_named(text: str, words: str) -> None:
    parsed = await rendered(KustomizeRenderer(OPTIONS), {**OVERLAY, f"o/{NAME}": text})
    assert not parsed.manifests and words in str(parsed.problems[0]) and str(parsed.problems[0]).startswith(f"o/{NAME}:")


@pytest.mark.parametrize("text", ["kustomize: {images: [3, null, {}]}", "kustomize: {images: x}", "helm: {parameters: [x, {value: 1}, 3]}"])
def test_entries_that_are_none_are_passed_over(text: str) -> None:
    said = overrides_of({f"o/{NAME}": text.encode()}, override_files(OPTIONS))
    assert (said.images, said.parameters) == ((), {})


@pytest.fixture
async def shop(tmp_path: Path) -> AsyncIterator[Desk]:
    async with desk(tmp_path, path="o", application="shop") as found:
        yield found


async def test_a_version_that_the_image_updater_wrote_is_restored_in_its_file(shop: Desk) -> None:
    files: Any = {"o/kustomization.yaml": "resources: [web.yaml]\n", "o/web.yaml": rollout(f"{IMAGE}:0")}
    shop.push({**files, f"o/{NAME}": images(f"{IMAGE}:1.0")}, "good")
    await shop.look()
    assert not await shop.problems()
    await shop.proven()
    shop.push({f"o/{NAME}": images(f"{IMAGE}:6.6.6")}, "build: automatic update of shop")
    await shop.look()
    await shop.lost()
    release = parse_release((await shop.releases())[-1])
    assert release.status.restore is not None and str(release.status.restore.state) == "pushed", release.status.restore
    assert shop.origin.read(f"o/{NAME}") == images(f"{IMAGE}:1.0").encode()

"""What every renderer promises."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from dataclasses import replace as with_
from pathlib import Path

import pytest

from reconciler.git.objects import Hides, SourceProblem
from reconciler.git.tree import SUFFIXES
from reconciler.renderers.registry import RENDERERS
from reconciler.sources.renderer import Renderer, RenderOptions
from reconciler.sources.settings import HelmSettings
from tests.kit.helm import helm_named, real_helm, toy_helm
from tests.kit.jsonnet import WITH_JSONNET
from tests.kit.manifests import deployment, snapshot


@dataclass(frozen=True)
class Case:
    """A folder with the Deployments web and api, the same with one file that cannot be used, and the file of web."""

    files: Mapping[str, str]
    broken: Mapping[str, str]
    web: str = "a/web.yaml"


MANIFESTS = {"a/web.yaml": deployment(), "a/api.yaml": deployment(name="api")}
KUSTOMIZED = {**MANIFESTS, "a/kustomization.yaml": "resources: [web.yaml, api.yaml]\n"}
CHART = {"a/Chart.yaml": "apiVersion: v2\nname: shop\nversion: 1.0.0\n", "a/values.yaml": "{}\n"}
CHARTED = {**CHART, "a/templates/web.yaml": deployment(), "a/templates/api.yaml": deployment(name="api")}
EVALUATED = {f"a/{name}.jsonnet": f"std.parseYaml({json.dumps(deployment(name=name))})" for name in ("web", "api")}
CASES: Mapping[str, Case] = {
    "jsonnet": Case(EVALUATED, {**EVALUATED, "a/broken.jsonnet": "{ a: ["}, "a/web.jsonnet"),
    "plain": Case(MANIFESTS, {**MANIFESTS, "a/broken.yaml": "a: ["}),
    "kustomize": Case(KUSTOMIZED, {**KUSTOMIZED, "a/kustomization.yaml": "resources: [web.yaml, broken.yaml]\n", "a/broken.yaml": "a: ["}),
    "helm": Case(CHARTED, {**CHARTED, "a/templates/broken.yaml": "a: ["}, "a/templates/web.yaml"),
}


TOY, LIBRARY = "toy helm", "library helm"
MARKS = {"helm": [pytest.mark.real], "jsonnet": [WITH_JSONNET]}
NAMES = [TOY, LIBRARY, *(pytest.param(name, marks=MARKS.get(name, [])) for name in sorted(RENDERERS))]


@pytest.fixture(params=NAMES)
def named(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def name(named: str) -> str:
    return "helm" if named in (TOY, LIBRARY) else named


@pytest.fixture
def options(named: str, tmp_path: Path) -> RenderOptions:
    """For a folder of a source; the program is looked for only where it is needed."""
    programs = {"helm": real_helm, TOY: lambda: toy_helm(tmp_path), LIBRARY: lambda: helm_named("library", tmp_path)}
    helm = HelmSettings(program=programs[named]()) if named in programs else HelmSettings()
    return RenderOptions(path="a", helm=helm)


@pytest.fixture
def renderer(name: str, options: RenderOptions) -> Renderer:
    return RENDERERS[name](options)


@pytest.fixture
def case(name: str) -> Case:
    return CASES[name]


async def test_the_same_snapshot_gives_the_same_manifests(renderer: Renderer, case: Case) -> None:
    one, two = await renderer.render(snapshot(case.files)), await renderer.render(snapshot(case.files, "c2"))
    assert [located.manifest for located in one.manifests] == [located.manifest for located in two.manifests]
    assert {located.key[2] for located in one.manifests} == {"web", "api"}
    assert (one.commit, two.commit) == ("c0ffee", "c2")


async def test_manifests_know_the_files_that_say_what_they_are(renderer: Renderer, case: Case) -> None:
    rendered = await renderer.render(snapshot(case.files))
    for located in rendered.manifests:
        assert located.file in rendered.files
        behind = rendered.files_behind(located)
        assert behind and set(behind) <= set(case.files) and all(file.endswith(SUFFIXES) for file in behind)


async def test_of_a_whole_folder_only_its_other_files_may_be_missing_and_they_are_asked_for_once(renderer: Renderer, case: Case) -> None:
    found = snapshot(case.files)
    asked = renderer.missing(found)
    assert asked in ((), ("a/",), ("a/*.jsonnet",)) and renderer.missing(with_(found, absent=frozenset(asked))) == ()


async def test_what_cannot_be_rendered_is_a_problem_that_names_it_and_not_an_exception(renderer: Renderer, case: Case) -> None:
    rendered = await renderer.render(snapshot(case.broken))
    (problem,) = rendered.problems
    assert "broken." in str(problem) and problem.remedy and problem.hides is Hides.ANYTHING


async def test_why_a_file_cannot_be_used_is_passed_on(renderer: Renderer, case: Case) -> None:
    problem = SourceProblem(case.web, 0, "a symbolic link", "commit the file")
    without = {file: text for file, text in case.files.items() if file != case.web}
    found = with_(snapshot(without), problems=(problem,), absent=frozenset({case.web}))
    found = with_(found, absent=found.absent | set(renderer.missing(found)))
    assert "a symbolic link; commit the file" in str((await renderer.render(found)).problems[0])


async def test_an_earlier_result_changes_nothing_but_the_cost(renderer: Renderer, case: Case) -> None:
    earlier = await renderer.render(snapshot({**case.files, case.web: deployment(replicas=7)}))
    again = await renderer.render(snapshot(case.files), earlier)
    fresh = await renderer.render(snapshot(case.files))
    assert [located.manifest for located in again.manifests] == [located.manifest for located in fresh.manifests]


async def test_objects_without_a_namespace_get_that_of_the_source(name: str, options: RenderOptions, case: Case) -> None:
    homeless = {file: text.replace("  namespace: shop\n", "").replace(r"  namespace: shop\n", "") for file, text in case.files.items()}
    rendered = await RENDERERS[name](with_(options, namespace="home")).render(snapshot(homeless))
    assert {located.key[1] for located in rendered.manifests} == {"home"}

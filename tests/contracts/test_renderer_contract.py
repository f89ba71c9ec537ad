"""What every renderer promises."""

from collections.abc import Mapping
from dataclasses import dataclass
from dataclasses import replace as with_

import pytest

from reconciler.git.objects import Hides, SourceProblem
from reconciler.renderers.registry import RENDERERS
from reconciler.sources.documents import SUFFIXES
from reconciler.sources.renderer import Renderer, RenderOptions
from tests.kit.manifests import deployment, snapshot


@dataclass(frozen=True)
class Case:
    """A folder with the Deployments web and api, and the same with one file that cannot be used."""

    files: Mapping[str, str]
    broken: Mapping[str, str]


MANIFESTS = {"a/web.yaml": deployment(), "a/api.yaml": deployment(name="api")}
KUSTOMIZED = {**MANIFESTS, "a/kustomization.yaml": "resources: [web.yaml, api.yaml]\n"}
CASES: Mapping[str, Case] = {
    "plain": Case(MANIFESTS, {**MANIFESTS, "a/broken.yaml": "a: ["}),
    "kustomize": Case(KUSTOMIZED, {**KUSTOMIZED, "a/kustomization.yaml": "resources: [web.yaml, broken.yaml]\n", "a/broken.yaml": "a: ["}),
}


@pytest.fixture(params=sorted(RENDERERS))
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def renderer(name: str) -> Renderer:
    return RENDERERS[name](RenderOptions(path="a"))


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


async def test_nothing_is_missing_of_a_whole_folder(renderer: Renderer, case: Case) -> None:
    assert renderer.missing(snapshot(case.files)) == ()


async def test_what_cannot_be_rendered_is_a_problem_that_names_it_and_not_an_exception(renderer: Renderer, case: Case) -> None:
    rendered = await renderer.render(snapshot(case.broken))
    (problem,) = rendered.problems
    assert "broken.yaml" in str(problem) and problem.remedy and problem.hides is Hides.ANYTHING


async def test_why_a_file_cannot_be_used_is_passed_on(renderer: Renderer, case: Case) -> None:
    problem = SourceProblem("a/web.yaml", 0, "a symbolic link", "commit the file")
    without = {file: text for file, text in case.files.items() if file != "a/web.yaml"}
    found = with_(snapshot(without), problems=(problem,), absent=frozenset({"a/web.yaml"}))
    found = with_(found, absent=found.absent | set(renderer.missing(found)))
    assert "a symbolic link; commit the file" in str((await renderer.render(found)).problems[0])


async def test_an_earlier_result_changes_nothing_but_the_cost(renderer: Renderer, case: Case) -> None:
    earlier = await renderer.render(snapshot({**case.files, "a/web.yaml": deployment(replicas=7)}))
    again = await renderer.render(snapshot(case.files), earlier)
    fresh = await renderer.render(snapshot(case.files))
    assert [located.manifest for located in again.manifests] == [located.manifest for located in fresh.manifests]


async def test_objects_without_a_namespace_get_that_of_the_source(name: str, case: Case) -> None:
    homeless = {file: text.replace("  namespace: shop\n", "") for file, text in case.files.items()}
    rendered = await RENDERERS[name](RenderOptions(path="a", namespace="home")).render(snapshot(homeless))
    assert {located.key[1] for located in rendered.manifests} == {"home"}

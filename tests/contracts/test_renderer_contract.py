"""What every renderer promises."""

import pytest

from reconciler.git.objects import SourceProblem
from reconciler.renderers.registry import RENDERERS
from reconciler.sources.documents import SUFFIXES
from reconciler.sources.renderer import Renderer, RenderOptions
from tests.kit.manifests import deployment, snapshot

FILES = {"a/web.yaml": deployment(), "a/api.yaml": deployment(name="api")}


@pytest.fixture(params=sorted(RENDERERS))
def renderer(request: pytest.FixtureRequest) -> Renderer:
    return RENDERERS[request.param](RenderOptions())


async def test_the_same_snapshot_gives_the_same_manifests(renderer: Renderer) -> None:
    one, two = await renderer.render(snapshot(FILES)), await renderer.render(snapshot(FILES))
    assert [located.manifest for located in one.manifests] == [located.manifest for located in two.manifests]
    assert {located.key[2] for located in one.manifests} == {"web", "api"}


async def test_manifests_know_their_file(renderer: Renderer) -> None:
    rendered = await renderer.render(snapshot(FILES))
    assert {located.file for located in rendered.manifests} <= set(FILES)
    assert all(located.file.endswith(SUFFIXES) for located in rendered.manifests)


async def test_what_cannot_be_rendered_is_a_problem_and_not_an_exception(renderer: Renderer) -> None:
    rendered = await renderer.render(snapshot({**FILES, "a/broken.yaml": "a: ["}))
    assert [problem.file for problem in rendered.problems] == ["a/broken.yaml"]


async def test_problems_of_the_snapshot_are_passed_on(renderer: Renderer) -> None:
    problem = SourceProblem("a/link.yaml", 0, "a symbolic link", "commit the file")
    found = snapshot(FILES)
    with_problem = type(found)(found.commit, found.tree_id, found.files, (problem,))
    assert problem in (await renderer.render(with_problem)).problems


async def test_an_earlier_result_changes_nothing_but_the_cost(renderer: Renderer) -> None:
    earlier = await renderer.render(snapshot({**FILES, "a/gone.yaml": deployment(name="gone")}))
    again = await renderer.render(snapshot(FILES), earlier)
    fresh = await renderer.render(snapshot(FILES))
    assert [located.manifest for located in again.manifests] == [located.manifest for located in fresh.manifests]

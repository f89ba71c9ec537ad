"""Plain YAML folders."""

import pytest

from reconciler.renderers.plain import PlainRenderer
from tests.kit.manifests import deployment, snapshot


@pytest.mark.parametrize("name", ["kustomization.yaml", "a/Kustomization", "Chart.yaml"])
async def test_a_folder_of_a_templating_tool_is_a_problem_and_not_a_guess(name: str) -> None:
    rendered = await PlainRenderer().render(snapshot({name: "resources: [web.yaml]\n", "web.yaml": deployment()}))
    assert not rendered.manifests
    assert [problem.file for problem in rendered.problems] == [name]

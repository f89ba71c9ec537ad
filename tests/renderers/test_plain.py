"""Plain YAML folders."""

import pytest

from reconciler.git.objects import Hides, SourceProblem
from reconciler.renderers.plain import PlainRenderer
from reconciler.sources.renderer import RenderOptions
from tests.kit.manifests import deployment, snapshot

LINK = SourceProblem("ci/link.yaml", 0, "a symbolic link", "commit the file", Hides.ITSELF, note=True)
TEMPLATE = "{{ if .Values.on }}\nkind: Deployment\n{{ end }}\n"


@pytest.mark.parametrize("name", ["kustomization.yaml", "a/Kustomization", "a/kustomization.yml"])
async def test_a_folder_of_kustomize_is_left_out_and_said_and_the_others_are_read(name: str) -> None:
    folder = name.rpartition("/")[0]
    inside = f"{folder}/web.yaml".lstrip("/")
    files = {name: "resources: [web.yaml]\n", inside: deployment(), "z/other.yaml": deployment(name="other")}
    rendered = await PlainRenderer(RenderOptions()).render(snapshot(files))
    assert [problem.file for problem in rendered.problems] == [name]
    assert inside in rendered.withheld
    assert [located.file for located in rendered.manifests] == (["z/other.yaml"] if folder else [])
    assert not rendered.unreadable


@pytest.mark.parametrize("folder", ["", "charts/web/"])
async def test_a_chart_is_left_out_and_said_and_its_neighbours_are_read(folder: str) -> None:
    chart = {f"{folder}Chart.yaml": "apiVersion: v2\nname: x\n", f"{folder}templates/a.yaml": TEMPLATE, f"{folder}values.yaml": "a: 1\n"}
    rendered = await PlainRenderer(RenderOptions()).render(snapshot({**chart, "web.yaml": deployment()}))
    assert [problem.file for problem in rendered.problems] == [f"{folder}Chart.yaml"]
    assert "Helm" in rendered.problems[0].message
    assert [located.file for located in rendered.manifests] == ["web.yaml"]
    assert set(chart) <= set(rendered.withheld) and not rendered.unreadable


async def test_excluded_files_are_neither_read_nor_told() -> None:
    files = {"apps/web.yaml": deployment(), "apps/broken.yaml": "a: [", "apps/ci/x.yaml": "a: ["}
    found = snapshot(files)
    options = RenderOptions(path="apps", exclude=("broken.yaml", "ci/**"))
    rendered = await PlainRenderer(options).render(found)
    assert rendered.problems == () and [located.file for located in rendered.manifests] == ["apps/web.yaml"]


async def test_an_excluded_link_is_not_told() -> None:
    found = snapshot({"web.yaml": deployment()})
    with_link = type(found)(found.commit, found.tree_id, found.files, (LINK,))
    assert [n.file for n in (await PlainRenderer(RenderOptions()).render(with_link)).notes] == ["ci/link.yaml"]
    assert (await PlainRenderer(RenderOptions(exclude=("ci",))).render(with_link)).notes == ()


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ('{"drySha": "0123456789abcdef", "repoURL": "https://me:pw@h/dry"}', "names commit 0123456789ab of https://*****@h/dry:"),
        ('{"drySHA": "n/a"}', "names commit n/a of its dry source:"),
        ("[" * 100_000, "names commit unknown of its dry source:"),
    ],
)
async def test_what_a_hydrator_wrote_is_known_by_its_mark_in_the_folder_itself(said: str, words: str) -> None:
    files = {"prod/web.yaml": deployment(), "prod/hydrator.metadata": said}
    rendered = await PlainRenderer(RenderOptions(path="prod")).render(snapshot(files))
    assert rendered.generated.startswith(f"prod/hydrator.metadata {words}") and not rendered.problems
    del files["prod/hydrator.metadata"]
    files["prod/other/hydrator.metadata"] = said
    assert not (await PlainRenderer(RenderOptions(path="prod")).render(snapshot(files))).generated

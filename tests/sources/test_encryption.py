"""Files that SOPS has encrypted are refused by name, wherever they would be read; what only speaks of it is not."""

import pytest

from reconciler.git.objects import Hides
from reconciler.renderers.registry import renderer
from reconciler.sources.encryption import encrypted, refusal_of
from reconciler.sources.renderer import RenderOptions
from tests.kit.jsonnet import WITH_JSONNET
from tests.kit.manifests import deployment, snapshot

VALUE = "ENC[AES256_GCM,data:QA==,iv:je7Ak3kCscU=,tag:6hZ0TF6I==,type:str]"
SECRET = f"apiVersion: v1\nkind: Secret\nmetadata: {{name: s, namespace: shop}}\nstringData:\n    a: {VALUE}\nsops:\n    mac: {VALUE}\n"
VARIABLES = f"A={VALUE}\nsops_mac={VALUE}\n"
KUSTOMIZATION = "secretGenerator:\n  - {name: s, envs: [secret.env]}\nresources: [web.yaml]\n"


@pytest.mark.parametrize(
    "content, known",
    [
        (SECRET, True),
        (VARIABLES, True),
        (f'{{\n\t"data": "{VALUE}",\n\t"sops": {{"mac": ""}}\n}}', True),
        (f"note: {VALUE}\n", False),
        ("sops:\n  mac: x\n", False),
        ("A=b\nsops_mac=x\n", False),
    ],
)
def test_what_sops_leaves_in_a_file_is_known(content: str, known: bool) -> None:
    assert encrypted(content.encode()) is known


def test_it_is_named_by_file_and_line() -> None:
    problem = refusal_of("a/s.yaml", SECRET.encode(), Hides.ITSELF)
    assert problem is not None and str(problem).startswith("a/s.yaml:5: is encrypted with SOPS") and "exclude" in problem.remedy


async def test_among_plain_manifests_it_costs_only_itself() -> None:
    parsed = await renderer("", RenderOptions(path="a")).render(snapshot({"a/s.yaml": SECRET, "a/web.yaml": deployment()}))
    (problem,) = parsed.problems
    assert problem.file == "a/s.yaml" and parsed.withheld == ("a/s.yaml",) and not parsed.unreadable
    assert [located.key[2] for located in parsed.manifests] == ["web"]


@pytest.mark.parametrize(
    "files, place",
    [
        ({"a/kustomization.yaml": KUSTOMIZATION, "a/web.yaml": deployment(), "a/secret.env": VARIABLES}, "a/secret.env"),
        ({"a/Chart.yaml": "name: shop\nversion: 1.0.0\n", "a/values.yaml": f"password: {VALUE}\nsops: {{mac: x}}\n"}, "a/values.yaml"),
        pytest.param(
            {"a/main.jsonnet": "std.parseYaml(importstr 'x.yaml')", "a/x.yaml": SECRET, "a/web.yaml": deployment()},
            "a/x.yaml",
            marks=WITH_JSONNET,
        ),
    ],
)
async def test_nothing_is_made_from_it(files: dict[str, str], place: str) -> None:
    made, found = renderer("", RenderOptions(path="a")), snapshot(files)
    found = type(found)("c", "", found.files, absent=frozenset({*made.missing(found), "a/"}))
    parsed = await made.render(found)
    assert {problem.file for problem in parsed.problems if "SOPS" in problem.message} == {place} and parsed.unreadable
    assert not any(located.key[0] == "Secret" for located in parsed.manifests)

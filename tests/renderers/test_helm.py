"""What `helm template` makes of a chart, and what is refused before it is asked."""

import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from reconciler.git.environment import remote_of
from reconciler.git.mirror import Mirror
from reconciler.git.objects import Hides, SourceProblem
from reconciler.git.tree import snapshot, with_files
from reconciler.renderers.chart_archives import HttpCharts, KeptCharts
from reconciler.renderers.helm import HelmRenderer
from reconciler.renderers.helm_lock import digest_of
from reconciler.renderers.registry import renderer
from reconciler.sources.charts import ChartRegistry
from reconciler.sources.documents import Parsed
from reconciler.sources.renderer import RenderOptions
from reconciler.sources.settings import HelmSettings
from reconciler.web.client import open_client
from tests.kit.chartrepository import PART, archive, chart_repository
from tests.kit.desk import SettableClock
from tests.kit.helm import BY_LIBRARY, HELMS, helm_named
from tests.kit.manifests import deployment
from tests.kit.manifests import snapshot as files_of
from tests.kit.repositories import Origin

PROGRAM = ""
Texts = Mapping[str, str | bytes]
CHART = "apiVersion: v2\nname: web\nversion: 0.1.0\nappVersion: '1.0'\n"
TEMPLATE = deployment(image='"{{ .Values.image.name }}:{{ .Values.image.tag | default .Chart.AppVersion }}"')
CIRCLE = '{{ define "a" }}{{ include "a" . }}{{ end }}{{ include "a" . }}'
WEB: Texts = {"c/Chart.yaml": CHART, "c/values.yaml": "image:\n  name: r/web\n  tag: ''\n", "c/templates/web.yaml": TEMPLATE}


@pytest.fixture(params=HELMS, autouse=True)
def program(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """What renders the charts of this file."""
    found = helm_named(request.param, tmp_path)
    monkeypatch.setattr("tests.renderers.test_helm.PROGRAM", found)
    return found


def helm(**settings: Any) -> HelmRenderer:
    return HelmRenderer(RenderOptions(source="shop", path="c", helm=HelmSettings(program=PROGRAM, **settings)))


async def rendered(files: Texts, **settings: Any) -> Parsed:
    return await rendered_by(helm(**settings), files)


async def rendered_by(one: HelmRenderer, files: Texts) -> Parsed:
    """As a source gives it: whatever else is asked for is not there."""
    found = files_of(files)
    while missing := one.missing(found):
        found = replace(found, absent=found.absent | set(missing))
    return await one.render(found)


def image(parsed: Parsed) -> str:
    assert not parsed.problems, parsed.problems
    return str(parsed.manifests[0].manifest["spec"]["template"]["spec"]["containers"][0]["image"])


async def test_an_empty_tag_is_the_version_of_the_app() -> None:
    parsed = await rendered(WEB)
    assert image(parsed) == "r/web:1.0"
    assert parsed.manifests[0].file == "c/templates/web.yaml#Deployment/shop/web"
    assert set(parsed.inputs) == set(WEB) == set(parsed.files_behind(parsed.manifests[0]))


async def test_of_two_values_the_later_file_then_the_settings_then_set_wins() -> None:
    files = {**WEB, "env/all.yaml": "image: {tag: all, name: r/all}\n", "c/prod.yaml": "image: {tag: prod}\n"}
    order = ("/env/all.yaml", "prod.yaml")
    assert image(await rendered(files, value_files=order)) == "r/all:prod"
    assert image(await rendered(files, value_files=("../env/all.yaml",))) == "r/all:all"
    assert image(await rendered(files, value_files=order, values={"image": {"tag": "inline"}})) == "r/all:inline"
    together = await rendered(files, value_files=order, values={"image": {"tag": "inline"}}, assignments={"image.tag": "a,b={c}"})
    assert image(together) == "r/all:a,b={c}"
    assert set(together.inputs) == {*WEB, "env/all.yaml", "c/prod.yaml"}


def told(words: str) -> Texts:
    """A chart of one ConfigMap that says these words."""
    text = f"apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: it}}\ndata:\n  all: '{words}'\n"
    return {**WEB, "c/templates/web.yaml": text}


async def test_release_and_namespace_are_those_of_the_settings() -> None:
    files = told("{{ .Release.Name }} {{ .Release.Namespace }}")
    parsed = await rendered(files, namespace="home", release="rel")
    assert parsed.manifests[0].manifest["data"]["all"] == "rel home" and parsed.manifests[0].key[1] == "home"
    assert (await rendered(files)).manifests[0].manifest["data"]["all"] == "shop default"


async def test_versions_are_those_of_the_settings_and_the_library_says_that_it_cannot_be_told(program: str) -> None:
    files = told('{{ .Capabilities.KubeVersion.Minor }} {{ .Capabilities.APIVersions.Has "x.example.com/v1" }}')
    for settings, field in (({"kube_version": "1.30"}, "kubeVersion"), ({"api_versions": ("x.example.com/v1",)}, "apiVersions")):
        parsed = await rendered(files, **settings)
        if program.endswith(BY_LIBRARY):
            assert f"{field} cannot be said to helm-python-sdk: install helm 4" in str(parsed.problems[0])
        else:
            assert re.fullmatch(r"30 false|\d\d true", parsed.manifests[0].manifest["data"]["all"])


async def test_definitions_come_along_unless_they_are_not_to() -> None:
    crd = "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: {name: %s}\n"
    files = {**WEB, "c/crds/all.yaml": f"{crd % 'a'}---\n{crd % 'b'}"}
    assert {located.key[2] for located in (await rendered(files)).manifests} == {"web", "a", "b"}
    assert {located.key[2] for located in (await rendered(files, include_crds=False)).manifests} == {"web"}


async def test_an_umbrella_and_charts_of_the_same_repository() -> None:
    part = {name.replace("c/", "c/charts/part/"): text for name, text in WEB.items()}
    part["c/charts/part/Chart.yaml"] = CHART.replace("web", "part")
    needs = "dependencies:\n  - {name: part, version: 0.1.0}\n"
    umbrella = {"c/Chart.yaml": CHART.replace("web", "all") + needs, "c/values.yaml": "part: {image: {tag: '7'}}\n", **part}
    parsed = await rendered(umbrella)
    assert image(parsed) == "r/web:7" and parsed.manifests[0].file.startswith("c/charts/part/templates/web.yaml#")
    elsewhere = {name.replace("c/charts/part/", "parts/part/"): text for name, text in umbrella.items()}
    elsewhere["c/Chart.yaml"] = CHART + "dependencies:\n  - {name: part, version: 0.1.0, repository: 'file://../parts/part'}\n"
    parsed = await rendered(elsewhere)
    assert image(parsed) == "r/web:7" and set(parsed.inputs) == set(elsewhere)
    assert parsed.manifests[0].file.startswith("parts/part/templates/web.yaml#")


async def test_a_chart_of_an_allowed_registry_is_fetched_once_and_rendered_while_that_is_away(tmp_path: Path) -> None:
    part = archive({**PART, "templates/it.yaml": told("{{ .Values.word }}")["c/templates/web.yaml"]})
    async with chart_repository(part=part) as repository, open_client() as http:
        needs = f"dependencies:\n  - {{name: part, version: 1.x, repository: {repository.url}/stable}}\n"
        chart = {**WEB, "c/Chart.yaml": CHART + needs, "c/values.yaml": f"{WEB['c/values.yaml']!s}part: {{word: hello}}\n"}
        lock = f"dependencies:\n- {{name: part, version: 1.2.3, repository: {repository.url}/stable}}\n"
        digest = digest_of(yaml.safe_load(needs)["dependencies"], yaml.safe_load(lock)["dependencies"])
        chart["c/Chart.lock"] = f"{lock}digest: {digest}\n"

        def one() -> HelmRenderer:
            settings = HelmSettings(program=PROGRAM, registries=(ChartRegistry(url=repository.url),))
            charts = HttpCharts(http, SettableClock(), KeptCharts(tmp_path / "charts"))
            return HelmRenderer(RenderOptions(source="shop", path="c", helm=settings, charts=charts))

        answers = dict(repository.answers)
        repository.answers.clear()
        (problem,) = (refused := await rendered_by(one(), chart)).problems
        assert refused.unsettled and problem.hides is Hides.ANYTHING, "nothing is taken for gone, and the next look tries again"
        where = f"c/Chart.yaml:6: the dependency 'part' 1.2.3 (from {repository.url}/stable) cannot be fetched: "
        assert str(problem).startswith(f"{where}{repository.url}/stable/index.yaml: answered 404; it is tried again")
        repository.answers |= answers
        parsed = await rendered_by(one(), chart)
        told_by = {located.key[2]: located for located in parsed.manifests}
        assert told_by["it"].manifest["data"]["all"] == "hello" and not parsed.problems and not parsed.unsettled
        assert told_by["it"].file == "c/charts/part/templates/it.yaml#ConfigMap/it" and set(parsed.inputs) == set(chart)
        repository.answers.clear()
        again = await rendered_by(one(), {**chart, "c/values.yaml": "image: {name: r/web}\npart: {word: other}\n"})
        assert not again.problems and "other" in str([located.manifest for located in again.manifests])
        (problem,) = (await rendered_by(helm(registries=(ChartRegistry(url=repository.url),)), chart)).problems
        assert "cannot be fetched: only the daemon and `plan` fetch charts" in str(problem)
        (problem,) = (await rendered_by(one(), {**chart, "c/Chart.lock": lock})).problems
        assert str(problem).startswith("c/Chart.lock:1: does not fit Chart.yaml")
        (problem,) = (await rendered_by(one(), {**chart, "c/charts": "a file"})).problems
        assert "charts/part-1.2.3.tgz: cannot be laid out, because a file has the name of a folder; rename it" in str(problem)


@pytest.mark.parametrize(
    "files, words",
    [
        ({"c/templates/x.yaml": 'a: 1\n{{ fail "no way" }}\n'}, "c/templates/x.yaml:2: helm: execution error at"),
        ({"c/templates/x.yaml": "a: {{ .Values.a.b.c }}\n"}, "c/templates/x.yaml:1: helm: web/templates/x.yaml:1:13 executing"),
        ({"c/templates/x.yaml": "a: 1\nb: {{ if }}\n"}, "c/templates/x.yaml:2: helm: parse error"),
        ({"c/templates/x.yaml": '{{ include "nothing" . }}\n'}, "c/templates/x.yaml:1: helm: "),
        (
            {"c/templates/x.yaml": '{{ define "a" }}{{ include "a" . }}{{ end }}{{ include "a" . }}'},
            "c/templates/x.yaml:1: helm: template: ",
        ),
        ({"c/values.yaml": "a: [\n"}, "c/values.yaml:1: helm: cannot load values.yaml"),
        ({"c/values.schema.json": '{"properties": {"image": {"type": "string"}}}'}, "at '/image': got object, want string"),
        ({"c/Chart.yaml": "a: ["}, "c/Chart.yaml:2: not YAML"),
        ({"c/Chart.yaml": "- a"}, "c/Chart.yaml:1: is no chart: one YAML mapping is expected"),
        (
            {"c/Chart.yaml": CHART + "dependencies:\n  - name: redis\n    version: 1.0.0\n    repository: https://charts.example.com\n"},
            "c/Chart.yaml:6: the dependency 'redis' (from https://charts.example.com) is not in charts/, and nothing is fetched; run",
        ),
        (
            {"c/Chart.yaml": CHART + "dependencies:\n  - {name: a, repository: 'file://../../a'}\n"},
            "c/Chart.yaml:6: the dependency 'a' leads out of this repository",
        ),
        (
            {"c/Chart.yaml": CHART + "dependencies:\n  - {name: a, repository: 'file://../a'}\n"},
            "c/Chart.yaml:6: the dependency 'a' is to be in a, where no Chart.yaml is",
        ),
        (
            {"c/Chart.yaml": CHART + "dependencies:\n  - {name: web, repository: 'file://../c'}\n"},
            "c/Chart.yaml:6: the dependency 'web' leads in a circle",
        ),
    ],
)
async def test_what_cannot_be_rendered_is_one_problem_with_its_place(files: Texts, words: str) -> None:
    parsed = await rendered({**WEB, **files})
    (problem,) = parsed.problems
    assert words in str(problem) and len(problem.message) < 700
    assert parsed.unreadable and not parsed.manifests and "/tmp" not in str(problem) and "tree/" not in str(problem)


async def test_what_a_template_gives_has_to_be_yaml() -> None:
    parsed = await rendered({**WEB, "c/templates/x.yaml": "kind: X\na: b: c\n"})
    assert str(parsed.problems[0]).startswith("c/templates/x.yaml:2: ") and parsed.unreadable


async def test_a_chart_for_another_version_of_kubernetes_is_refused_by_helm_itself(program: str) -> None:
    parsed = await rendered({**WEB, "c/Chart.yaml": CHART + "kubeVersion: '>=1.99'\n"})
    refused = any(str(problem).startswith("c/Chart.yaml: helm: chart requires kubeVersion") for problem in parsed.problems)
    assert refused is not program.endswith(BY_LIBRARY), "the library does not compare it (docs/sources.md)"


@pytest.mark.parametrize(
    "name, words",
    [
        ("../../etc/passwd", "the value file '../../etc/passwd' leads out of this repository; name a file inside of it"),
        ("/../x.yaml", "leads out of this repository"),
        ("prod.yaml", "the value file 'prod.yaml' (c/prod.yaml) is not in this repository; commit it"),
    ],
)
async def test_a_value_file_that_cannot_be_had_is_named(name: str, words: str) -> None:
    (problem,) = (await rendered(WEB, value_files=(name,))).problems
    assert words in str(problem) and problem.file == "c/Chart.yaml"


async def test_values_of_any_size_are_named_by_their_file_and_never_read() -> None:
    told = SourceProblem("c/prod.yaml", 0, "200.0 MiB, which is no manifest", "split it", Hides.ITSELF)
    one, found = helm(value_files=("prod.yaml",)), replace(files_of(WEB), absent=frozenset({"c/", "c/prod.yaml"}))
    parsed = await one.render(replace(found, problems=(told,)))
    assert [str(problem) for problem in parsed.problems] == ["c/prod.yaml: 200.0 MiB, which is no manifest; split it"] and parsed.unreadable


async def test_a_link_in_a_chart_is_not_followed() -> None:
    told = SourceProblem("c/templates/passwd", 0, "a symbolic link", "commit the file", Hides.ITSELF, note=True)
    one, found = helm(), replace(files_of(WEB), absent=frozenset({"c/"}))
    parsed = await one.render(replace(found, problems=(told, replace(told, file="elsewhere/x"))))
    assert [str(problem) for problem in parsed.problems] == ["c/templates/passwd: a symbolic link; commit the file"] and parsed.unreadable


CONFIG = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {name}\n  namespace: shop\n  annotations: {notes}\ndata: {data}\n"


def config(name: str, data: str = "{}", notes: str = "{}") -> str:
    return CONFIG.replace("{name}", name).replace("{data}", data).replace("{notes}", notes)


async def test_what_differs_each_time_is_withheld_and_names_its_template() -> None:
    files = {**WEB, "c/templates/secret.yaml": config("token", '{value: "{{ randAlphaNum 12 }}"}')}
    parsed = await rendered(files)
    (problem,) = parsed.problems
    assert problem.file == "c/templates/secret.yaml" and "gives another ConfigMap token each time" in problem.message
    assert [located.key[2] for located in parsed.manifests] == ["web"] and not parsed.unreadable
    assert "c/templates/secret.yaml#ConfigMap/shop/token" in parsed.withheld


async def test_hooks_are_none_of_the_objects_and_those_that_no_release_runs_are_left_out() -> None:
    files = {
        **WEB,
        "c/templates/test.yaml": config("test", notes='{"helm.sh/hook": test}'),
        "c/templates/gone.yaml": config("gone", notes='{"helm.sh/hook": "pre-delete"}'),
        "c/templates/before.yaml": config("before", notes='{"helm.sh/hook": "pre-install,pre-upgrade"}'),
    }
    parsed = await rendered(files)
    assert parsed.problems == ()
    assert [(located.key[2], located.file) for located in parsed.hooks] == [("before", "c/templates/before.yaml#ConfigMap/shop/before")]
    assert [located.key[2] for located in parsed.manifests] == ["web"] and not parsed.unreadable
    assert {note.file for note in parsed.notes} == {"c/templates/test.yaml", "c/templates/gone.yaml"}


async def test_the_time_and_the_cluster_get_a_note_with_their_line() -> None:
    extra = '{{- /* now and lookup in words */}}\nx: "{{ .Values.now }}"\na: {{ now | date "2006" | quote }}\n'
    extra += 'b: {{ lookup "v1" "Secret" "shop" "x" | toJson | quote }}\n'
    parsed = await rendered({**WEB, "c/templates/time.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: t}\n" + extra})
    assert [(note.file, note.line) for note in parsed.notes] == [("c/templates/time.yaml", 6), ("c/templates/time.yaml", 7)]
    assert not parsed.problems


async def test_what_does_not_concern_a_chart_renders_nothing_again() -> None:
    one = helm()
    first = await rendered_by(one, WEB)
    again = await one.render(replace(files_of({**WEB, "other/x.yaml": "a: b"}, "c2"), absent=frozenset({"c/"})), first)
    assert again.commit == "c2" and again.manifests[0] is first.manifests[0]
    changed = await one.render(replace(files_of({**WEB, "c/templates/x.yaml": config("x")}), absent=frozenset({"c/"})), first)
    assert len(changed.manifests) == 2 and changed.find("Deployment", "shop", "web") is first.manifests[0]


async def test_a_program_that_is_not_there_or_no_helm_is_one_problem() -> None:
    for program, words in (("no-such-helm", "no-such-helm is not on PATH: install helm 4"), ("/bin/echo", "is it helm?")):
        one = HelmRenderer(RenderOptions(source="shop", path="c", helm=HelmSettings(program=program)))
        (problem,) = (await rendered_by(one, WEB)).problems
        assert words in str(problem) and problem.file == "c/Chart.yaml"


async def test_where_no_helm_is_the_library_answers_and_is_named(monkeypatch: pytest.MonkeyPatch, program: str, tmp_path: Path) -> None:
    if not program.endswith(BY_LIBRARY):
        pytest.skip("about the library")
    monkeypatch.setenv("PATH", str(tmp_path / "empty"))
    parsed = await rendered_by(HelmRenderer(RenderOptions(source="shop", path="c")), WEB)
    assert image(parsed) == "r/web:1.0" and parsed.renderer.startswith("helm (helm-python-sdk ")
    named = HelmRenderer(RenderOptions(source="shop", path="c", helm=HelmSettings(program="helm4")))
    assert "the program helm4 is not on PATH" in str((await rendered_by(named, WEB)).problems)
    monkeypatch.setattr("reconciler.renderers.helm.LIBRARY", "not_installed_here")
    without = await rendered_by(HelmRenderer(RenderOptions(source="shop", path="c")), WEB)
    assert "the program helm is not on PATH" in str(without.problems) and "reconciler[helm]" in str(without.problems)


async def test_an_old_helm_is_refused_and_the_one_before_the_last_is_not(tmp_path: Path) -> None:
    for version, refused in (("v2.17.0", True), ("v3.12.0", False)):
        script = tmp_path / "helm"
        script.write_text(f'#!/bin/sh\nif [ $1 = version ]; then echo {version}; else exec {PROGRAM} "$@"; fi\n')
        script.chmod(0o755)
        one = HelmRenderer(RenderOptions(source="shop", path="c", helm=HelmSettings(program=str(script))))
        parsed = await rendered_by(one, WEB)
        assert ("helm 2.17 is too old" in str(parsed.problems)) is refused and bool(parsed.manifests) is not refused


async def test_a_template_bomb_is_cut() -> None:
    bomb = '{{ range until 3000 }}{{ range until 3000 }}# {{ repeat 400 "x" }}\n{{ end }}{{ end }}'
    (problem,) = (await rendered({**WEB, "c/templates/bomb.yaml": bomb})).problems
    assert problem.file == "c/Chart.yaml" and re.search("more memory than it may take|printed more than|may need more", problem.message)


async def test_the_files_decide_who_renders(tmp_path: Path) -> None:
    origin = Origin(tmp_path / "origin")
    origin.commit({**WEB, "c/templates/_helpers.tpl": '{{ define "it" }}web{{ end }}', "c/files/logo.png": b"\x89PNG\xff"})
    mirror = Mirror(tmp_path / "mirror.git", remote_of(origin.url), tmp_path)
    fetched = await mirror.fetch("main")
    one = renderer("", RenderOptions(path="c", helm=HelmSettings(program=PROGRAM)))
    found = await snapshot(mirror.runner, fetched.new, "c")
    while missing := one.missing(found):
        found = await with_files(mirror.runner, found, missing)
    parsed = await one.render(found)
    assert image(parsed) == "r/web:1.0"
    assert {"c/templates/_helpers.tpl", "c/files/logo.png"} <= set(parsed.inputs)
    mirror.close()

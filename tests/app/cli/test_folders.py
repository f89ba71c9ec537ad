"""Folders on this disk that are rendered, for every command that looks at files: as the source says that follows them."""

import json
from pathlib import Path

import pytest

from reconciler.app.cli.offline.files import manifests_at, options_of
from reconciler.app.cli.offline.folders import local_folder, rendered_folder
from reconciler.git.tree import LARGEST_FILE
from reconciler.kernel.errors import Terminal
from reconciler.kernel.resources import CONFIGMAPS
from tests.kit.clusters import config_map
from tests.kit.desk import config
from tests.kit.helm import toy_helm
from tests.kit.lint import ROLLOUT
from tests.kit.shell import Shell

PLAIN = options_of("", ())
CHART = {
    "charts/shop/Chart.yaml": "apiVersion: v2\nname: shop\nversion: 0.1.0\n",
    "charts/shop/values.yaml": "a: '1'\n",
    "charts/shop/templates/a.yaml": config("a", "{{ .Values.a }}"),
    "values/production.yaml": "a: '2'\n",
}
SETTINGS = """
sources:
  - &shop
    name: shop
    repository: https://git.example.com/shop.git
    branch: main
    path: charts/shop
    environment: production
    helm: {{program: {program}, valueFiles: [/values/production.yaml]}}
  - {{<<: *shop, name: shop-stage, environment: stage, helm: {{program: {program}}}}}
"""


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    (tmp_path / ".git").mkdir()
    for name, content in {**CHART, "reconciler.yaml": SETTINGS.format(program=toy_helm(tmp_path))}.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(content)
    return tmp_path


def words(repository: Path, *more: str) -> tuple[str, ...]:
    return (str(repository / "charts" / "shop"), "-c", str(repository / "reconciler.yaml"), *more)


def test_diff_renders_a_chart_with_the_values_of_the_source(sh: Shell, repository: Path) -> None:
    ended = sh("diff", *words(repository, "--source", "shop"), "-o", "json")
    (one,) = ended.json
    assert (ended.code, one["object"], one["missing"]) == (1, "ConfigMap shop/a", True)
    assert one["file"] == "charts/shop/templates/a.yaml#ConfigMap/shop/a"


@pytest.mark.parametrize(("source", "value"), [("shop", "2"), ("shop-stage", "1")])
def test_what_is_compared_is_what_the_source_would_apply(sh: Shell, repository: Path, source: str, value: str) -> None:
    sh.ask(lambda client: client.create(CONFIGMAPS, config_map("a", {"a": value})))
    assert sh("diff", *words(repository, "--source", source)).code == 0


def test_lint_looks_at_a_chart_as_it_is_rendered(sh: Shell, repository: Path) -> None:
    found = sh("lint", *words(repository, "--source", "shop"), cluster=False)
    assert (found.code, found.output) == (0, "1 object in 4 files: nothing wrong\n")
    (repository / "values/production.yaml").write_text("b: '2'\na: {}\n")
    (repository / "charts/shop/templates/b.yaml").write_text(config("b", "{{ .Values.absent }}"))
    broken = sh("lint", *words(repository, "--source", "shop"), cluster=False)
    assert broken.code == 1 and "charts/shop/templates/b.yaml:1: error: helm: " in broken.output and "nil pointer" in broken.output


@pytest.mark.parametrize(("source", "better"), [("shop", True), ("shop-stage", False)])
def test_compat_looks_at_a_chart_as_its_source_renders_it(sh: Shell, repository: Path, source: str, better: bool) -> None:
    delayed = ROLLOUT.replace("      steps:", "      abortScaleDownDelaySeconds: {{ .Values.delay }}\n      steps:", 1)
    (repository / "charts/shop/templates/a.yaml").write_text(delayed)
    (repository / "charts/shop/values.yaml").write_text("delay: '30'\n")
    (repository / "values/production.yaml").write_text("delay: '0'\n")
    found = sh("compat", *words(repository, "--source", source), "-o", "json", cluster=False)
    rows = [word["row"] for word in found.json["fields"] if word["field"].endswith("abortScaleDownDelaySeconds")]
    assert (found.code, rows == ["docs/compatibility.md#13.32"]) == (0, better)


def test_compat_looks_at_a_kustomization_as_it_is_rendered(sh: Shell, tmp_path: Path) -> None:
    (tmp_path / "rollout.yaml").write_text(ROLLOUT)
    patch = json.dumps([{"op": "add", "path": "/spec/strategy/canary/abortScaleDownDelaySeconds", "value": 0}])
    overlay = {"resources": ["rollout.yaml"], "patches": [{"target": {"kind": "Rollout"}, "patch": patch}]}
    (tmp_path / "kustomization.yaml").write_text(json.dumps(overlay))
    found = sh("compat", str(tmp_path), cluster=False)
    assert found.code == 0 and "(docs/compatibility.md#13.32)" in found.output


def test_a_folder_that_several_sources_follow_or_none_is_asked_about(sh: Shell, repository: Path) -> None:
    several = sh("lint", *words(repository), cluster=False)
    assert several.code == 3 and "the sources shop and shop-stage follow it; name one with --source" in several.errors
    (repository / "other").mkdir()
    none = sh("lint", str(repository / "other"), "-c", str(repository / "reconciler.yaml"), cluster=False)
    assert none.code == 3 and "no source of the settings follows this folder; there are shop (charts/shop)" in none.errors
    assert sh("lint", str(repository), "--source", "shop", cluster=False).code == 2
    assert "there is no source 'web'" in sh("diff", *words(repository, "--source", "web")).errors


def test_a_chart_without_settings_has_its_own_values_and_needs_a_helm(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(repository / "nothing"))
    monkeypatch.setattr("reconciler.renderers.helm.LIBRARY", "not_installed_here")
    with pytest.raises(Terminal, match="the program helm is not on PATH: install helm 4"):
        manifests_at([repository / "charts/shop"], PLAIN)
    (repository / "toy-helm").rename(repository / "helm")
    monkeypatch.setenv("PATH", str(repository))
    (found,) = manifests_at([repository / "charts/shop"], PLAIN).manifests
    assert found.manifest["data"] == {"a": "1"}


def test_links_and_large_files_are_refused_as_in_a_commit(repository: Path) -> None:
    secret = repository.parent / "secret.yaml"
    secret.write_text("a: hunter2\n")
    (repository / "charts/shop/values.yaml").unlink()
    (repository / "charts/shop/values.yaml").symlink_to(secret)
    found = rendered_folder(local_folder(repository / "charts/shop", PLAIN)).parsed
    assert "charts/shop/values.yaml: a symbolic link" in str(found.problems[0]) and "hunter2" not in repr(found)
    (repository / "charts/shop/values.yaml").unlink()
    (repository / "charts/shop/values.yaml").write_text("#" * (LARGEST_FILE + 1))
    assert "larger than 1 MiB" in str(rendered_folder(local_folder(repository / "charts/shop", PLAIN)).parsed.problems[0])


def test_a_folder_that_is_a_link_out_of_the_repository_gives_nothing(repository: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    outside = tmp_path_factory.mktemp("outside")
    (outside / "kustomization.yaml").write_text("resources: []\n")
    (repository / "base").symlink_to(outside)
    (repository / "overlay").mkdir()
    (repository / "overlay/kustomization.yaml").write_text("resources: [../base]\n")
    found = rendered_folder(local_folder(repository / "overlay", PLAIN)).parsed
    assert found.problems and not found.manifests


def test_the_renderer_that_a_source_names_is_taken(repository: Path, sh: Shell) -> None:
    (repository / "plain").mkdir()
    (repository / "plain/kustomization.yaml").write_text("resources: []\n")
    (repository / "plain/a.yaml").write_text(config("a"))
    settings = repository / "plain.yaml"
    settings.write_text(
        "sources: [{name: plain, repository: 'https://git.example.com/a.git', branch: main, path: plain, environment: e, renderer: plain}]"
    )
    ended = sh("lint", str(repository / "plain"), "-c", str(settings), cluster=False)
    assert "this folder is rendered by kustomize" in ended.output

"""One look at a set of files."""

from reconciler.app.lint.lint import lint
from reconciler.sources.renderer import RenderOptions
from tests.kit.lint import FILES, ROLLOUT, found

SETTINGS = """\
namespace: reconciler
sources:
  - name: shop
    repository: https://git.example.com/shop.git
    branch: main
    environment: production
    intervall: 30s
"""


def test_settings_are_known_by_their_words_and_checked_strictly() -> None:
    findings = found({"reconciler.yaml": SETTINGS})
    assert [(f.file, f.line, f.field) for f in findings] == [("reconciler.yaml", 7, "sources[0].intervall")]


def test_a_file_that_is_no_yaml_costs_only_itself() -> None:
    findings = found({"broken.yaml": "a: [1\nb: 2\n"})
    assert [(f.file, f.line) for f in findings] == [("broken.yaml", 2)]
    assert "not YAML" in findings[0].message


def test_a_kind_that_a_group_does_not_serve_is_told() -> None:
    findings = found({"second.yaml": ROLLOUT.replace("kind: Rollout", "kind: Rolout")})
    assert [f.field for f in findings] == ["kind"]
    assert "Rollout (v1alpha1)" in findings[0].message


def test_an_object_that_two_files_claim_is_told() -> None:
    assert "is also in rollout.yaml:1" in found({"second.yaml": ROLLOUT})[0].message


def test_findings_come_in_the_order_of_files_and_lines() -> None:
    texts = {**FILES, "rollout.yaml": ROLLOUT.replace("replicas: 2", "repliccas: 2").replace("duration: 10s", "duraton: 10s")}
    report = lint({name: text.encode() for name, text in texts.items()})
    assert [finding.line for finding in report.findings] == [5, 31]
    assert (report.files, report.objects, len(report.errors)) == (5, 6, 2)


ARGO = "apiVersion: argoproj.io/v1alpha1\nkind: {kind}\nmetadata: {{name: a, namespace: argocd}}\nspec: {{}}\n"


def test_other_kinds_of_argo_are_not_ours_to_judge() -> None:
    for kind in ("Application", "AppProject", "ApplicationSet", "Workflow", "Sensor"):
        assert found({"app.yaml": ARGO.format(kind=kind)}) == []


def test_a_rollout_of_another_group_is_not_ours() -> None:
    kruise = "apiVersion: rollouts.kruise.io/v1beta1\nkind: Rollout\nmetadata: {name: x, namespace: shop}\nspec: {odd: true}\n"
    assert found({"kruise.yaml": kruise}) == []


def test_a_missing_namespace_is_told_in_the_words_of_the_sync() -> None:
    bare = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n"
    (finding,) = found({"bare.yaml": bare})
    assert "has no metadata.namespace" in finding.message and "`namespace:`" in finding.message
    assert lint({"bare.yaml": bare.encode()}, RenderOptions(namespace="shop")).errors == ()


def test_a_value_that_is_no_text_is_told_before_the_server_says_it() -> None:
    (finding,) = found({"c.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a, namespace: shop}\ndata:\n  PORT: 8080\n"})
    assert (finding.line, finding.message) == (5, "must be a string: write 8080 in quotes")


def test_a_name_that_no_path_can_hold_is_told() -> None:
    (finding,) = found({"c.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a/b, namespace: shop}\n"})
    assert "may not be" in finding.message


def test_files_that_are_no_manifests_are_only_noted() -> None:
    findings = found({"renovate.json": '{"extends": []}', "values.yaml": "a: 1\n"})
    assert [(f.file, str(f.severity)) for f in findings] == [("renovate.json", "note"), ("values.yaml", "note")]


def test_what_another_tool_renders_is_noted_and_the_rest_is_looked_at() -> None:
    broken = ROLLOUT.replace("setWeight: 20", "setWeight: 120").replace("name: web, namespace", "name: other, namespace")
    overlay = {"overlay/kustomization.yaml": "resources: [../base]\n", "overlay/patch.yaml": broken}
    chart = {"chart/Chart.yaml": "name: x\n", "chart/templates/a.yaml": "a: {{ .Values.a }}\n"}
    findings = found({**overlay, **chart})
    assert [(f.file, str(f.severity)) for f in findings] == [("chart/Chart.yaml", "note"), ("overlay/kustomization.yaml", "note")]
    assert findings[0].message.startswith("this folder is rendered by Helm: none of it is looked at")
    assert next(str(f.severity) for f in found({**overlay, "plain.yaml": broken}) if f.file == "plain.yaml") == "error"

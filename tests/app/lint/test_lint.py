"""One look at a set of files."""

from reconciler.app.lint.lint import lint
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

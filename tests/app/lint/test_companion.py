"""What companion mode makes idle is told, where the settings beside it say that another tool applies."""

import pytest

from reconciler.app.lint.finding import Severity
from tests.kit.lint import POLICY, found

SOURCE = """\
  - name: {name}
    repository: https://git.example.com/shop.git
    branch: main
    environment: {name}
    {mode}: true
"""
KEEPING = POLICY.replace("spec:\n", "spec:\n  keepRejected: 1h\n  holdWindow: 12h\n")


def settings(*modes: str) -> str:
    return "sources:\n" + "".join(SOURCE.format(name=f"s{index}", mode=mode) for index, mode in enumerate(modes))


def told(text: str) -> list[tuple[str, int, str]]:
    findings = found({"reconciler.yaml": text, "policy.yaml": KEEPING})
    assert {finding.severity for finding in findings} <= {Severity.WARNING}
    return [(finding.file, finding.line, finding.field) for finding in findings]


def test_a_policy_beside_a_companion_is_told_what_it_cannot_do() -> None:
    assert told(settings("companion")) == [("policy.yaml", 5, "spec.keepRejected"), ("policy.yaml", 6, "spec.holdWindow")]


@pytest.mark.parametrize("modes", [("apply",), ("companion", "apply"), ("prune",)])
def test_where_one_source_is_applied_by_us_or_nothing_is_judged_a_policy_means_what_it_says(modes: tuple[str, ...]) -> None:
    assert told(settings(*modes)) == []


def test_a_source_beside_another_applier_removes_nothing_whatever_it_says() -> None:
    fields = [
        "prune: false",
        "pruneLimit: {percent: 50}",
        "windows: []",
        "hooks: false",
        "waveDeadline: 5m",
        "drift: heal",
        "serviceAccount: shop/deployer",
    ]
    text = settings("companion") + "".join(f"    {field}\n" for field in fields)
    idle = [field for file, _, field in told(text) if file == "reconciler.yaml"]
    assert sorted(idle) == sorted(f"sources[0].{field.partition(':')[0]}" for field in fields)

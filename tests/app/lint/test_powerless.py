"""Configurations that work and cannot do what they are there for."""

import json
from typing import Any

import pytest

from reconciler.app.lint.finding import Severity
from reconciler.app.lint.lint import lint

HEAD = """\
apiVersion: argoproj.io/v1alpha1
kind: AnalysisTemplate
metadata: {name: rate, namespace: shop}
spec:
  args: [{name: times}]
"""
RATIO = "sum(rate(ok[1m])) / sum(rate(all[1m]))"


def warned(query: str = "q", *, spec: str = "", **changes: Any) -> list[str]:
    """The warnings about one metric, which must have no errors."""
    metric = {"name": "rate", "successCondition": "result[0] >= 0.95", "provider": {"prometheus": {"query": query}}, **changes}
    written = json.dumps({name: value for name, value in metric.items() if value is not None})
    report = lint({"t.yaml": f"{HEAD}{spec}  metrics:\n    - {written}\n".encode()})
    assert report.errors == ()
    return [finding.message for finding in report.findings if finding.severity is Severity.WARNING]


@pytest.mark.parametrize(
    "limits",
    [
        {"failureLimit": 1},
        {"count": 1, "failureLimit": 1},
        {"count": 2, "interval": "10s", "failureLimit": 2},
        {"count": 3, "interval": "10s", "failureLimit": 3},
        {"count": 3, "interval": "10s", "consecutiveFailureLimit": 3},
        {"successCondition": None},
    ],
)
def test_a_metric_that_can_never_fail_is_warned_of(limits: dict[str, Any]) -> None:
    (said,) = warned(**limits)
    assert said.startswith("can never fail")


def test_a_metric_that_one_good_answer_saves_is_warned_of() -> None:
    (said,) = warned(count=2, interval="10s", failureLimit=1)
    assert said.startswith("fails only if all 2 measurements fail")


@pytest.mark.parametrize(
    "limits",
    [
        {},
        {"count": 5, "interval": "10s", "failureLimit": 2},
        {"count": 5, "interval": "10s", "consecutiveFailureLimit": 2},
        {"interval": "10s", "failureLimit": 9},
        {"count": "{{args.times}}", "interval": "10s", "failureLimit": 9},
        {"count": 3, "interval": "10s", "failureLimit": "{{args.times}}"},
        {"count": 5, "interval": "10s", "failureLimit": 3, "consecutiveSuccessLimit": 2},
        {"successCondition": None, "failureCondition": "result[0] < 0.9"},
        {"successCondition": None, "provider": {"job": {"spec": {"template": {"spec": {"containers": []}}}}}},
    ],
)
def test_a_metric_that_can_fail_is_not(limits: dict[str, Any]) -> None:
    assert warned(**limits) == []


def test_a_condition_that_never_looks_at_the_result_is_warned_of() -> None:
    assert warned(successCondition="true") == ["never looks at `result`: it says the same whatever is measured"]


def test_of_a_metric_that_only_rehearses_nobody_expects_a_failure() -> None:
    assert warned(failureLimit=1, spec="  dryRun: [{metricName: rate}]\n") == []


@pytest.mark.parametrize(
    ("query", "conditions"),
    [
        (f"{RATIO} > 0 or vector(1)", {}),
        (f"({RATIO} > 0) or vector(1)", {}),
        (f"{RATIO} OR on() vector(1.0)", {}),
        (f"{RATIO} or (vector(1))\n", {}),
        (f"{RATIO} != 0 or vector(1)", {"successCondition": None, "failureCondition": "result[0] < 0.5"}),
        ("errors < 0.5 or vector(0)", {"successCondition": "result[0] < 0.05"}),
    ],
)
def test_a_fallback_that_takes_a_total_failure_for_a_success_is_warned_of(query: str, conditions: dict[str, Any]) -> None:
    (said,) = warned(query, **conditions)
    assert said.startswith("counts a total failure as a success")


@pytest.mark.parametrize(
    ("query", "conditions"),
    [
        (RATIO, {}),
        (f"{RATIO} or vector(0)", {}),
        ("(errors or vector(0)) / requests", {"successCondition": "result[0] < 0.05"}),
        ("requests or vector(0)", {"successCondition": "result[0] >= 10", "failureCondition": "result[0] < 1"}),
    ],
)
def test_a_fallback_that_says_what_is_missing_is_not(query: str, conditions: dict[str, Any]) -> None:
    assert warned(query, **conditions) == []


@pytest.mark.parametrize(
    "query",
    [
        "sum(rate(errors[1m])) or vector(0)",
        "errors > 0 or vector(0)",
        "sum(errors or on() vector(0)) * 100",
        "(errors or vector(0)) / (all or vector(1))",
    ],
)
def test_a_fallback_that_passes_in_silence_is_warned_of(query: str) -> None:
    (said,) = warned(query, successCondition="result[0] < 5")
    assert said.startswith("says success in silence: without data it answers its fallback") and "proves no version" in said


def test_a_limit_on_inconclusive_answers_that_never_triggers_is_warned_of() -> None:
    (said,) = warned(count=3, interval="10s", inconclusiveLimit=3)
    assert said == "never triggers: it ends on inconclusive answer 4, and measures 3 times"
    assert warned(count=3, interval="10s", inconclusiveLimit=2) == []


BINDING = """\
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: NAME, namespace: shop}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: x}
"""
NAMESPACE = "apiVersion: v1\nkind: Namespace\nmetadata: {name: shop}\n"


def test_a_namespace_that_a_deployment_needs_and_does_not_bring_is_told_once() -> None:
    files = {f"{name}.yaml": BINDING.replace("NAME", name).encode() for name in ("a", "b")}
    (note,) = lint(files, whole=True).findings
    assert (note.severity, note.file, note.line) == (Severity.NOTE, "a.yaml", 3)
    assert note.message.startswith("namespace shop is not among these files")
    assert lint(files).findings == ()
    assert lint({**files, "n.yaml": NAMESPACE.encode()}, whole=True).findings == ()

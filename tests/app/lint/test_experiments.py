"""Experiments and experiment steps, looked at before a push."""

import pytest

from reconciler.app.lint.finding import Finding, Severity
from tests.kit.lint import ROLLOUT, found

PAUSE = "        - pause: {duration: 10s}\n"
STEP = """\
        - experiment:
            duration: 5m
            templates:
              - {name: baseline, specRef: stable}
              - {name: canary, specRef: canary, weight: 5}
            analyses:
              - name: check
                templateName: rate
                requiredForCompletion: true
                args:
                  - {name: service, value: "{{templates.canary.replicaset.name}}"}
"""
PORT = "          image: registry.example.com/web:1.0\n"
WITH_PORT = f"{PORT}          ports: [{{containerPort: 80}}]\n"
EXPERIMENT = """\
apiVersion: argoproj.io/v1alpha1
kind: Experiment
metadata: {name: trial, namespace: shop}
spec:
  duration: 5m
  templates:
    - name: a
      selector: {matchLabels: {app: a}}
      template:
        metadata: {labels: {app: a}}
        spec: {containers: [{name: a, image: "registry.example.com/a:1"}]}
  analyses:
    - name: check
      templateName: rate
      args:
        - {name: service, value: web}
"""


def of_step(old: str = "", new: str = "", *, rollout: tuple[str, str] = (PORT, WITH_PORT)) -> list[Finding]:
    assert not old or STEP.count(old) == 1
    return found({"rollout.yaml": ROLLOUT.replace(PAUSE, STEP.replace(old, new) if old else STEP).replace(*rollout)})


def of_experiment(old: str = "", new: str = "") -> list[Finding]:
    assert not old or EXPERIMENT.count(old) == 1
    return found({"trial.yaml": EXPERIMENT.replace(old, new) if old else EXPERIMENT})


def told(findings: list[Finding]) -> tuple[str, str, str]:
    [finding] = findings
    assert finding.line > 1
    return str(finding.severity), finding.field, finding.message


def test_a_good_step_and_a_good_experiment_have_nothing_wrong() -> None:
    assert of_step() == [] and of_experiment() == []


PLACE = "spec.strategy.canary.steps[1].experiment"


@pytest.mark.parametrize(
    ("old", "new", "severity", "field", "words"),
    [
        ("templateName: rate", "templateName: rates", Severity.ERROR, f"{PLACE}.analyses[0].templateName", "rates"),
        ("{name: service,", "{name: servce,", Severity.ERROR, f"{PLACE}.analyses[0].args", "args.service was not resolved"),
        ("specRef: stable", "specRef: old", Severity.ERROR, "spec.strategy.steps[1].experiment.templates[0].specRef", "canary or stable"),
        ("specRef: stable", "specref: stable", Severity.ERROR, "spec.strategy.canary.steps[1].experiment.templates[0].specref", ""),
        ("            duration: 5m\n", "", Severity.WARNING, PLACE, "never ends by itself"),
    ],
)
def test_what_is_wrong_with_a_step_is_told_on_its_line(old: str, new: str, severity: Severity, field: str, words: str) -> None:
    findings = of_step(old, new) if severity is not Severity.WARNING else endless()
    first = findings[0]
    assert (first.severity, first.field) == (severity, field) and words in first.message and first.line > 1


def endless() -> list[Finding]:
    step = STEP.replace("            duration: 5m\n", "").replace("                requiredForCompletion: true\n", "")
    return found({"rollout.yaml": ROLLOUT.replace(PAUSE, step).replace(PORT, WITH_PORT)})


def test_a_weight_without_a_port_sends_nobody() -> None:
    severity, field, message = told(of_step(rollout=("", "")))
    assert (severity, field) == ("warning", f"{PLACE}.templates[1].weight") and "no traffic" in message


@pytest.mark.parametrize(
    ("old", "new", "severity", "field", "words"),
    [
        ("duration: 5m", "duration: soon", "error", "spec.duration", "soon"),
        ("    - name: a\n      sel", "    - name: ''\n      sel", "error", "spec.templates[0].name", "Required"),
        ("templateName: rate", "templateName: rates", "error", "spec.analyses[0].templateName", "rates"),
        ("value: web}\n", "value: web}\n        - {name: x, value: z}\n", "note", "spec.analyses[0].args[1]", "dropped"),
        ("  duration: 5m\n", "", "warning", "spec", "never ends by itself"),
        ("  duration: 5m\n", "  duration: 5m\n  lasts: 5m\n", "error", "spec.lasts", ""),
    ],
)
def test_what_is_wrong_with_an_experiment_is_told(old: str, new: str, severity: str, field: str, words: str) -> None:
    assert told(of_experiment(old, new))[:2] == (severity, field) and words in told(of_experiment(old, new))[2]


def test_a_value_from_a_rollout_is_told_as_dropped() -> None:
    source = "valueFrom: {podTemplateHashValue: Latest}"
    findings = of_experiment("{name: service, value: web}", f"{{name: service, {source}}}")
    assert ("spec.analyses[0].args[0].valueFrom", Severity.WARNING) in {(f.field, f.severity) for f in findings}

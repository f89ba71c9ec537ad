"""Templates are checked with the arguments they declare."""

import pytest

from tests.kit.lint import TEMPLATE, found, spoiled


@pytest.mark.parametrize(
    ("old", "new", "field", "words"),
    [
        ("result[0] >= {{args.limit}}", "result[0] >=", "spec.metrics[0].successCondition", "cannot be read as a condition"),
        ("result[0] >= {{args.limit}}", "results[0] > 1", "spec.metrics[0].successCondition", "unknown name results"),
        ("{{args.limit}}", "{{args.limt}}", "spec.metrics[0]", "no such argument; declared here: limit, service"),
        ("interval: 5s", "interval: 5", "spec.metrics[0].interval", "must be a string"),
        ("interval: 5s", "interval: 5 s", "spec.metrics[0]", "invalid interval string"),
        ("count: 3", "count: -3", "spec.metrics[0]", "count must be >= 0"),
        ("  metrics:", "  dryRun: [{metricName: other}]\n  metrics:", "spec.dryRun", "Rule didn't match any metric name(s)"),
        ("    - name: limit\n", "    - name: limit\n      valueFrom: {secretKeyRef: {name: s, key: k}}\n", "spec.args[1]", "both value"),
    ],
)
def test_a_broken_rule_is_told_with_its_field(old: str, new: str, field: str, words: str) -> None:
    policy_free = {"policy.yaml": "", "rollout.yaml": "", "template.yaml": TEMPLATE.replace(old, new, 1)}
    findings = [finding for finding in found(policy_free) if finding.file == "template.yaml"]
    assert [finding.field for finding in findings] == [field]
    assert words in findings[0].message


def test_a_number_that_only_the_rollout_knows_breaks_no_rule() -> None:
    text = TEMPLATE.replace("count: 3", 'count: "{{args.service}}"').replace("interval: 5s", 'interval: "{{args.service}}"')
    assert [finding for finding in found({"template.yaml": text}) if finding.file == "template.yaml"] == []


def test_a_template_that_measures_nothing_is_told() -> None:
    head = TEMPLATE.partition("  metrics:")[0]
    assert [f.field for f in found({"template.yaml": head}) if f.file == "template.yaml"] == ["spec.metrics"]


def test_a_query_is_required() -> None:
    finding = spoiled("template.yaml", 'query: sum(rate(requests{service="{{args.service}}"}[1m]))', "timeout: 3")
    assert finding.field == "spec.metrics[0].provider.prometheus.query"

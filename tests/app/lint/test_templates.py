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


QUERY = 'sum(rate(requests{service="{{args.service}}"}[1m]))'


@pytest.mark.parametrize(
    ("query", "condition", "field", "words"),
    [
        (QUERY, "result >= {{args.limit}}", "successCondition", "the query answers a list of numbers"),
        (QUERY, "isNaN(result)", "successCondition", "the query answers a list of numbers"),
        (f"scalar({QUERY})", "result[0] >= {{args.limit}}", "successCondition", "the query answers one number"),
        (QUERY[:-1], "result[0] >= {{args.limit}}", "provider.prometheus.query", "is no PromQL: unclosed left parenthesis"),
    ],
)
def test_a_query_is_parsed_and_a_condition_has_to_fit_its_answer(query: str, condition: str, field: str, words: str) -> None:
    text = TEMPLATE.replace(QUERY, query, 1).replace("result[0] >= {{args.limit}}", condition, 1)
    (finding,) = [finding for finding in found({"template.yaml": text}) if finding.file == "template.yaml"]
    assert finding.field == f"spec.metrics[0].{field}" and finding.severity == "error"
    assert words in finding.message
    line = text.splitlines()[finding.line - 1]
    assert field.rpartition(".")[2] in line[finding.column - 1 :]


@pytest.mark.parametrize(
    ("query", "condition"), [(f"scalar({QUERY})", "result >= 1"), ("{{args.service}}", "result >= 1.5"), (QUERY, "all(result, {# > 1})")]
)
def test_a_condition_that_fits_is_not_told(query: str, condition: str) -> None:
    text = TEMPLATE.replace(QUERY, query, 1).replace("result[0] >= {{args.limit}}", condition, 1)
    assert [f for f in found({"template.yaml": text}) if f.severity == "error" and f.field.endswith(("Condition", "query"))] == []


def test_what_another_server_may_take_is_a_warning() -> None:
    text = TEMPLATE.replace(QUERY, "rate(requests) keep_metric_names", 1)
    (finding,) = [finding for finding in found({"template.yaml": text}) if finding.file == "template.yaml"]
    assert finding.severity == "warning" and finding.message.endswith("other servers than Prometheus may take it")

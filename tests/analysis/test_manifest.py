"""Runs and metrics between manifest and nouns (contract 6.1)."""

from dataclasses import replace
from datetime import timedelta

import pytest

from reconciler.analysis.manifest import InvalidMetric, parse_metrics, parse_run, render_status
from reconciler.analysis.model import AnalysisStatus, RunPhase, SecretKey, Summary
from reconciler.kernel.identity import Manifest
from reconciler.kernel.problem import InvalidField
from tests.kit.analysis import NOW, measurement, metric_manifest, result, run


def test_a_metric_has_the_contracts_defaults() -> None:
    found = parse_metrics((metric_manifest("m"),))[0]
    assert (found.count, found.failure_limit, found.inconclusive_limit, found.consecutive_error_limit) == (0, None, 0, 4)
    assert (found.kind, found.config, found.interval) == ("scripted", {}, None)


def test_numbers_may_be_texts() -> None:
    fields = {"count": "5", "failureLimit": 1, "inconclusiveLimit": "2", "consecutiveErrorLimit": "0", "consecutiveSuccessLimit": 3.0}
    found = parse_metrics((metric_manifest(**fields, interval="1m30s", initialDelay="5s"),))[0]
    assert (found.count, found.failure_limit, found.inconclusive_limit, found.consecutive_error_limit) == (5, 1, 2, 0)
    assert (found.consecutive_success_limit, found.interval, found.initial_delay) == (3, timedelta(seconds=90), timedelta(seconds=5))


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"interval": "soon"}, 'metrics[0]: invalid interval string: time: invalid duration "soon"'),
        ({"initialDelay": "5"}, 'metrics[0]: invalid startDelay string: time: missing unit in duration "5"'),
        ({"count": "many"}, 'metrics[0]: count must be an integer, got "many"'),
        ({"count": "1_0"}, 'metrics[0]: count must be an integer, got "1_0"'),
        ({"count": True}, 'metrics[0]: count must be an integer, got "True"'),
        ({"failureLimit": 0.5}, 'metrics[0]: failureLimit must be an integer, got "0.5"'),
        ({"successCondition": 1}, "metrics[0]: successCondition must be a string"),
        ({"provider": {"web": "x"}}, 'metrics[0].provider.web: Invalid value: "x": must be an object'),
        ({"provider": "web"}, 'metrics[0].provider: Invalid value: "web": must be an object'),
    ],
)
def test_what_cannot_be_read_names_the_field(fields: Manifest, words: str) -> None:
    with pytest.raises(InvalidMetric) as refused:
        parse_metrics((metric_manifest(**fields),))
    assert str(refused.value) == words


def test_each_plugin_is_a_provider() -> None:
    provider = {"plugin": {"a/one": {}, "b/two": {}}, "web": {"url": "x"}, "job": None}
    assert list(parse_metrics((metric_manifest(provider=provider),))[0].providers) == ["web", "plugin a/one", "plugin b/two"]


def test_a_run_is_read_whole() -> None:
    secret = {"name": "b", "valueFrom": {"secretKeyRef": {"name": "s", "key": "k"}}}
    found = parse_run(
        run(
            metric_manifest("m"),
            args=[{"name": "a", "value": ""}, secret, {"name": "c"}],
            dryRun=[{"metricName": "x"}],
            measurementRetention=[{"metricName": "y", "limit": 3}],
            terminate=True,
            ttlStrategy={"secondsAfterSuccess": 60},
        )
    )
    assert [(a.value, a.secret) for a in found.arguments] == [("", None), (None, SecretKey("s", "k")), (None, None)]
    assert (found.dry_run, found.retention[0].limit, found.terminate, found.time_to_live.after_success) == (("x",), 3, True, 60)
    assert found.status == AnalysisStatus()


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"spec": {"metrics": "all"}}, "spec.metrics"),
        ({"spec": {"args": [{"name": 1}]}}, "spec.args[0].name"),
        ({"status": {"phase": "Great"}}, "status.phase"),
        ({"status": {"metricResults": [{"measurements": [{"startedAt": "now"}]}]}}, "status.metricResults[0].measurements[0].startedAt"),
    ],
)
def test_a_run_that_cannot_be_read_names_the_field(changes: Manifest, words: str) -> None:
    with pytest.raises(InvalidField) as refused:
        parse_run({**run(), **changes})
    assert refused.value.problem.field == words


def test_a_status_survives_being_written_and_read() -> None:
    answered = replace(result("SFE", "m", metadata={"ResolvedPrometheusQuery": "up"}, dry_run=True), phase=RunPhase.ERROR, message="why")
    awaited = replace(result("R", "n"), measurements=(replace(measurement("R"), resume_at=NOW, value="[1]", metadata={"series": "1"}),))
    status = AnalysisStatus(
        phase=RunPhase.RUNNING,
        message="text",
        results=(answered, awaited),
        started=NOW,
        completed=NOW,
        summary=Summary(count=2, error=1),
        dry_run_summary=Summary(count=1),
    )
    assert parse_run(run(status=render_status(status))).status == status


def test_zeros_are_not_written() -> None:
    written = render_status(AnalysisStatus(phase=RunPhase.RUNNING, results=(result("S"),)))
    assert written["metricResults"] == [
        {
            "name": "m",
            "phase": "Running",
            "measurements": [{"phase": "Successful", "startedAt": "2026-11-25T12:00:00Z", "finishedAt": "2026-11-25T12:00:00Z"}],
            "count": 1,
            "successful": 1,
            "consecutiveSuccess": 1,
        }
    ]
    assert type(written["phase"]) is str and "dryRunSummary" not in written


def test_failures_in_a_row_are_read_and_written() -> None:
    (metric,) = parse_metrics(({"name": "m", "consecutiveFailureLimit": "2", "provider": {"web": {}}},))
    assert (metric.consecutive_failure_limit, metric.failure_limit, metric.allowed_failures) == (2, None, -1)

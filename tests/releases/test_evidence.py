"""What was measured, copied before anybody cleans it up."""

from typing import Any

import pytest

from reconciler.releases.model import Evidence
from reconciler.releases.verdict.evidence import MOST_ROWS, evidence_of, fitting, passes, samples
from tests.kit.releases import run


def with_metric(**changes: Any) -> dict[str, Any]:
    found = run("Successful")
    found["spec"]["metrics"][0].update(changes)
    return found


def test_a_row_holds_counts_rule_query_and_limit() -> None:
    (row,) = evidence_of(run("Failed"))
    assert (row.run, row.metric, row.phase) == ("web-bad22-2", "success-rate", "Failed")
    assert (row.failed, row.limit, row.condition) == (2, "failureLimit 1", "succeeds when result[0] >= 0.95")
    assert (row.query, row.values) == ("q", ("[0.4]", "[0.5]"))


def test_the_query_as_it_was_asked_wins_over_the_template() -> None:
    found = run("Successful")
    found["status"]["metricResults"][0]["metadata"] = {"ResolvedPrometheusQuery": "sum(\n  rate(x))"}
    assert evidence_of(found)[0].query == "sum( rate(x))"


def test_values_queries_and_messages_are_bounded() -> None:
    found = run("Error", values=("x" * 500,) * 30)
    found["spec"]["metrics"][0]["provider"] = {"web": {"url": "u" * 5000}}
    found["status"]["metricResults"][0]["measurements"][-1]["message"] = "m" * 900
    (row,) = evidence_of(found)
    assert row.values == () and len(row.query) == 2000 and len(row.message) == 500
    (long,) = evidence_of(run("Failed", values=("x" * 500,) * 30))
    assert len(long.values) == 10 and len(long.values[0]) == 200


def test_a_run_that_measured_nothing_has_no_rows() -> None:
    assert evidence_of({"metadata": {"name": "r"}}) == ()


@pytest.mark.parametrize(
    ("values", "count"), [(("[0.99]", "[1]"), 2), (("[]", "[]"), 0), (("NaN",), 0), (("", "[NaN]"), 0), (("[]", "[1]"), 1)]
)
def test_no_data_is_no_sample(values: tuple[str, ...], count: int) -> None:
    assert samples(evidence_of(run("Successful", values=values))) == count


def test_what_passed_is_counted_apart_from_what_failed_and_only_where_it_held_data() -> None:
    found = run("Successful", values=("[0.99]", "[]", "[0.5]"))
    result = found["status"]["metricResults"][0]
    result["measurements"][2]["phase"] = "Failed"
    result.update(successful=2, failed=1)
    assert (samples(evidence_of(found)), passes(evidence_of(found))) == (2, 1)
    result["dryRun"] = True
    assert passes(evidence_of(found)) == 0


def test_a_job_answers_by_its_end() -> None:
    found = with_metric(provider={"job": {"spec": {}}})
    found["status"]["metricResults"][0]["measurements"] = [{"phase": "Successful", "value": ""}]
    found["status"]["metricResults"][0]["successful"] = 1
    assert samples(evidence_of(found)) == 1


def test_errors_and_inconclusive_answers_are_no_samples() -> None:
    assert samples(evidence_of(run("Error"))) == 0
    assert samples(evidence_of(run("Inconclusive"))) == 0


ASKED = {"graphite": "query", "web": "url", "another": "query"}


@pytest.mark.parametrize(("provider", "field"), ASKED.items())
def test_what_was_asked_is_shown_whoever_was_asked(provider: str, field: str) -> None:
    (row,) = evidence_of(with_metric(provider={provider: {"address": "a", field: "target=x"}}))
    assert row.query == "target=x"


@pytest.mark.parametrize(("values", "on_data"), [(("[0.4]",), True), (("[]",), False), (("NaN", "[0.4]"), True)])
def test_a_failure_is_one_on_data_only_if_a_failed_measurement_held_some(values: tuple[str, ...], on_data: bool) -> None:
    (row,) = evidence_of(run("Failed", values=values))
    assert row.failed_on_data is on_data
    passed = run("Failed", values=("[]", "[0.99]"))
    passed["status"]["metricResults"][0]["measurements"][1]["phase"] = "Successful"
    assert not evidence_of(passed)[0].failed_on_data


def test_a_metric_without_a_provider_has_no_query() -> None:
    assert evidence_of(with_metric(provider=None))[0].query == ""


def test_a_rehearsed_metric_decides_nothing() -> None:
    rehearsed = run("Failed")
    rehearsed["status"]["metricResults"][0]["dryRun"] = True
    (row,) = evidence_of(rehearsed)
    assert (row.failed_on_data, row.founded, samples((row,))) == (False, 0, 0)


def test_a_measurement_that_was_no_answer_takes_none_away() -> None:
    found = run("Successful", values=("[0.99]", "[1]"))
    found["status"]["metricResults"][0]["measurements"] += [{"phase": "Error"}, {"phase": "Inconclusive", "value": "[]"}]
    assert evidence_of(found)[0].founded == 2


def dropping(kept: tuple[str, ...], answered: int, **metadata: str) -> dict[str, Any]:
    """A metric that answered more often than its run still shows."""
    found = run("Successful", values=kept)
    found["status"]["metricResults"][0].update(successful=answered, metadata=metadata)
    return found


def test_measurements_that_were_dropped_without_data_are_no_samples_either() -> None:
    assert samples(evidence_of(dropping(("NaN",) * 10, 25))) == 0
    assert samples(evidence_of(dropping(("NaN",) * 4 + ("[1]",) * 6, 25))) == 6


def test_dropped_measurements_count_as_the_kept_ones_do_where_all_of_those_held_data() -> None:
    assert samples(evidence_of(dropping(("[1]",) * 10, 25))) == 25


def test_what_was_counted_before_it_was_dropped_decides() -> None:
    found = dropping(("NaN",) * 10, 25, DroppedSuccessfulWithData="15", DroppedFailedWithData="0")
    assert (samples(evidence_of(found)), passes(evidence_of(found))) == (15, 15)
    (row,) = evidence_of(dropping(("[1]",), 9, DroppedSuccessfulWithData="nonsense", DroppedFailedWithData="2"))
    assert (row.founded, row.passed, row.failed_on_data) == (3, 1, True)


def test_what_a_release_keeps_of_its_measurements_fits_into_an_object() -> None:
    bad = Evidence(run="r", metric="bad", phase="Failed", query="b" * 2000, message="m" * 500, failed_on_data=True)
    good = Evidence(run="r", metric="good", phase="Successful", query="g" * 2000, values=("[1]",), message="m" * 500, founded=3)
    kept = fitting((), [good] * 300 + [bad])
    assert kept[-1] == bad and kept[0] == good  # in their order, and what ended badly is whole
    assert samples(kept) == 900 and sum(len(row.query) + len(row.message) for row in kept) < 250_000
    assert fitting(kept, [bad])[0].query == "" and fitting(kept, [bad])[0].failed_on_data
    assert [row.metric for row in fitting([good] * (MOST_ROWS - 1), [good, bad])] == ["bad"]

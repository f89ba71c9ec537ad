"""The surprising edge cases of contract 13 about analyses: what counts, what ends a run, what arguments mean, what is cleaned up."""

import base64
from dataclasses import dataclass, field

import pytest

from reconciler.analysis.arguments import literals, merge_arguments
from reconciler.analysis.cleanup import jobs_to_delete
from reconciler.analysis.conditions import NO_DATA, Conditions, assess
from reconciler.analysis.judge import RunTerms, judge, record
from reconciler.analysis.model import AnalysisStatus, Measurement, MetricResult, RunPhase
from reconciler.analysis.provider import MeasurementTask
from reconciler.kernel.identity import Manifest, name_of
from reconciler.kernel.resources import ANALYSIS_RUNS, JOBS, SECRETS
from tests.kit.analysis import NOW, Scripted, measurement, metric, metric_manifest, run, stage, status_after
from tests.kit.clusters import NAMESPACE
from tests.kit.edges import climbing
from tests.kit.rollouts import analysis, pause, weight

KEY = base64.b64encode(b"hush").decode()
JOB: Manifest = {"spec": {"template": {"spec": {"restartPolicy": "Never", "containers": [{"name": "c", "image": "i"}]}}}}


async def test_13_22_a_job_that_is_told_to_end_is_inconclusive_and_so_is_its_run() -> None:
    async with stage({}) as it:
        await it.create(run({"name": "smoke", "provider": {"job": JOB}}))
        await it.look()
        assert len(await it.client.list(JOBS, NAMESPACE)) == 1
        live = await it.client.get(ANALYSIS_RUNS, NAMESPACE, "check")
        await it.client.replace(ANALYSIS_RUNS, {**live, "spec": {**live["spec"], "terminate": True}})
        await it.look()
        status = await it.status()
        [measured] = status["metricResults"][0]["measurements"]
        assert (status["phase"], measured["phase"], measured["message"]) == ("Inconclusive", "Inconclusive", "Metric Terminated")


@dataclass
class Endless(Scripted):
    """A measurement that is under way until it is told to end."""

    async def run(self, task: MeasurementTask) -> Measurement:
        return measurement("R", task.now)

    async def resume(self, task: MeasurementTask, measurement: Measurement) -> Measurement:
        return measurement


@dataclass
class Shown(Scripted):
    """What a provider was asked for, with the values of arguments."""

    configured: list[object] = field(default_factory=list)

    async def run(self, task: MeasurementTask) -> Measurement:
        self.configured.append(task.metric.providers)
        return measurement("S", task.now)


async def test_13_23_a_metric_that_fails_ends_the_run_and_what_was_in_flight_is_ended_once() -> None:
    failing, slow, late = Scripted("F"), Endless(), Scripted("S")
    async with stage({"scripted": failing, "slow": slow, "late": late}) as it:
        others = ({"name": "slow", "provider": {"slow": {}}}, {"name": "late", "initialDelay": "1h", "provider": {"late": {}}})
        await it.create(run(metric_manifest("bad", initialDelay="10s"), *others))
        await it.look()
        await it.after(11)
        await it.after(1)
        assert (await it.status())["phase"] == "Failed"
        await it.after(3600)
        assert slow.asked == ["terminate slow"] and late.asked == []


def test_13_24_errors_count_for_nothing_until_the_fifth_in_a_row() -> None:
    terms = RunTerms(metrics=(metric(),))
    four = status_after(terms, m="EEEE").result("m")
    assert four is not None and (four.phase, four.count, four.error) == (RunPhase.RUNNING, 0, 4)
    five = status_after(terms, m="EEEEE").result("m")
    assert five is not None and five.phase is RunPhase.ERROR


async def test_13_24_an_error_is_asked_again_after_ten_seconds_whatever_the_interval() -> None:
    provider = Scripted("ES")
    async with stage({"scripted": provider}) as it:
        await it.create(run(metric_manifest(interval="1h", count=2)))
        await it.look()
        await it.after(9)
        assert len(provider.asked) == 1
        await it.after(2)
        assert len(provider.asked) == 2


@pytest.mark.parametrize(("letters", "phase"), [("IF", "Failed"), ("EI", "Error"), ("EF", "Failed"), ("SI", "Inconclusive")])
def test_13_25_across_metrics_a_failure_is_the_worst(letters: str, phase: str) -> None:
    for one, other in (letters, letters[::-1]):
        terms = RunTerms(metrics=(metric("a", consecutive_error_limit=0), metric("b", consecutive_error_limit=0)))
        assert status_after(terms, a=one, b=other).phase == phase


def test_13_25_within_one_metric_an_error_outranks_inconclusive_and_that_a_failure() -> None:
    limits = {"failure_limit": 0, "inconclusive_limit": 0, "consecutive_error_limit": 0}
    assert status_after(RunTerms(metrics=(metric(**{**limits, "failure_limit": 5}),)), m="I").phase == "Inconclusive"
    both = RunTerms(metrics=(metric(**limits),))
    assert [status_after(both, m=letter).phase for letter in "FIE"] == ["Failed", "Inconclusive", "Error"]
    assert [at_once(both, letters) for letters in ("FI", "IF", "FE", "IE", "FIE")] == [
        "Inconclusive",
        "Inconclusive",
        "Error",
        "Error",
        "Error",
    ]


def at_once(terms: RunTerms, letters: str) -> str:
    """The phase where several limits are passed before anybody judges."""
    result = MetricResult(name="m", dry_run=False)
    for letter in letters:
        result = record(result, measurement(letter))
    return str(judge(terms, AnalysisStatus(results=(result,)), was_ending=False, now=NOW).phase)


@pytest.mark.parametrize("argument", ["result", "1", "nil", '"x"'])
def test_13_26_is_nil_and_default_look_at_the_whole_result(argument: str) -> None:
    assert assess(Conditions(f"isNil({argument})"), None, NOW).phase is RunPhase.SUCCESSFUL
    assert assess(Conditions(f"isNil({argument})"), [], NOW).phase is RunPhase.FAILED
    assert assess(Conditions(f"default({argument}, 7) == 7"), None, NOW).phase is RunPhase.SUCCESSFUL


@pytest.mark.parametrize("empty", [[], None])
def test_13_27_an_empty_answer_is_an_error_and_never_a_failure(empty: object) -> None:
    assessed = assess(Conditions("result[0] < 5"), empty, NOW)
    assert assessed.phase is RunPhase.ERROR and assessed.message.endswith(NO_DATA)
    assert NO_DATA == "metric result is nil or empty: no data returned from the metric provider"


async def test_13_50_a_run_that_cannot_begin_has_no_end_so_that_no_time_to_live_applies() -> None:
    async with stage({"scripted": Scripted("S")}) as it:
        await it.create(run(metric_manifest(failureLimit=-2), ttlStrategy={"secondsAfterCompletion": 1}))
        await it.look()
        status = await it.status()
        assert (status["phase"], "completedAt" in status) == ("Error", False)
        await it.after(3600)
        assert (await it.status())["phase"] == "Error"


def test_13_53_an_argument_without_a_value_overrides_the_default_with_nothing() -> None:
    rollout: Manifest = {"metadata": {"name": "web", "namespace": "shop"}}
    given = literals([{"name": "x"}], rollout, {"Latest": "n", "Stable": "o"})
    assert merge_arguments(given, [{"name": "x", "value": "default"}]) == [{"name": "x", "value": ""}]


async def test_13_54_a_secret_wins_over_the_rollouts_own_value() -> None:
    merged = merge_arguments([{"name": "x", "value": "literal"}], [{"name": "x", "valueFrom": {"secretKeyRef": {"name": "s", "key": "k"}}}])
    seen = Shown()
    async with stage({"scripted": seen}) as it:
        secret = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s", "namespace": NAMESPACE}, "data": {"k": KEY}}
        await it.client.create(SECRETS, secret)
        await it.create(run({"name": "m", "provider": {"scripted": {"word": "{{args.x}}"}}}, args=merged))
        await it.look()
    assert seen.configured == [{"scripted": {"word": "hush"}}]


def test_13_55_the_limit_of_jobs_holds_across_the_metrics_of_a_run() -> None:
    jobs = [
        {"metadata": {"name": f"u.{name}.{number}", "creationTimestamp": f"2030-01-01T00:0{number}:00Z"}}
        for name in ("a", "b")
        for number in (1, 2, 3)
    ]
    assert sorted(name_of(job) for job in jobs_to_delete(jobs, 2)) == ["u.a.1", "u.a.2", "u.b.1", "u.b.2"]


def test_13_17_a_run_of_a_rollout_that_a_person_paused_can_still_abort_it() -> None:
    world = climbing(weight(25), pause(), analysis=analysis()).edit({"spec": {"paused": True}}).settle()
    world.end_run(next(iter(world.runs)), "Failed").settle()
    assert world.phase.startswith("Degraded RolloutAborted") and world.status["abort"] is True

"""Runs from their first pass to their end, against a real API in process."""

import base64
from typing import Any

import pytest

from reconciler.kernel.errors import Transient
from reconciler.kernel.identity import Manifest
from reconciler.kernel.resources import ANALYSIS_RUNS, JOBS, SECRETS
from reconciler.kube.errors import Conflict
from tests.kit.analysis import NOW, Scripted, metric_manifest, run, stage
from tests.kit.clusters import NAMESPACE

JOB: Manifest = {"spec": {"template": {"spec": {"restartPolicy": "Never", "containers": [{"name": "c", "image": "i"}]}}}}


async def test_a_run_made_by_hand_measures_and_succeeds() -> None:
    async with stage({"scripted": Scripted("S")}) as it:
        await it.create(run())
        wake_at = await it.look()
        status = await it.status()
        assert wake_at is None
        assert status["phase"] == "Successful"
        assert status["runSummary"] == {"count": 1, "successful": 1}
        assert status["startedAt"] == status["completedAt"] == "2026-11-25T12:00:00Z"
        assert status["metricResults"][0]["measurements"][0]["finishedAt"] == "2026-11-25T12:00:00Z"
        assert await it.reasons() == ["AnalysisRunSuccessful", "MetricSuccessful"]


async def test_a_failing_metric_ends_the_run_in_words_clients_match() -> None:
    async with stage({"scripted": Scripted("F")}) as it:
        await it.create(run(metric_manifest("errors")))
        await it.look()
        status = await it.status()
        assert (status["phase"], status["message"]) == ("Failed", 'Metric "errors" assessed Failed due to failed (1) > failureLimit (0)')
        assert await it.reasons() == ["AnalysisRunFailed", "MetricFailed"]


async def test_an_interval_spaces_measurements_until_the_count_is_reached() -> None:
    provider = Scripted("S")
    async with stage({"scripted": provider}) as it:
        await it.create(run(metric_manifest(interval="30s", count=2)))
        wake_at = await it.look()
        assert wake_at is not None and (wake_at - NOW).total_seconds() == 30
        await it.after(20)
        assert provider.asked == ["run m 1"]
        await it.after(10)
        assert provider.asked == ["run m 1", "run m 2"]
        assert (await it.status())["phase"] == "Successful"


async def test_a_quiet_pass_writes_nothing() -> None:
    async with stage({"scripted": Scripted("S")}) as it:
        await it.create(run(metric_manifest(interval="30s")))
        await it.look()
        before = await it.client.get(ANALYSIS_RUNS, NAMESPACE, "check")
        await it.after(1)
        assert await it.client.get(ANALYSIS_RUNS, NAMESPACE, "check") == before


async def test_errors_are_retried_every_ten_seconds_and_the_fifth_in_a_row_is_the_end() -> None:
    async with stage({"scripted": Scripted("E", "no answer")}) as it:
        await it.create(run(metric_manifest(interval="1h", count=3)))
        for _ in range(4):
            await it.after(10)
            assert (await it.status())["phase"] == "Running"
        await it.after(10)
        status = await it.status()
        assert status["phase"] == "Error"
        assert status["message"].endswith('consecutiveErrors (5) > consecutiveErrorLimit (4): "Error Message: no answer"')


async def test_a_run_that_is_told_to_end_ends_its_awaited_measurement_first() -> None:
    provider = Scripted("R")
    async with stage({"scripted": provider}) as it:
        await it.create(run())
        await it.look()
        manifest = await it.client.get(ANALYSIS_RUNS, NAMESPACE, "check")
        await it.client.replace(ANALYSIS_RUNS, {**manifest, "spec": {**manifest["spec"], "terminate": True}})
        await it.look()
        assert provider.asked == ["run m 1", "terminate m"]
        assert (await it.status())["phase"] == "Inconclusive"


async def test_a_run_told_to_end_between_measurements_is_successful() -> None:
    async with stage({"scripted": Scripted("S")}) as it:
        await it.create(run(metric_manifest(interval="1m"), terminate=True))
        await it.look()
        status = await it.status()
        assert (status["phase"], status["message"]) == ("Successful", "Run Terminated")


async def test_one_bad_metric_ends_the_other_measurement_once_and_the_run_with_it() -> None:
    slow, bad = Scripted("R"), Scripted("F")
    async with stage({"slow": slow, "bad": bad}) as it:
        await it.create(run({"name": "a", "provider": {"slow": {}}}, {"name": "b", "provider": {"bad": {}}}))
        wake_at = await it.look()
        assert (await it.status())["phase"] == "Running"
        assert wake_at is not None and wake_at <= it.clock.now()
        await it.look()
        assert slow.asked == ["run a 1", "terminate a"]
        assert (await it.status())["phase"] == "Failed"


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ({"metrics": [{"name": "m", "provider": {"datadog": {}}}]}, 'metrics[0]: provider "datadog" is not supported yet'),
        ({"metrics": [metric_manifest(count=2)]}, "metrics[0]: interval must be specified when count > 1"),
        ({"metrics": [metric_manifest(interval="soon")]}, 'metrics[0]: invalid interval string: time: invalid duration "soon"'),
        ({"metrics": [metric_manifest()], "dryRun": [{"metricName": "x"}]}, "dryRun[0]: Rule didn't match any metric name(s)"),
        ({"metrics": [metric_manifest(count="many")]}, 'metrics[0]: count must be an integer, got "many"'),
    ],
)
async def test_a_run_that_cannot_be_carried_out_is_an_error_that_never_completes(spec: Manifest, message: str) -> None:
    async with stage({"scripted": Scripted()}) as it:
        await it.create({**run(), "spec": spec})
        await it.look()
        status = await it.status()
        assert (status["phase"], status["message"]) == ("Error", f"Analysis spec invalid: {message}")
        assert "completedAt" not in status


async def test_an_argument_without_a_value_is_an_error() -> None:
    async with stage({"scripted": Scripted()}) as it:
        await it.create(run(args=[{"name": "host"}]))
        await it.look()
        assert (await it.status())["message"] == 'Unable to resolve metric arguments: argument "host" was not supplied'


SECRET_ARGUMENT = [{"name": "token", "valueFrom": {"secretKeyRef": {"name": "s", "key": "k"}}, "value": "plain"}]


async def test_a_secret_reaches_the_provider_and_no_message() -> None:
    class Telling(Scripted):
        async def run(self, task: Any) -> Any:
            self.message = f"refused {task.metric.config['token']}"
            return await Scripted.run(self, task)

    provider = Telling("F")
    async with stage({"scripted": provider}) as it:
        data = {"k": base64.b64encode(b"hunter2").decode()}
        await it.client.create(
            SECRETS, {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s", "namespace": NAMESPACE}, "data": data}
        )
        await it.create(run({"name": "m", "provider": {"scripted": {"token": "{{args.token}}"}}}, args=SECRET_ARGUMENT))
        await it.look()
        assert provider.message == "refused hunter2"
        assert "refused *****" in (await it.status())["message"]
        assert "hunter2" not in str(await it.client.get(ANALYSIS_RUNS, NAMESPACE, "check"))


@pytest.mark.parametrize(
    ("keys", "message"), [(None, 'secrets "s" not found'), ({"other": "YQ=="}, "key 'k' does not exist in secret 's'")]
)
async def test_a_missing_secret_is_an_error(keys: dict[str, str] | None, message: str) -> None:
    async with stage({"scripted": Scripted()}) as it:
        if keys is not None:
            await it.client.create(
                SECRETS, {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s", "namespace": NAMESPACE}, "data": keys}
            )
        await it.create(run(args=SECRET_ARGUMENT))
        await it.look()
        status = await it.status()
        assert (status["phase"], status["message"]) == ("Error", f"Unable to resolve metric arguments: {message}")


async def test_only_the_newest_measurements_are_kept_while_the_counters_go_on() -> None:
    async with stage({"scripted": Scripted("S")}) as it:
        await it.create(run(metric_manifest(interval="1s"), measurementRetention=[{"metricName": ".*", "limit": 2}]))
        for _ in range(4):
            await it.after(1)
        result = (await it.status())["metricResults"][0]
        assert (len(result["measurements"]), result["successful"]) == (2, 4)


async def test_a_dry_run_metric_fails_without_consequence() -> None:
    async with stage({"scripted": Scripted("F")}) as it:
        await it.create(run(dryRun=[{"metricName": ".*"}]))
        await it.look()
        status = await it.status()
        assert (status["phase"], status["dryRunSummary"]) == ("Successful", {"count": 1, "failed": 1})
        assert status["metricResults"][0]["message"] == "Metric assessed Failed due to failed (1) > failureLimit (0)"


async def test_a_write_from_elsewhere_in_the_meantime_is_looked_at_first() -> None:
    async with stage({"scripted": Scripted("S")}) as it:
        created = await it.create(run())
        await it.client.replace(ANALYSIS_RUNS, {**created, "spec": {**created["spec"], "terminate": True}})
        with pytest.raises(Conflict):
            await it.controller.reconcile(next(iter(it.controller.keys_for(ANALYSIS_RUNS, created))))
        assert await it.status() == {}


async def test_a_completed_run_is_removed_when_its_time_is_over() -> None:
    async with stage({"scripted": Scripted("S")}) as it:
        await it.create(run(ttlStrategy={"secondsAfterCompletion": 900, "secondsAfterSuccess": 60}))
        await it.look()
        assert await it.after(60) is not None
        assert await it.client.find(ANALYSIS_RUNS, NAMESPACE, "check") is not None
        await it.after(1)
        assert await it.client.find(ANALYSIS_RUNS, NAMESPACE, "check") is None


async def test_a_run_of_another_instance_is_left_alone() -> None:
    async with stage({"scripted": Scripted("S")}) as it:
        manifest = run()
        manifest["metadata"]["labels"] = {"argo-rollouts.argoproj.io/controller-instance-id": "other"}
        await it.create(manifest)
        await it.look()
        assert await it.status() == {}


@pytest.mark.parametrize(("bears", "measured"), [("blue", True), ("other", False), (None, False)])
async def test_an_instance_measures_the_runs_that_bear_its_id(bears: str | None, measured: bool) -> None:
    async with stage({"scripted": Scripted("S")}, instance="blue") as it:
        manifest = run()
        manifest["metadata"]["labels"] = {} if bears is None else {"argo-rollouts.argoproj.io/controller-instance-id": bears}
        await it.create(manifest)
        await it.look()
        assert bool(await it.status()) is measured


async def test_no_answer_of_the_api_is_no_measurement_and_is_asked_again_soon() -> None:
    class Silent(Scripted):
        async def run(self, task: Any) -> Any:
            raise Transient("the API is away")

    async with stage({"scripted": Silent()}) as it:
        await it.create(run())
        wake_at = await it.look()
        status = await it.status()
        assert wake_at is not None and (wake_at - NOW).total_seconds() == 5
        assert status["phase"] == "Running" and "metricResults" not in status


async def finish(it: Any, name: str) -> None:
    job = await it.client.get(JOBS, NAMESPACE, name)
    stamp = "2026-11-25T12:00:00Z"
    conditions = [{"type": kind, "status": "True"} for kind in ("SuccessCriteriaMet", "Complete")]
    finished = {"conditions": conditions, "startTime": stamp, "completionTime": stamp, "succeeded": 1}
    await it.client.replace(JOBS, {**job, "status": finished}, subresource="status")


async def test_a_job_killed_before_its_status_was_written_is_found_again() -> None:
    async with stage({}) as it:
        created = await it.create(run({"name": "smoke", "provider": {"job": JOB}}))
        await it.look()
        forgotten = {key: value for key, value in (await it.client.get(ANALYSIS_RUNS, NAMESPACE, "check")).items() if key != "status"}
        await it.client.replace(ANALYSIS_RUNS, forgotten)
        await it.look()
        jobs = await it.client.list(JOBS, NAMESPACE)
        assert [job["metadata"]["name"] for job in jobs] == [f"{created['metadata']['uid']}.smoke.1"]
        assert [key.name for key in it.controller.keys_for(JOBS, jobs[0])] == ["check"]
        await finish(it, jobs[0]["metadata"]["name"])
        await it.after(5)
        assert (await it.status())["phase"] == "Successful"


async def test_jobs_beyond_the_limit_are_removed() -> None:
    async with stage({}) as it:
        metric = {"name": "smoke", "interval": "1s", "provider": {"job": JOB}}
        created = await it.create(run(metric, measurementRetention=[{"metricName": "smoke", "limit": 1}]))
        for number in (1, 2):
            await it.after(3)
            await finish(it, f"{created['metadata']['uid']}.smoke.{number}")
            await it.after(3)
        await it.after(3)
        assert len(await it.client.list(JOBS, NAMESPACE)) == 1

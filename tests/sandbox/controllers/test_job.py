"""Jobs end as their containers do."""

from datetime import UTC, datetime
from typing import Any

from reconciler_sandbox.client import ApiClient
from reconciler_sandbox.controllers.job import job_status
from reconciler_sandbox.controllers.progress import Notice
from reconciler_sandbox.controllers.tally import tally

from tests.kit.sandbox import JOBS, PODS, event_messages, reason, running, status
from tests.kit.wait import until
from tests.kit.workloads import job, pod

NOW = datetime(2026, 1, 1, tzinfo=UTC)


async def ended(api: ApiClient, name: str, condition: str) -> dict[str, Any]:
    """The status of a Job once it has this end."""

    async def ask() -> Any:
        found = await status(api, f"{JOBS}/{name}")
        return any(c["type"] == condition and c["status"] == "True" for c in found.get("conditions") or ()) and found

    return await until(ask)


async def test_exit_code_zero_completes_a_job() -> None:
    async with running() as cluster:
        await cluster.api.create(JOBS, job("check", "works:1"))
        found = await ended(cluster.api, "check", "Complete")
        assert found["succeeded"] == 1
        assert "failed" not in found and "active" not in found
        assert found["startTime"] <= found["completionTime"]
        assert await event_messages(cluster.api, "Completed") == ["Job completed"]
        (done,) = await cluster.api.list(PODS)
        assert done["status"]["phase"] == "Succeeded"
        assert done["metadata"]["labels"]["job-name"] == "check"


async def test_each_failure_gets_a_new_pod_until_the_limit_fails_the_job() -> None:
    async with running() as cluster:
        await cluster.api.create(JOBS, job("check", "fails:1", backoffLimit=1))
        found = await ended(cluster.api, "check", "Failed")
        assert found["failed"] == 2
        assert "completionTime" not in found
        assert await reason(cluster.api, f"{JOBS}/check", "Failed") == "BackoffLimitExceeded"
        assert await event_messages(cluster.api, "BackoffLimitExceeded") == ["Job has reached the specified backoff limit"]
        codes = [p["status"]["containerStatuses"][0]["state"]["terminated"]["exitCode"] for p in await cluster.api.list(PODS)]
        assert codes == [4, 4]


async def test_on_failure_the_container_is_restarted_in_its_pod() -> None:
    async with running() as cluster:
        await cluster.api.create(JOBS, job("check", "fails:1", policy="OnFailure", backoffLimit=2))
        await ended(cluster.api, "check", "Failed")
        assert len(await event_messages(cluster.api, "SuccessfulCreate")) == 1


async def test_a_job_past_its_deadline_fails_and_its_pod_is_removed() -> None:
    async with running() as cluster:
        await cluster.api.create(JOBS, job("slow", "sleeps:1", activeDeadlineSeconds=1))
        await ended(cluster.api, "slow", "Failed")
        assert await reason(cluster.api, f"{JOBS}/slow", "Failed") == "DeadlineExceeded"

        async def gone() -> bool:
            return not await cluster.api.list(PODS)

        await until(gone)


async def test_several_completions_run_in_parallel() -> None:
    async with running() as cluster:
        await cluster.api.create(JOBS, job("many", "works:1", completions=4, parallelism=2))
        assert (await ended(cluster.api, "many", "Complete"))["succeeded"] == 4
        assert len(await cluster.api.list(PODS)) == 4


async def test_a_finished_job_disappears_after_its_time_to_live() -> None:
    async with running() as cluster:
        await cluster.api.create(JOBS, job("brief", "works:1", ttlSecondsAfterFinished=0))

        async def gone() -> bool:
            return await cluster.api.get(f"{JOBS}/brief") is None

        await until(gone)


async def test_a_suspended_job_waits_and_runs_when_resumed() -> None:
    async with running() as cluster:
        await cluster.api.create(JOBS, job("later", "works:1", suspend=True))

        async def suspended() -> bool:
            return await reason(cluster.api, f"{JOBS}/later", "Suspended") == "JobSuspended"

        await until(suspended)
        assert not await cluster.api.list(PODS)
        await cluster.api.patch(f"{JOBS}/later", {"spec": {"suspend": False}})
        await ended(cluster.api, "later", "Complete")


def test_only_a_completed_job_has_a_completion_time() -> None:
    work = job("j", "works:1")
    complete = job_status(work, tally([], work), (Notice("Complete", "True", "r", "m"),), NOW)
    failed = job_status(work, tally([pod()], work), (Notice("Failed", "True", "r", "m"),), NOW)
    assert complete["completionTime"] == "2026-01-01T00:00:00Z"
    assert (failed["completionTime"], failed["active"], failed["failed"]) == (None, None, 1)
    assert complete["conditions"][0]["lastProbeTime"] == "2026-01-01T00:00:00Z"

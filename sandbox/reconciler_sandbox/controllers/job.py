"""Runs Jobs to completion: a new pod per failure, a back-off between them, limits in number and time.

Indexed completion and pod failure policies are not offered: such a Job fails at once and says so.
"""

from collections.abc import Sequence
from datetime import datetime

from reconciler_sandbox.client import ApiClient
from reconciler_sandbox.controllers.events import Recorder
from reconciler_sandbox.controllers.loop import Trigger
from reconciler_sandbox.controllers.objects import (
    Key,
    Manifest,
    collection,
    is_controlled_by,
    is_deleting,
    key_of,
    name_of,
    now,
    one,
    reference_to,
    timestamp,
    uid_of,
)
from reconciler_sandbox.controllers.progress import Notice, merged
from reconciler_sandbox.controllers.replicaset import pod_from
from reconciler_sandbox.controllers.tally import Tally, finished_at, outcome, pause_before_next, tally, until_deadline, wanted_pods
from reconciler_sandbox.controllers.workload import JOB, PODS


class JobController:
    """One pass: count, judge, create or delete pods, write the status."""

    name = "job-controller"

    def __init__(self, client: ApiClient, backoff: float) -> None:
        """`backoff` is the wait in seconds after the first failure; it doubles with each further one."""
        self._client = client
        self._backoff = backoff
        self._events = Recorder(client, self.name)

    def triggers(self) -> Sequence[Trigger]:
        """Jobs, and pods through their owner."""
        return (
            JOB.itself(),
            JOB.owner_of(PODS),
        )

    async def reconcile(self, key: Key) -> float | None:
        """Bring a Job closer to its end."""
        job = await self._client.get(one(JOB.resource, key))
        if job is None or is_deleting(job):
            return None
        if finished_at(job) is not None:
            return await self._expire(job)
        listed = await self._client.list(collection(PODS, key.namespace))
        count = tally([pod for pod in listed if is_controlled_by(pod, uid_of(job))], job)
        moment = now()
        verdict = outcome(job, count, moment)
        if verdict is not None:
            return await self._end(job, count, verdict, moment)
        if job["spec"].get("suspend"):
            return await self._suspend(job, count, moment)
        return await self._run(job, count, moment)

    async def _run(self, job: Manifest, count: Tally, moment: datetime) -> float | None:
        wait = pause_before_next(count, self._backoff, moment)
        missing = wanted_pods(job, count) - len(count.active)
        for pod in count.active[missing:] if missing < 0 else ():
            await self._client.delete(one(PODS, key_of(pod)))
        created = 0
        while wait <= 0 and created < missing:
            await self._create_pod(job)
            created += 1
        await self._write_status(job, count, _resumed(job), moment)
        waits = [until_deadline(job, moment), wait if missing > 0 and wait > 0 else None]
        return min((delay for delay in waits if delay is not None), default=None)

    async def _create_pod(self, job: Manifest) -> None:
        template = job["spec"]["template"]
        metadata = template.get("metadata") or {}
        labels = {"controller-uid": uid_of(job), "job-name": name_of(job), **(metadata.get("labels") or {})}
        body = {**template, "metadata": {**metadata, "labels": labels}}
        namespace = job["metadata"]["namespace"]
        pod = pod_from(body, namespace, f"{name_of(job)}-", reference_to(job, JOB.api_version, JOB.kind))
        created = await self._client.create(collection(PODS, namespace), pod)
        await self._events.normal(JOB.subject(job), "SuccessfulCreate", f"Created pod: {name_of(created)}")

    async def _end(self, job: Manifest, count: Tally, verdict: Notice, moment: datetime) -> float | None:
        for pod in count.active:
            await self._client.delete(one(PODS, key_of(pod)))
        await self._write_status(job, count, (verdict,), moment)
        if verdict.type == "Complete":
            await self._events.normal(JOB.subject(job), "Completed", "Job completed")
        else:
            await self._events.warning(JOB.subject(job), verdict.reason, verdict.message)
        return None

    async def _suspend(self, job: Manifest, count: Tally, moment: datetime) -> float | None:
        for pod in count.active:
            await self._client.delete(one(PODS, key_of(pod)))
        await self._write_status(job, count, (Notice("Suspended", "True", "JobSuspended", "Job suspended"),), moment)
        return None

    async def _expire(self, job: Manifest) -> float | None:
        lifetime = job["spec"].get("ttlSecondsAfterFinished")
        end = finished_at(job)
        if lifetime is None or end is None:
            return None
        left = float(lifetime) - (now() - end).total_seconds()
        if left > 0:
            return left
        await self._client.delete(one(JOB.resource, key_of(job)), propagationPolicy="Background")
        return None

    async def _write_status(self, job: Manifest, count: Tally, notices: Sequence[Notice], moment: datetime) -> None:
        await JOB.write_status(self._client, job, job_status(job, count, notices, moment))


def job_status(job: Manifest, count: Tally, notices: Sequence[Notice], moment: datetime) -> Manifest:
    """The status as a merge patch; a finished Job counts no active pod, and only a completed one has a completion time."""
    written = job.get("status") or {}
    types = {notice.type for notice in notices if notice.status == "True"}
    over = bool(types & {"Complete", "Failed"})
    active = 0 if over or "Suspended" in types else len(count.active)
    conditions = [_as_job_condition(c) for c in merged(written.get("conditions") or [], notices, moment)]
    return {
        "active": active or None,
        "ready": count.ready if active else 0,
        "succeeded": count.succeeded or None,
        "failed": count.failed + (len(count.active) if "Failed" in types else 0) or None,
        "startTime": None if "Suspended" in types else written.get("startTime") or timestamp(moment),
        "completionTime": timestamp(moment) if "Complete" in types else written.get("completionTime"),
        "conditions": conditions or None,
    }


def _as_job_condition(condition: Manifest) -> Manifest:
    """Jobs call the time of the last look `lastProbeTime`."""
    renamed = {name: value for name, value in condition.items() if name != "lastUpdateTime"}
    renamed.setdefault("lastProbeTime", condition.get("lastUpdateTime"))
    return renamed


def _resumed(job: Manifest) -> tuple[Notice, ...]:
    conditions = (job.get("status") or {}).get("conditions") or ()
    if any(c["type"] == "Suspended" and c["status"] == "True" for c in conditions):
        return (Notice("Suspended", "False", "JobResumed", "Job resumed"),)
    return ()

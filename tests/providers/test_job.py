"""Jobs as measurements, against a real API in process (contract 7.3)."""

from dataclasses import replace
from datetime import timedelta

import pytest

from reconciler.analysis.model import Measurement, RunPhase
from reconciler.analysis.provider import MeasurementTask
from reconciler.kernel.identity import Manifest
from reconciler.kernel.resources import JOBS, PODS
from reconciler.providers.job import Job, job_manifest, job_name
from tests.kit.analysis import NOW, task
from tests.kit.clusters import NAMESPACE, Api, api

POD: Manifest = {"restartPolicy": "Never", "containers": [{"name": "c", "image": "i"}]}
JOB: Manifest = {"metadata": {"labels": {"team": "blue"}, "annotations": {"x": "y"}}, "spec": {"template": {"spec": POD}}}


def asked(**changes: object) -> MeasurementTask:
    return task("job", {**JOB, **changes})


async def end(kubernetes: Api, kind: str, message: str = "") -> None:
    job = await kubernetes.client.get(JOBS, NAMESPACE, "u-1.m.1")
    before = {"Complete": "SuccessCriteriaMet", "Failed": "FailureTarget"}[kind]
    stamp = {"startTime": "2026-11-25T12:00:00Z"}
    completed = {"completionTime": "2026-11-25T12:00:01Z", "succeeded": 1} if kind == "Complete" else {}
    conditions = [{"type": name, "status": "True", "message": message} for name in (before, kind)]
    await kubernetes.client.replace(JOBS, {**job, "status": {**stamp, **completed, "conditions": conditions}}, subresource="status")


async def test_a_job_is_started_and_watched() -> None:
    async with api() as kubernetes:
        found = await Job(kubernetes.client).run(asked())
        job = await kubernetes.client.get(JOBS, NAMESPACE, "u-1.m.1")
    assert (found.phase, found.resume_at, found.finished) == ("Running", NOW, None)
    assert found.metadata == {"job-name": "u-1.m.1", "job-namespace": NAMESPACE}
    assert job["metadata"]["labels"]["analysisrun.argoproj.io/uid"] == "u-1" and job["metadata"]["labels"]["team"] == "blue"
    annotations = job["metadata"]["annotations"]
    assert annotations["analysisrun.argoproj.io/name"] == "check" and annotations["analysisrun.argoproj.io/metric-name"] == "m"
    assert job["metadata"]["ownerReferences"][0]["uid"] == "u-1"
    assert job["spec"]["template"]["metadata"]["labels"]["analysisrun.argoproj.io/uid"] == "u-1"


@pytest.mark.parametrize(("kind", "phase"), [("Complete", "Successful"), ("Failed", "Failed")])
async def test_its_end_is_the_answer_whatever_the_conditions_say(kind: str, phase: str) -> None:
    async with api() as kubernetes:
        job = Job(kubernetes.client)
        started = await job.run(asked())
        await end(kubernetes, kind)
        found = await job.resume(replace(asked(), metric=replace(asked().metric, success_condition="false")), started)
    assert (found.phase, found.finished, found.resume_at) == (phase, NOW, None)


async def test_the_longer_it_runs_the_less_often_it_is_looked_at() -> None:
    async with api() as kubernetes:
        job = Job(kubernetes.client)
        started = await job.run(asked())
        later = replace(asked(), now=NOW + timedelta(seconds=50))
        assert (await job.resume(later, started)).resume_at == later.now + timedelta(seconds=10)


async def test_an_image_that_cannot_be_pulled_is_inconclusive() -> None:
    async with api() as kubernetes:
        job = Job(kubernetes.client)
        started = await job.run(asked())
        waiting = {"reason": "ImagePullBackOff", "message": "back-off"}
        pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p", "namespace": NAMESPACE, "labels": {"job-name": "u-1.m.1"}}}
        created = await kubernetes.client.create(PODS, {**pod, "spec": POD})
        statuses = [{"name": "c", "image": "i", "imageID": "", "ready": False, "restartCount": 0, "state": {"waiting": waiting}}]
        await kubernetes.client.replace(PODS, {**created, "status": {"containerStatuses": statuses}}, subresource="status")
        found = await job.resume(asked(), started)
    assert (found.phase, found.message) == ("Inconclusive", "Pod p, container c has terminal error (ImagePullBackOff): back-off")


async def fail(kubernetes: Api, terminated: Manifest) -> None:
    """The Job's pod ended like this, and the Job with it."""
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p", "namespace": NAMESPACE, "labels": {"job-name": "u-1.m.1"}}}
    created = await kubernetes.client.create(PODS, {**pod, "spec": POD})
    state = {"terminated": terminated}
    statuses = [{"name": "c", "image": "i", "imageID": "", "ready": False, "restartCount": 0, "state": state}]
    await kubernetes.client.replace(PODS, {**created, "status": {"containerStatuses": statuses}}, subresource="status")
    await end(kubernetes, "Failed", "Job has reached the specified backoff limit")


@pytest.mark.parametrize(
    ("terminated", "words"),
    [
        ({"exitCode": 3, "reason": "Error"}, "container c exited with 3 (Error)"),
        ({"exitCode": 137, "reason": "OOMKilled"}, "container c exited with 137 (OOMKilled)"),
        (
            {"exitCode": 1, "reason": "Error", "message": "7 of 9 checks failed\n"},
            "container c exited with 1 (Error): 7 of 9 checks failed",
        ),
    ],
)
async def test_a_failed_job_tells_how_its_container_ended(terminated: Manifest, words: str) -> None:
    async with api() as kubernetes:
        job = Job(kubernetes.client)
        started = await job.run(asked())
        await fail(kubernetes, terminated)
        found = await job.resume(asked(), started)
    assert (found.phase, found.message) == ("Failed", f"Job has reached the specified backoff limit: {words}")


async def test_only_the_end_of_what_a_container_left_is_told() -> None:
    async with api() as kubernetes:
        job = Job(kubernetes.client)
        started = await job.run(asked())
        await fail(kubernetes, {"exitCode": 1, "reason": "Error", "message": "x" * 4000 + "the end"})
        found = await job.resume(asked(), started)
    assert found.message.endswith("xthe end") and len(found.message) < 1200


async def test_a_job_that_is_already_there_is_ours_or_an_error() -> None:
    async with api() as kubernetes:
        job = Job(kubernetes.client)
        assert await job.run(asked()) == await job.run(asked())
        stranger = job_manifest(asked(), "")
        foreign = {"apiVersion": "v1", "kind": "ConfigMap", "name": "o", "uid": "other", "controller": True}
        await kubernetes.client.create(
            JOBS, {**stranger, "metadata": {**stranger["metadata"], "name": "u-1.m.2", "ownerReferences": [foreign]}}
        )
        found = await job.run(replace(asked(), number=2))
    assert (found.phase, found.message) == ("Error", "job u-1.m.2 already exists and belongs to somebody else")


async def test_a_job_that_vanished_is_an_error() -> None:
    async with api() as kubernetes:
        found = await Job(kubernetes.client).resume(asked(), Measurement(phase=RunPhase.RUNNING))
    assert found.phase == "Error" and found.finished == NOW and found.message.startswith("job u-1.m.1 cannot be read")


async def test_a_job_that_is_told_to_end_is_deleted() -> None:
    async with api() as kubernetes:
        job = Job(kubernetes.client)
        found = await job.terminate(asked(), await job.run(asked()))
        left = await kubernetes.client.find(JOBS, NAMESPACE, "u-1.m.1")
    assert (found.phase, found.message, found.finished) == ("Inconclusive", "Metric Terminated", NOW)
    assert left is None or left["metadata"].get("deletionTimestamp")


@pytest.mark.parametrize("config", [{"spec": "x"}, {"spec": {"template": []}}, {"metadata": {"labels": 3}}, {"spec": {}}])
async def test_a_job_that_cannot_be_one_is_an_error(config: Manifest) -> None:
    async with api() as kubernetes:
        found = await Job(kubernetes.client).run(asked(**config))
    assert found.phase == "Error" and found.message


async def test_in_a_namespace_of_its_own_a_job_has_a_label_but_no_owner() -> None:
    async with api() as kubernetes:
        job = Job(kubernetes.client, "reconciler")
        first, second = await job.run(asked()), await job.run(asked())
        found = await kubernetes.client.get(JOBS, "reconciler", "u-1.m.1")
    assert first == second and first.metadata["job-namespace"] == "reconciler"
    assert "ownerReferences" not in found["metadata"]


def test_a_name_is_never_longer_than_a_label_may_be() -> None:
    long = replace(asked(), metric=replace(asked().metric, name="m" * 80), number=12)
    assert job_name(long) == f"u-1.{'m' * 56}.12" and len(job_name(long)) == 63


@pytest.mark.parametrize(
    ("container", "policy"),
    [
        ({}, "FallbackToLogsOnError"),
        ({"terminationMessagePolicy": "File"}, "File"),
        ({"terminationMessagePath": "/tmp/said"}, None),
    ],
)
def test_a_container_leaves_the_end_of_its_log_unless_it_says_otherwise(container: Manifest, policy: str | None) -> None:
    pod = {"restartPolicy": "Never", "initContainers": [container], "containers": [container]}
    spec = job_manifest(task("job", {"spec": {"template": {"spec": pod}}}), "")["spec"]["template"]["spec"]
    assert [one.get("terminationMessagePolicy") for one in (*spec["initContainers"], *spec["containers"])] == [policy, policy]
    assert spec["restartPolicy"] == "Never" and "terminationMessagePolicy" not in pod


@pytest.mark.parametrize("pod", [None, 3, {"containers": None}, {"containers": ["c", None]}])
def test_a_pod_that_is_none_is_for_the_api_server_to_refuse(pod: object) -> None:
    assert job_manifest(task("job", {"spec": {"template": {"spec": pod}}}), "")["spec"]["template"].get("spec") == pod

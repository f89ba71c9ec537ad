"""A Kubernetes Job as a measurement: its end is the answer (contract 7.3)."""

import math
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any, ClassVar

from reconciler.analysis.cleanup import jobs_to_delete
from reconciler.analysis.model import RUN_METRIC, RUN_NAME, RUN_NAMESPACE, RUN_UID_LABEL, Measurement, RunPhase
from reconciler.analysis.provider import JOB_NAME, JOB_NAMESPACE, MeasurementTask, ended
from reconciler.kernel.errors import Transient
from reconciler.kernel.fields import Fields
from reconciler.kernel.identity import Manifest, ObjectRef, controller_uid, labels_of, name_of, namespace_of, uid_of
from reconciler.kernel.plan import Action, Remove
from reconciler.kernel.problem import InvalidField, Problem, required
from reconciler.kernel.resources import ANALYSIS_RUNS, JOBS, PODS
from reconciler.kernel.shapes import Shapes
from reconciler.kube.client import Client
from reconciler.kube.errors import AlreadyExists, ApiError
from reconciler.providers.answers import failed

LONGEST_NAME = 63
LONGEST_WORDS = 1_000
HOPELESS = frozenset({"ErrImagePull", "ImagePullBackOff", "InvalidImageName"})


class Job:
    """Starts one Job a measurement, beside the run or in a namespace of its own, where only a label tells whose it is."""

    shapes: ClassVar[Shapes] = {"job": "metadata:Metadata spec:JobSpec", "JobSpec": "template:Template ..."}

    def __init__(self, client: Client, namespace: str = "") -> None:
        self._client = client
        self._namespace = namespace

    async def run(self, task: MeasurementTask) -> Measurement:
        """Create the Job, or find the one that a pass cut off before created: its name follows from the run."""
        try:
            job = job_manifest(task, self._namespace)
        except InvalidField as error:
            return failed(task, error)
        try:
            await self._client.create(JOBS, job)
        except AlreadyExists:
            existing = await self._client.find(JOBS, self._place(task), name_of(job))
            if existing is None or not _ours(existing, task):
                return failed(task, f"job {name_of(job)} already exists and belongs to somebody else")
        except Transient:
            raise
        except ApiError as error:
            return failed(task, f"job {name_of(job)} cannot be created: {error.message}")
        metadata = {JOB_NAME: name_of(job), JOB_NAMESPACE: self._place(task)}
        return Measurement(phase=RunPhase.RUNNING, started=task.now, resume_at=task.now, metadata=metadata)

    async def resume(self, task: MeasurementTask, measurement: Measurement) -> Measurement:
        name, namespace = self._job_of(task, measurement)
        try:
            job = await self._client.get(JOBS, namespace, name)
            phase, message = _outcome(job)
            if phase is None:
                phase, message = await self._stuck(name, namespace)
            elif phase is RunPhase.FAILED:
                message = ": ".join(words for words in (message, await self._last_words(name, namespace)) if words)
        except Transient:
            raise
        except ApiError as error:
            phase, message = RunPhase.ERROR, f"job {name} cannot be read: {error.message}"
        if phase is None:
            return replace(measurement, resume_at=task.now + _pause(task, measurement))
        return replace(measurement, phase=phase, message=message, finished=task.now, resume_at=None)

    async def terminate(self, task: MeasurementTask, measurement: Measurement) -> Measurement:
        name, namespace = self._job_of(task, measurement)
        try:
            await self._client.delete(ObjectRef(JOBS, namespace, name), propagation="Foreground")
        except Transient:
            raise
        except ApiError as error:
            return replace(ended(task, measurement), message=f"job {name} cannot be deleted: {error.message}")
        return ended(task, measurement)

    @staticmethod
    def problems(config: Manifest) -> Iterator[Problem]:
        try:
            if not Fields("job", config).under("spec").has("template"):
                yield required("job.spec.template", "the pod that measures")
        except InvalidField as error:
            yield error.problem

    async def sweep(self, run: Manifest, measurements: Iterable[Measurement], kept: int) -> tuple[Action, ...]:
        """Asks uncached: the newest Job is younger than any informer's knowledge."""
        places = sorted({m.metadata[JOB_NAMESPACE] for m in measurements if JOB_NAMESPACE in m.metadata})
        label = f"{RUN_UID_LABEL}={uid_of(run)}"
        jobs = [job for place in places for job in await self._client.list(JOBS, place, labels=label)]
        return tuple(Remove(ObjectRef(JOBS, namespace_of(job), name_of(job)), uid_of(job)) for job in jobs_to_delete(jobs, kept))

    def _place(self, task: MeasurementTask) -> str:
        return self._namespace or task.namespace

    def _job_of(self, task: MeasurementTask, measurement: Measurement) -> tuple[str, str]:
        metadata = measurement.metadata
        return metadata.get(JOB_NAME) or job_name(task), metadata.get(JOB_NAMESPACE) or self._place(task)

    async def _stuck(self, name: str, namespace: str) -> tuple[RunPhase | None, str]:
        """True when the Job's pod will never run, because an image cannot be pulled."""
        pods = await self._client.list(PODS, namespace, labels=f"job-name={name}")
        words = next((words for pod in pods for words in _hopeless(pod)), None)
        return (None, "") if words is None else (RunPhase.INCONCLUSIVE, words)

    async def _last_words(self, name: str, namespace: str) -> str:
        """How the Job's containers ended, the latest pod's first failure: its code, its reason and what it left behind to read."""
        try:
            pods = await self._client.list(PODS, namespace, labels=f"job-name={name}")
        except ApiError:
            # Without the right to see pods the verdict stands, only shorter.
            return ""
        newest = sorted(pods, key=lambda pod: str(pod["metadata"].get("creationTimestamp") or ""), reverse=True)
        return next((words for pod in newest for words in _failures(pod)), "")


def job_name(task: MeasurementTask) -> str:
    """`<run uid>.<metric>.<number>`; the metric's name gives way when that is longer than a label may be."""
    uid, number = uid_of(task.run), str(task.number)
    room = LONGEST_NAME - len(uid) - len(number) - 2
    return f"{uid}.{task.metric.name[: max(room, 0)]}.{number}"


def job_manifest(task: MeasurementTask, namespace: str) -> Manifest:
    """The Job of one measurement; in a namespace of its own it has no owner (contract 7.3)."""
    config = Fields("job", task.metric.config)
    wanted = config.under("metadata")
    label = {RUN_UID_LABEL: uid_of(task.run)}
    marks = {RUN_NAME: name_of(task.run), RUN_NAMESPACE: task.namespace, RUN_METRIC: task.metric.name}
    metadata: Manifest = {
        "name": job_name(task),
        "namespace": namespace or task.namespace,
        "labels": {**wanted.under("labels").raw, **label},
        "annotations": {**wanted.under("annotations").raw, **marks},
    }
    if not namespace:
        metadata["ownerReferences"] = [_owner(task.run)]
    return {"apiVersion": JOBS.api_version, "kind": JOBS.kind, "metadata": metadata, "spec": _labelled(config.under("spec"), label)}


def _owner(run: Manifest) -> Manifest:
    return {
        "apiVersion": ANALYSIS_RUNS.api_version,
        "kind": ANALYSIS_RUNS.kind,
        "name": name_of(run),
        "uid": uid_of(run),
        "controller": True,
        "blockOwnerDeletion": True,
    }


def _labelled(spec: Fields, label: dict[str, str]) -> Manifest:
    template = spec.under("template")
    metadata = template.under("metadata")
    marked = {**metadata.raw, "labels": {**metadata.under("labels").raw, **label}}
    pod = template.raw.get("spec")
    telling = {"spec": _telling(pod)} if isinstance(pod, dict) else {}
    return {**spec.raw, "template": {**template.raw, **telling, "metadata": marked}}


def _telling(pod: Manifest) -> Manifest:
    """The pod whose containers leave the end of their log where they fail, unless they say otherwise: no right to logs is needed."""
    listed = {name: pod[name] for name in ("initContainers", "containers") if isinstance(pod.get(name), list)}
    return {**pod, **{name: [_leaving(one) for one in containers] for name, containers in listed.items()}}


def _leaving(container: Any) -> Any:
    said = not isinstance(container, dict) or any(container.get(name) for name in ("terminationMessagePolicy", "terminationMessagePath"))
    return container if said else {**container, "terminationMessagePolicy": "FallbackToLogsOnError"}


def _ours(job: Manifest, task: MeasurementTask) -> bool:
    owner = controller_uid(job)
    return owner == uid_of(task.run) if owner else labels_of(job).get(RUN_UID_LABEL) == uid_of(task.run)


def _outcome(job: Manifest) -> tuple[RunPhase | None, str]:
    """How a Job ended, None while it runs; its own message for a failure."""
    for condition in (job.get("status") or {}).get("conditions") or []:
        if condition.get("status") != "True":
            continue
        if condition.get("type") == "Complete":
            return RunPhase.SUCCESSFUL, ""
        if condition.get("type") == "Failed":
            return RunPhase.FAILED, str(condition.get("message") or "")
    return None, ""


def _failures(pod: Manifest) -> Iterator[str]:
    """Every container that ended badly, in words; its message is what it wrote, or else the end of its log (`_telling`)."""
    for container in _containers(pod):
        ended = (container.get("state") or {}).get("terminated") or {}
        if ended.get("exitCode"):
            left = str(ended.get("message") or "").strip()[-LONGEST_WORDS:]
            words = f"container {container.get('name')} exited with {ended['exitCode']} ({ended.get('reason', 'Error')})"
            yield f"{words}: {left}" if left else words


def _containers(pod: Manifest) -> tuple[Manifest, ...]:
    status = pod.get("status") or {}
    return (*(status.get("initContainerStatuses") or []), *(status.get("containerStatuses") or []))


def _hopeless(pod: Manifest) -> Iterator[str]:
    for container in _containers(pod):
        waiting = (container.get("state") or {}).get("waiting") or {}
        if waiting.get("reason") in HOPELESS:
            place = f"Pod {name_of(pod)}, container {container.get('name')}"
            yield f"{place} has terminal error ({waiting['reason']}): {waiting.get('message', '')}"


def _pause(task: MeasurementTask, measurement: Measurement) -> timedelta:
    """The longer a Job runs, the less often it is looked at; its events come anyway (contract 7.3)."""
    elapsed = max((task.now - (measurement.started or task.now)).total_seconds(), 1.0)
    return timedelta(seconds=math.sqrt(2 * elapsed))

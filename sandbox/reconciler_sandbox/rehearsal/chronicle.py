"""Writes down what happens in a cluster, change by change: the timeline in words, pods by version, measurements.

It is told of every change by an API server's store, in virtual time and in real time alike.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from reconciler_sandbox.apiserver.store import Collection, Entry
from reconciler_sandbox.rehearsal.record import Measured, Pods
from reconciler_sandbox.rehearsal.recorder import measured_in

Manifest = dict[str, Any]
HASH = "rollouts-pod-template-hash"


@dataclass(frozen=True, slots=True)
class Moment:
    """One line of the timeline."""

    at: float
    subject: str
    text: str

    def __str__(self) -> str:
        return f"{clock_words(self.at)}  {self.subject:<24} {self.text}"


def clock_words(at: float) -> str:
    """Seconds as `1:02:03`."""
    hours, rest = divmod(int(at), 3600)
    return f"{hours}:{rest // 60:02}:{rest % 60:02}"


@dataclass(slots=True)
class Chronicle:
    """What was seen so far; `clock` says the seconds since the beginning."""

    clock: Callable[[], float]
    moments: list[Moment] = field(default_factory=list)
    pods: list[Pods] = field(default_factory=list)
    images: dict[str, str] = field(default_factory=dict)
    """The image of each version, by pod hash."""
    owners: dict[str, str] = field(default_factory=dict)
    """The workload of each version, as namespace/name, by pod hash."""
    ever: dict[str, Manifest] = field(default_factory=dict)
    """Every AnalysisRun and Release that was there once, as it was last, by UID."""
    last: dict[str, str] = field(default_factory=dict)

    @property
    def measured(self) -> list[Measured]:
        """Every metric of every run, in the order the runs began."""
        runs = [found for found in self.ever.values() if found.get("kind") == "AnalysisRun"]
        return [metric for run in sorted(runs, key=_age) for metric in measured_in(run)]

    def hear(self, collection: Collection, kind: str, entry: Entry) -> None:
        """A change of the store."""
        manifest = entry.manifest
        if collection.plural in ("analysisruns", "releases"):
            self.ever[manifest["metadata"]["uid"]] = manifest
        if collection.plural in WORDS:
            name = manifest["metadata"]["name"]
            self.note(name, "is gone" if kind == "DELETED" else WORDS[collection.plural](manifest), key=f"{collection.plural} {name}")
        if collection.plural == "replicasets":
            self._count(manifest, gone=kind == "DELETED")

    def note(self, subject: str, text: str, *, key: str) -> None:
        """A line of the timeline, unless the same was said last under this key."""
        if text and self.last.get(key) != text:
            self.last[key] = text
            self.moments.append(Moment(self.clock(), subject, text))

    def _count(self, manifest: Manifest, *, gone: bool) -> None:
        version = str((manifest["metadata"].get("labels") or {}).get(HASH, ""))
        if not version:
            return
        containers = manifest["spec"]["template"]["spec"].get("containers") or ()
        self.images[version] = next((str(one.get("image", "")) for one in containers), "")
        owner = next((str(one.get("name")) for one in manifest["metadata"].get("ownerReferences") or ()), "")
        self.owners[version] = f"{manifest['metadata'].get('namespace', '')}/{owner}"
        available = 0 if gone else int((manifest.get("status") or {}).get("availableReplicas", 0))
        wanted = 0 if gone else int(manifest["spec"].get("replicas", 0))
        if next(((one.available, one.wanted) for one in reversed(self.pods) if one.version == version), (0, 0)) != (available, wanted):
            self.pods.append(Pods(self.clock(), version, available, wanted))


def _age(manifest: Manifest) -> str:
    return str(manifest["metadata"].get("creationTimestamp", ""))


def _of_rollout(manifest: Manifest) -> str:
    status = manifest.get("status") or {}
    step = status.get("currentStepIndex")
    parts = [str(status.get("phase", "")), f"step {step}" if step is not None else "", str(status.get("message") or "")]
    return " · ".join(part for part in parts if part)


def _of_replica_set(manifest: Manifest) -> str:
    status = manifest.get("status") or {}
    return f"{status.get('availableReplicas', 0)} of {manifest['spec'].get('replicas', 0)} pods available"


def _of_run(manifest: Manifest) -> str:
    status = manifest.get("status") or {}
    results = status.get("metricResults") or ()
    values = [f"{r.get('name')}={m.get('value', m.get('message', ''))}" for r in results for m in (r.get("measurements") or ())[-1:]]
    return " ".join((str(status.get("phase") or "Pending"), *values))


def _of_release(manifest: Manifest) -> str:
    status = manifest.get("status") or {}
    restore = status.get("restore") or {}
    way = f"Git: {restore.get('state')}" if restore else ""
    parts = (status.get("phase"), status.get("verdict"), status.get("reason"), way, restore.get("message"))
    return " · ".join(str(part) for part in parts if part)


WORDS: Mapping[str, Callable[[Manifest], str]] = {
    "rollouts": _of_rollout,
    "replicasets": _of_replica_set,
    "analysisruns": _of_run,
    "releases": _of_release,
}

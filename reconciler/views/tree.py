"""The tree a person looks at: revisions of a Rollout, their ReplicaSets, pods and analysis runs (contract 11.2)."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from reconciler.kernel.identity import Manifest, annotations_of, controller_uid, labels_of, name_of, uid_of
from reconciler.kernel.well_known import HASH_LABEL as HASH
from reconciler.kernel.well_known import WORKLOAD_GENERATION
from reconciler.releases.override import overridden

REVISION = "rollout.argoproj.io/revision"
DEADLINE = "scale-down-deadline"


@dataclass(frozen=True, slots=True)
class TreeNode:
    """One line of the tree: what it is, how it stands, what else to know, and what hangs below."""

    kind: str
    name: str
    status: str
    details: tuple[str, ...] = ()
    children: tuple["TreeNode", ...] = field(default=())


@dataclass(frozen=True, slots=True)
class Family:
    """A Rollout and everything it owns."""

    rollout: Manifest
    replica_sets: Sequence[Manifest]
    pods: Sequence[Manifest]
    runs: Sequence[Manifest]
    namespace: Manifest | None = None
    """The Namespace it lives in; None when we may not read it."""
    experiments: Sequence[Manifest] = ()
    """Experiments of the Rollout."""
    tried: Sequence[Manifest] = ()
    """ReplicaSets of experiments."""
    tried_runs: Sequence[Manifest] = ()
    """AnalysisRuns of experiments."""


def tree(family: Family) -> TreeNode:
    """The Rollout with its revisions, newest first."""
    revisions = sorted({_revision(o) for o in (*family.replica_sets, *family.experiments, *family.runs)}, reverse=True)
    children = tuple(_revision_node(family, revision) for revision in revisions)
    phase, message = phase_of(family.rollout)
    return TreeNode("Rollout", name_of(family.rollout), phase, (message,) if message else (), children)


def phase_of(rollout: Manifest) -> tuple[str, str]:
    """Phase and message as every client shows them: what the controller has not looked at yet is Progressing (contract 3.4)."""
    status, metadata = rollout.get("status") or {}, rollout["metadata"]
    observed, generation = str(status.get("observedGeneration") or ""), int(metadata.get("generation") or 0)
    if observed.isdigit() and int(observed) < generation:
        return "Progressing", "waiting for rollout spec update to be observed"
    if status.get("controllerPause") and not status.get("pauseConditions"):
        return "Progressing", "waiting for rollout to unpause"
    borrowed = annotations_of(rollout).get(WORKLOAD_GENERATION)
    if rollout["spec"].get("workloadRef") and borrowed and borrowed != str(status.get("workloadObservedGeneration") or ""):
        return "Progressing", "waiting for rollout spec update to be observed for the reference workload"
    return str(status.get("phase") or "Progressing"), str(status.get("message") or "")


def facts(family: Family) -> dict[str, Any]:
    """What stands above the tree: strategy, phase, step, weights, images and counts."""
    rollout, status = family.rollout, family.rollout.get("status") or {}
    spec = rollout["spec"]
    strategy = spec.get("strategy") or {}
    steps, most = canary_steps(rollout), _most(rollout)
    phase, message = phase_of(rollout)
    return {
        "name": name_of(rollout),
        "namespace": rollout["metadata"].get("namespace", ""),
        "strategy": "Canary" if "canary" in strategy else "BlueGreen",
        "phase": phase,
        "message": message,
        "step": f"{status.get('currentStepIndex', 0)}/{len(steps)}" if steps else "",
        "setWeight": _set_weight(steps, status, most),
        "actualWeight": _actual_weight(family, status, most),
        "images": _images(family, status),
        "replicas": {
            "desired": spec.get("replicas", 1),
            "current": status.get("replicas", 0),
            "updated": status.get("updatedReplicas", 0),
            "ready": status.get("readyReplicas", 0),
            "available": status.get("availableReplicas", 0),
        },
        "release": annotations_of(rollout).get("reconciler.dev/release", ""),
        "override": overridden(rollout),
    }


def canary_steps(rollout: Manifest) -> list[Manifest]:
    """The steps of a canary; none of any other strategy."""
    return list(((rollout["spec"].get("strategy") or {}).get("canary") or {}).get("steps") or [])


def _most(rollout: Manifest) -> int:
    """What a router counts as everybody: 100 unless the canary says otherwise."""
    routing = ((rollout["spec"].get("strategy") or {}).get("canary") or {}).get("trafficRouting") or {}
    return int(routing.get("maxTrafficWeight") or 100)


def _revision_node(family: Family, revision: int) -> TreeNode:
    sets = [rs for rs in family.replica_sets if _revision(rs) == revision]
    runs = [run for run in family.runs if _revision(run) == revision]
    trials = [_experiment_node(family, trial) for trial in family.experiments if _revision(trial) == revision]
    children = (*[_replica_set_node(family, rs) for rs in sets], *trials, *[_run_node(run) for run in runs])
    return TreeNode("Revision", f"revision {revision}", "", (), children)


def _experiment_node(family: Family, experiment: Manifest) -> TreeNode:
    """An experiment with the pods and runs it made."""
    status, uid = experiment.get("status") or {}, uid_of(experiment)
    sets = [_replica_set_node(family, rs) for rs in family.tried if controller_uid(rs) == uid]
    runs = [_run_node(run) for run in family.tried_runs if controller_uid(run) == uid]
    details = (str(status["message"]),) if status.get("message") else ()
    return TreeNode("Experiment", name_of(experiment), str(status.get("phase") or "Pending"), details, (*sets, *runs))


def _replica_set_node(family: Family, replica_set: Manifest) -> TreeNode:
    status = replica_set.get("status") or {}
    wanted, available = int(replica_set["spec"].get("replicas") or 0), int(status.get("availableReplicas") or 0)
    state = "ScaledDown" if wanted == 0 else "Healthy" if available >= wanted else "Progressing"
    delay = annotations_of(replica_set).get(DEADLINE)
    details = (*tags(family.rollout, labels_of(replica_set).get(HASH, "")), *([f"delay until {delay}"] if delay else []))
    pods = tuple(_pod_node(pod) for pod in family.pods if controller_uid(pod) == uid_of(replica_set))
    return TreeNode("ReplicaSet", name_of(replica_set), state, (*details, f"{available}/{wanted}"), pods)


def _pod_node(pod: Manifest) -> TreeNode:
    status = pod.get("status") or {}
    containers = status.get("containerStatuses") or []
    ready = sum(1 for c in containers if c.get("ready"))
    waiting = next((w.get("reason") for c in containers if (w := (c.get("state") or {}).get("waiting"))), None)
    restarts = sum(int(c.get("restartCount") or 0) for c in containers)
    state = "Terminating" if pod["metadata"].get("deletionTimestamp") else str(waiting or status.get("phase") or "Pending")
    return TreeNode("Pod", name_of(pod), state, (f"ready {ready}/{len(containers)}", *([f"restarts {restarts}"] if restarts else [])))


def _run_node(run: Manifest) -> TreeNode:
    status = run.get("status") or {}
    counts = [_counts(result) for result in status.get("metricResults") or []]
    return TreeNode("AnalysisRun", name_of(run), str(status.get("phase") or "Pending"), tuple(counts))


def _counts(result: Manifest) -> str:
    marks = (("✔", "successful"), ("✖", "failed"), ("?", "inconclusive"), ("⚠", "error"))
    shown = [f"{mark} {result[key]}" for mark, key in marks if result.get(key)]
    return f"{result.get('name')} {', '.join(shown) or 'not measured yet'}"


def tags(rollout: Manifest, pod_hash: str) -> tuple[str, ...]:
    """Which roles a ReplicaSet plays: stable, canary, active, preview, ping, pong (contract 11.2)."""
    status = rollout.get("status") or {}
    blue_green = status.get("blueGreen") or {}
    roles = (
        (
            "canary",
            "canary" in (rollout["spec"].get("strategy") or {}) and pod_hash == status.get("currentPodHash") != status.get("stableRS"),
        ),
        ("stable", pod_hash == status.get("stableRS")),
        ("active", pod_hash == blue_green.get("activeSelector")),
        ("preview", pod_hash == blue_green.get("previewSelector") != blue_green.get("activeSelector")),
    )
    return (*(name for name, holds in roles if holds), *_side(rollout, pod_hash))


def _side(rollout: Manifest, pod_hash: str) -> tuple[str, ...]:
    """Which of the two Services that take turns leads here: the stable one's turn is on record, the other is the canary's."""
    canary, status = (rollout["spec"].get("strategy") or {}).get("canary") or {}, rollout.get("status") or {}
    if not canary.get("pingPong") or pod_hash not in (status.get("stableRS"), status.get("currentPodHash")):
        return ()
    stable_is_ping = (status.get("canary") or {}).get("stablePingPong") == "ping"
    return ("ping",) if stable_is_ping == (pod_hash == status.get("stableRS")) else ("pong",)


def _set_weight(steps: list[Manifest], status: Manifest, most: int) -> int:
    """The weight asked for at this step (contract 2.1 items 4 to 6)."""
    if status.get("abort"):
        return 0
    index = status.get("currentStepIndex")
    if index is None or index >= len(steps):
        return most
    weights = [step["setWeight"] for step in steps[: index + 1] if "setWeight" in step]
    return int(weights[-1]) if weights else 0


def _actual_weight(family: Family, status: Manifest, most: int) -> int:
    """Everybody once no step is left; else traffic in force with a router, or the share of available pods (contract 11.2)."""
    index = status.get("currentStepIndex")
    if index is None or index >= len(canary_steps(family.rollout)):
        # The version is the stable one by then: the canary's own share is 0 because nobody needs a canary any more.
        return most
    weights = ((status.get("canary") or {}).get("weights") or {}).get("canary")
    if weights:
        return int(weights.get("weight") or 0)
    total = int(status.get("availableReplicas") or 0)
    current = next((rs for rs in family.replica_sets if labels_of(rs).get(HASH) == status.get("currentPodHash")), None)
    available = int(((current or {}).get("status") or {}).get("availableReplicas") or 0)
    return available * most // total if total else 0


def _images(family: Family, status: Manifest) -> list[str]:
    shown: dict[str, list[str]] = {}
    for replica_set in family.replica_sets:
        if not replica_set["spec"].get("replicas"):
            continue
        for image in images_of(replica_set["spec"]["template"]):
            shown.setdefault(image, []).extend(tags(family.rollout, labels_of(replica_set).get(HASH, "")))
    return [f"{image} ({', '.join(dict.fromkeys(roles))})" if roles else image for image, roles in shown.items()]


def images_of(template: Manifest) -> Iterable[str]:
    return [str(c.get("image", "")) for c in (template.get("spec") or {}).get("containers") or []]


def _revision(owned: Manifest) -> int:
    value = annotations_of(owned).get(REVISION, "0")
    return int(value) if value.isdigit() else 0

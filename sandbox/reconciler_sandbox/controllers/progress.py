"""What a Deployment's status says: counters, availability, and whether the rollout moves, is done, or is stuck."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from reconciler_sandbox.controllers.objects import Manifest, condition_of, name_of, seconds_since, timestamp, without_zeros
from reconciler_sandbox.controllers.rolling import Bounds, bounds_of, counted

NO_DEADLINE = 2147483647


@dataclass(frozen=True, slots=True)
class Notice:
    """A condition to write: its type, status, reason and message."""

    type: str
    status: str
    reason: str
    message: str


@dataclass(frozen=True, slots=True)
class Fleet:
    """A Deployment's ReplicaSets: the one of the current template, if any, and the others oldest first."""

    newest: Manifest | None
    old: Sequence[Manifest]

    @property
    def everyone(self) -> list[Manifest]:
        """All of them, oldest first, the newest last."""
        return [*self.old, *([self.newest] if self.newest is not None else [])]


def counters(fleet: Fleet) -> dict[str, int]:
    """The Deployment's counters from its ReplicaSets' statuses."""
    everyone = fleet.everyone
    replicas = counted(everyone, "replicas")
    available = counted(everyone, "availableReplicas")
    return {
        "replicas": replicas,
        "updatedReplicas": counted([fleet.newest], "replicas") if fleet.newest is not None else 0,
        "readyReplicas": counted(everyone, "readyReplicas"),
        "availableReplicas": available,
        "unavailableReplicas": max(0, sum(r["spec"].get("replicas", 1) for r in everyone) - available),
    }


def status_of(deployment: Manifest, fleet: Fleet, notices: Sequence[Notice], moment: datetime) -> Manifest:
    """The status as a merge patch: counters, Available, Progressing and further notices."""
    counts = counters(fleet)
    bounds = bounds_of(deployment)
    news = [*notices]
    if not any(notice.type == "Progressing" for notice in news):
        progress = _progress(deployment, fleet, counts, moment)
        news += [progress] if progress is not None else []
    news.append(_availability(counts["availableReplicas"], bounds))
    status: Manifest = {**without_zeros(counts), "observedGeneration": deployment["metadata"].get("generation", 0)}
    status["conditions"] = merged((deployment.get("status") or {}).get("conditions") or [], news, moment)
    return status


def is_complete(deployment: Manifest, counts: dict[str, int]) -> bool:
    """Whether every wanted pod is of the current template and available, and no other pod is left."""
    wanted = deployment["spec"].get("replicas", 1)
    return bool(counts["updatedReplicas"] == counts["replicas"] == counts["availableReplicas"] == wanted)


def deadline_of(deployment: Manifest) -> int | None:
    """The progress deadline in seconds, if there is one."""
    deadline = deployment["spec"].get("progressDeadlineSeconds", 600)
    return None if deadline is None or deadline >= NO_DEADLINE else int(deadline)


def until_stuck(deployment: Manifest, moment: datetime) -> float | None:
    """In how many seconds the rollout counts as stuck unless it moves; nothing when done, stuck or unwatched."""
    known = condition_of(deployment, "Progressing")
    deadline = deadline_of(deployment)
    if deadline is None or known is None or known["reason"] in {"NewReplicaSetAvailable", "ProgressDeadlineExceeded"}:
        return None
    if deployment["spec"].get("paused"):
        return None
    return max(0.0, deadline - seconds_since(known["lastUpdateTime"], moment)) + 0.1


def pause_notices(deployment: Manifest) -> tuple[Notice, ...]:
    """Says when a Deployment is paused or resumed, so that waiting does not count against its deadline."""
    known = condition_of(deployment, "Progressing")
    if deadline_of(deployment) is None or (known is not None and known["reason"] == "ProgressDeadlineExceeded"):
        return ()
    was_paused = known is not None and known["reason"] == "DeploymentPaused"
    paused = bool(deployment["spec"].get("paused"))
    if paused and not was_paused:
        return (Notice("Progressing", "Unknown", "DeploymentPaused", "Deployment is paused"),)
    if was_paused and not paused:
        return (Notice("Progressing", "Unknown", "DeploymentResumed", "Deployment is resumed"),)
    return ()


def _progress(deployment: Manifest, fleet: Fleet, counts: dict[str, int], moment: datetime) -> Notice | None:
    known = condition_of(deployment, "Progressing")
    deadline = deadline_of(deployment)
    if deadline is None or (known is not None and known["reason"] == "DeploymentPaused" and deployment["spec"].get("paused")):
        return None
    settled = counts["replicas"] == counts["updatedReplicas"] and known is not None and known["reason"] == "NewReplicaSetAvailable"
    if settled:
        return None
    subject = f'ReplicaSet "{name_of(fleet.newest)}"' if fleet.newest is not None else f'Deployment "{name_of(deployment)}"'
    if is_complete(deployment, counts):
        return Notice("Progressing", "True", "NewReplicaSetAvailable", f"{subject} has successfully progressed.")
    if _moved(deployment.get("status") or {}, counts):
        return Notice("Progressing", "True", "ReplicaSetUpdated", f"{subject} is progressing.")
    if known is not None and _is_late(known, deadline, moment):
        return Notice("Progressing", "False", "ProgressDeadlineExceeded", f"{subject} has timed out progressing.")
    return None


def _moved(before: Manifest, counts: dict[str, int]) -> bool:
    def old(name: str) -> int:
        return int(before.get(name, 0))

    shrank = counts["replicas"] - counts["updatedReplicas"] < old("replicas") - old("updatedReplicas")
    return shrank or any(counts[name] > old(name) for name in ("updatedReplicas", "readyReplicas", "availableReplicas"))


def _is_late(known: Manifest, deadline: int, moment: datetime) -> bool:
    if known["reason"] == "NewReplicaSetAvailable":
        return False
    return known["reason"] == "ProgressDeadlineExceeded" or seconds_since(known["lastUpdateTime"], moment) >= deadline


def _availability(available: int, bounds: Bounds) -> Notice:
    if available >= bounds.minimum:
        return Notice("Available", "True", "MinimumReplicasAvailable", "Deployment has minimum availability.")
    return Notice("Available", "False", "MinimumReplicasUnavailable", "Deployment does not have minimum availability.")


def merged(conditions: Sequence[Manifest], notices: Sequence[Notice], moment: datetime) -> list[Manifest]:
    """Conditions with notices written over them; one that says the same as before stays untouched, except that progress renews itself."""
    kept = {condition["type"]: condition for condition in conditions}
    text = timestamp(moment)
    for notice in notices:
        known = kept.get(notice.type)
        if known is not None and _says_the_same(known, notice) and notice.reason != "ReplicaSetUpdated":
            continue
        turned = known is None or known["status"] != notice.status
        kept[notice.type] = {
            "type": notice.type,
            "status": notice.status,
            "reason": notice.reason,
            "message": notice.message,
            "lastUpdateTime": text,
            "lastTransitionTime": text if turned or known is None else known["lastTransitionTime"],
        }
    return list(kept.values())


def _says_the_same(known: Manifest, notice: Notice) -> bool:
    return bool(known["status"] == notice.status and known.get("reason") == notice.reason and known.get("message") == notice.message)

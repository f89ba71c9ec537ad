"""How a live object fares, in the words that Argo CD's users know: a table by kind, and the conditions of every other one."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from reconciler.kernel.identity import Manifest
from reconciler.sources.health_rules import rule_for, ruled
from reconciler.sources.kinds import WHOLLY_KNOWN, group_of
from reconciler.sources.settings import HealthRule


class Health(StrEnum):
    """What is known of an object. `UNKNOWN` stands for kinds that tell nothing: nothing is waited for."""

    HEALTHY = "Healthy"
    PROGRESSING = "Progressing"
    SUSPENDED = "Suspended"
    DEGRADED = "Degraded"
    UNKNOWN = "Unknown"


@dataclass(frozen=True, slots=True)
class HealthStatus:
    """How one object fares, and why it is not healthy."""

    health: Health
    words: str = ""

    @property
    def well(self) -> bool:
        """True when nothing is to be waited for."""
        return self.health in (Health.HEALTHY, Health.UNKNOWN)


HEALTHY, UNKNOWN = HealthStatus(Health.HEALTHY), HealthStatus(Health.UNKNOWN)
Rule = Callable[[Manifest], HealthStatus]


def health_of(live: Manifest, rules: Sequence[HealthRule] = ()) -> HealthStatus:
    """How an object fares, by a rule of its source where one is for its kind, else by ours.

    What is being deleted, or was changed since its controller last looked, is on its way.
    """
    if live["metadata"].get("deletionTimestamp"):
        return _progressing("it is being deleted")
    status = _status(live)
    made = _number(live["metadata"].get("generation"), 0)
    if _number(status.get("observedGeneration"), made) < made:
        return _progressing("its controller has not seen the last change yet")
    rule = rule_for(rules, live)
    if rule is not None:
        return _by_rule(rule, live)
    return RULES.get((group_of(live), str(live["kind"])), _by_conditions)(live)


def _by_rule(rule: HealthRule, live: Manifest) -> HealthStatus:
    found = ruled(rule, live)
    if found.healthy:
        return HEALTHY
    return _degraded(found.words) if found.degraded else _progressing(found.words)


def tells(manifest: Manifest, rules: Sequence[HealthRule] = ()) -> bool:
    """True when objects of this kind may say how they fare: after a write to one it has to be looked at again."""
    group = group_of(manifest)
    return (group, str(manifest["kind"])) in RULES or group not in SILENT or rule_for(rules, manifest) is not None


def _status(live: Manifest) -> Mapping[str, Any]:
    status = live.get("status")
    return status if isinstance(status, dict) else {}


def _spec(live: Manifest) -> Mapping[str, Any]:
    spec = live.get("spec")
    return spec if isinstance(spec, dict) else {}


def _number(value: Any, default: int) -> int:
    """A count as a number; Argo's own kinds keep some of them as text."""
    try:
        return int(value)
    except (TypeError, ValueError, OverflowError):
        return default


def _progressing(words: str) -> HealthStatus:
    return HealthStatus(Health.PROGRESSING, words)


def _degraded(words: str) -> HealthStatus:
    return HealthStatus(Health.DEGRADED, words)


def _conditions(live: Manifest) -> dict[str, Mapping[str, Any]]:
    found = _status(live).get("conditions")
    listed = [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []
    return {str(one.get("type")): one for one in listed}


def _says(live: Manifest, name: str, value: str = "True") -> bool:
    return str(_conditions(live).get(name, {}).get("status")) == value


def _why(live: Manifest, name: str) -> str:
    """The words of one condition; a controller that gives none has at least a reason."""
    found = _conditions(live).get(name, {})
    return str(found.get("message") or found.get("reason") or f"its condition {name} is {found.get('status')}")


def _unseen(live: Manifest) -> HealthStatus | None:
    """What is said of an object whose controller has not begun with it; None once it has."""
    return None if "observedGeneration" in _status(live) else _progressing("its controller has not seen it yet")


def _deployment(live: Manifest) -> HealthStatus:
    if _spec(live).get("paused"):
        return HealthStatus(Health.SUSPENDED, "it is paused")
    if _conditions(live).get("Progressing", {}).get("reason") == "ProgressDeadlineExceeded":
        return _degraded(_why(live, "Progressing"))
    wanted, status = _number(_spec(live).get("replicas"), 1), _status(live)
    updated, there = _number(status.get("updatedReplicas"), 0), _number(status.get("replicas"), 0)
    if updated < wanted:
        return _unseen(live) or _progressing(f"{updated} of {wanted} pods have the new template")
    if there > updated:
        return _progressing(f"{there - updated} old pods are still there")
    available = _number(status.get("availableReplicas"), 0)
    return _unseen(live) or (_progressing(f"{available} of {updated} pods are available") if available < updated else HEALTHY)


def _stateful_set(live: Manifest) -> HealthStatus:
    wanted, status = _number(_spec(live).get("replicas"), 1), _status(live)
    ready = _number(status.get("readyReplicas"), 0)
    if ready < wanted:
        return _unseen(live) or _progressing(f"{ready} of {wanted} pods are ready")
    strategy = _spec(live).get("updateStrategy") or {}
    if strategy.get("type") == "OnDelete":
        return _unseen(live) or HEALTHY
    kept = _number((strategy.get("rollingUpdate") or {}).get("partition"), 0)
    updated = _number(status.get("updatedReplicas"), 0)
    if kept:
        due = max(wanted - kept, 0)
        return _progressing(f"{updated} of {due} pods have the new template") if updated < due else HEALTHY
    if status.get("updateRevision") != status.get("currentRevision"):
        return _progressing(f"{updated} of {wanted} pods have the new template")
    return _unseen(live) or HEALTHY


def _daemon_set(live: Manifest) -> HealthStatus:
    status = _status(live)
    if (_spec(live).get("updateStrategy") or {}).get("type") == "OnDelete":
        return _unseen(live) or HEALTHY
    wanted = _number(status.get("desiredNumberScheduled"), 0)
    for field, words in (("updatedNumberScheduled", "have the new template"), ("numberAvailable", "are available")):
        if _number(status.get(field), 0) < wanted:
            return _progressing(f"{_number(status.get(field), 0)} of {wanted} pods {words}")
    return _unseen(live) or HEALTHY


def _replica_set(live: Manifest) -> HealthStatus:
    wanted, available = _number(_spec(live).get("replicas"), 1), _number(_status(live).get("availableReplicas"), 0)
    return _progressing(f"{available} of {wanted} pods are available") if available < wanted else _unseen(live) or HEALTHY


def _job(live: Manifest) -> HealthStatus:
    if _says(live, "Failed"):
        return _degraded(_why(live, "Failed"))
    if _says(live, "Complete"):
        return HEALTHY
    return HealthStatus(Health.SUSPENDED, "it is suspended") if _says(live, "Suspended") else _progressing("it runs")


def _pod(live: Manifest) -> HealthStatus:
    phase = str(_status(live).get("phase") or "Pending")
    if phase == "Succeeded":
        return HEALTHY
    if phase == "Failed":
        return _degraded(str(_status(live).get("message") or "it has failed"))
    listed = [*(_status(live).get("initContainerStatuses") or ()), *(_status(live).get("containerStatuses") or ())]
    for container in listed:
        reason = str(((container.get("state") or {}).get("waiting") or {}).get("reason") or "")
        if reason.startswith("Err") or reason.endswith(("Error", "BackOff")):
            return _degraded(f"container {container.get('name')}: {reason}")
    if phase == "Running" and _spec(live).get("restartPolicy", "Always") == "Always" and _says(live, "Ready"):
        return HEALTHY
    return _progressing("it is waiting to start" if phase == "Pending" else "it runs")


def _claim(live: Manifest) -> HealthStatus:
    phase = str(_status(live).get("phase") or "Pending")
    if phase == "Lost":
        return _degraded("its volume is lost")
    return HEALTHY if phase == "Bound" else _progressing("no volume is bound to it yet")


def _service(live: Manifest) -> HealthStatus:
    return _balanced(live) if _spec(live).get("type") == "LoadBalancer" else HEALTHY


def _balanced(live: Manifest) -> HealthStatus:
    balancer = _status(live).get("loadBalancer") or {}
    return HEALTHY if balancer.get("ingress") else _progressing("it has no address yet")


def _definition(live: Manifest) -> HealthStatus:
    if _says(live, "NamesAccepted", "False"):
        return _degraded(_why(live, "NamesAccepted"))
    return HEALTHY if _says(live, "Established") else _progressing("it is not established yet")


def _api_service(live: Manifest) -> HealthStatus:
    return HEALTHY if _says(live, "Available") else _progressing("it is not available yet")


FAILING = ("FailedGetScale", "FailedUpdateScale", "InvalidSelector", "InvalidMetricSourceType")


def _autoscaler(live: Manifest) -> HealthStatus:
    for name in ("AbleToScale", "ScalingActive"):
        reason = str(_conditions(live).get(name, {}).get("reason") or "")
        if _says(live, name, "False") and (reason in FAILING or reason.startswith("FailedGet")):
            return _degraded(_why(live, name))
    return HEALTHY if _says(live, "AbleToScale") or _says(live, "ScalingActive") else _progressing("it has not scaled yet")


def _rollout(live: Manifest) -> HealthStatus:
    phase, words = str(_status(live).get("phase") or "Progressing"), str(_status(live).get("message") or "")
    seen = _number(_status(live).get("observedGeneration"), 0) >= _number(live["metadata"].get("generation"), 0)
    if phase == "Healthy":
        return HEALTHY if seen else _progressing("its controller has not seen the last change yet")
    named = {"Degraded": Health.DEGRADED, "Paused": Health.SUSPENDED}.get(phase, Health.PROGRESSING)
    return HealthStatus(named, words or f"it is {phase}")


def _run(live: Manifest) -> HealthStatus:
    """Kinds of Argo that run once and say how they ended in a phase."""
    phase, words = str(_status(live).get("phase") or ""), str(_status(live).get("message") or "")
    if phase in ("Successful", "Succeeded"):
        return HEALTHY
    failed = phase in ("Failed", "Error", "Inconclusive")
    return _degraded(words or f"it is {phase}") if failed else _progressing("it runs")


def _by_conditions(live: Manifest) -> HealthStatus:
    """Kinds of which nothing is known but the conditions that most controllers write."""
    if _says(live, "Stalled"):
        return _degraded(_why(live, "Stalled"))
    told = [name for name in ("Ready", "Available") if name in _conditions(live)]
    for name in told:
        if not _says(live, name):
            return _progressing(_why(live, name))
    return HEALTHY if told else UNKNOWN


RULES: Mapping[tuple[str, str], Rule] = {
    ("", "PersistentVolumeClaim"): _claim,
    ("", "Pod"): _pod,
    ("", "Service"): _service,
    ("apiextensions.k8s.io", "CustomResourceDefinition"): _definition,
    ("apiregistration.k8s.io", "APIService"): _api_service,
    ("apps", "DaemonSet"): _daemon_set,
    ("apps", "Deployment"): _deployment,
    ("apps", "ReplicaSet"): _replica_set,
    ("apps", "StatefulSet"): _stateful_set,
    ("argoproj.io", "AnalysisRun"): _run,
    ("argoproj.io", "Experiment"): _run,
    ("argoproj.io", "Rollout"): _rollout,
    ("argoproj.io", "Workflow"): _run,
    ("autoscaling", "HorizontalPodAutoscaler"): _autoscaler,
    ("batch", "Job"): _job,
    ("networking.k8s.io", "Ingress"): _balanced,
}
"""By group and kind."""
SILENT = {*WHOLLY_KNOWN, "reconciler.dev"} - {"networking.istio.io"}
"""Groups whose other kinds tell nothing of how they fare."""

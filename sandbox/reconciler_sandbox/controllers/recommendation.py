"""How many replicas one metric asks for: pure, from the pods, their samples and the time, as Kubernetes documents its autoscaler.

Values are whole thousandths of a unit throughout: a processor's 250m is 250.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from reconciler_sandbox.apiserver.quantities import thousandths
from reconciler_sandbox.controllers.objects import Manifest, condition_of, is_deleting, is_ready, name_of, parse_time, phase_of

Values = Mapping[str, int]
FULL = 100


@dataclass(frozen=True, slots=True)
class Settings:
    """How an autoscaler decides, in seconds; all but the period are Kubernetes' own defaults."""

    period: float = 1.0
    """Between two looks; a real cluster takes 15."""
    tolerance: float = 0.1
    downscale_window: int = 300
    initialization: float = 300.0
    """So long after a pod's start its processor's load counts only while it is ready."""
    readiness_delay: float = 30.0
    """A pod that became unready within this time of its start has never been ready."""


@dataclass(frozen=True, slots=True)
class Sample:
    """What one pod used, on average over the `window` seconds before `at`."""

    value: int
    at: datetime
    window: float


@dataclass(frozen=True, slots=True)
class View:
    """What a recommendation is made from: the pods that the scale selects, the replicas asked for and counted, and the time."""

    namespace: str
    pods: Sequence[Manifest]
    asked: int
    counted: int
    moment: datetime
    settings: Settings


@dataclass(frozen=True, slots=True)
class Proposal:
    """The replicas that one metric asks for, and what it read: thousandths, and for a share of requests the percentage."""

    replicas: int
    value: int
    utilization: int | None = None


class NoRecommendation(Exception):
    """Why nothing can be recommended."""


@dataclass(frozen=True, slots=True)
class Groups:
    """Pods by what their samples are worth; pods that end are in none of them."""

    ready: int
    unready: frozenset[str]
    missing: frozenset[str]
    ending: frozenset[str]


def grouped(view: View, samples: Mapping[str, Sample], resource: str) -> Groups:
    """Sort pods: ending, not up yet, without a sample, ready."""
    ending = {name_of(pod) for pod in view.pods if is_deleting(pod) or phase_of(pod) == "Failed"}
    there = [pod for pod in view.pods if name_of(pod) not in ending]
    pending = {name_of(pod) for pod in there if phase_of(pod) == "Pending"}
    missing = {name_of(pod) for pod in there if name_of(pod) not in samples} - pending
    measured = [pod for pod in there if name_of(pod) not in pending | missing]
    unready = {name_of(pod) for pod in measured if resource == "cpu" and _is_unready(pod, samples[name_of(pod)], view)}
    return Groups(len(measured) - len(unready), frozenset(pending | unready), frozenset(missing), frozenset(ending))


def _is_unready(pod: Manifest, sample: Sample, view: View) -> bool:
    """Whether a pod's processor tells of its start rather than of its work."""
    condition, started = condition_of(pod, "Ready"), (pod.get("status") or {}).get("startTime")
    if condition is None or not started:
        return True
    start, changed = parse_time(started), parse_time(condition["lastTransitionTime"])
    unready = condition["status"] == "False"
    if start + timedelta(seconds=view.settings.initialization) > view.moment:
        return unready or sample.at < changed + timedelta(seconds=sample.window)
    return unready and start + timedelta(seconds=view.settings.readiness_delay) > changed


def by_utilization(view: View, samples: Mapping[str, Sample], resource: str, target: int, container: str = "") -> Proposal:
    """By the percentage of their requests that pods (or one container of each) use. Raises NoRecommendation."""
    groups = _groups_of(view, samples, resource)
    requests = requests_of(view.pods, resource, container)
    values = _values(samples, groups)
    known = {name: value for name, value in values.items() if name in requests}
    asked = sum(requests[name] for name in known)
    if not asked:
        raise NoRecommendation("no metrics returned matched known pods")

    def ratio(among: Values) -> float:
        return _percent(among, requests) / target

    full = {name: request * max(FULL, target) // FULL for name, request in requests.items()}
    replicas = _replicas(view, groups, values, ratio, full)
    return Proposal(replicas, sum(known.values()) // len(known), _percent(values, requests))


def by_average(view: View, samples: Mapping[str, Sample], resource: str, target: int) -> Proposal:
    """By the average of a value over pods. Raises NoRecommendation."""
    groups = _groups_of(view, samples, resource)
    values = _values(samples, groups)

    def ratio(among: Values) -> float:
        return sum(among.values()) // len(among) / target

    replicas = _replicas(view, groups, values, ratio, dict.fromkeys(groups.missing, target))
    return Proposal(replicas, sum(values.values()) // len(values))


def by_value(view: View, value: int, target: int) -> Proposal:
    """By one value that more pods would lower. Raises NoRecommendation."""
    ratio = value / target
    if view.asked == 0:
        return Proposal(math.ceil(ratio), value)
    if _is_near(ratio, view):
        return Proposal(view.asked, value)
    _some(view)
    ready = sum(phase_of(pod) == "Running" and is_ready(pod) for pod in view.pods)
    return Proposal(math.ceil(ratio * ready), value)


def by_value_per_pod(view: View, value: int, target: int) -> Proposal:
    """By one value that is shared among the pods."""
    if view.counted == 0:
        return Proposal(math.ceil(value / target), value)
    ratio = value / (target * view.counted)
    replicas = view.counted if _is_near(ratio, view) else math.ceil(value / target)
    return Proposal(replicas, math.ceil(value / view.counted))


def requests_of(pods: Sequence[Manifest], resource: str, container: str = "") -> dict[str, int]:
    """What each pod's containers (or one) request of a resource. Raises NoRecommendation for one that requests nothing."""
    return {name_of(pod): sum(_requested(pod, one, resource) for one in _containers(pod, container)) for pod in pods}


def _containers(pod: Manifest, name: str) -> list[Manifest]:
    found = [one for one in pod["spec"]["containers"] if not name or one["name"] == name]
    if not found:
        raise NoRecommendation(f"container {name} not present in metrics for pod {pod['metadata'].get('namespace', '')}/{name_of(pod)}")
    return found


def _requested(pod: Manifest, container: Manifest, resource: str) -> int:
    text = ((container.get("resources") or {}).get("requests") or {}).get(resource)
    if text is None:
        raise NoRecommendation(f"missing request for {resource} in container {container['name']} of Pod {name_of(pod)}")
    return thousandths(text)


def _some(view: View) -> None:
    if not view.pods:
        raise NoRecommendation("no pods returned by selector while calculating replica count")


def _groups_of(view: View, samples: Mapping[str, Sample], resource: str) -> Groups:
    _some(view)
    return grouped(view, samples, resource)


def _values(samples: Mapping[str, Sample], groups: Groups) -> dict[str, int]:
    values = {name: sample.value for name, sample in samples.items() if name not in groups.unready | groups.ending}
    if not values:
        raise NoRecommendation("did not receive metrics for targeted pods (pods might be unready)")
    return values


def _percent(values: Values, requests: Values) -> int:
    known = [name for name in values if name in requests]
    return sum(values[name] for name in known) * FULL // sum(requests[name] for name in known)


def _is_near(ratio: float, view: View) -> bool:
    return abs(1.0 - ratio) <= view.settings.tolerance


def _replicas(view: View, groups: Groups, values: Values, ratio: Callable[[Values], float], full: Values) -> int:
    """The replicas after a second look that takes the careful view of every pod of which nothing is known."""
    first = ratio(values)
    idle = groups.unready if first > 1.0 else frozenset[str]()
    if not idle and not groups.missing:
        return view.asked if _is_near(first, view) else math.ceil(first * groups.ready)
    assumed = {name: full[name] if first < 1.0 else 0 for name in groups.missing}
    careful = {**values, **assumed, **dict.fromkeys(idle, 0)}
    second = ratio(careful)
    if _is_near(second, view) or (first < 1.0 < second) or (second < 1.0 < first):
        return view.asked
    replicas = math.ceil(second * len(careful))
    turns = replicas > view.asked if second < 1.0 else replicas < view.asked
    return view.asked if turns else replicas

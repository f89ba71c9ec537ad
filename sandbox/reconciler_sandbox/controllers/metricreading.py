"""What each metric of an autoscaler asks for: pure, from what was read of it. Words and reasons are those that clients match."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from reconciler_sandbox.apiserver.quantities import from_thousandths, thousandths
from reconciler_sandbox.controllers.objects import Manifest
from reconciler_sandbox.controllers.recommendation import (
    NoRecommendation,
    Proposal,
    Sample,
    View,
    by_average,
    by_utilization,
    by_value,
    by_value_per_pod,
)


@dataclass(frozen=True, slots=True)
class Reading:
    """What was read for one metric: samples by pod, or values of something else; or why nothing was."""

    samples: Mapping[str, Sample] | None = None
    values: Sequence[int] = ()
    failure: str = ""


@dataclass(frozen=True, slots=True)
class Asked:
    """What one metric asks for, how it is called, and its entry in the status."""

    replicas: int
    name: str
    status: Manifest


@dataclass(frozen=True, slots=True)
class Failed:
    """Why one metric asks for nothing: the reason and message of event and condition, and what the whole says of it."""

    reason: str
    message: str
    error: str


def asked(metric: Manifest, reading: Reading, view: View) -> Asked | Failed:
    """The replicas that one metric of the specification asks for."""
    compute, prefix = COMPUTED[metric["type"]]
    part = metric[f"{metric['type'][:1].lower()}{metric['type'][1:]}"]
    try:
        return compute(part, reading, view)
    except NoRecommendation as error:
        whole = f"{prefix.format(name=part.get('name') or part['metric']['name'])}: {error}"
        own = whole if "resource" in metric or "containerResource" in metric else str(error)
        return Failed(f"FailedGet{metric['type']}Metric", own, whole)


def _resource(part: Manifest, reading: Reading, view: View) -> Asked:
    name, target = part["name"], part["target"]
    container = part.get("container", "")
    subject = {"name": name, **({"container": container} if container else {})}
    of = f"{name} container resource" if container else f"{name} resource"
    kind = "containerResource" if container else "resource"
    if reading.samples is None:
        raise NoRecommendation(f"unable to get metrics for resource {name}: {reading.failure}")
    if target.get("averageValue") is not None:
        proposal = by_average(view, reading.samples, name, thousandths(target["averageValue"]))
    else:
        of = f"{of} utilization (percentage of request)"
        proposal = by_utilization(view, reading.samples, name, target["averageUtilization"], container)
    return _asked(kind, {**subject, "current": _average(proposal)}, proposal, of)


def _pods(part: Manifest, reading: Reading, view: View) -> Asked:
    name = part["metric"]["name"]
    if reading.samples is None:
        raise NoRecommendation(f"unable to get metric {name}: {reading.failure}")
    proposal = by_average(view, reading.samples, "", thousandths(part["target"]["averageValue"]))
    return _asked("pods", {"metric": part["metric"], "current": _average(proposal)}, proposal, f"pods metric {name}")


def _object(part: Manifest, reading: Reading, view: View) -> Asked:
    name, described = part["metric"]["name"], part["describedObject"]
    if reading.failure:
        where = f"{described['kind']} on {view.namespace} {described['name']}"
        raise NoRecommendation(f"unable to get metric {name}: {where}/{reading.failure}")
    proposal, current = _of_values(part["target"], reading, view)
    status = {"metric": part["metric"], "describedObject": described, "current": current}
    return _asked("object", status, proposal, f"{described['kind']} metric {name}")


def _external(part: Manifest, reading: Reading, view: View) -> Asked:
    name, words = part["metric"]["name"], _as_printed(part["metric"].get("selector"))
    if reading.failure:
        raise NoRecommendation(f"unable to get external metric {view.namespace}/{name}/{words}: {reading.failure}")
    proposal, current = _of_values(part["target"], reading, view)
    return _asked("external", {"metric": part["metric"], "current": current}, proposal, f"external metric {name}({words})")


def _as_printed(selector: Manifest | None) -> str:
    """A selector as messages of a real controller print it."""
    if selector is None:
        return "nil"
    labels = "".join(f"{name}: {value}," for name, value in sorted((selector.get("matchLabels") or {}).items()))
    return f"&LabelSelector{{MatchLabels:map[string]string{{{labels}}},MatchExpressions:[]LabelSelectorRequirement{{}},}}"


def _of_values(target: Manifest, reading: Reading, view: View) -> tuple[Proposal, Manifest]:
    total = sum(reading.values)
    if target.get("averageValue") is not None:
        proposal = by_value_per_pod(view, total, thousandths(target["averageValue"]))
        return proposal, _average(proposal)
    proposal = by_value(view, total, thousandths(target["value"]))
    return proposal, {"value": from_thousandths(proposal.value)}


def _average(proposal: Proposal) -> Manifest:
    share = {} if proposal.utilization is None else {"averageUtilization": proposal.utilization}
    return {**share, "averageValue": from_thousandths(proposal.value)}


def _asked(kind: str, entry: Manifest, proposal: Proposal, name: str) -> Asked:
    return Asked(proposal.replicas, name, {"type": f"{kind[:1].upper()}{kind[1:]}", kind: entry})


# Type → what computes it, and what the failure of the whole begins with.
COMPUTED = {
    "Resource": (_resource, "failed to get {name} utilization"),
    "ContainerResource": (_resource, "failed to get {name} utilization"),
    "Pods": (_pods, "failed to get pods metric value"),
    "Object": (_object, "failed to get object metric value"),
    "External": (_external, "failed to get external metric {name}"),
}

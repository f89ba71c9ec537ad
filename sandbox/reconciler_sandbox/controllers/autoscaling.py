"""Decides for one autoscaler: pure, from its specification, the scale of its target, what was read and what is remembered."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from reconciler_sandbox.controllers.metricreading import Asked, Failed, Reading, asked
from reconciler_sandbox.controllers.objects import Manifest, condition_of, timestamp
from reconciler_sandbox.controllers.recommendation import View
from reconciler_sandbox.controllers.stabilization import Bounds, Memory, allowed, begun

GOT_SCALE = ("SucceededGetScale", "the HPA controller was able to get the target's current scale")
DISABLED = ("ScalingDisabled", "scaling is disabled since the replica count of the target is zero")
NO_SELECTOR = ("InvalidSelector", "the HPA target's scale is missing a selector")


@dataclass(frozen=True, slots=True)
class Condition:
    """One condition to be set."""

    type: str
    true: bool
    reason: str
    message: str


@dataclass(frozen=True, slots=True)
class Warned:
    """A warning event."""

    reason: str
    message: str


@dataclass(frozen=True, slots=True)
class Decision:
    """What to do: the replicas to write (None: leave them), why, and what to say. `metrics` None keeps the status as it is."""

    memory: Memory
    conditions: tuple[Condition, ...]
    replicas: int | None = None
    reason: str = ""
    metrics: Sequence[Manifest] | None = None
    warnings: tuple[Warned, ...] = ()


def bounds_of(autoscaler: Manifest, current: int, window: int) -> Bounds:
    """Between what an autoscaler may move its target."""
    spec = autoscaler["spec"]
    least = spec["minReplicas"] if spec.get("minReplicas") is not None else 1
    return Bounds(current, least, spec["maxReplicas"], spec.get("behavior") or {}, window)


def beyond(bounds: Bounds) -> tuple[int, str] | None:
    """Where replicas go whatever the metrics say, and why; None if the metrics are asked."""
    if bounds.current == 0 and bounds.least != 0:
        return 0, ""
    if bounds.current > bounds.most:
        return bounds.most, "Current number of replicas above Spec.MaxReplicas"
    if bounds.current < bounds.least:
        return bounds.least, "Current number of replicas below Spec.MinReplicas"
    return None


def decide(autoscaler: Manifest, readings: Sequence[Reading], view: View, memory: Memory) -> Decision:
    """The decision of one look; `readings` belong to the metrics of the specification, in order."""
    memory = begun(memory, view.asked, view.moment)
    bounds = bounds_of(autoscaler, view.asked, view.settings.downscale_window)
    got = Condition("AbleToScale", True, *GOT_SCALE)
    outside = beyond(bounds)
    if outside is None:
        return _by_metrics(autoscaler["spec"]["metrics"], readings, view, (bounds, memory))
    replicas, reason = outside
    if not reason:
        return Decision(memory, (got, Condition("ScalingActive", False, *DISABLED)), metrics=())
    return Decision(memory, (got,), replicas=replicas, reason=reason, metrics=())


def without_selector(view: View, memory: Memory) -> Decision:
    """The decision about a target that does not say which pods are its own."""
    conditions = (Condition("AbleToScale", True, *GOT_SCALE), Condition("ScalingActive", False, *NO_SELECTOR))
    warnings = (Warned("SelectorRequired", "selector is required"), Warned("FailedComputeMetricsReplicas", "selector is required"))
    return Decision(begun(memory, view.asked, view.moment), conditions, warnings=warnings)


def _by_metrics(metrics: Sequence[Manifest], readings: Sequence[Reading], view: View, known: tuple[Bounds, Memory]) -> Decision:
    bounds, memory = known
    found = [asked(metric, reading, view) for metric, reading in zip(metrics, readings, strict=True)]
    wanted = [one for one in found if isinstance(one, Asked)]
    failed = [one for one in found if isinstance(one, Failed)]
    best = max(wanted, key=lambda one: one.replicas, default=None)
    if best is None or (failed and best.replicas < bounds.current):
        return _unknown(failed, len(metrics), memory)
    active = f"the HPA was able to successfully calculate a replica count from {best.name}"
    verdict = allowed(bounds, best.replicas, memory, view.moment)
    conditions = (
        Condition("AbleToScale", True, *verdict.able),
        Condition("ScalingActive", True, "ValidMetricFound", active),
        Condition("ScalingLimited", verdict.limited, *verdict.limit),
    )
    return Decision(
        verdict.memory,
        conditions,
        replicas=verdict.replicas if verdict.replicas != bounds.current else None,
        reason=f"{best.name} above target" if best.replicas > bounds.current else "All metrics below target",
        metrics=[one.status for one in wanted],
        warnings=tuple(Warned(one.reason, one.message) for one in failed),
    )


def _unknown(failed: Sequence[Failed], count: int, memory: Memory) -> Decision:
    """Nothing moves while nobody knows: all metrics failed, or the others alone would take replicas away."""
    first = failed[0]
    told = Condition("ScalingActive", False, first.reason, f"the HPA was unable to compute the replica count: {first.message}")
    whole = f"invalid metrics ({len(failed)} invalid out of {count}), first error is: {first.error}"
    warnings = (*(Warned(one.reason, one.message) for one in failed), Warned("FailedComputeMetricsReplicas", whole))
    return Decision(memory, (Condition("AbleToScale", True, *GOT_SCALE), told), warnings=warnings)


def conditions_of(autoscaler: Manifest, changes: Iterable[Condition], view_moment: str) -> list[Manifest]:
    """The conditions of a status after some were set: each keeps its place, and its time while its status is the same."""
    conditions = list((autoscaler.get("status") or {}).get("conditions") or ())
    for change in changes:
        known = condition_of({"status": {"conditions": conditions}}, change.type)
        status = "True" if change.true else "False"
        since = known["lastTransitionTime"] if known is not None and known["status"] == status else view_moment
        made = {"type": change.type, "status": status, "lastTransitionTime": since, "reason": change.reason, "message": change.message}
        if known is None:
            conditions.append(made)
        else:
            conditions[conditions.index(known)] = made
    return conditions


def status_of(autoscaler: Manifest, decision: Decision, view: View, *, rescaled: bool) -> Manifest:
    """The status after a decision was carried out, or could not be."""
    before = autoscaler.get("status") or {}
    moment = timestamp(view.moment)
    status = {
        "currentReplicas": view.asked,
        "desiredReplicas": before.get("desiredReplicas", 0),
        "currentMetrics": before.get("currentMetrics"),
        "conditions": conditions_of(autoscaler, decision.conditions, moment),
    }
    if decision.metrics is not None:
        desired = decision.replicas if rescaled else view.asked
        status = {**status, "desiredReplicas": desired, "currentMetrics": list(decision.metrics) or None}
    return {**status, "lastScaleTime": moment} if rescaled else status

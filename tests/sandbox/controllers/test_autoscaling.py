"""The decision of one look at an autoscaler."""

from typing import Any

from reconciler_sandbox.controllers.autoscaling import Condition, conditions_of, decide, status_of, without_selector
from reconciler_sandbox.controllers.metricreading import Reading
from reconciler_sandbox.controllers.stabilization import Memory

from tests.kit.autoscaling import autoscaler, cpu, samples, view
from tests.kit.autoscaling import measured as pod

Json = dict[str, Any]
BUSY, IDLE = Reading(samples=samples(a=100, b=100)), Reading(samples=samples(a=10, b=10))
LOST = Reading(failure="nobody answers")
TWO = view(pod("a"), pod("b"))


def facts(conditions: tuple[Condition, ...]) -> Json:
    return {one.type: (one.true, one.reason) for one in conditions}


def test_a_busy_target_grows() -> None:
    decision = decide(autoscaler(minReplicas=1), [BUSY], TWO, Memory())
    assert (decision.replicas, decision.reason) == (4, "cpu resource utilization (percentage of request) above target")
    assert facts(decision.conditions) == {
        "AbleToScale": (True, "ReadyForNewScale"),
        "ScalingActive": (True, "ValidMetricFound"),
        "ScalingLimited": (False, "DesiredWithinRange"),
    }


def test_the_highest_of_several_metrics_counts() -> None:
    both = autoscaler(metrics=[cpu(50), cpu(100)], minReplicas=1)
    decision = decide(both, [BUSY, BUSY], TWO, Memory())
    assert decision.replicas == 4 and decision.metrics is not None and len(decision.metrics) == 2


def test_no_pod_is_taken_away_while_one_metric_is_unknown() -> None:
    both = autoscaler(metrics=[cpu(50), cpu(50)], minReplicas=1)
    held = decide(both, [IDLE, LOST], TWO, Memory())
    assert held.replicas is None and held.metrics is None
    assert facts(held.conditions)["ScalingActive"] == (False, "FailedGetResourceMetric")
    assert held.warnings[-1].message.startswith("invalid metrics (1 invalid out of 2), first error is: failed to get cpu utilization: ")
    grown = decide(both, [BUSY, LOST], TWO, Memory())
    assert grown.replicas == 4 and [one.reason for one in grown.warnings] == ["FailedGetResourceMetric"]


def test_a_target_outside_the_range_goes_back_whatever_metrics_say() -> None:
    above = decide(autoscaler(most=1, minReplicas=1), [], TWO, Memory())
    assert (above.replicas, above.reason) == (1, "Current number of replicas above Spec.MaxReplicas")
    below = decide(autoscaler(minReplicas=5), [], TWO, Memory())
    assert (below.replicas, below.reason) == (5, "Current number of replicas below Spec.MinReplicas")


def test_a_target_that_somebody_scaled_to_zero_stays_there() -> None:
    decision = decide(autoscaler(minReplicas=1), [], view(asked=0), Memory())
    assert decision.replicas is None and facts(decision.conditions)["ScalingActive"] == (False, "ScalingDisabled")


def test_a_target_without_a_selector_is_told_of() -> None:
    decision = without_selector(TWO, Memory())
    assert facts(decision.conditions)["ScalingActive"] == (False, "InvalidSelector")
    assert [one.reason for one in decision.warnings] == ["SelectorRequired", "FailedComputeMetricsReplicas"]


def test_a_condition_keeps_its_time_and_place_while_its_status_is_the_same() -> None:
    old = {"type": "AbleToScale", "status": "True", "lastTransitionTime": "then", "reason": "A", "message": "a"}
    last = {"type": "ScalingLimited", "status": "True", "lastTransitionTime": "then", "reason": "L", "message": "l"}
    changes = (
        Condition("AbleToScale", True, "B", "b"),
        Condition("ScalingLimited", False, "M", "m"),
        Condition("ScalingActive", True, "N", "n"),
    )
    found = conditions_of({"status": {"conditions": [old, last]}}, changes, "now")
    assert [(one["type"], one["reason"], one["lastTransitionTime"]) for one in found] == [
        ("AbleToScale", "B", "then"),
        ("ScalingLimited", "M", "now"),
        ("ScalingActive", "N", "now"),
    ]


def test_the_status_keeps_what_it_knew_when_nothing_could_be_computed() -> None:
    known = {**autoscaler(), "status": {"desiredReplicas": 3, "currentMetrics": [{"type": "Resource"}], "conditions": []}}
    lost = status_of(known, decide(known, [LOST], TWO, Memory()), TWO, rescaled=False)
    assert (lost["currentReplicas"], lost["desiredReplicas"], lost["currentMetrics"]) == (2, 3, [{"type": "Resource"}])
    grown = status_of(known, decide(known, [BUSY], TWO, Memory()), TWO, rescaled=True)
    assert (grown["currentReplicas"], grown["desiredReplicas"], grown["lastScaleTime"]) == (2, 4, "2026-01-01T12:00:00Z")

"""The replicas that a metric asks for, by Kubernetes' own algorithm."""

from datetime import timedelta

import pytest
from reconciler_sandbox.controllers.recommendation import (
    NoRecommendation,
    Sample,
    by_average,
    by_utilization,
    by_value,
    by_value_per_pod,
    grouped,
    requests_of,
)

from tests.kit.autoscaling import NOW, ago, samples, view
from tests.kit.autoscaling import measured as pod


@pytest.mark.parametrize(
    ("usage", "target", "replicas", "percent"),
    [
        ((100, 100), 50, 4, 100),
        ((109, 109), 100, 2, 109),  # within a tenth
        ((110, 110), 100, 3, 110),  # as numbers of a computer go, that is more than a tenth
        ((111, 112), 100, 3, 111),
        ((90, 90), 100, 2, 90),
        ((80, 80), 100, 2, 80),
        ((40, 40), 100, 1, 40),
        ((0, 0), 80, 0, 0),
    ],
)
def test_the_share_of_requests_decides(usage: tuple[int, int], target: int, replicas: int, percent: int) -> None:
    proposal = by_utilization(view(pod("a"), pod("b")), samples(a=usage[0], b=usage[1]), "cpu", target)
    assert (proposal.replicas, proposal.utilization) == (replicas, percent)


def test_a_pod_without_a_sample_counts_as_idle_when_growing_and_as_busy_when_shrinking() -> None:
    pods = view(pod("a"), pod("b"), pod("c"))
    assert by_utilization(pods, samples(a=300, b=300), "cpu", 100).replicas == 6  # (300 + 300 + 0) of 300
    assert by_utilization(pods, samples(a=10, b=10), "cpu", 100).replicas == 2  # (10 + 10 + 100) of 300
    assert by_utilization(pods, samples(a=110, b=115), "cpu", 100).replicas == 3, "growth that the missing pod takes back is none"


def test_a_pod_that_is_not_up_counts_as_idle_when_growing_and_not_at_all_when_shrinking() -> None:
    pods = view(pod("a"), pod("b"), pod("new", ready=False, times=(10, 10)))
    assert by_utilization(pods, samples(a=300, b=300, new=900), "cpu", 100).replicas == 6
    assert by_utilization(pods, samples(a=40, b=40, new=900), "cpu", 100).replicas == 1


def test_a_processor_that_was_measured_before_its_pod_was_ready_does_not_count() -> None:
    fresh = pod("a", times=(20, 1))
    early = {"a": Sample(500, NOW - timedelta(seconds=1), 1.0)}
    assert grouped(view(fresh), early, "cpu").unready == {"a"}
    assert grouped(view(fresh), {"a": Sample(500, NOW, 1.0)}, "cpu").ready == 1
    assert grouped(view(fresh), early, "memory").ready == 1, "memory is memory from the first second"


def test_a_pod_that_was_ready_once_counts_even_while_it_is_not() -> None:
    assert grouped(view(pod("a", ready=False, times=(3600, 60))), samples(a=1), "cpu").ready == 1
    never = pod("a", ready=False, times=(3600, 3590))
    assert grouped(view(never), samples(a=1), "cpu").unready == {"a"}
    assert grouped(view({**never, "status": {"phase": "Running"}}), samples(a=1), "cpu").unready == {"a"}


def test_pods_that_end_or_have_failed_are_nobody() -> None:
    pods = view(pod("a"), pod("b", deletionTimestamp=ago(1)), pod("c", phase="Failed"), pod("d", phase="Pending"))
    groups = grouped(pods, samples(a=1, b=1, c=1), "cpu")
    assert (groups.ready, groups.unready, groups.missing, groups.ending) == (1, {"d"}, frozenset(), {"b", "c"})
    assert by_utilization(pods, samples(a=50, b=900, c=900), "cpu", 100).utilization == 50


def test_nothing_is_recommended_without_pods_requests_or_samples() -> None:
    with pytest.raises(NoRecommendation, match="no pods returned by selector"):
        by_utilization(view(), samples(a=1), "cpu", 50)
    with pytest.raises(NoRecommendation, match="missing request for memory in container app of Pod a"):
        by_utilization(view(pod("a")), samples(a=1), "memory", 50)
    with pytest.raises(NoRecommendation, match="did not receive metrics"):
        by_average(view(pod("a", phase="Pending")), samples(a=1), "memory", 50)
    with pytest.raises(NoRecommendation, match="matched known pods"):
        by_utilization(view(pod("a")), samples(somebody=1), "cpu", 50)


def test_one_container_of_each_pod_can_be_asked_for() -> None:
    two = pod("a")
    two["spec"]["containers"].append({"name": "proxy", "resources": {"requests": {"cpu": "1"}}})
    assert requests_of([two], "cpu") == {"a": 1100} and requests_of([two], "cpu", "proxy") == {"a": 1000}
    assert by_utilization(view(two), samples(a=2000), "cpu", 50, "proxy").replicas == 4
    with pytest.raises(NoRecommendation, match="container nobody not present"):
        requests_of([two], "cpu", "nobody")


@pytest.mark.parametrize(("values", "replicas"), [((30_000, 30_000), 6), ((10_500, 10_500), 2), ((2_000, 2_000), 1)])
def test_an_average_over_pods_decides(values: tuple[int, int], replicas: int) -> None:
    proposal = by_average(view(pod("a"), pod("b")), samples(a=values[0], b=values[1]), "", 10_000)
    assert (proposal.replicas, proposal.value, proposal.utilization) == (replicas, values[0], None)


def test_a_change_that_turns_with_the_pods_it_counts_is_none() -> None:
    pods = view(pod("a"), pod("b"), pod("c"), asked=5)
    assert by_average(pods, samples(a=12_000, b=12_000, c=12_000), "", 10_000).replicas == 4
    with_missing = view(pod("a"), pod("b"), pod("c"), pod("d"), asked=5)
    assert by_average(with_missing, samples(a=16_000, b=16_000, c=16_000), "", 10_000).replicas == 5


@pytest.mark.parametrize(("value", "asked", "replicas"), [(300_000, 2, 6), (105_000, 2, 2), (10_000, 2, 1), (250_000, 0, 3), (0, 0, 0)])
def test_one_value_is_lowered_by_more_ready_pods(value: int, asked: int, replicas: int) -> None:
    assert by_value(view(pod("a"), pod("b"), asked=asked), value, 100_000).replicas == replicas


@pytest.mark.parametrize(
    ("value", "counted", "replicas", "average"), [(90_000, 2, 3, 45_000), (62_000, 2, 2, 31_000), (90_000, 0, 3, 90_000)]
)
def test_one_value_is_shared_among_pods(value: int, counted: int, replicas: int, average: int) -> None:
    proposal = by_value_per_pod(view(asked=counted), value, 30_000)
    assert (proposal.replicas, proposal.value) == (replicas, average)


def test_few_busy_pods_among_many_that_start_are_no_reason_to_shrink() -> None:
    starting = [pod(name, ready=False, times=(10, 10)) for name in "cdef"]
    assert by_utilization(view(pod("a"), pod("b"), *starting), samples(a=130, b=130, c=9, d=9, e=9, f=9), "cpu", 100).replicas == 6


def test_a_target_that_shrinks_already_does_not_grow_again_for_its_many_pods() -> None:
    pods = view(*(pod(name) for name in "abcde"), asked=2)
    assert by_utilization(pods, samples(a=80, b=80, c=80, d=80), "cpu", 100).replicas == 2

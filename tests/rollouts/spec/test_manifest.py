"""A Rollout as nouns (contract 1)."""

import pytest

from reconciler.kernel.problem import InvalidField
from reconciler.rollouts.spec.manifest import parse_rollout
from reconciler.rollouts.spec.model import BlueGreen, Canary
from tests.kit.rollouts import canary, rollout


def test_defaults_are_the_contracts() -> None:
    spec = parse_rollout({"spec": {"strategy": {"canary": {}}}})
    assert (spec.replicas, spec.replicas_given, spec.revision_history_limit, spec.progress_deadline) == (1, False, 10, 600)
    assert (spec.successful_runs, spec.unsuccessful_runs, spec.paused, spec.rollback_window) == (5, 5, False, 0)
    assert spec.strategy == Canary() and spec.maximum == 100 and spec.steps == ()


def test_blue_green_promotes_by_itself_unless_told_otherwise() -> None:
    assert parse_rollout(rollout(blue_green={"activeService": "a"})).strategy == BlueGreen(active_service="a")
    quiet = parse_rollout(rollout(blue_green={"activeService": "a", "autoPromotionEnabled": False})).blue_green
    assert quiet is not None and not quiet.auto_promotion


def test_routers_come_in_the_contracts_order() -> None:
    routing = {"plugins": {"x/y": {}}, "nginx": {}, "istio": {}, "managedRoutes": [{"name": "m"}], "maxTrafficWeight": 1000}
    found = parse_rollout(rollout(canary={"trafficRouting": routing})).routing
    assert found is not None
    assert (found.routers, found.maximum, found.managed_routes) == (("istio", "nginx", "plugins.x/y"), 1000, ("m",))


def test_an_explicit_zero_is_not_a_default() -> None:
    found = parse_rollout(rollout(canary=canary(abortScaleDownDelaySeconds=0, scaleDownDelaySeconds=0))).canary
    assert found is not None and (found.abort_delay, found.scale_down_delay) == (0, 0)


@pytest.mark.parametrize(
    ("strategy", "message"),
    [
        ({}, r"Rollout has missing field '\.spec\.strategy\.canary or \.spec\.strategy\.blueGreen'"),
        ({"canary": {}, "blueGreen": {}}, "Multiple Strategies can not be listed"),
        ({"canary": {"pingPong": "both"}}, r"spec\.strategy\.canary\.pingPong: Invalid value: \"both\": must be an object"),
        ({"canary": {"pingPong": {"pingService": 1}}}, r"spec\.strategy\.canary\.pingPong\.pingService"),
        ({"canary": {"maxSurge": "many"}}, r"spec\.strategy\.canary\.maxSurge"),
        ({"canary": {"steps": [{"setWeight": "x"}]}}, r"spec\.strategy\.canary\.steps\[0\]\.setWeight"),
    ],
)
def test_what_cannot_be_read_is_named(strategy: dict[str, object], message: str) -> None:
    with pytest.raises(InvalidField, match=message):
        parse_rollout({"spec": {"strategy": strategy}})


def test_everything_else_is_read_as_written() -> None:
    spec = parse_rollout(
        rollout(
            canary=canary(
                replicaProgressThreshold={"type": "Percent", "value": 90}, canaryMetadata={"labels": {"a": "b"}}, minPodsPerReplicaSet=2
            ),
            restartAt="2030-01-01T00:00:00Z",
            rollbackWindow={"revisions": 3},
            workloadRef={"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"},
        )
    )
    assert spec.canary is not None and spec.canary.threshold is not None and spec.canary.canary_metadata is not None
    assert (spec.canary.threshold.value, spec.canary.canary_metadata.labels, spec.canary.min_pods) == (90, {"a": "b"}, 2)
    assert spec.workload_ref is not None and spec.restart_at is not None
    assert (spec.workload_ref.scale_down, spec.rollback_window, spec.restart_at.year) == ("never", 3, 2030)

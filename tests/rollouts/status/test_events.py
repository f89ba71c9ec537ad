"""The words of events (contract 3.9)."""

import pytest

from reconciler.kernel.identity import Manifest
from reconciler.rollouts.pods.replica_set import ReplicaSet
from reconciler.rollouts.spec.manifest import parse_rollout
from reconciler.rollouts.status.events import scaling_text, step_text, weight_text
from reconciler.rollouts.status.model import Share, Weights
from tests.kit.passes import replica_set
from tests.kit.rollouts import canary, rollout


@pytest.mark.parametrize(
    ("step", "text"),
    [
        ({"setWeight": 20}, "setWeight: 20"),
        ({"setWeight": 0}, "setWeight: 0"),
        ({"pause": {}}, "pause"),
        ({"pause": {"duration": "1h"}}, "pause: 1h"),
        ({"analysis": {"templates": []}}, "analysis"),
        ({"experiment": {"templates": []}}, "experiment"),
        ({"setCanaryScale": {"weight": 20}}, "setCanaryScale{weight: 20}"),
        ({"setCanaryScale": {"matchTrafficWeight": True}}, "setCanaryScale{matchTrafficWeight: true}"),
        ({"setCanaryScale": {"replicas": 3}}, "setCanaryScale{replicas: 3}"),
        ({"plugin": {"name": "n"}}, "plugin: n"),
        ({"setHeaderRoute": {"name": "n"}}, "setHeaderRoute: n"),
        ({"setMirrorRoute": {"name": "n"}}, "setMirrorRoute: n"),
        ({}, "invalid"),
    ],
)
def test_a_step_reads_as_people_write_it(step: Manifest, text: str) -> None:
    assert step_text(parse_rollout(rollout(canary=canary(step))).steps[0]) == text


def test_scaling_says_from_where_to_where() -> None:
    assert scaling_text(ReplicaSet(replica_set("a", 1)), 3) == "Scaled up ReplicaSet web-a (revision 1) from 1 to 3"


def test_a_weight_says_what_it_was() -> None:
    old, new = Weights(Share(20), Share(80)), Weights(Share(40), Share(60))
    assert weight_text(None, new) == "Traffic weight updated to 40"
    assert weight_text(old, new) == "Traffic weight updated from 20 to 40"

"""Writes to one ReplicaSet (contract 2.10, 4.12)."""

from datetime import timedelta

from reconciler.kernel.plan import Emit, Patch
from reconciler.kernel.well_known import DESIRED_REPLICAS, SCALE_DOWN_DEADLINE
from reconciler.rollouts.pods.edit import mark, scale
from reconciler.rollouts.pods.replica_set import ReplicaSet
from tests.kit.passes import NOW, begun, replica_set
from tests.kit.rollouts import canary, rollout

PASS = begun(rollout(canary=canary()))


def test_a_size_in_force_is_not_written() -> None:
    assert scale(PASS, ReplicaSet(replica_set("a", 3)), 3) == (PASS, False)


def test_a_new_size_is_written_and_told() -> None:
    after, resized = scale(PASS, ReplicaSet(replica_set("a", 3)), 2)
    patch, event = after.effects
    assert resized and isinstance(patch, Patch) and isinstance(event, Emit)
    assert patch.body == {"spec": {"replicas": 2}}
    assert event.message == "Scaled down ReplicaSet web-a (revision 1) from 3 to 2"


def test_every_scale_write_notes_the_rollouts_replicas() -> None:
    stale = ReplicaSet(replica_set("a", 3, **{DESIRED_REPLICAS: "9"}))
    after, resized = scale(PASS, stale, 3)
    (patch,) = after.effects
    assert not resized and isinstance(patch, Patch)
    assert patch.body == {"metadata": {"annotations": {DESIRED_REPLICAS: "4"}}}


def test_at_zero_the_deadline_goes() -> None:
    after, _ = scale(PASS, ReplicaSet(replica_set("a", 3, deadline="2030-01-01T12:00:00Z")), 0)
    assert isinstance(after.effects[0], Patch)
    assert after.effects[0].body["metadata"]["annotations"] == {SCALE_DOWN_DEADLINE: None}


def test_a_mark_is_written_and_waited_for() -> None:
    until = NOW + timedelta(seconds=30)
    after = mark(PASS, ReplicaSet(replica_set("a", 3)), until)
    (patch,) = after.effects
    assert isinstance(patch, Patch) and after.wake_at == until
    assert patch.body["metadata"]["annotations"] == {SCALE_DOWN_DEADLINE: "2030-01-01T12:00:30Z"}

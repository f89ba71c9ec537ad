"""Writes to one ReplicaSet: its size with the annotations that go with it, its deadline."""

from datetime import datetime

from reconciler.kernel.identity import Manifest
from reconciler.kernel.moment import render_moment
from reconciler.kernel.plan import Patch
from reconciler.kernel.resources import REPLICA_SETS
from reconciler.kernel.well_known import DESIRED_REPLICAS, SCALE_DOWN_DEADLINE
from reconciler.rollouts.passes import Pass, reference
from reconciler.rollouts.pods.replica_set import ReplicaSet
from reconciler.rollouts.status.events import scaling_text


def scale(pass_: Pass, replica_set: ReplicaSet, replicas: int, *, deadline: str | None = None) -> tuple[Pass, bool]:
    """Size and annotations brought to what they shall be, and whether the size changed (contract 2.10, 4.12).

    `deadline` None leaves the scale-down deadline, "" removes it; at size 0 it always goes.
    """
    deadline = "" if replicas == 0 else deadline
    resized = replicas != replica_set.spec
    annotations = _annotations(pass_, replica_set, deadline)
    if not resized and not annotations:
        return pass_, False
    body: Manifest = {"metadata": {"annotations": annotations}} if annotations else {}
    if resized:
        body["spec"] = {"replicas": replicas}
    written = pass_.act(Patch(reference(REPLICA_SETS, replica_set.manifest), body))
    if not resized:
        return written, False
    return written.tell("ScalingReplicaSet", scaling_text(replica_set, replicas)), True


def _annotations(pass_: Pass, replica_set: ReplicaSet, deadline: str | None) -> Manifest:
    """The annotations that differ; null removes one. A scale write always notes the rollout's replicas."""
    wanted: Manifest = {}
    if replica_set.desired != pass_.facts.spec.replicas:
        wanted[DESIRED_REPLICAS] = str(pass_.facts.spec.replicas)
    if deadline is not None and deadline != (replica_set.deadline or ""):
        wanted[SCALE_DOWN_DEADLINE] = deadline or None
    return wanted


def mark(pass_: Pass, replica_set: ReplicaSet, until: datetime) -> Pass:
    """Write when this ReplicaSet may go, and look again then."""
    return scale(pass_, replica_set, replica_set.spec, deadline=render_moment(until))[0].wake(until)

"""The words of events about a rollout (contract 3.9)."""

from reconciler.rollouts.pods.replica_set import ReplicaSet
from reconciler.rollouts.spec.model import CanaryScale, Step
from reconciler.rollouts.status.model import Weights


def step_text(step: Step) -> str:
    """A step as people write it, e.g. `setWeight: 20`."""
    words = (
        (step.set_weight is not None, f"setWeight: {step.set_weight}"),
        (step.pause is not None, f"pause: {step.pause.text}" if step.pause and step.pause.text else "pause"),
        (step.experiment is not None, "experiment"),
        (step.analysis is not None, "analysis"),
        (step.scale is not None, _scale_text(step.scale) if step.scale else ""),
        (step.plugin is not None, f"plugin: {step.plugin.name if step.plugin else ''}"),
        (step.header_route is not None, f"setHeaderRoute: {step.header_route.name if step.header_route else ''}"),
        (step.mirror_route is not None, f"setMirrorRoute: {step.mirror_route.name if step.mirror_route else ''}"),
    )
    return next((text for set_, text in words if set_), "invalid")


def _scale_text(scale: CanaryScale) -> str:
    if scale.match_traffic:
        return "setCanaryScale{matchTrafficWeight: true}"
    if scale.replicas is not None:
        return f"setCanaryScale{{replicas: {scale.replicas}}}"
    return f"setCanaryScale{{weight: {scale.weight}}}"


def scaling_text(replica_set: ReplicaSet, replicas: int) -> str:
    direction = "up" if replicas > replica_set.spec else "down"
    place = f"ReplicaSet {replica_set.name} (revision {replica_set.revision})"
    return f"Scaled {direction} {place} from {replica_set.spec} to {replicas}"


def updated_text(revision: int) -> str:
    return f"Rollout updated to revision {revision}"


def weight_text(before: Weights | None, after: Weights) -> str:
    """What changed of the weights, as Go prints it."""
    words = []
    if before is None:
        words.append(f"to {after.canary.weight}")
    elif before.canary.weight != after.canary.weight:
        words.append(f"from {before.canary.weight} to {after.canary.weight}")
    if after.additional != (before.additional if before is not None else ()):
        shares = " ".join(f"{{{share.weight} {share.service} {share.hash}}}" for share in after.additional)
        words.append(f"additional: [{shares}]")
    return f"Traffic weight updated {', '.join(words)}"

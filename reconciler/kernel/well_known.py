"""Well-known labels and annotations: the keys that we and the clients of the reference put on objects (contract 0.3)."""

from reconciler.kernel.identity import Manifest, annotations_of, labels_of

HASH_LABEL = "rollouts-pod-template-hash"
REVISION = "rollout.argoproj.io/revision"
REVISION_HISTORY = "rollout.argoproj.io/revision-history"
DESIRED_REPLICAS = "rollout.argoproj.io/desired-replicas"
WORKLOAD_GENERATION = "rollout.argoproj.io/workload-generation"
EPHEMERAL_METADATA = "rollout.argoproj.io/ephemeral-metadata"
SCALE_DOWN_DEADLINE = "scale-down-deadline"
MANAGED_BY = "argo-rollouts.argoproj.io/managed-by-rollouts"
INSTANCE_ID = "argo-rollouts.argoproj.io/controller-instance-id"
SUSPEND = "reconciler.dev/suspend"
TRAFFIC_MARK = "reconciler.dev/traffic"
"""On a router's object: what it holds of which Rollout, while it holds something."""
GENERATED_ROUTES = "reconciler.dev/generated-routes"
"""On a Rollout: `plain` asks for header and mirror routes exactly as the reference makes them."""
PREVIEW_ADDRESS = "reconciler.dev/preview-address"
"""On a Rollout: where testers open a preview."""
SOURCE = "reconciler.dev/source"
"""On what a source of ours applied: its name."""


def suspended(live: Manifest) -> bool:
    """True when a person asked us to leave this object alone (ADR 0021)."""
    return annotations_of(live).get(SUSPEND) == "true"


def is_of_instance(live: Manifest, instance_id: str) -> bool:
    """True when a controller of this instance id drives the object: it bears exactly this id, or none where there is none."""
    return labels_of(live).get(INSTANCE_ID) == (instance_id or None)

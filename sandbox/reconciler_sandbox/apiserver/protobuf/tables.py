"""Which message a kind is, and the fields of every message by its name."""

from collections.abc import Mapping
from functools import cache

from reconciler_sandbox.apiserver.protobuf.access import ACCESS
from reconciler_sandbox.apiserver.protobuf.core import CORE
from reconciler_sandbox.apiserver.protobuf.fields import Message, parse
from reconciler_sandbox.apiserver.protobuf.meta import META
from reconciler_sandbox.apiserver.protobuf.pods import PODS
from reconciler_sandbox.apiserver.protobuf.workloads import WORKLOADS

TABLES: Mapping[str, str] = {**META, **PODS, **CORE, **WORKLOADS, **ACCESS}
RBAC = "rbac.authorization.k8s.io/v1"
# apiVersion → kinds whose message has the name of the kind.
KINDS: Mapping[str, tuple[str, ...]] = {
    "v1": (
        "Namespace", "ConfigMap", "Secret", "ServiceAccount", "Service", "Endpoints", "Event", "Binding", "Pod", "PodTemplate",
        "PersistentVolumeClaim", "ResourceQuota",
    ),
    "apps/v1": ("Deployment", "ReplicaSet", "StatefulSet", "DaemonSet"),
    "batch/v1": ("Job", "CronJob"),
    "autoscaling/v1": ("Scale",),
    "policy/v1": ("PodDisruptionBudget", "Eviction"),
    "coordination.k8s.io/v1": ("Lease",),
    "discovery.k8s.io/v1": ("EndpointSlice",),
    "networking.k8s.io/v1": ("Ingress",),
    "authentication.k8s.io/v1": ("TokenRequest", "SelfSubjectReview"),
    "authorization.k8s.io/v1": ("SelfSubjectAccessReview", "SelfSubjectRulesReview"),
    RBAC: ("Role", "ClusterRole"),
}  # fmt: skip
RENAMED: Mapping[tuple[str, str], str] = {
    ("autoscaling/v2", "HorizontalPodAutoscaler"): "Autoscaler",
    ("autoscaling/v1", "HorizontalPodAutoscaler"): "FirstAutoscaler",
    ("events.k8s.io/v1", "Event"): "NewEvent",
    (RBAC, "RoleBinding"): "RoleBinding",
    (RBAC, "ClusterRoleBinding"): "RoleBinding",
}


@cache
def message(name: str) -> Message:
    """The fields of a message."""
    return parse(TABLES[name])


def message_of(api_version: str, kind: str) -> str:
    """The name of a kind's message; empty if there is no table for it. Options of deletions are the same in every group."""
    if kind == "DeleteOptions":
        return kind
    return RENAMED.get((api_version, kind)) or (kind if kind in KINDS.get(api_version, ()) else "")

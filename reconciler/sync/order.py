"""In which order objects are written: what others need comes first, workloads come last (so a policy precedes what it judges)."""

from collections.abc import Iterable

from reconciler.kernel.identity import Manifest, name_of, namespace_of

RANKS = (
    ("Namespace",),
    ("CustomResourceDefinition",),
    ("ServiceAccount", "Role", "RoleBinding", "ClusterRole", "ClusterRoleBinding"),
    ("ConfigMap", "Secret"),
    ("ClusterReleasePolicy", "ReleasePolicy", "ClusterAnalysisTemplate", "AnalysisTemplate"),
    ("Service", "Gateway"),
    ("DestinationRule", "VirtualService"),
    ("Deployment", "StatefulSet", "DaemonSet"),
    ("Rollout",),
)
RANK = {kind: rank for rank, kinds in enumerate(RANKS) for kind in kinds}
WORKLOADS = RANK["Deployment"]


def in_order(manifests: Iterable[Manifest]) -> list[Manifest]:
    """Sorted by rank, then namespace and name; kinds we do not know come just before workloads."""
    return sorted(manifests, key=lambda m: (RANK.get(m["kind"], WORKLOADS - 0.5), namespace_of(m), name_of(m)))

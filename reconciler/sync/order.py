"""In which order objects are written: what others need comes first, workloads come last (so a policy precedes what it judges)."""

from reconciler.kernel.identity import Manifest
from reconciler.sources.kinds import kind_key

RANKS = (
    ("Namespace",),
    ("CustomResourceDefinition",),
    ("ServiceAccount", "Role", "RoleBinding", "ClusterRole", "ClusterRoleBinding"),
    ("ConfigMap", "Secret"),
    ("ClusterReleasePolicy", "ReleasePolicy", "ClusterAnalysisTemplate", "AnalysisTemplate"),
    ("Service", "Gateway"),
    ("Deployment", "StatefulSet", "DaemonSet"),
    ("Rollout",),
)
RANK = {kind: rank for rank, kinds in enumerate(RANKS) for kind in kinds}
WORKLOADS = RANK["Deployment"]


FOUNDATIONS = ("Namespace", "CustomResourceDefinition", "ReleasePolicy", "ClusterReleasePolicy")
"""What has to be there before anything else can be looked up, made, or judged."""


def rank_of(manifest: Manifest) -> float:
    """The wave in which an object is written; kinds we do not know, and with them the routers' own, come just before workloads."""
    return RANK.get(kind_key(manifest), WORKLOADS - 0.5)

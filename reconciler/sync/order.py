"""In which order objects are written: what others need comes first, workloads come last (so a policy precedes what it judges)."""

import re

from reconciler.kernel.identity import Manifest, annotations_of
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
WAVE = "argocd.argoproj.io/sync-wave"
WHOLE = re.compile(r"[+-]?[0-9]{1,9}")
WEIGHT = "helm.sh/hook-weight"
"""The same in Helm's words, where nothing else is said."""

FOUNDATIONS = ("Namespace", "CustomResourceDefinition", "ReleasePolicy", "ClusterReleasePolicy")
"""What has to be there before anything else can be looked up, made, or judged."""


def rank_of(manifest: Manifest) -> float:
    """The wave in which an object is written; kinds we do not know, and with them the routers' own, come just before workloads."""
    return RANK.get(kind_key(manifest), WORKLOADS - 0.5)


def wave_of(manifest: Manifest) -> int:
    """The sync wave that a manifest asks for; 0 where it asks for none, or for none that is a whole number."""
    return wave_asked(manifest) or 0


def wave_asked(manifest: Manifest) -> int | None:
    """The sync wave as it is written; None where that is no whole number, and 0 where none is."""
    annotations = annotations_of(manifest)
    text = str(annotations.get(WAVE, annotations.get(WEIGHT, "0"))).strip()
    return int(text) if WHOLE.fullmatch(text) else None

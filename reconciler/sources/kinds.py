"""Kinds as this product means them: a kind is known by its name *and* its group, so another tool's kind of that name is another kind."""

from collections.abc import Mapping

from reconciler.kernel import resources
from reconciler.kernel.identity import Manifest, Resource

KNOWN = tuple(resource for resource in vars(resources).values() if isinstance(resource, Resource))
HOMES: Mapping[str, str] = {
    **{resource.kind: resource.group for resource in KNOWN},
    "CustomResourceDefinition": "apiextensions.k8s.io",
    "StatefulSet": "apps",
    "DaemonSet": "apps",
    "CronJob": "batch",
    "PersistentVolume": "",
    "PersistentVolumeClaim": "",
}
"""The group of every kind that some rule of ours is about."""
CLUSTER_SCOPED = {
    "": {"Namespace", "Node", "PersistentVolume"},
    "admissionregistration.k8s.io": {
        "MutatingWebhookConfiguration",
        "ValidatingAdmissionPolicy",
        "ValidatingAdmissionPolicyBinding",
        "ValidatingWebhookConfiguration",
    },
    "apiextensions.k8s.io": {"CustomResourceDefinition"},
    "apiregistration.k8s.io": {"APIService"},
    "certificates.k8s.io": {"CertificateSigningRequest"},
    "flowcontrol.apiserver.k8s.io": {"FlowSchema", "PriorityLevelConfiguration"},
    "networking.k8s.io": {"IngressClass"},
    "node.k8s.io": {"RuntimeClass"},
    "rbac.authorization.k8s.io": {"ClusterRole", "ClusterRoleBinding"},
    "scheduling.k8s.io": {"PriorityClass"},
    "storage.k8s.io": {"CSIDriver", "CSINode", "StorageClass", "VolumeAttachment"},
    **{group: {r.kind for r in KNOWN if r.group == group and not r.namespaced} for group in ("argoproj.io", "reconciler.dev")},
}
"""The kinds without a namespace of groups whose kinds are all known; of every other group only the server can tell."""
WHOLLY_KNOWN = {*CLUSTER_SCOPED, "apps", "autoscaling", "batch", "policy", "discovery.k8s.io", "coordination.k8s.io", "networking.istio.io"}


def group_of(manifest: Manifest) -> str:
    """The API group of a manifest, empty for core."""
    return str(manifest.get("apiVersion", "")).rpartition("/")[0]


def kind_key(manifest: Manifest) -> str:
    """The kind, and its group where another group than ours has a kind of that name."""
    kind, group = str(manifest.get("kind")), group_of(manifest)
    home = HOMES.get(kind, group)
    return kind if home == group or "apiVersion" not in manifest else f"{kind}.{group}"


def is_namespaced(manifest: Manifest) -> bool | None:
    """True when objects of this kind live in a namespace; None where only the server can tell."""
    kind, group = str(manifest.get("kind")), group_of(manifest)
    if kind in CLUSTER_SCOPED.get(group, ()):
        return False
    return True if group in WHOLLY_KNOWN else None

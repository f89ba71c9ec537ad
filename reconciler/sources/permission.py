"""What a source may write: the blast radius of one repository (ADR 0019)."""

from reconciler.kernel.identity import Manifest, annotations_of, labels_of, name_of, namespace_of
from reconciler.sources.settings import Allow

CLUSTER_SCOPED = {
    "Namespace",
    "CustomResourceDefinition",
    "ClusterRole",
    "ClusterRoleBinding",
    "PersistentVolume",
    "StorageClass",
    "ClusterAnalysisTemplate",
    "ClusterReleasePolicy",
    "ValidatingWebhookConfiguration",
    "MutatingWebhookConfiguration",
    "PriorityClass",
}
IMPLICIT_GROUPS = {"", "apps"}


def kind_word(manifest: Manifest) -> str:
    """How `allow.kinds` names this kind: `Kind` for core and apps, else `Kind.group`."""
    group = manifest["apiVersion"].rpartition("/")[0]
    return str(manifest["kind"]) if group in IMPLICIT_GROUPS else f"{manifest['kind']}.{group}"


def refusal(manifest: Manifest, allow: Allow) -> str | None:
    """Why a source may not write this object, with what to change; None when it may."""
    word = kind_word(manifest)
    what = f"{manifest['kind']} {namespace_of(manifest) or '(cluster)'}/{name_of(manifest)}"
    if word not in allow.kinds:
        return f"{what}: kind {word} is not in this source's allow.kinds"
    if manifest["kind"] in CLUSTER_SCOPED:
        return None
    if not namespace_of(manifest):
        return f"{what}: has no metadata.namespace; write it into the manifest"
    if namespace_of(manifest) not in allow.namespaces:
        return f"{what}: namespace {namespace_of(manifest)} is not in this source's allow.namespaces"
    return None


def other_driver(live: Manifest) -> str | None:
    """Which other tool already applies this live object, by its tracking marks; None when none does (ADR 0022)."""
    annotations, labels = annotations_of(live), labels_of(live)
    if "argocd.argoproj.io/tracking-id" in annotations or "argocd.argoproj.io/instance" in labels:
        return "Argo CD"
    if any(key.startswith(("kustomize.toolkit.fluxcd.io/", "helm.toolkit.fluxcd.io/")) for key in labels):
        return "Flux"
    return None


def other_source(live: Manifest, source: str) -> str | None:
    """Which other source of ours owns this live object."""
    owner = annotations_of(live).get("reconciler.dev/source")
    return owner if owner not in (None, source) else None

"""Which other tool applies a live Rollout, and which of its objects says so: by tracking id, annotation or label.

Argo CD: argo-cd.readthedocs.io/en/stable/user-guide/resource_tracking; Flux: the labels of its kustomize- and helm-controller.
"""

from collections.abc import Iterable
from typing import Any

from msgspec import field

from reconciler.kernel.identity import Manifest, Resource, annotations_of, labels_of, name_of, namespace_of
from reconciler.kernel.redaction import smells
from reconciler.views.view import View

APPLICATIONS = Resource("argoproj.io", "v1alpha1", "applications", "Application")
KUSTOMIZATIONS = Resource("kustomize.toolkit.fluxcd.io", "v1", "kustomizations", "Kustomization")
HELM_RELEASES = Resource("helm.toolkit.fluxcd.io", "v2", "helmreleases", "HelmRelease")
GIT_REPOSITORIES = Resource("source.toolkit.fluxcd.io", "v1", "gitrepositories", "GitRepository")
HIDDEN = "(hidden)"
NO_HOLD = (
    "it applies each commit by itself: a held version that comes back is deployed until its restore has reached the cluster, "
    "so a hold cannot hold"
)
HEALED = "reconciler undo and set image are taken back; promote, abort, retry, pause and restart are not"
TRACKING = "argocd.argoproj.io/tracking-id"
INSTANCES = ("argocd.argoproj.io/instance", "app.kubernetes.io/instance")
FLUX = {KUSTOMIZATIONS: "kustomize.toolkit.fluxcd.io", HELM_RELEASES: "helm.toolkit.fluxcd.io"}


class Tracker(View, frozen=True, kw_only=True):
    """The object that a live one says it is applied by; `namespace` is empty where the mark does not name one."""

    kind: str
    namespace: str
    name: str
    certain: bool = True
    """False for a label that others set, too: the object itself has to say the same."""

    def __str__(self) -> str:
        return f"{self.kind} {self.namespace}/{self.name}" if self.namespace else f"{self.kind} {self.name}"


class Applier(View, frozen=True, kw_only=True):
    """How another tool applies one Rollout, and what a companion beside it needs."""

    workload: str
    applied_by: str
    """The tool's own object, and what made that."""
    repository: str = ""
    branch: str = ""
    path: str = ""
    by_itself: bool = False
    """True when it applies a new commit without a person."""
    heals: bool = False
    """True when it takes back what others change in the cluster."""
    source: dict[str, Any] = field(default_factory=dict)
    """For `sources` of a reconciler.yaml; empty where no source could follow it."""
    ignore: dict[str, Any] = field(default_factory=dict)
    """For its `spec`: what it has to leave to the rollout controller."""
    problems: tuple[str, ...] = ()
    """Why a restore in Git would not be written, or would not reach the cluster."""
    notes: tuple[str, ...] = ()


def trackers(live: Manifest) -> tuple[Tracker, ...]:
    """The objects that may apply this one, the surest first."""
    annotations, labels = annotations_of(live), labels_of(live)
    found: list[Tracker] = []
    if TRACKING in annotations:
        namespace, separator, name = str(annotations[TRACKING]).partition(":")[0].rpartition("_")
        found.append(Tracker(kind="Application", namespace=namespace if separator else "", name=name))
    for resource, prefix in FLUX.items():
        if f"{prefix}/name" in labels:
            found.append(
                Tracker(kind=resource.kind, namespace=str(labels.get(f"{prefix}/namespace", "")), name=str(labels[f"{prefix}/name"]))
            )
    found += [Tracker(kind="Application", namespace="", name=str(labels[key]), certain=False) for key in INSTANCES if key in labels]
    return tuple(dict.fromkeys(found))


def application_of(tracker: Tracker, live: Manifest, applications: Iterable[Manifest]) -> Manifest | None:
    """The Application that a mark means; of several with that name the one whose status lists the live object."""
    named = [one for one in applications if name_of(one) == tracker.name and tracker.namespace in ("", namespace_of(one))]
    listing = [one for one in named if _lists(one, live)]
    if listing or not tracker.certain:
        return listing[0] if listing else None
    return named[0] if named else None


def _lists(application: Manifest, live: Manifest) -> bool:
    resources = mapping(application.get("status")).get("resources")
    wanted = (live["kind"], namespace_of(live), name_of(live))
    return any((one.get("kind"), one.get("namespace"), one.get("name")) == wanted for one in entries(resources))


def shown(value: Any, name: str = "") -> Any:
    """A value of settings as it may be printed: what is called like a secret is not."""
    if isinstance(value, dict):
        return {key: shown(part, str(key)) for key, part in value.items()}
    if isinstance(value, list):
        return [shown(part, name) for part in value]
    return HIDDEN if smells(name) else value


def mapping(value: Any) -> dict[str, Any]:
    """A mapping from outside, or an empty one."""
    return value if isinstance(value, dict) else {}


def entries(value: Any) -> list[dict[str, Any]]:
    """The mappings of a list from outside."""
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []

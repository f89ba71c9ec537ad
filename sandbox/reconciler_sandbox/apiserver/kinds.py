"""What the server serves: one row per kind, and the registry that custom resource definitions add to."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from reconciler_sandbox.apiserver.schemas import Schema

VERBS = ("create", "delete", "deletecollection", "get", "list", "patch", "update", "watch")

ONE_BY_ONE = tuple(verb for verb in VERBS if verb != "deletecollection")


@dataclass(frozen=True, slots=True)
class Scale:
    """Where a kind keeps the three numbers of its scale, as dotted paths; `selector` may be empty."""

    spec: str = ".spec.replicas"
    status: str = ".status.replicas"
    selector: str = ""


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind in one version: its names, what it can do, and how it is written.

    `storage` is the version that objects are kept in; `generations` says whether metadata.generation counts its changes;
    `kept` is the schema of the version that objects are kept in, if that is another one.
    """

    group: str
    version: str
    plural: str
    kind: str
    namespaced: bool = True
    short_names: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    subresources: tuple[str, ...] = ()
    scale: Scale | None = None
    generations: bool = False
    verbs: tuple[str, ...] = VERBS
    schema: Schema | None = None
    selectable: tuple[str, ...] = ()
    singular: str = ""
    list_kind: str = ""
    storage: str = ""
    kept: Schema | None = None

    @property
    def api_version(self) -> str:
        """Group and version as in a manifest."""
        return f"{self.group}/{self.version}" if self.group else self.version

    @property
    def stored_version(self) -> str:
        """Group and version that its objects are kept in."""
        version = self.storage or self.version
        return f"{self.group}/{version}" if self.group else version

    @property
    def qualified(self) -> str:
        """Plural and group, as messages name a kind."""
        return f"{self.plural}.{self.group}" if self.group else self.plural

    @property
    def custom(self) -> bool:
        """Whether a custom resource definition brought it."""
        return self.schema is not None

    @property
    def has_status(self) -> bool:
        """Whether the status is written through its own path only."""
        return "status" in self.subresources

    @property
    def list_name(self) -> str:
        """The kind of its lists."""
        return self.list_kind or f"{self.kind}List"


ALL = ("all",)
STATUS = ("status",)
SCALABLE = ("status", "scale")
APPS_SCALE = Scale(selector=".spec.selector")
EXTENSIONS = "apiextensions.k8s.io"
RBAC = "rbac.authorization.k8s.io"

BUILT_IN = (
    Kind("", "v1", "namespaces", "Namespace", False, ("ns",), subresources=("status", "finalize"), verbs=ONE_BY_ONE),
    Kind(
        "",
        "v1",
        "pods",
        "Pod",
        short_names=("po",),
        categories=ALL,
        subresources=("status", "log", "eviction", "binding"),
    ),
    Kind("", "v1", "services", "Service", short_names=("svc",), categories=ALL, subresources=STATUS),
    Kind("", "v1", "endpoints", "Endpoints", short_names=("ep",)),
    Kind("", "v1", "configmaps", "ConfigMap", short_names=("cm",)),
    Kind("", "v1", "secrets", "Secret"),
    Kind("", "v1", "serviceaccounts", "ServiceAccount", short_names=("sa",)),
    Kind("", "v1", "events", "Event", short_names=("ev",)),
    Kind("", "v1", "nodes", "Node", False, ("no",), subresources=STATUS),
    Kind("", "v1", "podtemplates", "PodTemplate"),
    Kind("", "v1", "persistentvolumeclaims", "PersistentVolumeClaim", short_names=("pvc",), subresources=STATUS),
    Kind("apps", "v1", "deployments", "Deployment", True, ("deploy",), ALL, SCALABLE, APPS_SCALE, True),
    Kind("apps", "v1", "replicasets", "ReplicaSet", True, ("rs",), ALL, SCALABLE, APPS_SCALE, True),
    Kind("apps", "v1", "statefulsets", "StatefulSet", True, ("sts",), ALL, SCALABLE, APPS_SCALE, True),
    Kind("apps", "v1", "daemonsets", "DaemonSet", True, ("ds",), ALL, STATUS, None, True),
    Kind("batch", "v1", "jobs", "Job", categories=ALL, subresources=STATUS, generations=True),
    Kind("batch", "v1", "cronjobs", "CronJob", True, ("cj",), ALL, STATUS, None, True),
    Kind("coordination.k8s.io", "v1", "leases", "Lease"),
    Kind("autoscaling", "v2", "horizontalpodautoscalers", "HorizontalPodAutoscaler", True, ("hpa",), ALL, STATUS),
    Kind("policy", "v1", "poddisruptionbudgets", "PodDisruptionBudget", True, ("pdb",), (), STATUS, None, True),
    Kind("networking.k8s.io", "v1", "ingresses", "Ingress", True, ("ing",), (), STATUS, None, True),
    Kind("networking.k8s.io", "v1", "networkpolicies", "NetworkPolicy", True, ("netpol",), generations=True),
    Kind(RBAC, "v1", "roles", "Role"),
    Kind(RBAC, "v1", "rolebindings", "RoleBinding"),
    Kind(RBAC, "v1", "clusterroles", "ClusterRole", False),
    Kind(RBAC, "v1", "clusterrolebindings", "ClusterRoleBinding", False),
    Kind(
        EXTENSIONS,
        "v1",
        "customresourcedefinitions",
        "CustomResourceDefinition",
        False,
        ("crd", "crds"),
        ("api-extensions",),
        STATUS,
        None,
        True,
    ),
)

NAMESPACES = BUILT_IN[0]
PODS = BUILT_IN[1]
DEFINITIONS = next(kind for kind in BUILT_IN if kind.plural == "customresourcedefinitions")
Path = tuple[str, str, str]
"""Group, version and plural."""


@dataclass(slots=True)
class Registry:
    """The kinds served now; `generation` grows with each change, so that what is derived can be kept."""

    kinds: dict[Path, Kind] = field(default_factory=lambda: {(kind.group, kind.version, kind.plural): kind for kind in BUILT_IN})
    generation: int = 0

    def find(self, group: str, version: str, plural: str) -> Kind | None:
        """The kind under a path, if served."""
        return self.kinds.get((group, version, plural))

    def replace(self, group: str, plural: str, kinds: Iterable[Kind]) -> None:
        """Serve exactly these versions of one resource; none of them ends it."""
        kept = {path: kind for path, kind in self.kinds.items() if (path[0], path[2]) != (group, plural)}
        self.kinds = kept | {(kind.group, kind.version, kind.plural): kind for kind in kinds}
        self.generation += 1

    def by_kind(self, api_version: str, kind: str) -> Kind | None:
        """The kind that a manifest or an owner reference names; any version of the group will do."""
        group = api_version.rpartition("/")[0]
        found = [known for known in self.kinds.values() if known.group == group and known.kind == kind]
        return next((known for known in found if known.api_version == api_version), found[0] if found else None)

    def groups(self) -> Mapping[str, Mapping[str, tuple[Kind, ...]]]:
        """Group → version, best first → kinds."""
        found: dict[str, dict[str, list[Kind]]] = {}
        for kind in self.kinds.values():
            found.setdefault(kind.group, {}).setdefault(kind.version, []).append(kind)
        return {
            group: {version: tuple(versions[version]) for version in sorted(versions, key=version_rank, reverse=True)}
            for group, versions in found.items()
        }


def as_served(kind: Kind, manifest: dict[str, Any]) -> dict[str, Any]:
    """A stored object in the version that was asked for."""
    if manifest["apiVersion"] == kind.api_version:
        return manifest
    return {**manifest, "apiVersion": kind.api_version}


def version_rank(version: str) -> tuple[int, int, int]:
    """Stable before beta before alpha, then the higher number: how versions of a group are preferred."""
    stem, level, number = version.removeprefix("v"), 3, "0"
    for rank, word in ((2, "beta"), (1, "alpha")):
        if word in stem:
            stem, _, number = stem.partition(word)
            level = rank
    if not stem.isdigit():
        return (0, 0, 0)
    return (level, int(stem), int(number) if number.isdigit() else 0)

"""Who may do what: roles and bindings in the store, evaluated as RBAC does, and the roles that every cluster starts with."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from reconciler_sandbox.apiserver.identity import ANONYMOUS, AUTHENTICATED, MASTERS, SERVICE_ACCOUNT, User
from reconciler_sandbox.apiserver.kinds import RBAC
from reconciler_sandbox.apiserver.selectors import from_object
from reconciler_sandbox.apiserver.store import Store

Manifest = dict[str, Any]
EVERY = "*"


@dataclass(frozen=True, slots=True)
class Asked:
    """What a call wants to do: a verb on a resource, or on a `path` that is none."""

    verb: str
    group: str = ""
    resource: str = ""
    subresource: str = ""
    namespace: str = ""
    name: str = ""
    path: str = ""

    @property
    def whole(self) -> str:
        """Resource and subresource as rules name them."""
        return f"{self.resource}/{self.subresource}" if self.subresource else self.resource


@dataclass(frozen=True, slots=True)
class Grant:
    """One rule that applies to a user, and how it came to."""

    rule: Manifest
    reason: str


class Rights:
    """Answers from the roles and bindings that are stored now."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def find(self, user: User, asked: Asked) -> Grant | None:
        """The first rule that allows it; None if none does."""
        if MASTERS in user.groups:
            return Grant({"verbs": [EVERY]}, f'allowed by group "{MASTERS}"')
        return next((grant for grant in self.grants(user, asked.namespace) if covers(grant.rule, asked)), None)

    def grants(self, user: User, namespace: str) -> Iterator[Grant]:
        """The rules of a user in the whole cluster and in a namespace."""
        for (_, name), entry in self._objects("clusterrolebindings"):
            yield from self._granted(user, entry.manifest, f'ClusterRoleBinding "{name}"', "")
        if not namespace:
            return
        for (place, name), entry in self._objects("rolebindings"):
            if place == namespace:
                yield from self._granted(user, entry.manifest, f'RoleBinding "{name}/{namespace}"', namespace)

    def _objects(self, plural: str) -> Any:
        return tuple(self._store.collection(RBAC, plural).entries.items())

    def _granted(self, user: User, binding: Manifest, source: str, namespace: str) -> Iterator[Grant]:
        subject = next((one for one in binding.get("subjects") or () if is_meant(one, user, namespace)), None)
        if subject is None:
            return
        role = binding["roleRef"]
        plural, place = ("roles", namespace) if role["kind"] == "Role" else ("clusterroles", "")
        who = f'{subject["kind"]} "{subject["name"]}{_home(subject, namespace)}"'
        for rule in self.rules(plural, place, role["name"]):
            yield Grant(rule, f'RBAC: allowed by {source} of {role["kind"]} "{role["name"]}" to {who}')

    def rules(self, plural: str, namespace: str, name: str) -> list[Manifest]:
        """The rules of a role, those of the roles that it aggregates included; none if there is no such role."""
        roles = self._store.collection(RBAC, plural).entries
        found = roles.get((namespace, name))
        if found is None:
            return []
        own = list(found.manifest.get("rules") or ())
        selectors = [from_object(one) for one in (found.manifest.get("aggregationRule") or {}).get("clusterRoleSelectors") or ()]
        others = [one.manifest for place, one in roles.items() if place[1] != name and any(fits(one.manifest) for fits in selectors)]
        return own + [rule for other in others for rule in other.get("rules") or () if rule not in own]


def _home(subject: Mapping[str, Any], namespace: str) -> str:
    """The namespace of a ServiceAccount, as reasons tell it."""
    return f"/{subject.get('namespace') or namespace}" if subject.get("kind") == "ServiceAccount" else ""


def is_meant(subject: Mapping[str, Any], user: User, namespace: str) -> bool:
    """Whether a binding's subject is this user; a ServiceAccount without a namespace is of the binding's own."""
    match subject.get("kind"):
        case "User":
            return subject.get("name") == user.name
        case "Group":
            return subject.get("name") in user.groups
        case "ServiceAccount":
            return user.name == f"{SERVICE_ACCOUNT}{subject.get('namespace') or namespace}:{subject.get('name')}"
    return False


def covers(rule: Mapping[str, Any], asked: Asked) -> bool:
    """Whether a rule allows what is asked."""
    if not _holds(rule.get("verbs"), asked.verb):
        return False
    if asked.path:
        return any(_reaches(url, asked.path) for url in rule.get("nonResourceURLs") or ())
    names = rule.get("resourceNames") or ()
    return (
        _holds(rule.get("apiGroups"), asked.group)
        and _names(rule.get("resources") or (), asked)
        and (not names or (bool(asked.name) and asked.name in names))
    )


def _holds(allowed: Sequence[str] | None, wanted: str) -> bool:
    return EVERY in (allowed or ()) or wanted in (allowed or ())


def _names(resources: Sequence[str], asked: Asked) -> bool:
    anywhere = f"*/{asked.subresource}" if asked.subresource else EVERY
    return any(one in (EVERY, asked.whole, anywhere) for one in resources)


def _reaches(url: str, path: str) -> bool:
    return path.startswith(url[:-1]) if url.endswith(EVERY) else url == path


# -- what every cluster starts with -----------------------------------------------------------------------------------

BOOTSTRAP = {"kubernetes.io/bootstrapping": "rbac-defaults"}
PUBLIC = ["/healthz", "/livez", "/readyz", "/version", "/version/"]
DISCOVERY = ["/api", "/api/*", "/apis", "/apis/*", "/openapi", "/openapi/*", *PUBLIC]
REVIEWS: list[Manifest] = [
    {
        "verbs": ["create"],
        "apiGroups": ["authorization.k8s.io"],
        "resources": ["selfsubjectaccessreviews", "selfsubjectrulesreviews"],
    },
    {"verbs": ["create"], "apiGroups": ["authentication.k8s.io"], "resources": ["selfsubjectreviews"]},
]
READ, WRITE = ["get", "list", "watch"], ["create", "delete", "deletecollection", "patch", "update"]
# What people of a namespace work with: group → resources.
WORKED_WITH: Mapping[str, list[str]] = {
    "": ["configmaps", "endpoints", "persistentvolumeclaims", "pods", "services", "serviceaccounts"],
    "apps": ["daemonsets", "deployments", "deployments/scale", "replicasets", "replicasets/scale", "statefulsets", "statefulsets/scale"],
    "autoscaling": ["horizontalpodautoscalers"],
    "batch": ["cronjobs", "jobs"],
    "discovery.k8s.io": ["endpointslices"],
    "networking.k8s.io": ["ingresses", "networkpolicies"],
    "policy": ["poddisruptionbudgets"],
}
WATCHED: Mapping[str, list[str]] = {"": ["events", "limitranges", "namespaces", "pods/log", "pods/status", "resourcequotas"]}


def _on(verbs: list[str], resources: Mapping[str, list[str]]) -> list[Manifest]:
    return [{"verbs": verbs, "apiGroups": [group], "resources": names} for group, names in resources.items()]


VIEW = [*_on(READ, WORKED_WITH), *_on(READ, WATCHED)]
EDIT = [*_on(READ, {"": ["secrets"]}), *_on(WRITE, {**WORKED_WITH, "": [*WORKED_WITH[""], "secrets", "pods/eviction"]})]
OWN = _on([*READ, *WRITE], {RBAC: ["roles", "rolebindings"]})
# ClusterRole for people → what it holds, and the roles that add to it.
FOR_PEOPLE: Mapping[str, tuple[list[Manifest], str]] = {
    "view": (VIEW, "view"),
    "edit": ([*VIEW, *EDIT], "edit"),
    "admin": ([*VIEW, *EDIT, *OWN], "admin"),
}
AGGREGATES = f"{RBAC}/aggregate-to-"
# ClusterRole → its rules and the groups bound to it.
DEFAULTS: Mapping[str, tuple[list[Manifest], tuple[str, ...]]] = {
    "cluster-admin": (
        [{"verbs": ["*"], "apiGroups": ["*"], "resources": ["*"]}, {"verbs": ["*"], "nonResourceURLs": ["*"]}],
        (MASTERS,),
    ),
    "system:basic-user": (REVIEWS, (AUTHENTICATED,)),
    "system:discovery": ([{"verbs": ["get"], "nonResourceURLs": DISCOVERY}], (AUTHENTICATED,)),
    "system:public-info-viewer": ([{"verbs": ["get"], "nonResourceURLs": PUBLIC}], (AUTHENTICATED, *ANONYMOUS.groups)),
}


def bootstrap() -> Iterator[tuple[str, Manifest]]:
    """Plural and manifest of the roles and bindings of a new cluster."""
    for name, (rules, groups) in DEFAULTS.items():
        metadata = {"name": name, "labels": BOOTSTRAP}
        subjects = [{"kind": "Group", "apiGroup": RBAC, "name": group} for group in groups]
        yield "clusterroles", {"metadata": metadata, "rules": rules}
        role = {"apiGroup": RBAC, "kind": "ClusterRole", "name": name}
        yield "clusterrolebindings", {"metadata": metadata, "subjects": subjects, "roleRef": role}
    for name, (rules, label) in FOR_PEOPLE.items():
        selector = {"matchLabels": {f"{AGGREGATES}{label}": "true"}}
        aggregated = {"aggregationRule": {"clusterRoleSelectors": [selector]}}
        yield "clusterroles", {"metadata": {"name": name, "labels": BOOTSTRAP}, **aggregated, "rules": rules}

"""A guarded server, its users and their roles."""

from typing import Any

from reconciler_sandbox.apiserver.gate import Access
from reconciler_sandbox.apiserver.identity import ADMIN, User
from reconciler_sandbox.apiserver.server import ApiServer
from reconciler_sandbox.client import ApiClient

Json = dict[str, Any]
RBAC = "/apis/rbac.authorization.k8s.io/v1"
ANN = User("ann", ("dev", "system:authenticated"))
TOKENS = {"admin-token": ADMIN, "ann-token": ANN}


def guarded(**options: Any) -> tuple[ApiServer, Access]:
    """A server that asks for tokens and rights."""
    server, access = ApiServer(**options), Access(TOKENS)
    server.guard(access)
    return server, access


def rule(verbs: str, resources: str, groups: str = "", **more: Any) -> Json:
    """One rule; words are separated by commas."""
    return {"verbs": verbs.split(","), "apiGroups": groups.split(","), "resources": resources.split(","), **more}


def user_subject(name: str) -> Json:
    return {"kind": "User", "apiGroup": "rbac.authorization.k8s.io", "name": name}


async def allow(api: ApiClient, name: str, *rules: Json, namespace: str = "default", subject: Json | None = None) -> None:
    """A role and its binding, for ann if for nobody else; an empty namespace is the whole cluster."""
    kind, place = ("Role", f"{RBAC}/namespaces/{namespace}/") if namespace else ("ClusterRole", f"{RBAC}/cluster")
    await api.create(f"{place}roles", {"metadata": {"name": name}, "rules": list(rules)})
    reference = {"apiGroup": "rbac.authorization.k8s.io", "kind": kind, "name": name}
    binding = {"metadata": {"name": name}, "subjects": [subject or user_subject("ann")], "roleRef": reference}
    await api.create(f"{place}rolebindings", binding)

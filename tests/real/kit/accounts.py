"""Service accounts of a real cluster and their tokens."""

from reconciler_sandbox.client import ApiClient, Caller

from tests.real.kit.reach import caller
from tests.real.kit.servers import Server

RBAC = "rbac.authorization.k8s.io"
NAMESPACE = "kube-system"


async def administrators(server: Server, *names: str) -> dict[str, str]:
    """New service accounts that may do everything: the name that the audit log knows them by, and a token."""
    async with caller(server) as call:
        return {user_name(NAMESPACE, name): await _administrator(call, name) for name in names}


async def _administrator(call: Caller, name: str) -> str:
    api = ApiClient(call)
    await api.create(f"/api/v1/namespaces/{NAMESPACE}/serviceaccounts", {"metadata": {"name": name}})
    subject = {"kind": "ServiceAccount", "namespace": NAMESPACE, "name": name}
    role = {"apiGroup": RBAC, "kind": "ClusterRole", "name": "cluster-admin"}
    binding = {"metadata": {"name": name}, "subjects": [subject], "roleRef": role}
    await api.create(f"/apis/{RBAC}/v1/clusterrolebindings", binding)
    return await token_of(call, NAMESPACE, name)


async def token_of(call: Caller, namespace: str, name: str) -> str:
    """A token as a pod would be given one."""
    request = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {"expirationSeconds": 3600}}
    answer = await ApiClient(call).create(f"/api/v1/namespaces/{namespace}/serviceaccounts/{name}/token", request)
    return str(answer["status"]["token"])


def user_name(namespace: str, name: str) -> str:
    return f"system:serviceaccount:{namespace}:{name}"

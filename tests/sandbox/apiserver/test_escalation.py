"""Nobody gives away rights that he does not have."""

from typing import Any

import pytest
from reconciler_sandbox.client import ApiClient, ApiError

from tests.kit.access import ANN, allow, guarded, rule

ROLES = "/apis/rbac.authorization.k8s.io/v1/namespaces/default/roles"
BINDINGS = "/apis/rbac.authorization.k8s.io/v1/namespaces/default/rolebindings"


def role(*rules: dict[str, Any]) -> dict[str, Any]:
    return {"metadata": {"name": "new"}, "rules": list(rules)}


def binding(kind: str, name: str) -> dict[str, Any]:
    return {"metadata": {"name": "new"}, "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": kind, "name": name}}


@pytest.fixture
async def ann() -> ApiClient:
    """She may write roles and bindings, and read ConfigMaps."""
    server, _ = guarded()
    api = ApiClient(server.caller())
    await allow(api, "writer", rule("create,update,patch,get", "roles,rolebindings", "rbac.authorization.k8s.io"))
    await allow(api, "reader", rule("get,list", "configmaps"))
    return ApiClient(server.caller(ANN))


async def test_a_role_grants_no_more_than_its_writer_has(ann: ApiClient) -> None:
    with pytest.raises(ApiError, match="attempting to grant RBAC permissions not currently held") as refused:
        await ann.create(ROLES, role(rule("get", "secrets")))
    assert refused.value.status == 403 and 'Resources:["secrets"], Verbs:["get"]}' in refused.value.message
    assert await ann.get(f"{ROLES}/new") is None
    await ann.create(ROLES, role(rule("get", "configmaps", resourceNames=["one"])))
    with pytest.raises(ApiError, match="not currently held"):
        await ann.patch(f"{ROLES}/new", {"rules": [rule("get,delete", "configmaps")]})


async def test_a_binding_is_to_a_role_whose_rights_are_held(ann: ApiClient) -> None:
    with pytest.raises(ApiError, match="not currently held"):
        await ann.create(BINDINGS, binding("ClusterRole", "cluster-admin"))
    assert (await ann.create(BINDINGS, binding("Role", "reader")))["roleRef"]["name"] == "reader"


async def test_the_right_to_escalate_or_to_bind_is_enough() -> None:
    server, _ = guarded()
    api, ann = ApiClient(server.caller()), ApiClient(server.caller(ANN))
    await allow(api, "writer", rule("create,escalate,bind", "roles,rolebindings", "rbac.authorization.k8s.io"))
    assert await ann.create(ROLES, role(rule("*", "*", "*")))
    assert await ann.create(BINDINGS, binding("Role", "new"))


async def test_an_administrator_grants_everything() -> None:
    server, _ = guarded()
    assert await ApiClient(server.caller()).create(ROLES, role(rule("*", "*", "*")))

"""A source that acts as a ServiceAccount on a real control plane: the daemon may impersonate it, and its rights are the end."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path
from secrets import token_hex

import pytest
from reconciler_sandbox.client import ApiClient

from reconciler.kernel.resources import CONFIGMAPS, SERVICES
from reconciler.kube.client import Client
from tests.kit.clusters import NAMESPACE, Reached
from tests.kit.desk import config, life
from tests.kit.repositories import Origin
from tests.real.kit.accounts import RBAC, token_of
from tests.real.kit.ground import client_of, grounded
from tests.real.kit.reach import caller
from tests.real.kit.servers import Server

pytestmark = pytest.mark.real
AUTHORIZATION = f"/apis/{RBAC}/v1"
SERVICE = f"apiVersion: v1\nkind: Service\nmetadata: {{name: web, namespace: {NAMESPACE}}}\nspec: {{ports: [{{port: 80}}]}}\n"
READS = {"apiGroups": ["*"], "resources": ["*"], "verbs": ["get", "list", "watch"]}
RECORD = {"apiGroups": [""], "resources": ["configmaps"], "verbs": ["create", "patch"]}
NAMED = {"apiGroups": [""], "resources": ["serviceaccounts"], "resourceNames": ["deployer"], "verbs": ["impersonate"]}
TENANT = {"apiGroups": [""], "resources": ["configmaps"], "verbs": ["get", "list", "create", "patch", "delete"]}


@pytest.fixture
async def daemon(real_server: Server) -> AsyncIterator[tuple[Client, Client]]:
    """The administrator's client, and that of a daemon which may read, keep its record, and impersonate one account."""
    async with AsyncExitStack() as stack:
        admin = await stack.enter_async_context(client_of(real_server))
        await stack.enter_async_context(grounded(admin))
        call = await stack.enter_async_context(caller(real_server))
        api, name = ApiClient(call), f"daemon-{token_hex(4)}"
        for place, account in (("reconciler", name), (NAMESPACE, "deployer"), (NAMESPACE, "other")):
            await api.create(f"/api/v1/namespaces/{place}/serviceaccounts", {"metadata": {"name": account}})
        me, tenant = ("reconciler", name), (NAMESPACE, "deployer")
        await granted(api, ("cluster", name), READS, me)
        await granted(api, ("namespaces/reconciler/", name), RECORD, me)
        await granted(api, (f"namespaces/{NAMESPACE}/", "impersonate"), NAMED, me)
        await granted(api, (f"namespaces/{NAMESPACE}/", "deployer"), TENANT, tenant)
        stack.push_async_callback(api.delete, f"{AUTHORIZATION}/clusterrolebindings/{name}")
        stack.push_async_callback(api.delete, f"{AUTHORIZATION}/clusterroles/{name}")
        own = await stack.enter_async_context(client_of(real_server, token=await token_of(call, *me)))
        yield admin, own


async def granted(api: ApiClient, where: tuple[str, str], rule: dict[str, list[str]], account: tuple[str, str]) -> None:
    """A role with one rule, bound to an account."""
    place, name = where
    subject = {"kind": "ServiceAccount", "namespace": account[0], "name": account[1]}
    kind = "ClusterRole" if place == "cluster" else "Role"
    await api.create(f"{AUTHORIZATION}/{place}roles", {"metadata": {"name": name}, "rules": [rule]})
    reference = {"apiGroup": RBAC, "kind": kind, "name": name}
    await api.create(f"{AUTHORIZATION}/{place}rolebindings", {"metadata": {"name": name}, "subjects": [subject], "roleRef": reference})


async def test_the_accounts_rights_are_the_end_of_what_its_source_does(daemon: tuple[Client, Client], tmp_path: Path) -> None:
    admin, own = daemon
    origin = Origin(tmp_path / "origin.git")
    origin.commit({"a.yaml": config("a"), "b.yaml": config("b"), "web.yaml": SERVICE}, "all")
    async with life(Reached(own), origin, tmp_path, service_account=f"{NAMESPACE}/deployer") as shop:
        await shop.look()
        assert (await admin.get(CONFIGMAPS, NAMESPACE, "a"))["data"] == {"a": "1"}
        assert await admin.find(SERVICES, NAMESPACE, "web") is None
        problems = await shop.problems()
        assert f'User "system:serviceaccount:{NAMESPACE}:deployer" cannot get resource "services"' in problems
        assert "configmaps" not in problems
        origin.commit({"a.yaml": None, "web.yaml": None}, "less")  # while a Service cannot be written nothing is removed beside it
        await shop.look()
        assert await admin.find(CONFIGMAPS, NAMESPACE, "a") is None
    async with life(Reached(own), origin, tmp_path, service_account=f"{NAMESPACE}/other") as shop:
        origin.commit({"b.yaml": config("b", "2")}, "more")
        await shop.look()
        assert 'cannot impersonate resource "serviceaccounts"' in await shop.problems()
        assert (await admin.get(CONFIGMAPS, NAMESPACE, "b"))["data"] == {"a": "1"}

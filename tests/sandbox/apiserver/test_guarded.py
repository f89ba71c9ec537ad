"""kubectl against a server with TLS, tokens and RBAC."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from reconciler_sandbox.apiserver.certificate import self_signed
from reconciler_sandbox.apiserver.server import ApiServer
from reconciler_sandbox.client import ApiClient, ApiError

from tests.kit.access import ANN, allow, guarded, rule
from tests.kit.apiserver import CONFIG_MAPS, config_map
from tests.kit.kubectl import Kubectl, binary

pytestmark = pytest.mark.skipif(not binary(), reason="no kubectl on this machine")


@pytest.fixture
async def server() -> AsyncIterator[ApiServer]:
    server, _ = guarded()
    certificate = self_signed()
    await server.start(tls=certificate.context(), authority=certificate.authority)
    yield server
    await server.stop()


@pytest.fixture
def api(server: ApiServer) -> ApiClient:
    return ApiClient(server.caller())


def kubectl_of(server: ApiServer, folder: Path, token: str) -> Kubectl:
    home = folder / token[:20]
    home.mkdir()
    (home / "config").write_text(server.kubeconfig(token))
    return Kubectl(home)


async def test_a_user_may_what_their_role_says(server: ApiServer, api: ApiClient, tmp_path: Path) -> None:
    ann = kubectl_of(server, tmp_path, "ann-token")
    await api.create(CONFIG_MAPS, config_map("c", a="1"))
    text = await ann.refused("get cm c")
    assert 'configmaps "c" is forbidden: User "ann" cannot get resource "configmaps" in API group "" in the namespace "default"' in text
    assert await ann.refused("auth can-i get cm") == "no"
    await allow(api, "reader", rule("get,list,watch", "configmaps"))
    assert (await ann("get cm c --no-headers")).split()[:2] == ["c", "1"]
    assert await ann("auth can-i get cm") == "yes"
    assert await ann.refused("auth can-i delete cm") == "no"
    listed = await ann("auth can-i --list")
    assert "configmaps" in listed and "[get list watch]" in listed and "*.*" not in listed
    assert ANN.name in await ann("auth whoami") and "dev" in await ann("auth whoami")
    assert "cannot delete resource" in await ann.refused("delete cm c")


async def test_an_administrator_hands_out_rights(server: ApiServer, tmp_path: Path) -> None:
    admin, ann = kubectl_of(server, tmp_path, "admin-token"), kubectl_of(server, tmp_path, "ann-token")
    assert await admin("auth can-i * *") == "yes"
    await admin("create role r --verb=create --resource=configmaps")
    await admin("create rolebinding r --role=r --group=dev")
    assert await ann("create cm mine") == "configmap/mine created"
    assert "cannot list resource" in await ann.refused("get cm -A")


async def test_a_wrong_token_and_none_at_all(server: ApiServer, tmp_path: Path) -> None:
    assert "must be logged in" in await kubectl_of(server, tmp_path, "wrong").refused("get ns")
    with pytest.raises(ApiError, match='User "system:anonymous" cannot list resource "namespaces"'):
        await ApiClient(server.call).list("/api/v1/namespaces")


async def test_a_token_of_a_service_account_opens_what_it_may(server: ApiServer, tmp_path: Path) -> None:
    admin = kubectl_of(server, tmp_path, "admin-token")
    await admin("create sa bot")
    await admin("create rolebinding bot --clusterrole=cluster-admin --serviceaccount=default:bot")
    token = await admin("create token bot")
    bot = kubectl_of(server, tmp_path, token)
    assert "system:serviceaccount:default:bot" in await bot("auth whoami")
    assert await bot("create cm mine") == "configmap/mine created"
    assert "is forbidden" in await bot.refused("get cm -n kube-system")

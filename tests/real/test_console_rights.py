"""The console's overlay on a real control plane: tokens and access are reviewed, and a verb is written as the person who pressed it."""

import re
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import timedelta
from html import unescape
from pathlib import Path

import httpx
import pytest
from reconciler_sandbox.client import ApiClient

from reconciler.app.console.assembly import assembled
from reconciler.app.console.board import Board
from reconciler.app.console.detail import detail_questions
from reconciler.app.console.login import LoginDoor
from reconciler.app.console.pages import ConsoleScope
from reconciler.app.console.persons import Person
from reconciler.app.console.reading import ListQuestion
from reconciler.app.console.reviews import person_of_token, require_access
from reconciler.app.console.server import LOCAL, Entrance
from reconciler.app.console.state import shared_questions
from reconciler.app.console.verbs import VERBS, VerbSubject
from reconciler.app.settings.model import ConsoleSettings, LoginSettings, RoleSettings
from reconciler.kernel.clock import SystemClock
from reconciler.kernel.errors import Terminal
from reconciler.kernel.identity import ObjectRef
from reconciler.kernel.resources import CONFIGMAPS, EVENTS, ROLLOUTS
from reconciler.kernel.well_known import SOURCE
from reconciler.kube.client import Client
from reconciler.kube.config import endpoint
from reconciler.kube.errors import Forbidden
from reconciler.kube.fence import Fence
from reconciler.kube.http import Endpoint, HttpTransport
from reconciler.kube.impersonation import Impersonating
from reconciler.kube.transport import Transport
from reconciler.web.listener import listening
from tests.kit.granted import DEPLOY
from tests.kit.kubectl import Kubectl, binary
from tests.kit.wait import until
from tests.real.kit.accounts import token_of
from tests.real.kit.reach import caller
from tests.real.kit.servers import Server, started_cluster

pytestmark = [
    pytest.mark.real,
    pytest.mark.timeout(300),
    pytest.mark.xdist_group("plays"),
    pytest.mark.skipif(not binary(), reason="no kubectl on this machine"),
]
ABORT = "/rollouts/shop/web/press/abort"
TOKEN = re.compile(r'name="token" value="([^"]+)"')
WEB = ObjectRef(ROLLOUTS, "shop", "web")
ANN = Person("ann@example.com", ("shop-releasers",))
CLUSTER_VERB, SHOP_VERB = VERBS[VerbSubject.FREEZE, "freeze"], VERBS[VerbSubject.ROLLOUT, "abort"]
ROLES = (RoleSettings(group="system:serviceaccounts:shop", role="releaser", namespaces=("shop",)),)
ROLLOUT = {
    "apiVersion": "argoproj.io/v1alpha1",
    "kind": "Rollout",
    "metadata": {"name": "web", "namespace": "shop"},
    "spec": {
        "selector": {"matchLabels": {"app": "web"}},
        "strategy": {"canary": {"steps": [{"setWeight": 20}, {"pause": {}}]}},
        "template": {
            "metadata": {"labels": {"app": "web"}},
            "spec": {"containers": [{"name": "web", "image": "registry.example.com/web:2"}]},
        },
    },
}
MOVING = {"stableRS": "old", "currentPodHash": "new", "currentStepIndex": 1, "phase": "Paused"}


def _as(daemon: Transport, person: Person) -> Client:
    return Client(Impersonating(daemon, person.name, person.groups), Fence())


@pytest.fixture
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    for started in started_cluster(tmp_path_factory.mktemp("console")):
        if started.real is None:
            pytest.skip("the audit log of somebody's cluster is not ours to read")
        yield started


def kubectl_of(server: Server, home: Path) -> Kubectl:
    """A real kubectl of the administrator."""
    home.mkdir()
    (home / "config").write_text(server.kubeconfig.read_text(encoding="utf-8"), encoding="utf-8")
    return Kubectl(home)


@asynccontextmanager
async def as_daemon(server: Server, home: Path) -> AsyncIterator[tuple[HttpTransport, Client, dict[str, str]]]:
    """A transport with the rights of the overlay, the administrator's client, and tokens of two service accounts of the shop."""
    kubectl = kubectl_of(server, home)
    await kubectl(f"apply -f {DEPLOY / 'crds'}")
    await kubectl("create namespace shop")
    await kubectl(f"apply -k {DEPLOY / 'overlays' / 'console'}")
    await kubectl("-n reconciler delete deployment reconciler")
    for name in ("bo", "eve"):
        await kubectl(f"-n shop create serviceaccount {name}")
    await kubectl("-n shop create rolebinding bo --clusterrole=reconciler-releaser --serviceaccount=shop:bo")
    where = endpoint(str(server.kubeconfig))
    async with caller(server) as call:
        own = await token_of(call, "reconciler", "reconciler")
        tokens = {name: await token_of(call, "shop", name) for name in ("bo", "eve")}
        api = ApiClient(call)
        await api.create("/apis/argoproj.io/v1alpha1/namespaces/shop/rollouts", ROLLOUT)

    async def authorization() -> str:
        return f"Bearer {own}"

    async with HttpTransport(where) as administrator, HttpTransport(Endpoint(where.server, authorization, where.tls)) as daemon:
        client = Client(administrator, Fence())
        await client.patch(WEB, {"status": MOVING}, subresource="status")
        yield daemon, client, tokens


@asynccontextmanager
async def console(transport: HttpTransport) -> AsyncIterator[str]:
    login = LoginSettings(session=timedelta(hours=1), token=True, roles=ROLES)
    clock, settings = SystemClock(), ConsoleSettings(listen="127.0.0.1:0", url="http://127.0.0.1:8091", login=login)
    entrance = Entrance(LOCAL, LoginDoor(transport, clock, settings, None))
    with assembled(Client(transport, Fence()), clock, ConsoleScope(), live=True, entrance=entrance) as parts:
        async with listening(parts.console.routes(), "127.0.0.1", 0) as address:
            yield address


async def _everything_is_watched(own: Client, administrator: Client) -> None:
    """With the rights of the overlay every list that the pages ask for can be watched."""
    board = Board(own, SystemClock())
    asked = [question for question in (*shared_questions(""), *detail_questions("shop", "web")) if question.resource != CONFIGMAPS]
    asked.append(ListQuestion(CONFIGMAPS, "reconciler", labels=SOURCE))
    try:
        readings = await board.read(*asked)
        assert not [one for one in readings if one.trouble is not None or not one.watched]
        before = board.moves()
        await administrator.patch(WEB, {"metadata": {"annotations": {"told": "yes"}}})
        await until(lambda: board.moved_since(before, [ListQuestion(ROLLOUTS)]))
        rollouts = (await board.read(ListQuestion(ROLLOUTS)))[0].items
        assert [one["metadata"]["annotations"]["told"] for one in rollouts if one["metadata"]["name"] == "web"] == ["yes"]
    finally:
        board.close()


async def pressed(address: str, token: str) -> httpx.Response:
    async with httpx.AsyncClient(base_url=address, trust_env=False, timeout=60) as browser:
        entered = await browser.post("/login/token", data={"token": token})
        assert entered.status_code == 303, entered.text
        page = await browser.get(ABORT)
        found = TOKEN.search(page.text)
        assert found, page.text
        return await browser.post(ABORT, data={"token": unescape(found[1]), "why": "500s"})


async def test_a_verb_is_the_persons_own_on_a_real_api_server(cluster: Server, tmp_path: Path) -> None:
    assert cluster.real is not None
    async with as_daemon(cluster, tmp_path / "home") as (daemon, administrator, tokens):
        own = Client(daemon, Fence())
        await _everything_is_watched(own, administrator)
        known = await person_of_token(own, tokens["bo"])
        assert known is not None and known.name == "system:serviceaccount:shop:bo" and "system:serviceaccounts:shop" in known.groups
        assert await person_of_token(own, "forged") is None

        async with console(daemon) as address:
            refused = await pressed(address, tokens["eve"])
            assert (
                refused.status_code == 403
                and "does not let system:serviceaccount:shop:eve patch rollouts.argoproj.io/status" in refused.text
            )
            assert "abort" not in (await administrator.get(ROLLOUTS, "shop", "web"))["status"]
            assert (await pressed(address, tokens["bo"])).status_code == 303
        assert (await administrator.get(ROLLOUTS, "shop", "web"))["status"]["abort"] is True
        told = [event["message"] for event in await administrator.list(EVENTS, "shop") if event["reason"] == "VerbPressed"]
        assert len(told) == 1 and told[0].startswith("system:serviceaccount:shop:bo pressed abort in the console: 500s")

        await require_access(own, ANN, SHOP_VERB, "shop")
        for person, verb, namespace in ((ANN, SHOP_VERB, "pay"), (ANN, CLUSTER_VERB, ""), (Person("ann@example.com"), SHOP_VERB, "shop")):
            with pytest.raises(Terminal, match="does not let"):
                await require_access(own, person, verb, namespace)
        await _as(daemon, ANN).patch(WEB, {"spec": {"paused": True}})
        several = Person("cy", ("first", "shop-releasers", "third"))
        await _as(daemon, several).patch(WEB, {"spec": {"paused": False}})
        with pytest.raises(Forbidden, match="ann@example"):
            await _as(daemon, Person("ann@example.com")).patch(WEB, {"spec": {"paused": True}})

        log = cluster.real.audit_log.read_text(encoding="utf-8")
        assert '"impersonatedUser":{"username":"ann@example.com"' in log and '"username":"system:serviceaccount:shop:bo"' in log
        for token in tokens.values():
            assert token not in log


async def test_without_the_overlays_rights_nobody_is_let_in_and_nothing_is_written(cluster: Server, tmp_path: Path) -> None:
    async with as_daemon(cluster, tmp_path / "home") as (daemon, _, tokens):
        await Kubectl(tmp_path / "home")("delete clusterrolebinding reconciler-console")
        async with console(daemon) as address, httpx.AsyncClient(base_url=address, trust_env=False, timeout=60) as browser:
            entered = await browser.post("/login/token", data={"token": tokens["bo"]})
            assert entered.status_code == 503 and "tokenreviews" in entered.text and tokens["bo"] not in entered.text
        with pytest.raises(Forbidden):
            await require_access(Client(daemon, Fence()), ANN, SHOP_VERB, "shop")
        with pytest.raises(Forbidden, match="impersonate"):
            await _as(daemon, ANN).patch(WEB, {"spec": {"paused": True}})

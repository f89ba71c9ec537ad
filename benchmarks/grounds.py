"""The two API servers a fleet can stand on, each over HTTP: the sandbox's, and a real one. They count what the daemon asks of them."""

import json
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Protocol

from reconciler_sandbox.client import Answer, Call
from reconciler_sandbox.rehearsal.fittings import kubeconfig

from reconciler.kernel import resources
from reconciler.kernel.identity import Resource
from reconciler.kernel.resources import NAMESPACES
from reconciler.kube.client import Client
from scripts.real import binaries
from tests.kit.clusters import api
from tests.kit.rollouts import NAMESPACE
from tests.real.kit.accounts import administrators
from tests.real.kit.controlplane import RealCluster
from tests.real.kit.ground import PLACES, client_of, defined
from tests.real.kit.servers import Server

WRITE, EVENT, LEASE, READ, LIST, WATCH = "writes", "events", "lease renewals", "reads", "lists", "watches"
COLLECTIONS = frozenset(resource.plural for resource in vars(resources).values() if isinstance(resource, Resource))
ASKING = {"get": READ, "list": LIST, "watch": WATCH}
SERVICE_ACCOUNTS = Resource("", "v1", "serviceaccounts", "ServiceAccount")


@dataclass(slots=True)
class Calls:
    """How often the daemon asked for what: by kind, and what was written, by resource with its subresource."""

    kinds: Counter[str] = field(default_factory=Counter)
    written: Counter[str] = field(default_factory=Counter)

    def add(self, kind: str, what: str) -> None:
        self.kinds[kind] += 1
        if kind == WRITE:
            self.written[what] += 1


class Ground(Protocol):
    """An API server with our kinds: `kubeconfig` leads the daemon to it, `client` is the bench's own, and not counted."""

    kubeconfig: str
    client: Client

    def counted(self) -> Calls:
        """What the daemon asked since this was called last."""


# -- the sandbox's ----------------------------------------------------------------------------------------------------


class SandboxGround:
    """Requests are counted as they are answered; the bench's own do not come over HTTP."""

    def __init__(self, url: str, client: Client) -> None:
        self.kubeconfig, self.client = kubeconfig(url), client
        self._calls = Calls()

    async def count(self, call: Call, answer: Answer) -> None:
        """Called after every request."""
        if "host" in call.headers:
            self._calls.add(_kind(call), _written(call.path))

    def counted(self) -> Calls:
        calls, self._calls = self._calls, Calls()
        return calls


def _kind(call: Call) -> str:
    if call.method != "GET":
        return next((kind for part, kind in (("/events", EVENT), ("/leases/", LEASE)) if part in call.path), WRITE)
    if call.query.get("watch"):
        return WATCH
    return LIST if call.path.rsplit("/", 1)[-1] in COLLECTIONS else READ


def _written(path: str) -> str:
    """The resource of a path, with its subresource: what follows `namespaces/NAME/`, without the object's name."""
    words = path.partition("/namespaces/")[2].split("/")[1:] or path.split("/")[-1:]
    return "/".join((*words[:1], *words[2:]))


@asynccontextmanager
async def sandbox_ground(folder: Path) -> AsyncIterator[Ground]:
    async with api(listening=True) as cluster:
        ground = SandboxGround(cluster.server.url, cluster.client)
        cluster.server.faults_after = ground.count
        yield ground


# -- a real one -------------------------------------------------------------------------------------------------------


class RealGround:
    """Requests are counted from the server's audit log, by the account that the daemon has."""

    def __init__(self, kubeconfig: str, client: Client, log: Path, user: str) -> None:
        self.kubeconfig, self.client = kubeconfig, client
        self._log, self._user, self._read = log, user, 0

    def counted(self) -> Calls:
        calls = Calls()
        with self._log.open("rb") as log:
            log.seek(self._read)
            for line in log:
                if not line.endswith(b"\n"):
                    break
                self._read += len(line)
                self._take(json.loads(line), calls)
        return calls

    def _take(self, event: dict[str, Any], calls: Calls) -> None:
        about, verb = event.get("objectRef"), event["verb"]
        if event["user"]["username"] != self._user or (verb == "watch" and event["stage"] == "ResponseComplete"):
            return  # a watch was counted when it began
        resource = about.get("resource", "") if about else ""
        kind = ASKING.get(verb) or {"events": EVENT, "leases": LEASE}.get(resource, WRITE)
        calls.add(kind, "/".join(filter(None, (resource, (about or {}).get("subresource", "")))))


@asynccontextmanager
async def real_ground(folder: Path) -> AsyncIterator[Ground]:
    """etcd without fsync and kube-apiserver, no controller manager; the daemon may do everything. Raises NotObtained."""
    cluster = RealCluster(replace(binaries.control_plane(), controller_manager=None), folder / "cluster")
    cluster.start()
    async with AsyncExitStack() as stack:
        stack.callback(cluster.stop)
        server = Server(cluster.kubeconfig, real=cluster)
        client = await stack.enter_async_context(client_of(server))
        await defined(client)
        for place in PLACES:
            await client.create(NAMESPACES, {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": place}})
        metadata = {"name": "default", "namespace": NAMESPACE}
        await client.create(SERVICE_ACCOUNTS, {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": metadata})  # pods need it
        ((user, token),) = (await administrators(server, "daemon")).items()
        yield RealGround(cluster.kubeconfig_of(token, NAMESPACE), client, cluster.audit_log, user)

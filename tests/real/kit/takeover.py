"""What the reference left, put on a real server: its objects with uids and times of this server; and our controllers over it."""

import asyncio
import re
from collections import Counter
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import yaml
from reconciler_sandbox.cluster import Workings
from reconciler_sandbox.node.behaviour import Behaviour, Behaviours
from reconciler_sandbox.node.network import Network
from reconciler_sandbox.node.node import NodeSettings

from reconciler.app.indexes import indexes
from reconciler.experiments.controller import ExperimentController
from reconciler.kernel.clock import SystemClock
from reconciler.kernel.identity import Key, Manifest, ObjectRef, Resource, labels_of, name_of, namespace_of, uid_of
from reconciler.kernel.moment import parse_moment, render_moment
from reconciler.kernel.resources import DEPLOYMENTS, EXPERIMENTS, PODS, REPLICA_SETS, ROLLOUTS
from reconciler.kernel.well_known import REVISION, WORKLOAD_GENERATION
from reconciler.kube.cache import Cache
from reconciler.kube.client import Client
from reconciler.rollouts.controller import RolloutController
from reconciler.rollouts.observe import ObserverTerms, RolloutObserver
from reconciler.rollouts.traffic.named import NO_SOURCES
from reconciler.routers.registry import ROUTERS
from reconciler.runtime.access import cluster_access
from reconciler.runtime.engine import Engine
from reconciler.runtime.journal import Silence
from reconciler.runtime.recorder import Recorder
from reconciler.runtime.worker import Controller
from tests.kit.adoption import KINDS, left_by_reference
from tests.kit.clusters import running
from tests.kit.rollouts import NAMESPACE
from tests.kit.sandbox import QUICK
from tests.kit.stepplugins import NO_PLUGINS
from tests.kit.wait import until
from tests.real.kit.ground import PATIENCE, client_of, grounded
from tests.real.kit.reach import caller
from tests.real.kit.servers import Server

MOMENT = re.compile(r"\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")
AHEAD = timedelta(hours=1)
"""The swap happens so long before what the reference wrote down, so that nothing falls due while a slow machine looks."""
ASSIGNED = ("uid", "creationTimestamp", "generation", "resourceVersion")


IMAGES = {f"web:{number}": Behaviour(f"v{number}") for number in range(1, 4)}


@asynccontextmanager
async def peopled(server: Server) -> AsyncIterator[Client]:
    """Our client, with our kinds on the server and a namespace whose pods run."""
    settings = NodeSettings(behaviours=Behaviours(IMAGES), network=Network(masked=True), pace=QUICK)
    async with (
        client_of(server) as made,
        caller(server) as call,
        Workings(call, settings, controllers=server.sandbox is not None),
        grounded(made),
    ):
        yield made


# -- what was left ----------------------------------------------------------------------------------------------------


async def left_on(client: Client, phase: str) -> None:
    """The objects of a phase, owners first; pods run as many as the phase has."""
    at, items = left_by_reference(phase)
    waiting, uids = _moved(items, datetime.now(UTC) + AHEAD - at), dict[str, str]()
    generations: dict[str, str] = {}
    waiting.sort(key=lambda m: (m["kind"] != "Deployment", m["metadata"]["creationTimestamp"]))
    while waiting:
        manifest = next(m for m in waiting if all(owner["uid"] in uids for owner in m["metadata"].get("ownerReferences") or ()))
        waiting.remove(manifest)
        made = await _made(client, _owned(_followed(manifest, generations), uids))
        uids[uid_of(manifest)] = uid_of(made)
        if made["kind"] == DEPLOYMENTS.kind:
            generations[name_of(made)] = str(made["metadata"]["generation"])
    await until(lambda: _as_many(client, items), PATIENCE)


def _moved(items: Sequence[Manifest], distance: timedelta) -> list[Manifest]:
    """The same some time later."""

    def later(match: re.Match[str]) -> str:
        return render_moment(parse_moment(match[0]) + distance)

    found: list[Manifest] = yaml.safe_load(MOMENT.sub(later, yaml.safe_dump(list(items))))
    return found


def _owned(manifest: Manifest, uids: Mapping[str, str]) -> Manifest:
    """Without what the server assigns, owned by what it has."""
    metadata = {key: value for key, value in manifest["metadata"].items() if key not in ASSIGNED}
    if "ownerReferences" in metadata:
        metadata["ownerReferences"] = [{**owner, "uid": uids[owner["uid"]]} for owner in metadata["ownerReferences"]]
    return {**manifest, "metadata": metadata}


def _followed(manifest: Manifest, generations: Mapping[str, str]) -> Manifest:
    """A Rollout that borrows a template has seen the generation that this server gave."""
    reference = manifest.get("spec", {}).get("workloadRef")
    if not reference:
        return manifest
    seen = generations[reference["name"]]
    annotations = {**manifest["metadata"]["annotations"], WORKLOAD_GENERATION: seen}
    status = {**manifest["status"], "workloadObservedGeneration": seen}
    return {**manifest, "metadata": {**manifest["metadata"], "annotations": annotations}, "status": status}


async def _made(client: Client, manifest: Manifest) -> Manifest:
    resource = KINDS[manifest["kind"]]
    made = await client.create(resource, manifest)
    if resource != ROLLOUTS:
        return made
    status = {**manifest["status"], "observedGeneration": str(made["metadata"]["generation"])}
    return await client.patch(ObjectRef(ROLLOUTS, namespace_of(made), name_of(made)), {"status": status}, subresource="status")


async def _as_many(client: Client, items: Sequence[Manifest]) -> bool:
    wanted = {name_of(m): m["status"].get("availableReplicas", 0) for m in items if m["kind"] == REPLICA_SETS.kind}
    live = {name_of(m): m.get("status") or {} for m in await client.list(REPLICA_SETS, NAMESPACE)}
    return {name: live[name].get("availableReplicas", 0) for name in wanted} == wanted and all(
        live[name].get("replicas", 0) >= count for name, count in wanted.items()
    )


# -- who takes over ---------------------------------------------------------------------------------------------------


class Counted:
    """A controller whose passes are counted."""

    def __init__(self, controller: Controller) -> None:
        self.name, self.watches, self.keys_for = controller.name, controller.watches, controller.keys_for
        self.passes: Counter[Key] = Counter()
        self._controller = controller

    async def reconcile(self, key: Key) -> datetime | None:
        try:
            return await self._controller.reconcile(key)
        finally:
            self.passes[key] += 1


class Takeover:
    """Our controllers of rollouts and experiments over a server."""

    def __init__(self, client: Client, instance: str = "") -> None:
        clock = SystemClock()
        routed = {kind for router in ROUTERS.values() for kind in router.kinds}
        cache = Cache((*RolloutController.watches, *ExperimentController.watches, *routed), indexes(ROUTERS))
        self._recorder = Recorder(client, clock)
        access = cluster_access(client, cache, clock, self._recorder, Silence())
        observer = RolloutObserver(client, cache, ROUTERS, ObserverTerms(NO_SOURCES, instance))
        self._controllers = [Counted(RolloutController(access, observer, NO_PLUGINS)), Counted(ExperimentController(access, instance))]
        self._engine = Engine(self._controllers, client, cache, clock)

    @asynccontextmanager
    async def at_work(self) -> AsyncIterator["Takeover"]:
        async with running(self._engine.run(), self._recorder.run()):
            await asyncio.wait_for(self._engine.ready.wait(), PATIENCE)
            yield self

    async def looked_at(self, *keys: Key, times: int = 3) -> None:
        """Each has been looked at so many times again, one after the other."""
        for _ in range(times):
            before = {key: self._passes(key) for key in keys}
            for key in keys:
                self._engine.poke(key)
            await until(lambda before=before: all(self._passes(key) > count for key, count in before.items()), PATIENCE)  # type: ignore[misc]

    def _passes(self, key: Key) -> int:
        return sum(controller.passes[key] for controller in self._controllers)


# -- what is there ----------------------------------------------------------------------------------------------------


async def versions_of(client: Client, *resources: Resource) -> dict[str, str]:
    """The resourceVersion of every object of some kinds."""
    found: dict[str, str] = {}
    for resource in resources:
        found |= {f"{resource.kind} {name_of(m)}": m["metadata"]["resourceVersion"] for m in await client.list(resource, NAMESPACE)}
    return found


async def shapes_of(client: Client) -> dict[str, Any]:
    """Every ReplicaSet but for its status, and the pods that run."""
    replica_sets = await client.list(REPLICA_SETS, NAMESPACE)
    kept = {name_of(m): (labels_of(m), m["metadata"].get("annotations"), m["spec"]) for m in replica_sets}
    return {**kept, "pods": await pods_of(client)}


async def pods_of(client: Client) -> set[str]:
    """The uids of the pods that are not on their way out."""
    return {uid_of(pod) for pod in await client.list(PODS, NAMESPACE) if not pod["metadata"].get("deletionTimestamp")}


async def rollout_of(client: Client, name: str = "web") -> Manifest:
    return await client.get(ROLLOUTS, NAMESPACE, name)


async def pressed(client: Client, body: Manifest, *, subresource: str = "", name: str = "web") -> Manifest:
    return await client.patch(ObjectRef(ROLLOUTS, NAMESPACE, name), body, subresource=subresource)


async def reaches(client: Client, phase: str, *, revision: int = 0, name: str = "web") -> Manifest:
    """The Rollout once it is in this phase, seen in its newest generation and at least at this revision."""

    async def there() -> Manifest | None:
        found = await rollout_of(client, name)
        status, notes = found.get("status") or {}, found["metadata"].get("annotations") or {}
        seen = status.get("observedGeneration") == str(found["metadata"]["generation"])
        at = f"{status.get('phase')} {status.get('message', '')}".strip()
        return found if seen and at == phase and int(notes.get(REVISION, 0)) >= revision else None

    return await until(there, PATIENCE)  # type: ignore[return-value]


async def served(client: Client) -> dict[str, int]:
    """Available pods by image, of rollouts' and experiments' ReplicaSets alike."""
    count: Counter[str] = Counter()
    for manifest in await client.list(REPLICA_SETS, NAMESPACE):
        count[manifest["spec"]["template"]["spec"]["containers"][0]["image"]] += (manifest.get("status") or {}).get("availableReplicas", 0)
    return {image: number for image, number in count.items() if number}


ROLLOUT = Key("rollout", NAMESPACE, "web")


async def keys_of(client: Client) -> list[Key]:
    """The Rollout and every experiment."""
    return [ROLLOUT, *(Key("experiment", NAMESPACE, name_of(found)) for found in await client.list(EXPERIMENTS, NAMESPACE))]

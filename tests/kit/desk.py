"""Our desk: a real repository on one side, an API server on the other, and the passes between them, one at a time."""

from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx

from reconciler.app.wiring import siblings, write_remote
from reconciler.forges.plain import Plain
from reconciler.git.environment import remote_of
from reconciler.git.mirror import Mirror
from reconciler.git.refs import RemoteRefs
from reconciler.kernel.clock import SystemClock
from reconciler.kernel.identity import Key, Manifest, ObjectRef, Resource, labels_of, name_of
from reconciler.kernel.resources import CONFIGMAPS, DEPLOYMENTS, EVENTS, RELEASE_POLICIES, RELEASES, REPLICA_SETS, ROLLOUTS
from reconciler.kube.cache import Cache
from reconciler.releases.announce.apply_announcements import Announcements
from reconciler.releases.announce.apply_notices import Notices
from reconciler.releases.announce.forge import Forge
from reconciler.releases.comparison.observe import Sampling
from reconciler.releases.controller import Outside, ReleaseController
from reconciler.releases.opening.apply_opener import ReleaseOpener
from reconciler.releases.policies.observe import LocalPolicies, Policies
from reconciler.releases.restore.restoring import Hands, Restoration
from reconciler.renderers.registry import renderer
from reconciler.routers.registry import ROUTERS
from reconciler.runtime.access import cluster_access
from reconciler.runtime.journal import Silence
from reconciler.runtime.recorder import Recorder
from reconciler.sources.follow import GitSource
from reconciler.sources.inventory import Inventory, config_map_name, parse_inventory
from reconciler.sources.observe_inventory import Inventories
from reconciler.sources.renderer import render_options
from reconciler.sources.settings import Allow, SourceSettings
from reconciler.sync.apply_tenant import source_hands
from reconciler.sync.controller import Parts, SourceController
from tests.kit.clusters import NAMESPACE, Api, Reached, api, informed
from tests.kit.counters import SteadyCounters
from tests.kit.echoes import Echoes
from tests.kit.repositories import Files, Origin
from tests.kit.wait import until

KINDS = (
    "ConfigMap",
    "Service",
    "Deployment",
    "Rollout.argoproj.io",
    "VirtualService.networking.istio.io",
    "ReleasePolicy.reconciler.dev",
)
SETTINGS = SourceSettings(
    name="shop",
    repository="",
    branch="main",
    path=".",
    environment="demo",
    interval=timedelta(seconds=30),
    apply=True,
    allow=Allow(namespaces=(NAMESPACE,), kinds=KINDS),
)
WATCHED = tuple(dict.fromkeys((*SourceController.watches, *ReleaseController.watches)))


class SettableClock:
    """Time that only a test moves; it begins now, because the API server stamps with the machine's time."""

    def __init__(self) -> None:
        self.time = datetime.now(UTC)

    def now(self) -> datetime:
        return self.time

    def monotonic(self) -> float:
        return self.time.timestamp()


@dataclass(frozen=True)
class Desk:
    """One life of our controllers over a cluster and a repository."""

    api: Api | Reached
    origin: Origin
    clock: SettableClock
    cache: Cache
    followed: GitSource
    source: SourceController
    release: ReleaseController
    recorder: Recorder
    counters: SteadyCounters
    echoes: Echoes

    def push(self, files: Files, message: str = "change") -> str:
        return self.origin.commit(files, message)

    async def look(self) -> datetime | None:
        """One pass over the source, after a poll."""
        self.followed.expect_news()
        return await self.source.reconcile(Key("source", "", "shop"))

    async def inventory(self) -> Inventory:
        return parse_inventory(await self.api.client.find(CONFIGMAPS, "reconciler", config_map_name("shop")))

    async def problems(self) -> str:
        return "\n".join(map(str, (await self.inventory()).problems))

    async def live(self, resource: Resource, name: str) -> Manifest | None:
        return await self.api.client.find(resource, NAMESPACE, name)

    async def found(self, resource: Resource, name: str) -> Manifest:
        return await self.api.client.get(resource, NAMESPACE, name)

    async def releases(self) -> list[Manifest]:
        """The releases of everything, oldest first."""
        found = await self.api.client.list(RELEASES, NAMESPACE)
        return sorted(found, key=lambda r: int(r["spec"]["number"]))

    async def events(self) -> list[str]:
        """The reasons of everything that was told, once it is posted."""
        return [event["reason"] for event in await self.posted()]

    async def posted(self) -> list[Manifest]:
        await self.recorder.drain()
        return await self.api.client.list(EVENTS)

    async def say(self, name: str = "web", **status: Any) -> None:
        """What the rollout layer would say about a Rollout at its present generation; the cache has seen it afterwards."""
        live = await self.found(ROLLOUTS, name)
        told = {"observedGeneration": str(live["metadata"]["generation"]), **status}
        if lender := live["spec"].get("workloadRef"):
            told["workloadObservedGeneration"] = str((await self.found(DEPLOYMENTS, lender["name"]))["metadata"]["generation"])
        answer = await self.api.client.patch(ObjectRef(ROLLOUTS, NAMESPACE, name), {"status": told}, subresource="status")
        await self._seen(ROLLOUTS, answer)

    async def judge(self, passes: int = 4) -> None:
        """Some passes over every release that is not closed."""
        for _ in range(passes):
            for manifest in await self.api.client.list(RELEASES, NAMESPACE):
                await self._seen(RELEASES, manifest)
                await self.release.reconcile(Key("release", NAMESPACE, name_of(manifest)))

    async def _seen(self, resource: Resource, manifest: Manifest) -> None:
        place, version = name_of(manifest), int(manifest["metadata"]["resourceVersion"])

        def facts() -> bool:
            known = self.cache.get(resource, NAMESPACE, place)
            return known is not None and int(known["metadata"]["resourceVersion"]) >= version

        await until(facts)

    async def seen(self, manifest: Manifest, resource: Resource = ROLLOUTS) -> None:
        """Wait until the cache has seen this version of an object."""
        await self._seen(resource, manifest)

    async def gone(self, resource: Resource, name: str) -> None:
        """Wait until the cache has seen that an object is gone."""
        await until(lambda: self.cache.get(resource, NAMESPACE, name) is None)

    async def stable_pods(self, pod_hash: str, image: str, name: str = "web") -> None:
        """The ReplicaSet of the stable version, with pods that are available."""
        owner = await self.found(ROLLOUTS, name)
        labels = {"app": name, "rollouts-pod-template-hash": pod_hash}
        reference = {
            "apiVersion": owner["apiVersion"],
            "kind": "Rollout",
            "name": name,
            "uid": owner["metadata"]["uid"],
            "controller": True,
        }
        template = {"metadata": {"labels": labels}, "spec": {"containers": [{"name": name, "image": image}]}}
        metadata = {"name": f"{name}-{pod_hash}", "namespace": NAMESPACE, "labels": labels, "ownerReferences": [reference]}
        spec = {"replicas": 2, "selector": {"matchLabels": labels}, "template": template}
        made = {"apiVersion": "apps/v1", "kind": "ReplicaSet", "metadata": metadata, "spec": spec}
        await self.api.client.create(REPLICA_SETS, made)
        place, status = ObjectRef(REPLICA_SETS, NAMESPACE, f"{name}-{pod_hash}"), {"status": {"replicas": 2, "availableReplicas": 2}}
        await self._seen(REPLICA_SETS, await self.api.client.patch(place, status, subresource="status"))

    async def follow_policy(self, name: str) -> None:
        """Wait until the cache has seen a policy that was applied."""
        await self._seen(RELEASE_POLICIES, await self.found(RELEASE_POLICIES, name))

    async def proven(self, name: str = "web", hash: str = "h1") -> None:
        """The workload's first version was taken up, runs healthily and is our baseline."""
        await self.look()
        await self.say(name, phase="Healthy", currentPodHash=hash, stableRS=hash)
        await self.judge()

    async def lost(self, name: str = "web", hash: str = "h2") -> None:
        """The rollout layer took the new version up, and sent it home after a failed deadline."""
        condition = {
            "type": "Progressing",
            "status": "False",
            "reason": "RolloutAborted",
            "message": 'ReplicaSet "x" has timed out progressing.',
        }
        await self.say(name, phase="Progressing", currentPodHash=hash)
        await self.judge(2)
        await self.say(name, phase="Degraded", abort=True, conditions=[condition])
        await self.judge()


@asynccontextmanager
async def desk(folder: Path, *, forges: Mapping[str, Forge] | None = None, **settings: Any) -> AsyncIterator[Desk]:
    """A cluster, an empty repository and a first life between them."""
    origin = Origin(folder / "origin.git")
    async with api() as cluster, life(cluster, origin, folder, forges=forges, **settings) as found:
        yield found


@asynccontextmanager
async def life(
    cluster: Api | Reached,
    origin: Origin,
    folder: Path,
    *,
    forges: Mapping[str, Forge] | None = None,
    others: Iterable[Mapping[str, Any]] = (),
    **settings: Any,
) -> AsyncIterator[Desk]:
    """New controllers, a new cache and a new mirror over what is there; `others` are further sources of the same branch."""
    async with AsyncExitStack() as stack:
        mirror = Mirror(folder / f"mirror-{uuid4()}", remote_of(origin.url), folder / "home")
        stack.callback(mirror.close)
        http = await stack.enter_async_context(httpx.AsyncClient(trust_env=False))
        cache = await stack.enter_async_context(informed(cluster.client, *WATCHED))
        wanted = replace(SETTINGS, repository=origin.url, **settings)
        found = renderer(wanted.renderer, render_options(wanted))
        beside = siblings(wanted, [replace(wanted, **other) for other in others], None)
        followed = GitSource(wanted, mirror, RemoteRefs(http, mirror.runner), found, beside)
        yield _assembled(cluster, origin, (cache, followed), forges or {})


def _assembled(cluster: Api | Reached, origin: Origin, read: tuple[Cache, GitSource], forges: Mapping[str, Forge]) -> Desk:
    cache, followed = read
    clock, client = SettableClock(), cluster.client
    announcements = Announcements(forges, cache, "")
    inventories = Inventories(client, "reconciler", clock.monotonic)
    policies = Policies(cache, LocalPolicies())
    recorder = Recorder(client, clock)
    access = cluster_access(client, cache, clock, recorder, Silence())
    releases = ReleaseOpener(access, policies, announcements)
    parts = Parts(
        hands={"shop": source_hands(access, policies, releases, followed.settings.service_account)},
        opener=releases,
        apply=access.apply,
        inventories=inventories,
        routers=ROUTERS,
        journal=access.journal,
    )
    counters, echoes = SteadyCounters(), Echoes()
    hands = Hands(followed, forges.get("shop", Plain()), lambda: None, write_remote(followed.settings))
    restoration = Restoration({"shop": hands}, clock, SystemClock())
    outside = Outside(restoration, announcements, policies, inventories, Notices({}, ""), Sampling(counters, echoes.send))
    source = SourceController(clock, {"shop": followed}, parts)
    return Desk(cluster, origin, clock, cache, followed, source, ReleaseController(access, outside), recorder, counters, echoes)


def rollout(image: str = "registry.example.com/web:1.0", *, name: str = "web", extra: str = "", spec: str = "") -> str:
    """A canary Rollout with one container; `extra` are lines of the container (indented by ten), `spec` of the spec (by two)."""
    return (
        f"apiVersion: argoproj.io/v1alpha1\nkind: Rollout\nmetadata:\n  name: {name}\n  namespace: {NAMESPACE}\n"
        f"spec:\n  replicas: 2\n{spec}  selector:\n    matchLabels: {{app: {name}}}\n  strategy:\n    canary:\n      steps:\n"
        f"        - setWeight: 30\n        - pause: {{}}\n  template:\n    metadata:\n      labels: {{app: {name}}}\n"
        f"    spec:\n      containers:\n        - name: {name}\n          image: {image}\n{extra}"
    )


def config(name: str, value: str = "1", *, key: str = "a", namespace: str = NAMESPACE) -> str:
    return f"apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: {name}, namespace: {namespace}}}\ndata:\n  {key}: '{value}'\n"


def policy(name: str, spec: str = "{}") -> str:
    head = "apiVersion: reconciler.dev/v1alpha1\nkind: ReleasePolicy\n"
    return f"{head}metadata: {{name: {name}, namespace: {NAMESPACE}}}\nspec: {spec}\n"


def image_of(manifest: Manifest) -> str:
    return str(manifest["spec"]["template"]["spec"]["containers"][0]["image"])


def source_of(manifest: Manifest) -> str:
    return str(labels_of(manifest).get("reconciler.dev/source", ""))

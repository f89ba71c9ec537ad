"""What people do in the cluster in a tale: the verbs of every client, holds, edits by hand, and deletions."""

from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from reconciler.app.cli.cluster import ClusterPlace
from reconciler.app.cli.explaining import explained
from reconciler.app.cli.family import asked_identity
from reconciler.kernel.errors import Terminal
from reconciler.kernel.frozen import FREEZE
from reconciler.kernel.identity import Resource
from reconciler.kernel.plan import Patch, PatchStyle
from reconciler.kernel.resources import (
    ANALYSIS_RUNS,
    DEPLOYMENTS,
    NAMESPACES,
    PODS,
    RELEASE_POLICIES,
    RELEASES,
    REPLICA_SETS,
    ROLLOUTS,
    SERVICES,
    VIRTUAL_SERVICES,
)
from reconciler.kernel.well_known import HASH_LABEL
from reconciler.kube.client import Client, path_of
from reconciler.kube.fence import Fence
from reconciler.releases.acceptance import accepted_patch, to_accept
from reconciler.releases.holds import of_workload
from reconciler.releases.manifest import parse_releases
from reconciler.releases.model import Accepted
from reconciler.releases.override import override
from reconciler.releases.verbs import LIFTED
from reconciler.rollouts import verbs
from reconciler.rollouts.view import view_of
from reconciler_sandbox.client import ApiError
from reconciler_sandbox.client import PatchStyle as Style
from reconciler_sandbox.rehearsal.hunt.plots import IMAGE, NAME, NAMESPACE
from reconciler_sandbox.rehearsal.hunt.tale import Deed, Happening
from reconciler_sandbox.rehearsal.inprocess import DirectTransport
from reconciler_sandbox.rehearsal.virtual.world import World

Manifest = dict[str, Any]
KEY = (NAMESPACE, "Rollout", NAME)
SUSPEND, OWN = "reconciler.dev/suspend", "reconciler"
STYLES: Mapping[PatchStyle, Style] = {PatchStyle.MERGE: "merge", PatchStyle.JSON: "json"}


class Visitors:
    """Everybody with a kubeconfig. A deed that is refused says so in the server's words, as a client would show them."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._api = world.api
        self._client = Client(DirectTransport(world.server.call), Fence())
        self._deeds: Mapping[Deed, Callable[[str], Awaitable[str]]] = {
            Deed.ABORT: lambda _: self._press(verbs.abort),
            Deed.RETRY: self._retry,
            Deed.PROMOTE: lambda _: self._press(lambda rollout: verbs.promote(rollout, full=False)),
            Deed.PROMOTE_FULL: lambda _: self._press(lambda rollout: verbs.promote(rollout, full=True)),
            Deed.UNDO: self._undo,
            Deed.SET_IMAGE: self._set_image,
            Deed.RESTART: lambda _: self._press(lambda rollout: verbs.restart(rollout, self._now)),
            Deed.LIFT: self._lift,
            Deed.HOLD: self._hold,
            Deed.ACCEPT: self._accept,
            Deed.SUSPEND: lambda _: self._suspend("true"),
            Deed.FREEZE: self.freeze,
            Deed.DELETE: self._delete,
            Deed.EDIT: self._edit,
            Deed.APPLY: self._apply,
            Deed.LOSE_NODE: self._lose_node,
        }

    def does(self, deed: Deed) -> bool:
        """True for what is done in the cluster."""
        return deed in self._deeds

    async def do(self, happening: Happening) -> str:
        """Do it, and say what came of it."""
        try:
            return await self._deeds[happening.deed](happening.what)
        except (ApiError, Terminal) as refusal:
            return f"refused: {' '.join(str(refusal).split())[:120]}"

    @property
    def _now(self) -> datetime:
        return datetime.fromtimestamp(self._world.now, UTC)

    async def rollout(self) -> Manifest:
        """The Rollout. Raises ApiError if it is not there."""
        return await self._api.read(path_of(ROLLOUTS, NAMESPACE, NAME))

    async def all(self, resource: Resource) -> list[Manifest]:
        """The objects of a kind, by name."""
        return sorted(await self._api.list(path_of(resource, NAMESPACE)), key=lambda found: str(found["metadata"]["name"]))

    async def _press(self, make: Callable[[Manifest], tuple[Patch, ...]]) -> str:
        patches = make(await self.rollout())
        await self._send(patches)
        return "" if patches else "nothing to do"

    async def _send(self, patches: tuple[Patch, ...]) -> None:
        for patch in patches:
            place = path_of(patch.ref.resource, patch.ref.namespace, patch.ref.name, patch.subresource)
            await self._api.patch(place, patch.body, style=STYLES[patch.style])

    async def _retry(self, _: str) -> str:
        await self._send(verbs.retry(await self.rollout()))
        return f"retried; {await self._lift('')}"

    async def _override(self) -> None:
        rollout = await self.rollout()
        identity = await asked_identity(self._client, rollout)
        if identity:
            await self._send((override(rollout, identity),))

    async def _undo(self, _: str) -> str:
        patches = verbs.undo(await self.rollout(), await self.all(REPLICA_SETS), None)
        await self._override()
        await self._send(patches)
        return ""

    async def _set_image(self, what: str) -> str:
        place = verbs.template_ref(await self.rollout())
        await self._override()
        path = path_of(place.resource, place.namespace, place.name)
        await self._api.replace(path, verbs.set_image(await self._api.read(path), {NAME: f"{IMAGE}:{what}-0"}))
        return f"{what}-0"

    async def _lift(self, _: str) -> str:
        releases = of_workload(parse_releases(await self.all(RELEASES)), KEY)
        held = [release for release in releases if release.status.held]
        if not held:
            return "nothing is held"
        same = [
            r
            for r in held
            if r.spec.identity == held[-1].spec.identity or (r.status.holds_images and r.spec.images == held[-1].spec.images)
        ]
        for release in same:
            await self._tell_release(release.name, {"status": LIFTED})
        return f"{held[-1].name} is lifted"

    async def _hold(self, _: str) -> str:
        releases = of_workload(parse_releases(await self.all(RELEASES)), KEY)
        if not releases:
            return "there is no release"
        await self._tell_release(releases[-1].name, {"status": {"held": True}})
        return releases[-1].name

    async def _accept(self, _: str) -> str:
        found = to_accept(of_workload(parse_releases(await self.all(RELEASES)), KEY), view_of(await self.rollout()))
        await self._tell_release(found.name, accepted_patch(Accepted(by="ann", at=self._now)))
        return found.name

    async def _tell_release(self, name: str, body: Mapping[str, object]) -> None:
        await self._api.patch(path_of(RELEASES, NAMESPACE, name, "status"), body)

    async def _suspend(self, value: str | None) -> str:
        await self._api.patch(path_of(ROLLOUTS, NAMESPACE, NAME), {"metadata": {"annotations": {SUSPEND: value}}})
        return ""

    async def resume(self) -> str:
        """Suspended no more."""
        try:
            return await self._suspend(None)
        except ApiError as refusal:
            return f"refused: {refusal}"

    async def freeze(self, scope: str | None) -> str:
        """Nothing is written until it is taken back."""
        await self._api.patch(path_of(NAMESPACES, "", OWN), {"metadata": {"annotations": {FREEZE: scope}}})
        return ""

    async def explained(self) -> str:
        """What `reconciler explain` says; empty where there is nothing of that name."""
        try:
            return (await explained(self._client, ClusterPlace(namespace=NAMESPACE), NAME)).sentence
        except Terminal:
            return ""

    async def _delete(self, what: str) -> str:
        resource, found = await self._chosen(what)
        for manifest in found:
            await self._api.delete(path_of(resource, NAMESPACE, str(manifest["metadata"]["name"])))
        return ", ".join(str(manifest["metadata"]["name"]) for manifest in found) or "there is none"

    async def _chosen(self, what: str) -> tuple[Resource, list[Manifest]]:
        if what in ("canary", "stable"):
            status = (await self.rollout()).get("status") or {}
            wanted = status.get("currentPodHash" if what == "canary" else "stableRS")
            return REPLICA_SETS, [r for r in await self.all(REPLICA_SETS) if r["metadata"]["labels"].get(HASH_LABEL) == wanted]
        resource = {
            "pod": PODS,
            "run": ANALYSIS_RUNS,
            "release": RELEASES,
            "releases": RELEASES,
            "rollout": ROLLOUTS,
            "route": VIRTUAL_SERVICES,
            "policy": RELEASE_POLICIES,
        }[what]
        found = await self.all(resource)
        if what in ("run", "release"):
            found.sort(key=lambda manifest: str(manifest["metadata"]["creationTimestamp"]), reverse=True)
        return resource, found if what == "releases" else found[:1]

    async def _edit(self, what: str) -> str:
        if what == "weights":
            found = await self.all(VIRTUAL_SERVICES)
            if not found:
                return "there is no route"
            path = path_of(VIRTUAL_SERVICES, NAMESPACE, str(found[0]["metadata"]["name"]))
            routes = [{**http, "route": _even(http.get("route") or [])} for http in found[0]["spec"].get("http") or ()]
            await self._api.patch(path, {"spec": {"http": routes}})
        elif what == "selector":
            ours = [found for found in await self.all(SERVICES) if HASH_LABEL in found["spec"]["selector"]]
            if not ours:
                return "no Service follows the pods of a version"  # what a person adds to another one is theirs
            name = str(ours[0]["metadata"]["name"])
            await self._api.patch(path_of(SERVICES, NAMESPACE, name), {"spec": {"selector": {HASH_LABEL: "edited"}}})
        elif what == "replicas":
            for replica_set in await self.all(REPLICA_SETS):
                await self._api.patch(path_of(REPLICA_SETS, NAMESPACE, str(replica_set["metadata"]["name"])), {"spec": {"replicas": 1}})
        else:
            body = {"paused": True} if what == "paused" else {"replicas": 6}
            await self._api.patch(path_of(ROLLOUTS, NAMESPACE, NAME), {"spec": body})
        return ""

    async def _apply(self, _: str) -> str:
        """Another applier writes the first version once, by force, where the template lives."""
        place = verbs.template_ref(await self.rollout())
        containers = [{"name": NAME, "image": f"{IMAGE}:1.0"}]
        head = {"apiVersion": "apps/v1" if place.resource is DEPLOYMENTS else "argoproj.io/v1alpha1", "kind": place.resource.kind}
        spec = {"template": {"spec": {"containers": containers}}}
        body = {**head, "metadata": {"name": place.name, "namespace": place.namespace}, "spec": spec}
        await self._api.patch(path_of(place.resource, place.namespace, place.name), body, style="apply")
        return ""

    async def _lose_node(self, _: str) -> str:
        """Half of the pods are gone at once."""
        lost = (await self.all(PODS))[::2]
        for pod in lost:
            await self._api.delete(path_of(PODS, NAMESPACE, str(pod["metadata"]["name"])), gracePeriodSeconds=0)
        return f"{len(lost)} pods"


def _even(routes: list[Manifest]) -> list[Manifest]:
    return [{**route, "weight": 50} for route in routes] if len(routes) == 2 else routes

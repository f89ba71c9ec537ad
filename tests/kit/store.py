"""An API server in memory: versions, generations, uids and merge patches; nothing waits, so a coroutine runs straight through."""

import copy
from collections.abc import Callable, Coroutine, Mapping
from datetime import datetime
from typing import Any

import orjson

from reconciler.kernel.identity import Manifest, ObjectRef, Resource, labels_of, name_of, namespace_of
from reconciler.kernel.plan import PatchStyle
from reconciler.kernel.resources import EVENTS
from reconciler.kube.cache import Cache
from reconciler.kube.errors import AlreadyExists, Conflict, NotFound, Refused

Place = tuple[Resource, str, str]


class Killed(Exception):
    """The process died before this write."""


class Store:
    """Objects by place. `cache` sees every change at once; `before_write` may kill or refuse, `before_find` refuse."""

    def __init__(self, cache: Cache, now: Callable[[], datetime]) -> None:
        self.objects: dict[Place, Manifest] = {}
        self.events: list[Manifest] = []
        self.writes: list[str] = []
        self.before_write: Callable[[str], None] = lambda _: None
        self.before_find: Callable[[Resource], None] = lambda _: None
        self._cache = cache
        self._now = now
        self._version = 0
        self._served = 0

    def get(self, resource: Resource, namespace: str, name: str) -> Manifest | None:
        return self.objects.get((resource, namespace, name))

    def list(self, resource: Resource, namespace: str = "") -> list[Manifest]:
        return [m for (r, place, _), m in self.objects.items() if r == resource and place == (namespace or place)]

    def put(self, resource: Resource, manifest: Manifest) -> Manifest:
        """Store a whole object as the server would: a new version, a uid, a generation that moves with the spec."""
        place = (resource, namespace_of(manifest), name_of(manifest))
        known = self.objects.get(place)
        self._version += 1
        metadata = {**manifest["metadata"], "resourceVersion": str(self._version)}
        if known is None:
            self._served += 1
            metadata.setdefault("uid", f"uid-{self._served}")
            metadata.setdefault("creationTimestamp", self._now().strftime("%Y-%m-%dT%H:%M:%SZ"))
        moved = known is not None and known.get("spec") != manifest.get("spec")
        metadata["generation"] = int((known or manifest)["metadata"].get("generation") or 1) + int(moved)
        stored = orjson.loads(orjson.dumps({**manifest, "metadata": metadata}))  # what a server gives back is JSON, nothing of ours
        self.objects[place] = stored
        self._seen(resource, stored)
        return stored

    def remove(self, resource: Resource, namespace: str, name: str) -> None:
        self.objects.pop((resource, namespace, name), None)
        try:
            self._cache.drop(resource, namespace, name)
        except KeyError:
            return

    def _seen(self, resource: Resource, manifest: Manifest) -> None:
        try:
            self._cache.put(resource, copy.deepcopy(manifest))
        except KeyError:
            return


def merged(target: Any, patch: Any) -> Any:
    """RFC 7386."""
    if not isinstance(patch, Mapping):
        return patch
    result = dict(target) if isinstance(target, Mapping) else {}
    for key, value in patch.items():
        if value is None:
            result.pop(key, None)
        else:
            result[key] = merged(result.get(key), value)
    return result


class FakeClient:
    """The verbs of `kube.client.Client` on a store. Strategic patches here only ever touch maps, where they equal merge patches."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def get(self, resource: Resource, namespace: str, name: str) -> Manifest:
        found = self._store.get(resource, namespace, name)
        if found is None:
            raise NotFound(404, "NotFound", f"{resource.plural} {name} not found")
        return copy.deepcopy(found)

    async def find(self, resource: Resource, namespace: str, name: str) -> Manifest | None:
        self._store.before_find(resource)
        return copy.deepcopy(self._store.get(resource, namespace, name))

    async def list(self, resource: Resource, namespace: str = "", *, labels: str = "", fields: str = "") -> list[Manifest]:
        wanted = dict(pair.split("=", 1) for pair in labels.split(",") if pair)
        found = self._store.list(resource, namespace)
        return [copy.deepcopy(m) for m in found if all(labels_of(m).get(k) == v for k, v in wanted.items())]

    async def create(self, resource: Resource, manifest: Manifest) -> Manifest:
        if resource == EVENTS:
            self._store.events.append(manifest)
            return manifest
        self._about_to(f"create {resource.kind} {name_of(manifest)}")
        if self._store.get(resource, namespace_of(manifest), name_of(manifest)) is not None:
            raise AlreadyExists(409, "AlreadyExists", name_of(manifest))
        return copy.deepcopy(self._store.put(resource, manifest))

    async def replace(self, resource: Resource, manifest: Manifest, *, subresource: str = "") -> Manifest:
        self._about_to(f"replace {resource.kind} {name_of(manifest)}")
        known = await self.get(resource, namespace_of(manifest), name_of(manifest))
        self._check(known, manifest["metadata"])
        kept = {"status": known["status"]} if "status" in known else {}
        return copy.deepcopy(self._store.put(resource, {**manifest, **kept}))

    async def patch(
        self, ref: ObjectRef, body: Manifest, *, style: PatchStyle = PatchStyle.MERGE, subresource: str = "", query: object = None
    ) -> Manifest:
        if ref.resource == EVENTS:
            return self._counted(ref.name, body)
        self._about_to(f"patch {ref.resource.kind} {ref.name} {subresource}".strip())
        known = await self.get(ref.resource, ref.namespace, ref.name)
        self._check(known, body.get("metadata") or {})
        if subresource == "status":
            body = {"status": body.get("status")}
        elif "status" in known and subresource == "" and ref.resource.group == "argoproj.io" and ref.resource.plural == "rollouts":
            body = {key: value for key, value in body.items() if key != "status"}
        return copy.deepcopy(self._store.put(ref.resource, merged(known, body)))

    async def delete(self, ref: ObjectRef, *, uid: str = "", propagation: str = "Background") -> None:
        self._about_to(f"delete {ref.resource.kind} {ref.name}")
        known = self._store.get(ref.resource, ref.namespace, ref.name)
        if known is not None and uid and known["metadata"]["uid"] != uid:
            raise Conflict(409, "Conflict", f"the uid of {ref} is another")
        self._store.remove(ref.resource, ref.namespace, ref.name)

    async def evict(self, ref: ObjectRef) -> bool:
        self._about_to(f"evict {ref.resource.kind} {ref.name}")
        self._store.remove(ref.resource, ref.namespace, ref.name)
        return True

    def _counted(self, name: str, body: Manifest) -> Manifest:
        """A repeat of an event that was told before: `events` has every telling."""
        known = next((event for event in reversed(self._store.events) if name_of(event) == name), None)
        if known is None:
            raise NotFound(404, "NotFound", f"events {name} not found")
        self._store.events.append({**known, **body})
        return self._store.events[-1]

    def _about_to(self, write: str) -> None:
        self._store.before_write(write)
        self._store.writes.append(write)

    @staticmethod
    def _check(known: Manifest, metadata: Mapping[str, Any]) -> None:
        wanted = metadata.get("resourceVersion")
        if wanted is not None and wanted != known["metadata"]["resourceVersion"]:
            raise Conflict(409, "Conflict", f"{name_of(known)} changed meanwhile")
        if metadata.get("uid") not in (None, known["metadata"].get("uid")):
            raise Refused(422, "Invalid", "uid is immutable")


def run_through(coroutine: Coroutine[Any, Any, Any]) -> Any:
    """The result of a coroutine that never really waits."""
    try:
        coroutine.send(None)
    except StopIteration as done:
        return done.value
    coroutine.close()
    raise AssertionError("a pass waited for something outside the store")

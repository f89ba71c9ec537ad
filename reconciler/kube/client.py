"""The Kubernetes API as verbs on manifests: one method a verb, JSON only, managedFields dropped on receipt."""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from urllib.parse import quote

import orjson

from reconciler.kernel.errors import Transient
from reconciler.kernel.identity import Manifest, ObjectRef, Resource, name_of, namespace_of, uid_of
from reconciler.kernel.plan import PatchStyle
from reconciler.kube.errors import Busy, Conflict, NotFound, Refused, error_of
from reconciler.kube.fence import Fence
from reconciler.kube.impersonation import Impersonating
from reconciler.kube.transport import Request, Transport

PAGE = "500"
MANAGER = "reconciler"
"""Who we are to server-side apply, and in managedFields."""
PLAIN = "!$&'()*+,;=:@"
"""What a segment of a path may hold as it is, beside letters, digits and `-._~` (RFC 3986, 3.3)."""
JSON = {"Accept": "application/json", "Content-Type": "application/json"}


@dataclass(frozen=True, slots=True)
class Event:
    """One line of a watch: ADDED, MODIFIED, DELETED or BOOKMARK, and the object."""

    type: str
    object: Manifest


@dataclass(frozen=True, slots=True)
class Listing:
    """A list and the version it was taken at, from which a watch may go on."""

    items: list[Manifest]
    version: str


@dataclass(frozen=True, slots=True)
class ListSelection:
    """Which objects of a resource are watched; empty fields leave nothing out."""

    namespace: str = ""
    labels: str = ""
    fields: str = ""


class Client:
    """Verbs on manifests. Raises the named errors of `kube.errors`, Transient without an answer, Fenced when writes are withheld."""

    def __init__(self, transport: Transport, fence: Fence) -> None:
        self._transport = transport
        self._fence = fence

    def acting_as(self, user: str) -> "Client":
        """A client whose requests are made in the name of another user, behind the same fence."""
        return Client(Impersonating(self._transport, user), self._fence)

    async def get(self, resource: Resource, namespace: str, name: str) -> Manifest:
        return await self._call(Request("GET", path_of(resource, namespace, name), headers=JSON))

    async def find(self, resource: Resource, namespace: str, name: str) -> Manifest | None:
        """The object, or None when there is none. Raises NotServed when that cannot be told, because the resource type is not served."""
        try:
            return await self.get(resource, namespace, name)
        except NotFound:
            return None

    async def with_owners(self, ref: ObjectRef) -> Manifest:
        """The object with its managedFields, which other reads drop."""
        return await self._call(Request("GET", path_of(ref.resource, ref.namespace, ref.name), headers=JSON), slim=False)

    async def find_owned(self, resource: Resource, namespace: str, name: str) -> Manifest | None:
        """The same; None when there is no such object."""
        try:
            return await self.with_owners(ObjectRef(resource, namespace, name))
        except NotFound:
            return None

    async def owned_list(self, resource: Resource, namespace: str) -> list[Manifest]:
        """All objects with their managedFields, which other lists drop."""
        return (await self._pages(resource, namespace, {"limit": PAGE}, slim=False)).items

    async def list(self, resource: Resource, namespace: str = "", *, labels: str = "", fields: str = "") -> list[Manifest]:
        return (await self.listing(resource, namespace, labels=labels, fields=fields)).items

    async def listing(self, resource: Resource, namespace: str = "", *, labels: str = "", fields: str = "") -> Listing:
        """All objects, page by page, as one snapshot."""
        return await self._pages(resource, namespace, {"limit": PAGE, **_selectors(labels, fields)})

    async def _pages(self, resource: Resource, namespace: str, query: Mapping[str, str], *, slim: bool = True) -> Listing:
        items: list[Manifest] = []
        while True:
            page = await self._call(Request("GET", path_of(resource, namespace), query, JSON))
            items += [_typed(resource, item, slim=slim) for item in page.get("items") or []]
            token = page["metadata"].get("continue")
            if not token:
                return Listing(items, str(page["metadata"].get("resourceVersion", "")))
            query = {**query, "continue": token}

    async def reach(self, resource: Resource, namespace: str = "") -> None:
        """Ask for one object of a list and forget it. Raises what a list would raise: the server is away, or may not be asked."""
        await self._call(Request("GET", path_of(resource, namespace), {"limit": "1"}, JSON))

    async def watch(
        self, resource: Resource, version: str, *, seconds: int = 300, only: ListSelection | None = None
    ) -> AsyncIterator[Event]:
        """Every change after `version` until the server ends the watch. Raises Gone when the version is no longer kept."""
        query = {"watch": "true", "resourceVersion": version, "allowWatchBookmarks": "true", "timeoutSeconds": str(seconds)}
        part = only or ListSelection()
        query |= _selectors(part.labels, part.fields)
        request = Request("GET", path_of(resource, part.namespace), query, JSON, timeout=seconds + 30.0)
        async with self._transport.open(request) as response:
            if response.status >= 300:
                raise error_of(response.status, await response.read())
            async for line in response.lines():
                yield _event(resource, line)

    async def resources(self, group: str, version: str) -> Sequence[Manifest]:
        """What the server serves in one group and version, as an APIResourceList says it."""
        path = f"/apis/{group}/{version}" if group else f"/api/{version}"
        answer = await self._call(Request("GET", path, headers=JSON))
        return list(answer.get("resources") or [])

    async def create(self, resource: Resource, manifest: Manifest) -> Manifest:
        path = path_of(resource, namespace_of(manifest))
        return await self._write("POST", path, manifest, JSON, {"fieldManager": MANAGER})

    async def replace(self, resource: Resource, manifest: Manifest, *, subresource: str = "") -> Manifest:
        path = path_of(resource, namespace_of(manifest), name_of(manifest), subresource)
        return await self._write("PUT", path, manifest, JSON, {"fieldManager": MANAGER})

    async def patch(
        self,
        ref: ObjectRef,
        body: object,
        *,
        style: PatchStyle = PatchStyle.MERGE,
        subresource: str = "",
        query: Mapping[str, str] | None = None,
    ) -> Manifest:
        path = path_of(ref.resource, ref.namespace, ref.name, subresource)
        headers = {"Accept": "application/json", "Content-Type": style.value}
        return await self._write("PATCH", path, body, headers, {"fieldManager": MANAGER, **(query or {})})

    async def delete(self, ref: ObjectRef, *, uid: str = "", propagation: str = "Background") -> None:
        """Ask for the object's removal; an object already gone, or another one of its name, is success."""
        body: Manifest = {"kind": "DeleteOptions", "apiVersion": "v1", "propagationPolicy": propagation}
        if uid:
            body["preconditions"] = {"uid": uid}
        try:
            await self._write("DELETE", path_of(ref.resource, ref.namespace, ref.name), body, JSON, {})
        except NotFound:
            return
        except Conflict:
            if not uid or await self._is(ref, uid):
                raise

    async def _is(self, ref: ObjectRef, uid: str) -> bool:
        live = await self.find(ref.resource, ref.namespace, ref.name)
        return live is not None and uid_of(live) == uid

    async def evict(self, ref: ObjectRef) -> bool:
        """Ask the eviction API to remove a pod. False when a disruption budget refuses (429)."""
        try:
            try:
                await self._evict(ref, "policy/v1")
            except Refused as error:
                if error.status != 400:
                    raise
                await self._evict(ref, "policy/v1beta1")  # before 1.22 there is no other, since 1.25 there is no such
        except Busy as error:
            if error.status != 429:
                raise
            return False
        except NotFound:
            return True
        return True

    async def _evict(self, ref: ObjectRef, version: str) -> None:
        body = {"apiVersion": version, "kind": "Eviction", "metadata": {"name": ref.name, "namespace": ref.namespace}}
        await self._write("POST", path_of(ref.resource, ref.namespace, ref.name, "eviction"), body, JSON, {})

    async def _write(self, method: str, path: str, body: object, headers: Mapping[str, str], query: Mapping[str, str]) -> Manifest:
        permit = partial(self._fence.check, f"{method} {path}")
        permit()
        return await self._call(Request(method, path, query, headers, orjson.dumps(body), permit=permit))

    async def _call(self, request: Request, *, slim: bool = True) -> Manifest:
        async with self._transport.open(request) as response:
            body = await response.read()
            if response.status >= 300:
                raise error_of(response.status, body, response.headers.get("Retry-After"))
        manifest = _decoded(body, request.path)
        return _slim(manifest) if slim else manifest


def path_of(resource: Resource, namespace: str, name: str = "", subresource: str = "") -> str:
    """The URL path of a collection, an object or a subresource (Kubernetes API concepts, "Resource URIs")."""
    parts = ["namespaces", quote(namespace, safe=PLAIN)] if resource.namespaced and namespace else []
    parts += [resource.plural, *(quote(part, safe=PLAIN) for part in (name, subresource) if part)]
    return "/".join((resource.path, *parts))


def _selectors(labels: str, fields: str) -> dict[str, str]:
    return {key: value for key, value in (("labelSelector", labels), ("fieldSelector", fields)) if value}


def _decoded(body: bytes, path: str) -> Manifest:
    try:
        decoded = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise Transient(f"{path}: the answer is not JSON; is this the address of a Kubernetes API server?") from error
    if not isinstance(decoded, dict):
        raise Transient(f"{path}: the answer is not an object; is this the address of a Kubernetes API server?")
    return decoded


def _event(resource: Resource, line: bytes) -> Event:
    decoded = _decoded(line, resource.path)
    if decoded["type"] == "ERROR":
        status = decoded["object"]
        raise error_of(int(status.get("code") or 500), orjson.dumps(status))
    return Event(decoded["type"], _typed(resource, decoded["object"]))


def _typed(resource: Resource, manifest: Manifest, *, slim: bool = True) -> Manifest:
    manifest.setdefault("apiVersion", resource.api_version)
    manifest.setdefault("kind", resource.kind)
    return _slim(manifest) if slim else manifest


def _slim(manifest: Manifest) -> Manifest:
    metadata = manifest.get("metadata")
    if isinstance(metadata, dict):
        metadata.pop("managedFields", None)
    return manifest

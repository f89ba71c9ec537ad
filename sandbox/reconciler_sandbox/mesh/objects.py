"""What the API holds of the kinds that the mesh is made of: listed, watched, and numbered with each change."""

import asyncio
from collections.abc import Mapping
from contextlib import aclosing

import structlog

from reconciler_sandbox.client import ApiClient, ApiError
from reconciler_sandbox.mesh.translate.hosts import name_of, namespace_of
from reconciler_sandbox.mesh.translate.index import ATTACHMENT
from reconciler_sandbox.mesh.translate.terms import Json

ISTIO = "/apis/networking.istio.io/v1alpha3"
GATEWAY_API = "/apis/gateway.networking.k8s.io/v1"
KINDS: Mapping[str, str] = {
    "Service": "/api/v1/services",
    "Endpoints": "/api/v1/endpoints",
    "Pod": "/api/v1/pods",
    "VirtualService": f"{ISTIO}/virtualservices",
    "DestinationRule": f"{ISTIO}/destinationrules",
    "Gateway": f"{ISTIO}/gateways",
    "Ingress": "/apis/networking.k8s.io/v1/ingresses",
    ATTACHMENT: f"{GATEWAY_API}/gateways",
    "HTTPRoute": f"{GATEWAY_API}/httproutes",
    "GRPCRoute": f"{GATEWAY_API}/grpcroutes",
}
NOT_SERVED = 404
log = structlog.get_logger()
Place = tuple[str, str, str]
"""Kind, namespace and name."""


class Objects:
    """The objects as last heard of; `generation` grows with each change and `changed` is set."""

    def __init__(self, api: ApiClient, *, retry_seconds: float = 0.5) -> None:
        self._api = api
        self._retry_seconds = retry_seconds
        self._known: dict[Place, Json] = {}
        self.generation = 0
        self.changed = asyncio.Event()

    def all(self) -> list[Json]:
        """Every object that the mesh may serve from."""
        return [self._known[place] for place in sorted(self._known)]

    async def follow(self, kind: str) -> None:
        """Keep one kind equal to the API until cancelled; a kind that is not served yet is empty and asked for again."""
        while True:
            try:
                self._keep_only(kind, await self._listed(kind))
                async with aclosing(self._api.watch(KINDS[kind])) as events:  # type: ignore[type-var]  # it is a generator
                    async for event, manifest in events:
                        self._take(kind, event, manifest)
            except ApiError as error:  # what was known stays in force meanwhile
                if error.status != NOT_SERVED:
                    log.warning("cannot watch", kind=kind, reason=str(error))
            await asyncio.sleep(self._retry_seconds)

    async def caught_up(self, poll_seconds: float = 0.01) -> int:
        """Wait until everything the API holds now is known here; the generation that contains it."""
        for kind in KINDS:
            known = await self._knows_all(kind)
            while not known:
                await asyncio.sleep(poll_seconds)
                known = await self._knows_all(kind)
        return self.generation

    async def _knows_all(self, kind: str) -> bool:
        """A kind that the API does not serve leaves nothing to know."""
        try:
            return self._same(kind, await self._listed(kind))
        except ApiError as error:
            return error.status == NOT_SERVED

    async def _listed(self, kind: str) -> dict[Place, Json]:
        return {_place(kind, manifest): manifest for manifest in await self._api.list(KINDS[kind])}

    def _same(self, kind: str, served: Mapping[Place, Json]) -> bool:
        known = {place: _version(manifest) for place, manifest in self._known.items() if place[0] == kind}
        return known == {place: _version(manifest) for place, manifest in served.items()}

    def _keep_only(self, kind: str, served: Mapping[Place, Json]) -> None:
        gone = [place for place in self._known if place[0] == kind and place not in served]
        for place in gone:
            del self._known[place]
            self._advance()

    def _take(self, kind: str, event: str, manifest: Json) -> None:
        if event not in ("ADDED", "MODIFIED", "DELETED"):
            return
        place = _place(kind, manifest)
        if event == "DELETED":
            if self._known.pop(place, None) is not None:
                self._advance()
            return
        before = self._known.get(place)
        self._known[place] = {**manifest, "kind": kind}
        if before is None or _version(before) != _version(manifest):
            self._advance()

    def _advance(self) -> None:
        self.generation += 1
        self.changed.set()


def _place(kind: str, manifest: Json) -> Place:
    return (kind, namespace_of(manifest), name_of(manifest))


def _version(manifest: Json) -> str:
    return f"{manifest['metadata'].get('uid', '')}/{manifest['metadata'].get('resourceVersion', '')}"

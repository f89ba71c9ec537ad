"""What the API holds of the kinds that the mesh is made of: listed, watched, and numbered with each change."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from typing import Protocol

import aiohttp

from reconciler.sandbox.mesh.translate.hosts import name_of, namespace_of
from reconciler.sandbox.mesh.translate.terms import Json

ISTIO = "/apis/networking.istio.io/v1alpha3"
KINDS: Mapping[str, str] = {
    "Service": "/api/v1/services",
    "Endpoints": "/api/v1/endpoints",
    "Pod": "/api/v1/pods",
    "VirtualService": f"{ISTIO}/virtualservices",
    "DestinationRule": f"{ISTIO}/destinationrules",
    "Gateway": f"{ISTIO}/gateways",
}
UNREACHABLE = (aiohttp.ClientError, OSError, TimeoutError)
Place = tuple[str, str, str]
"""Kind, namespace and name."""


class Api(Protocol):
    """What the mesh needs of a client of the Kubernetes API."""

    async def list(self, path: str, **query: str) -> list[Json]:
        """The objects at a path of all namespaces."""
        ...

    def watch(self, path: str, **query: str) -> AsyncIterator[tuple[str, Json]]:
        """What is there as ADDED, then every change, for ever."""
        ...


class Objects:
    """The objects as last heard of; `generation` grows with each change and `changed` is set."""

    def __init__(self, api: Api, refusals: tuple[type[Exception], ...], *, retry_seconds: float = 0.5) -> None:
        self._api = api
        self._refusals = refusals
        self._errors: tuple[type[Exception], ...] = (*UNREACHABLE, *refusals)
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
                async for event, manifest in self._api.watch(KINDS[kind]):
                    self._take(kind, event, manifest)
            except self._errors:
                pass  # the API is away or does not serve this kind: what was known stays in force meanwhile
            await asyncio.sleep(self._retry_seconds)

    async def caught_up(self, poll_seconds: float = 0.01) -> int:
        """Wait until everything the API holds now is known here; the generation that contains it."""
        for kind in KINDS:
            served = await self._served(kind)
            while not self._same(kind, served):
                await asyncio.sleep(poll_seconds)
                served = await self._served(kind)
        return self.generation

    async def _served(self, kind: str) -> dict[Place, Json]:
        """What the API serves of a kind; a kind that it does not serve leaves nothing to catch up with."""
        try:
            return await self._listed(kind)
        except self._refusals:
            return {place: manifest for place, manifest in self._known.items() if place[0] == kind}

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
        self._known[place] = {"kind": kind, **manifest}
        if before is None or _version(before) != _version(manifest):
            self._advance()

    def _advance(self) -> None:
        self.generation += 1
        self.changed.set()


def _place(kind: str, manifest: Json) -> Place:
    return (kind, namespace_of(manifest), name_of(manifest))


def _version(manifest: Json) -> str:
    return f"{manifest['metadata'].get('uid', '')}/{manifest['metadata'].get('resourceVersion', '')}"

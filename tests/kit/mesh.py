"""Builders and fakes for the mesh: Kubernetes and Istio objects, an API held in memory, tiny backends, a client."""

import asyncio
import itertools
from collections import Counter
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
from aiohttp import web
from reconciler_sandbox.client import ApiClient, ApiError
from reconciler_sandbox.mesh.objects import KINDS
from reconciler_sandbox.mesh.translate.index import ATTACHMENT
from reconciler_sandbox.mesh.translate.terms import Layout

Json = dict[str, Any]
LAYOUT = Layout(gateway_ports={80: 21080}, mesh_port=21081, stats_port=21090)


def manifest(kind: str, name: str, *, namespace: str = "default", **fields: Any) -> Json:
    metadata = {"name": name, "namespace": namespace, **fields.pop("metadata", {})}
    return {"kind": kind, "metadata": metadata, **fields}


def service(name: str, *, namespace: str = "default", port: int = 80, port_name: str = "http") -> Json:
    return manifest("Service", name, namespace=namespace, spec={"ports": [{"name": port_name, "port": port}]})


def endpoints(name: str, addresses: Mapping[str, int], *, namespace: str = "default", port_name: str = "http") -> Json:
    """`addresses`: pod name → loopback port."""
    subsets = [
        {"addresses": [{"ip": "127.0.0.1", "targetRef": {"kind": "Pod", "name": pod}}], "ports": [{"name": port_name, "port": port}]}
        for pod, port in addresses.items()
    ]
    return manifest("Endpoints", name, namespace=namespace, subsets=subsets)


def pod(name: str, *, namespace: str = "default", owner: str = "", **labels: str) -> Json:
    owners = {"ownerReferences": [{"kind": "ReplicaSet", "name": owner, "controller": True}]} if owner else {}
    return manifest(
        "Pod", name, namespace=namespace, metadata={"labels": {key.replace("_", "-"): value for key, value in labels.items()}, **owners}
    )


def gateway(name: str = "gateway", *, namespace: str = "istio-system", hosts: tuple[str, ...] = ("*",), port: int = 80) -> Json:
    return manifest(
        "Gateway", name, namespace=namespace, spec={"servers": [{"port": {"number": port, "name": "http"}, "hosts": list(hosts)}]}
    )


def virtual_service(
    name: str,
    *http: Json,
    hosts: tuple[str, ...] = ("web.example.com",),
    gateways: tuple[str, ...] = ("istio-system/gateway",),
    namespace: str = "default",
) -> Json:
    return manifest(
        "VirtualService", name, namespace=namespace, spec={"hosts": list(hosts), "gateways": list(gateways), "http": list(http)}
    )


def destination_rule(name: str, host: str, *subsets: str, namespace: str = "default", **spec: Any) -> Json:
    named = [{"name": subset, "labels": {"version": subset}} for subset in subsets]
    return manifest("DestinationRule", name, namespace=namespace, spec={"host": host, "subsets": named, **spec})


def ingress(name: str, *paths: Json, host: str = "web.example.com", notes: Json | None = None, **fields: Any) -> Json:
    rules = [{**({"host": host} if host else {}), "http": {"paths": list(paths)}}] if paths else []
    spec = {"rules": rules, **fields.pop("spec", {})}
    return manifest("Ingress", name, metadata={"annotations": notes or {}, **fields.pop("metadata", {})}, spec=spec, **fields)


def canary_ingress(name: str, *paths: Json, **notes: str) -> Json:
    """`notes` without the prefix and with `_` for `-`: `canary_weight="40"`."""
    written = {f"nginx.ingress.kubernetes.io/{key.replace('_', '-')}": value for key, value in notes.items()}
    return ingress(name, *(paths or (path("web-canary"),)), notes={"nginx.ingress.kubernetes.io/canary": "true", **written})


def path(service: str, where: str = "/", kind: str = "Prefix", port: int | str = 80) -> Json:
    named = {"name": port} if isinstance(port, str) else {"number": port}
    return {"path": where, "pathType": kind, "backend": {"service": {"name": service, "port": named}}}


def kubernetes_gateway(name: str = "public", *, namespace: str = "default", protocol: str = "HTTP", **listener: Any) -> Json:
    """A Gateway of the Gateway API, which is called by its group here."""
    whole = {"name": "http", "port": 80, "protocol": protocol, **listener}
    return manifest(ATTACHMENT, name, namespace=namespace, spec={"listeners": [whole]})


def http_route(
    name: str,
    *rules: Json,
    hostnames: tuple[str, ...] = ("web.example.com",),
    parents: tuple[Any, ...] = ({"name": "public"},),
    **fields: Any,
) -> Json:
    spec = {"parentRefs": list(parents), "hostnames": list(hostnames), "rules": list(rules)}
    return manifest(fields.pop("kind", "HTTPRoute"), name, spec=spec, **fields)


def back(name: str, weight: int | None = None, port: int = 80) -> Json:
    return {"name": name, "port": port, **({} if weight is None else {"weight": weight})}


def to(host: str, weight: int | None = None, subset: str = "") -> Json:
    destination = {"host": host, **({"subset": subset} if subset else {})}
    return {"destination": destination, **({} if weight is None else {"weight": weight})}


async def until(holds: Callable[[], bool], seconds: float = 10.0) -> None:
    """Wait until a condition holds; raises TimeoutError after a generous time."""
    async with asyncio.timeout(seconds):
        while True:
            if holds():
                return
            await asyncio.sleep(0.005)


class MemoryApi(ApiClient):
    """An API held in memory: `put` and `remove` are seen by every watch. `missing` kinds answer as if their CRD were absent."""

    def __init__(self, *objects: Json) -> None:
        self.objects: dict[tuple[str, str, str], Json] = {}
        self.missing: set[str] = set()
        self._versions = itertools.count(1)
        self._watches: list[tuple[str, asyncio.Queue[tuple[str, Json]]]] = []
        self.put(*objects)

    def put(self, *objects: Json) -> None:
        for item in objects:
            place = (item["kind"], item["metadata"]["namespace"], item["metadata"]["name"])
            event = "MODIFIED" if place in self.objects else "ADDED"
            self.objects[place] = {**item, "metadata": {**item["metadata"], "resourceVersion": str(next(self._versions))}}
            self._tell(event, self.objects[place])

    def remove(self, item: Json) -> None:
        place = (item["kind"], item["metadata"]["namespace"], item["metadata"]["name"])
        self._tell("DELETED", self.objects.pop(place))

    async def list(self, path: str, **query: str) -> list[Json]:
        kind = self._kind(path)
        return [item for place, item in self.objects.items() if place[0] == kind]

    async def watch(self, path: str, **query: str) -> AsyncIterator[tuple[str, Json]]:
        kind = self._kind(path)
        queue: asyncio.Queue[tuple[str, Json]] = asyncio.Queue()
        for item in await self.list(path):
            queue.put_nowait(("ADDED", item))
        self._watches.append((kind, queue))
        while True:
            yield await queue.get()

    def _kind(self, path: str) -> str:
        kind = next(kind for kind, known in KINDS.items() if known == path)
        if kind in self.missing:
            raise ApiError(404, "NotFound", f"{kind} is not served")
        return kind

    def _tell(self, event: str, item: Json) -> None:
        for kind, queue in self._watches:
            if kind == item["kind"]:
                queue.put_nowait((event, item))


class Backend:
    """A tiny HTTP server that answers with its version, counts, and misbehaves on request."""

    def __init__(self, version: str) -> None:
        self.version, self.port, self.status, self.delay = version, 0, 200, 0.0
        self.requests: list[Json] = []

    async def answer(self, request: web.Request) -> web.Response:
        self.requests.append({"path": request.path_qs, "host": request.host, "headers": dict(request.headers)})
        if self.delay:
            await asyncio.sleep(self.delay)
        return web.json_response({"version": self.version}, status=self.status)


@asynccontextmanager
async def backends(*versions: str) -> AsyncIterator[dict[str, Backend]]:
    started: dict[str, Backend] = {}
    runners = []
    for version in versions:
        started[version] = backend = Backend(version)
        application = web.Application()
        application.router.add_route("*", "/{rest:.*}", backend.answer)
        runner = web.AppRunner(application, shutdown_timeout=0.1)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        backend.port = runner.addresses[0][1]
        runners.append(runner)
    try:
        yield started
    finally:
        for runner in runners:
            await runner.cleanup()


class Visitor:
    """A client that names a host and reports (status, version or text)."""

    def __init__(self, session: aiohttp.ClientSession, address: tuple[str, int]) -> None:
        self._session, self._address = session, address

    async def visit(self, host: str = "web.example.com", path: str = "/", **headers: str) -> tuple[int, str]:
        named = {"Host": host, **{name.replace("_", "-"): value for name, value in headers.items()}}
        url = f"http://{self._address[0]}:{self._address[1]}{path}"
        async with self._session.get(url, headers=named, allow_redirects=False) as response:
            text = await response.text()
            version = (await response.json())["version"] if response.content_type == "application/json" else text
            return response.status, version

    async def shares(self, count: int, host: str = "web.example.com", path: str = "/", **headers: str) -> Counter[str]:
        """How many of `count` visits each version (or error text) answered, 20 at a time."""
        found: Counter[str] = Counter()

        async def some(number: int) -> None:
            for _ in range(number):
                found[(await self.visit(host, path, **headers))[1]] += 1

        await asyncio.gather(*(some(count // 20) for _ in range(20)))
        return found

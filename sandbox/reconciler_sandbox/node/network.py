"""Where a name leads inside the sandbox: aliases and gateway addresses, Services through the mesh, pods directly."""

import asyncio
import itertools
from collections.abc import Mapping
from dataclasses import dataclass, field
from ipaddress import ip_address

from reconciler_sandbox.client import ApiClient
from reconciler_sandbox.controllers.objects import Key, Manifest, one
from reconciler_sandbox.podnetwork import PodPorts, known_as, leads_away, listens_at

LOOKUP_TIMEOUT = 10.0
CLUSTER_SUFFIXES = (".svc.cluster.local", ".svc")

Address = tuple[str, int]


class Unresolved(Exception):
    """The name means nothing inside the sandbox."""


@dataclass(frozen=True, slots=True)
class Network:
    """Real listen addresses: of gateways by the IP that manifests know them by, and of the mesh.

    Without a mesh a Service leads to one of its ready pods, in turn. `masked`: pods are known by addresses that any API server
    accepts in Endpoints; a real one refuses loopback. `ports` tells where the ports of pods are on this machine.
    """

    gateways: Mapping[str, Address] = field(default_factory=dict)
    mesh: Address | None = None
    masked: bool = False
    ports: PodPorts = field(default_factory=PodPorts)


@dataclass(frozen=True, slots=True)
class Origin:
    """Who asks: a pod's namespace, address and hostAliases (name → IP)."""

    namespace: str
    address: str
    aliases: Mapping[str, str] = field(default_factory=dict)


class Resolver:
    """Finds real addresses for the names a pod uses."""

    def __init__(self, client: ApiClient, network: Network) -> None:
        self._client = client
        self._network = network
        self._turn = itertools.count()

    async def resolve(self, host: str, port: int, origin: Origin) -> Address:
        """The address to connect to. Raises Unresolved, or ConnectionRefusedError for an address outside the sandbox."""
        literal = origin.aliases.get(host, host)
        if literal == "localhost" or literal == "127.0.0.1":
            return self.listening(origin.address, port)
        if _is_address(literal):
            return self._direct(literal, port)
        return await self._service(host, port, origin.namespace)

    @property
    def ports(self) -> PodPorts:
        """Where the ports of pods are on this machine."""
        return self._network.ports

    def listening(self, address: str, port: int) -> Address:
        """Where a port of the pod at an address is answered. Raises ConnectionRefusedError for one that it never opened."""
        found = self.ports.at(address, port)
        if found is None:
            raise ConnectionRefusedError(f"nothing listens on port {port} of {self.known_as(address)}")
        return address, found

    def known_as(self, address: str) -> str:
        """The address to publish for a pod that listens at an address."""
        return known_as(address) if self._network.masked else address

    def authority(self, host: str, origin: Origin) -> str:
        """The host to ask for: a bare Service name gets its namespace, which the mesh cannot know of who calls; others stay as written."""
        bare = "." not in host and host != "localhost" and host not in origin.aliases
        return f"{host}.{origin.namespace}" if bare and self._network.mesh is not None else host

    def _direct(self, address: str, port: int) -> Address:
        if address in self._network.gateways:
            return self._network.gateways[address]
        if not leads_away(address):
            return self.listening(listens_at(address), port)
        raise ConnectionRefusedError(f"{address} is neither a gateway nor a pod of this sandbox")

    async def _service(self, host: str, port: int, namespace: str) -> Address:
        key = service_key(host, namespace)
        async with asyncio.timeout(LOOKUP_TIMEOUT):
            service = await self._client.get(one("v1/services", key)) if key is not None else None
            if key is None or service is None:
                raise Unresolved(host)
            if self._network.mesh is not None:
                return self._network.mesh
            endpoints = await self._client.get(one("v1/endpoints", key))
        return self._pick(service, endpoints or {}, port)

    def _pick(self, service: Manifest, endpoints: Manifest, port: int) -> Address:
        names = [offered.get("name", "") for offered in service["spec"].get("ports") or () if offered["port"] == port]
        ready = [
            (listens_at(address["ip"]), offered["port"])
            for subset in endpoints.get("subsets") or ()
            for offered in subset.get("ports") or ()
            for address in subset.get("addresses") or ()
            if offered.get("name", "") in names and not leads_away(address["ip"])
        ]
        if not ready:
            raise ConnectionRefusedError(f"the Service has no ready pod on port {port}")
        return self.listening(*ready[next(self._turn) % len(ready)])


def service_key(host: str, namespace: str) -> Key | None:
    """The Service that a name like `svc`, `svc.ns`, `svc.ns.svc` or `svc.ns.svc.cluster.local` means to a pod of `namespace`."""
    name = host.rstrip(".")
    suffix = next((s for s in CLUSTER_SUFFIXES if name.endswith(s)), "")
    parts = name.removesuffix(suffix).split(".")
    if len(parts) == 1 and not suffix:
        return Key(namespace, parts[0])
    return Key(parts[1], parts[0]) if len(parts) == 2 else None


def _is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True

"""Who calls the Services of a folder in real time: users of each route, and of each Service that no route and no release hides. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from reconciler.kernel.identity import Manifest, name_of, namespace_of
from reconciler.kernel.resources import GATEWAYS
from reconciler_sandbox.mesh.translate.hosts import full_host, gateways_of, service_host
from reconciler_sandbox.mesh.translate.terms import MESH
from reconciler_sandbox.rehearsal.story import Flow

MESH_PORT = 0
"""The port by which a flow enters the mesh as a pod's call does, and not through a gateway."""
PORT = 80
HIDDEN = (("canary", "canaryService"), ("blueGreen", "previewService"))


def flows_of(manifests: Sequence[Manifest], rate: float, ports: Sequence[int]) -> Mapping[str, Flow]:
    """The users' flows by name, each at this rate. `ports` are the gateway ports that can be called."""
    found: dict[str, Flow] = {}
    for virtual in _of_kind(manifests, "VirtualService"):
        flow = _routed(virtual, manifests, ports, rate)
        if flow is not None:
            found[f"{namespace_of(virtual)}/{name_of(virtual)}"] = flow
    hidden = {*_reached(manifests), *_hidden(manifests)}
    for service in _of_kind(manifests, "Service"):
        if service_host(service) not in hidden and (service.get("spec") or {}).get("selector"):
            first = next((port.get("port", PORT) for port in service["spec"].get("ports") or ()), PORT)
            host = service_host(service) if first == PORT else f"{service_host(service)}:{first}"
            found.setdefault(f"{namespace_of(service)}/{name_of(service)}", Flow(host=host, port=MESH_PORT, rate=rate))
    return found


def missing_gateways(manifests: Sequence[Manifest]) -> list[Manifest]:
    """The Gateways that routes name and the folder does not have: in a cluster somebody else keeps them."""
    known = {f"{namespace_of(one)}/{name_of(one)}" for one in _of_kind(manifests, "Gateway")}
    named = [gateway for one in _of_kind(manifests, "VirtualService") for gateway in gateways_of(one)]
    return [_gateway(*name.split("/", 1)) for name in dict.fromkeys(named) if name != MESH and name not in known]


def _gateway(namespace: str, name: str) -> Manifest:
    server = {"port": {"number": PORT, "name": "http", "protocol": "HTTP"}, "hosts": ["*"]}
    spec = {"selector": {"istio": "ingressgateway"}, "servers": [server]}
    metadata = {"name": name, "namespace": namespace}
    return {"apiVersion": GATEWAYS.api_version, "kind": "Gateway", "metadata": metadata, "spec": spec}


def _of_kind(manifests: Sequence[Manifest], kind: str) -> list[Manifest]:
    return [one for one in manifests if one.get("kind") == kind]


def _routed(virtual: Manifest, manifests: Sequence[Manifest], ports: Sequence[int], rate: float) -> Flow | None:
    """Users of one VirtualService: through the mesh if it is for the mesh, else through the first port of its Gateways that can be."""
    spec = virtual.get("spec") or {}
    hosts, route = spec.get("hosts") or (), _first_route(spec)
    if not hosts or route is None:
        return None
    named = gateways_of(virtual)
    port = MESH_PORT if MESH in named else next((p for p in _ports(named, manifests) if p in ports), None)
    if port is None:
        return None
    host = full_host(str(hosts[0]), namespace_of(virtual)).replace("*", "any", 1)
    return Flow(host="any.example.com" if host == "any" else host, path=_path(route), port=port, rate=rate)


def _ports(named: Sequence[str], manifests: Sequence[Manifest]) -> Iterator[int]:
    known = {f"{namespace_of(one)}/{name_of(one)}": one for one in _of_kind(manifests, "Gateway")}
    for name in named:
        servers = (known[name].get("spec") or {}).get("servers") or () if name in known else ({"port": {"number": PORT}},)
        yield from (int((server.get("port") or {}).get("number", 0)) for server in servers)


def _first_route(spec: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """The first HTTP route for everybody: those by header are testers'."""
    routes = spec.get("http") or ()
    return next((route for route in routes if not any(match.get("headers") for match in route.get("match") or ())), None)


def _path(route: Mapping[str, Any]) -> str:
    uris = [match.get("uri") or {} for match in route.get("match") or ()]
    return next((str(uri.get("exact") or uri.get("prefix")) for uri in uris if uri.get("exact") or uri.get("prefix")), "/")


def _reached(manifests: Sequence[Manifest]) -> Iterator[str]:
    for virtual in _of_kind(manifests, "VirtualService"):
        for route in (virtual.get("spec") or {}).get("http") or ():
            for target in route.get("route") or ():
                yield full_host(str((target.get("destination") or {}).get("host", "")), namespace_of(virtual))


def _hidden(manifests: Sequence[Manifest]) -> Iterator[str]:
    """Services that no user knows: what the strategies name for the new version."""
    for rollout in _of_kind(manifests, "Rollout"):
        strategy = (rollout.get("spec") or {}).get("strategy") or {}
        for kind, field in HIDDEN:
            name = (strategy.get(kind) or {}).get(field)
            if name:
                yield full_host(str(name), namespace_of(rollout))

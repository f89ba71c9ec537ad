"""The objects of the mesh, found by what other objects call them."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from reconciler_sandbox.mesh.translate.delegates import joined
from reconciler_sandbox.mesh.translate.hosts import covers, full_host, name_of, namespace_of, service_host
from reconciler_sandbox.mesh.translate.terms import Json
from reconciler_sandbox.podnetwork import PodPorts

ATTACHMENT = "Gateway.gateway.networking.k8s.io"
"""What the Gateway API's Gateways are called here: Istio has a kind of that name too."""
ROUTE_KINDS = ("HTTPRoute", "GRPCRoute")


@dataclass(frozen=True, slots=True)
class Index:
    """Services by full host, pods and endpoints by (namespace, name), routing objects oldest first; and where the ports of pods are.

    `attaching` are the routes of the Gateway API, `attachments` the Gateways that they name; `gateways` are Istio's.
    """

    services: Mapping[str, Json]
    pods: Mapping[tuple[str, str], Json]
    endpoints: Mapping[tuple[str, str], Json]
    virtual_services: Sequence[Json]
    rules: Sequence[Json]
    gateways: Sequence[Json]
    ingresses: Sequence[Json]
    attaching: Sequence[Json]
    attachments: Sequence[Json]
    ports: PodPorts

    def rules_for(self, host: str) -> list[Json]:
        """The specs of the DestinationRules that apply to a host: exact names before wildcards, then the oldest first."""
        named = [(full_host(rule["spec"]["host"], namespace_of(rule)), rule["spec"]) for rule in self.rules]
        exact = [spec for name, spec in named if name == host]
        return exact or [spec for name, spec in named if covers(name, host)]

    def destination(self, destination: Json, namespace: str, listener_port: int) -> str:
        """The cluster of one `destination`; without a port it is the service's only one, else the one the request came in on."""
        host = full_host(destination["host"], namespace)
        port = (destination.get("port") or {}).get("number") or self._only_port(host) or listener_port
        return cluster_name(port, destination.get("subset") or "", host)

    def port_named(self, host: str, name: str) -> int | None:
        """The port of a Service that has this name."""
        service = self.services.get(host)
        ports = (service["spec"].get("ports") or []) if service else []
        return next((int(port["port"]) for port in ports if port.get("name") == name), None)

    def _only_port(self, host: str) -> int | None:
        service = self.services.get(host)
        ports = (service["spec"].get("ports") or []) if service else []
        return int(ports[0]["port"]) if len(ports) == 1 else None


def cluster_name(port: int, subset: str, host: str) -> str:
    """Istio's name of one upstream cluster."""
    return f"outbound|{port}|{subset}|{host}"


def index(objects: Iterable[Json], ports: PodPorts | None = None) -> Index:
    """Sort objects by kind; kinds that the mesh does not know are left out."""
    kinds: dict[str, list[Json]] = {}
    for manifest in objects:
        kinds.setdefault(manifest["kind"], []).append(manifest)
    return Index(
        services={service_host(service): service for service in kinds.get("Service", [])},
        pods=_by_place(kinds.get("Pod", [])),
        endpoints=_by_place(kinds.get("Endpoints", [])),
        virtual_services=joined(sorted(kinds.get("VirtualService", []), key=_age)),
        rules=sorted(kinds.get("DestinationRule", []), key=_age),
        gateways=sorted(kinds.get("Gateway", []), key=_age),
        ingresses=sorted(kinds.get("Ingress", []), key=_age),
        attaching=sorted((route for kind in ROUTE_KINDS for route in kinds.get(kind, [])), key=_age),
        attachments=sorted(kinds.get(ATTACHMENT, []), key=_age),
        ports=ports or PodPorts(),
    )


def _by_place(manifests: Sequence[Json]) -> dict[tuple[str, str], Json]:
    return {(namespace_of(manifest), name_of(manifest)): manifest for manifest in manifests}


def _age(manifest: Json) -> tuple[str, str, str]:
    return (str(manifest["metadata"].get("creationTimestamp") or ""), name_of(manifest), namespace_of(manifest))

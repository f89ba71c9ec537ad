"""The translator: objects → configuration. An object that cannot be rendered is left out and reported; the others are served."""

from collections.abc import Callable, Iterable, Mapping, Sequence

from reconciler_sandbox.mesh.translate.attached import vet_attaching, vet_attachment
from reconciler_sandbox.mesh.translate.clusters import clusters, connection_policy, subsets
from reconciler_sandbox.mesh.translate.hosts import full_host, gateways_of, namespace_of, reference
from reconciler_sandbox.mesh.translate.index import ATTACHMENT, Index, index
from reconciler_sandbox.mesh.translate.ingresses import vet_ingress
from reconciler_sandbox.mesh.translate.listeners import listeners
from reconciler_sandbox.mesh.translate.routes import every_route
from reconciler_sandbox.mesh.translate.tables import declared_servers, tables
from reconciler_sandbox.mesh.translate.terms import Config, Json, Layout, Refused

MALFORMED = (KeyError, TypeError, AttributeError, ValueError)


def render(objects: Sequence[Json], layout: Layout) -> Config:
    """The configuration that serves these objects; the same arguments give the same configuration."""
    problems = _problems(objects, layout)
    index_of_sound = index((manifest for manifest in objects if reference(manifest) not in problems), layout.ports)
    return Config(
        clusters=tuple(clusters(index_of_sound)),
        tables=tables(index_of_sound, layout),
        listeners=tuple(listeners(layout)),
        problems=problems,
    )


def _problems(objects: Sequence[Json], layout: Layout) -> dict[str, str]:
    """What is wrong with each object that must be left out."""
    found: dict[str, str] = {}
    for manifest in objects:
        vet = VETTING.get(manifest["kind"])
        fault = _fault(vet, manifest, layout) if vet else None
        if fault:
            found[reference(manifest)] = fault
    return found


def _fault(vet: Callable[[Json, Layout], None], manifest: Json, layout: Layout) -> str | None:
    try:
        vet(manifest, layout)
    except Refused as refusal:
        return str(refusal)
    except MALFORMED as error:
        return f"malformed: {type(error).__name__} {error}"
    return None


def _vet_virtual_service(manifest: Json, layout: Layout) -> None:
    for host in manifest["spec"].get("hosts") or ():
        full_host(host, namespace_of(manifest))
    gateways_of(manifest)
    if not manifest["spec"].get("http") and (manifest["spec"].get("tcp") or manifest["spec"].get("tls")):
        raise Refused("tcp and tls routes are not served by this mesh")
    every_route(NOTHING, manifest)


def _vet_rule(manifest: Json, layout: Layout) -> None:
    full_host(manifest["spec"]["host"], namespace_of(manifest))
    policies = [manifest["spec"], *subsets([manifest["spec"]])]
    for policy in policies:
        connection_policy(policy.get("trafficPolicy") or {})
    for subset in policies[1:]:
        dict(subset.get("labels") or {})


def _vet_gateway(manifest: Json, layout: Layout) -> None:
    closed = sorted({port for port, _, _ in declared_servers(manifest)} - set(layout.gateway_ports))
    if closed and len(closed) == len({port for port, _, _ in declared_servers(manifest)}):
        raise Refused(f"port {', '.join(map(str, closed))} is not opened by this mesh; opened: {_ports(layout.gateway_ports)}")


def _vet_ingress(manifest: Json, layout: Layout) -> None:
    vet_ingress(NOTHING, manifest)


def _vet_attaching(manifest: Json, layout: Layout) -> None:
    vet_attaching(NOTHING, manifest)


def _vet_attachment(manifest: Json, layout: Layout) -> None:
    vet_attachment(manifest)


def _vet_service(manifest: Json, layout: Layout) -> None:
    list(clusters(index([manifest])))


def _vet_endpoints(manifest: Json, layout: Layout) -> None:
    for subset in manifest.get("subsets") or []:
        for port in subset.get("ports") or []:
            int(port["port"])
        for address in subset.get("addresses") or []:
            str(address["ip"])


def _ports(ports: Iterable[int]) -> str:
    return ", ".join(map(str, sorted(ports))) or "none"


NOTHING: Index = index(())
VETTING: Mapping[str, Callable[[Json, Layout], None]] = {
    "VirtualService": _vet_virtual_service,
    "DestinationRule": _vet_rule,
    "Gateway": _vet_gateway,
    "Ingress": _vet_ingress,
    "HTTPRoute": _vet_attaching,
    "GRPCRoute": _vet_attaching,
    ATTACHMENT: _vet_attachment,
    "Service": _vet_service,
    "Endpoints": _vet_endpoints,
}

"""Route tables: which virtual hosts a gateway port and the mesh serve. One table a listener."""

from collections.abc import Iterator

from reconciler_sandbox.mesh.translate.attached import attached_routes
from reconciler_sandbox.mesh.translate.hosts import covers, full_host, gateways_of, name_of, namespace_of, narrower
from reconciler_sandbox.mesh.translate.index import Index, cluster_name
from reconciler_sandbox.mesh.translate.ingresses import ingress_routes
from reconciler_sandbox.mesh.translate.listeners import gateway_table
from reconciler_sandbox.mesh.translate.retries import retry_policy
from reconciler_sandbox.mesh.translate.routes import routes
from reconciler_sandbox.mesh.translate.terms import MESH, NO_TIMEOUT, Json, Layout

LARGEST_DIRECT_RESPONSE = 1_048_576
HTTP_PORT = 80


def tables(index: Index, layout: Layout) -> dict[str, Json]:
    """Every route table by name: one a declared gateway port, and the mesh's."""
    gateways = {
        gateway_table(port): _table(gateway_table(port), _gateway_hosts(index, port), ports_matter=False) for port in layout.gateway_ports
    }
    return {**gateways, MESH: _table(MESH, _mesh_hosts(index), ports_matter=True)}


def declared_servers(gateway: Json) -> Iterator[tuple[int, str, str]]:
    """(port, namespace of the VirtualServices it takes or `*`, host) for each host of a Gateway; `.` is the gateway's own namespace."""
    for server in gateway["spec"].get("servers") or []:
        for pattern in server["hosts"]:
            namespace, _, host = str(pattern).rpartition("/")
            yield int(server["port"]["number"]), {"": "*", ".": namespace_of(gateway)}.get(namespace, namespace), host


def _gateway_hosts(index: Index, port: int) -> Iterator[Json]:
    """The virtual hosts of one gateway port; several VirtualServices of one host join their routes, the oldest first, then Ingresses,

    then routes of the Gateway API.
    """
    found: dict[str, list[Json]] = {}
    for gateway in index.gateways:
        for declared, allowed, pattern in declared_servers(gateway):
            if declared == port:
                _join(index, found, (gateway, allowed, pattern), port)
    for domain, rendered in ingress_routes(index).items() if port == HTTP_PORT else ():
        found[domain] = [*found.get(domain, []), *rendered]
    for domain, rendered in attached_routes(index, port).items():
        found[domain] = [*found.get(domain, []), *rendered]
    for domain, rendered in sorted(found.items()):
        yield {"name": f"{domain}:{port}", "domains": [domain], "routes": rendered}


def _join(index: Index, found: dict[str, list[Json]], server: tuple[Json, str, str], port: int) -> None:
    gateway, allowed, pattern = server
    name = f"{namespace_of(gateway)}/{name_of(gateway)}"
    for virtual_service in index.virtual_services:
        namespace = namespace_of(virtual_service)
        if name not in gateways_of(virtual_service) or allowed not in ("*", namespace):
            continue
        for host in virtual_service["spec"]["hosts"]:
            domain = narrower(full_host(host, namespace), pattern)
            if domain:
                found[domain] = [*found.get(domain, []), *routes(index, virtual_service, name, port)]


def _mesh_hosts(index: Index) -> Iterator[Json]:
    """A virtual host for each port of each service, and for each other host that a VirtualService of the mesh names."""
    bound = [virtual_service for virtual_service in index.virtual_services if MESH in gateways_of(virtual_service)]
    for host, service in sorted(index.services.items()):
        chosen = next((candidate for candidate in bound if _names(candidate, host)), None)
        ports = service["spec"].get("ports") or []
        for number, port in enumerate(ports):
            bare = port["port"] == HTTP_PORT or number == 0
            rendered = routes(index, chosen, MESH, port["port"]) if chosen else [_straight(host, port["port"])]
            yield {"name": f"{host}:{port['port']}", "domains": _domains(host, service, port["port"], bare=bare), "routes": rendered}
    for virtual_service in bound:
        for host in _full_hosts(virtual_service):
            if host not in index.services:
                yield {"name": host, "domains": _with_port(host), "routes": routes(index, virtual_service, MESH, HTTP_PORT)}


def _full_hosts(virtual_service: Json) -> list[str]:
    return [full_host(host, namespace_of(virtual_service)) for host in virtual_service["spec"]["hosts"]]


def _names(virtual_service: Json, host: str) -> bool:
    return any(covers(pattern, host) for pattern in _full_hosts(virtual_service))


def _with_port(host: str) -> list[str]:
    return [host] if host.startswith("*") else [host, f"{host}:{HTTP_PORT}"]


def _domains(host: str, service: Json, port: int, *, bare: bool) -> list[str]:
    name, namespace = name_of(service), namespace_of(service)
    names = [host, f"{name}.{namespace}.svc", f"{name}.{namespace}"] + ([name] if namespace == "default" else [])
    return [f"{known}:{port}" for known in names] + (names if bare else [])


def _straight(host: str, port: int) -> Json:
    action = {"cluster": cluster_name(port, "", host), "timeout": NO_TIMEOUT, "retry_policy": retry_policy(None)}
    return {"match": {"prefix": "/"}, "route": action}


def _table(name: str, hosts: Iterator[Json], *, ports_matter: bool) -> Json:
    """One RouteConfiguration; a domain belongs to the first that claims it, since Envoy rejects a table with a domain twice."""
    taken: set[str] = set()
    kept: list[Json] = []
    for host in hosts:
        domains = [domain for domain in dict.fromkeys(host["domains"]) if domain not in taken]
        taken.update(domains)
        if domains:
            kept.append({**host, "domains": domains})
    return {
        "name": name,
        "virtual_hosts": kept,
        "validate_clusters": False,  # a missing service is a 503 on its own route, never a refusal of the table
        "ignore_port_in_host_matching": not ports_matter,
        "max_direct_response_body_size_bytes": LARGEST_DIRECT_RESPONSE,
    }

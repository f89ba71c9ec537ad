"""Names: short and full host names, wildcards, gateway names, and how an object is called in messages."""

from reconciler_sandbox.mesh.translate.terms import MESH, Json

DOMAIN = "cluster.local"


def reference(manifest: Json) -> str:
    """What messages call an object: `Kind namespace/name`."""
    metadata = manifest["metadata"]
    return f"{manifest['kind']} {metadata.get('namespace', '')}/{metadata['name']}"


def namespace_of(manifest: Json) -> str:
    return str(manifest["metadata"].get("namespace", ""))


def name_of(manifest: Json) -> str:
    return str(manifest["metadata"]["name"])


def labels_of(manifest: Json) -> dict[str, str]:
    return manifest["metadata"].get("labels") or {}


def service_host(service: Json) -> str:
    return f"{name_of(service)}.{namespace_of(service)}.svc.{DOMAIN}"


def full_host(host: str, namespace: str) -> str:
    """Complete a host name as Istio does: a name without a dot belongs to the namespace of the object that uses it.

    `name.namespace` and `name.namespace.svc` are completed too, as the cluster's resolver does; other names stay as they are.
    """
    if host.startswith("*") or host.endswith("." + DOMAIN):
        return host
    if host.endswith(".svc"):
        return f"{host}.{DOMAIN}"
    if "." not in host:
        return f"{host}.{namespace}.svc.{DOMAIN}"
    return host


def covers(pattern: str, host: str) -> bool:
    """Whether every name that `host` stands for is one that `pattern` stands for; `*` is everything."""
    if pattern in ("*", host):
        return True
    return pattern.startswith("*.") and host.endswith(pattern[1:])


def narrower(first: str, second: str) -> str | None:
    """The host that both patterns stand for, or None if they share none."""
    if covers(second, first):
        return first
    return second if covers(first, second) else None


def gateway_name(gateway: str, namespace: str) -> str:
    """The `namespace/name` of a gateway that an object in `namespace` names; `mesh` is reserved."""
    if gateway == MESH or "/" in gateway:
        return gateway
    return f"{namespace}/{gateway}"


def gateways_of(virtual_service: Json) -> tuple[str, ...]:
    """The gateways a VirtualService is bound to; none named means the mesh."""
    named = virtual_service["spec"].get("gateways") or [MESH]
    return tuple(gateway_name(gateway, namespace_of(virtual_service)) for gateway in named)

"""What the server adds or refuses on the way in because of other objects: namespaces, service addresses, node ports."""

from collections.abc import Iterator
from typing import Any

from reconciler_sandbox.apiserver.failures import forbidden, not_found
from reconciler_sandbox.apiserver.kinds import NAMESPACES
from reconciler_sandbox.apiserver.paths import Target
from reconciler_sandbox.apiserver.store import Store

Manifest = dict[str, Any]
FIRST_PORT, LAST_PORT = 30_000, 32_767
ADDRESSES = 254 * 254


def require_namespace(store: Store, target: Target, name: str) -> None:
    """Refuse to create in a namespace that is not there (404) or is going away (403)."""
    if not target.kind.namespaced:
        return
    found = store.collection("", "namespaces").entries.get(("", target.namespace))
    if found is None:
        raise not_found(NAMESPACES, target.namespace)
    if found.manifest["metadata"].get("deletionTimestamp"):
        why = f"unable to create new content in namespace {target.namespace} because it is being terminated"
        cause = {
            "reason": "NamespaceTerminating",
            "message": f"namespace {target.namespace} is being terminated",
            "field": "metadata.namespace",
        }
        raise forbidden(target.kind, name, why, [cause])


def allocated(store: Store, target: Target, new: Manifest, old: Manifest | None) -> Manifest:
    """The object with what the server allocates: addresses and node ports of Services, kept over updates."""
    if target.kind.qualified != "services" or not isinstance(new.get("spec"), dict):
        return new
    spec = new["spec"]
    if spec.get("type") == "ExternalName":
        return new
    address = spec.get("clusterIP") or (old or {"spec": {}})["spec"].get("clusterIP") or _free_address(store)
    spec = {**spec, "clusterIP": address, "clusterIPs": [address]}
    if spec.get("type") in ("NodePort", "LoadBalancer"):
        spec["ports"] = _with_node_ports(store, spec.get("ports") or [], (old or {"spec": {}})["spec"].get("ports") or [])
    return {**new, "spec": spec}


def _services(store: Store) -> Iterator[Manifest]:
    for entry in store.collection("", "services").entries.values():
        yield entry.manifest["spec"]


def _free_address(store: Store) -> str:
    used = {spec.get("clusterIP") for spec in _services(store)}
    start = store.version
    numbers = ((start + step) % ADDRESSES for step in range(ADDRESSES))
    return next(address for number in numbers if (address := f"10.96.{number // 254}.{number % 254 + 1}") not in used)


def _with_node_ports(store: Store, ports: list[Manifest], before: list[Manifest]) -> list[Manifest]:
    used = {port.get("nodePort") for spec in _services(store) for port in spec.get("ports") or ()}
    kept = {(port.get("port"), port.get("protocol")): port.get("nodePort") for port in before}
    free = iter(number for number in range(FIRST_PORT, LAST_PORT + 1) if number not in used)
    return [
        {**port, "nodePort": port.get("nodePort") or kept.get((port.get("port"), port.get("protocol"))) or next(free)} for port in ports
    ]

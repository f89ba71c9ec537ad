"""The ready addresses of one service port, each marked with the workload that metrics will name."""

from collections.abc import Iterator

from reconciler_sandbox.mesh.translate.hosts import labels_of, name_of, namespace_of
from reconciler_sandbox.mesh.translate.index import Index
from reconciler_sandbox.mesh.translate.terms import Json
from reconciler_sandbox.podnetwork import leads_away, listens_at

UNKNOWN = "unknown"
HASH_LABELS = ("rollouts-pod-template-hash", "pod-template-hash")
NO_POD: Json = {"metadata": {"name": ""}}


def endpoints(index: Index, service: Json, port: Json, subset: Json | None) -> list[Json]:
    """Envoy's endpoints of one port, of all pods or of those with the labels of a subset; addresses off this machine are left out."""
    place = (namespace_of(service), name_of(service))
    ports = service["spec"].get("ports") or []
    found = index.endpoints.get(place) or {}
    return [
        _endpoint(listens_at(address["ip"]), listening, pod, place[0])
        for address, number in _addresses(found, port, only=len(ports) == 1)
        for pod in [_pod(index, address, place[0])]
        for listening in [index.ports.at(listens_at(address["ip"]), number)]
        if listening and not leads_away(address["ip"]) and (not subset or _carries(pod, subset.get("labels") or {}))
    ]


def workload_of(pod: Json) -> str:
    """What Istio calls the workload of a pod: its ReplicaSet's name without the template hash, else its owner's, else its own."""
    labels = labels_of(pod)
    for owner in pod["metadata"].get("ownerReferences") or []:
        name = str(owner["name"])
        if owner.get("kind") != "ReplicaSet":
            return name
        suffixes = (f"-{labels[label]}" for label in HASH_LABELS if labels.get(label))
        return next((name.removesuffix(suffix) for suffix in suffixes if name.endswith(suffix)), name)
    return name_of(pod) or UNKNOWN


def _addresses(found: Json, port: Json, *, only: bool) -> Iterator[tuple[Json, int]]:
    for subset in found.get("subsets") or []:
        declared = subset.get("ports") or []
        named = [candidate for candidate in declared if (candidate.get("name") or "") == (port.get("name") or "")]
        chosen = named or (declared if only and len(declared) == 1 else [])
        for address in subset.get("addresses") or []:
            for candidate in chosen[:1]:
                yield address, int(candidate["port"])


def _pod(index: Index, address: Json, namespace: str) -> Json:
    target = address.get("targetRef") or {}
    return index.pods.get((target.get("namespace") or namespace, target.get("name") or ""), NO_POD)


def _carries(pod: Json, labels: Json) -> bool:
    carried = labels_of(pod)
    return all(carried.get(label) == value for label, value in labels.items())


def _endpoint(listening: str, port: int, pod: Json, namespace: str) -> Json:
    labels = labels_of(pod)
    app = labels.get("app") or UNKNOWN
    marks = {
        "workload": workload_of(pod),
        "workload_namespace": namespace,
        "app": app,
        "version": labels.get("version") or UNKNOWN,
        "canonical_service": labels.get("service.istio.io/canonical-name") or labels.get("app.kubernetes.io/name") or app,
        "canonical_revision": labels.get("service.istio.io/canonical-revision") or labels.get("rollouts-pod-template-hash") or UNKNOWN,
    }
    return {
        "endpoint": {"address": {"socket_address": {"address": listening, "port_value": port}}},
        "metadata": {"filter_metadata": {"istio": marks}},
    }

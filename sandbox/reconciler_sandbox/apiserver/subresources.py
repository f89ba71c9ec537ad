"""The subresources that are no plain part of an object: scale, eviction, binding."""

from collections.abc import Mapping
from typing import Any

from reconciler_sandbox.apiserver import metadata
from reconciler_sandbox.apiserver.bodies import decode_object
from reconciler_sandbox.apiserver.causes import Cause
from reconciler_sandbox.apiserver.deletion import Remover
from reconciler_sandbox.apiserver.failures import Failure, bad_request, conflict, invalid, too_many_requests
from reconciler_sandbox.apiserver.kinds import Kind, Scale, as_served
from reconciler_sandbox.apiserver.options import Deletion, WriteOptions
from reconciler_sandbox.apiserver.patching import Patch, parse, patched
from reconciler_sandbox.apiserver.paths import Target
from reconciler_sandbox.apiserver.selectors import as_text, from_object
from reconciler_sandbox.apiserver.store import Entry, Store
from reconciler_sandbox.apiserver.writes import Writer

Manifest = dict[str, Any]
SCALE = Kind("autoscaling", "v1", "scales", "Scale")
SCALE_FIELDS = ("name", "namespace", "uid", "resourceVersion", "creationTimestamp")
BINDING = Kind("", "v1", "pods/binding", "Binding")


def at(manifest: Manifest, path: str) -> Any:
    """What is at a dotted path; None for nothing, and for no path."""
    found: Any = manifest if path else None
    for name in path.removeprefix(".").split("."):
        found = found.get(name) if isinstance(found, dict) else None
    return found


def with_number(manifest: Manifest, path: str, number: int) -> Manifest:
    """The object with a number set at a dotted path; the maps on the way are copied."""
    first, _, rest = path.removeprefix(".").partition(".")
    inner = manifest.get(first)
    return {**manifest, first: with_number(inner if isinstance(inner, dict) else {}, rest, number) if rest else number}


def scale_of(scale: Scale, manifest: Manifest) -> Manifest:
    """The Scale of an object."""
    selector = at(manifest, scale.selector)
    text = as_text(selector) if isinstance(selector, dict) else selector
    spec = {"replicas": replicas} if (replicas := at(manifest, scale.spec)) else {}
    status = {"replicas": at(manifest, scale.status) or 0, **({"selector": text} if text else {})}
    fields = {name: manifest["metadata"][name] for name in SCALE_FIELDS if name in manifest["metadata"]}
    return {"kind": "Scale", "apiVersion": "autoscaling/v1", "metadata": fields, "spec": spec, "status": status}


class Subresources:
    """Writes through subresources; each is one synchronous step."""

    def __init__(self, store: Store, writer: Writer, remover: Remover) -> None:
        self._store = store
        self._writer = writer
        self._remover = remover

    def put_scale(self, target: Target, body: Manifest, options: WriteOptions) -> Manifest:
        """Set the replicas of an object by a whole Scale."""
        entry = self._writer.find(target)
        metadata.require_name(target, body)
        metadata.addressed(Target(SCALE, target.namespace, target.name), body)
        return self._scaled(target, entry, body, options)

    def patch_scale(self, target: Target, headers: Mapping[str, str], body: bytes, options: WriteOptions) -> Manifest:
        """Set the replicas of an object by a patch of its Scale."""
        entry, scale = self._writer.find(target), target.kind.scale
        if scale is None:
            raise bad_request(f"{target.kind.qualified} has no scale")
        patch = parse(SCALE, headers, body)
        if patch.applies:
            patch = Patch("application/merge-patch+json", patch.value)
        present = scale_of(scale, entry.manifest)
        changed = patched(Target(SCALE, target.namespace, target.name), present, patch, options, self._writer.moment())
        return self._scaled(target, entry, changed, options)

    def _scaled(self, target: Target, entry: Entry, body: Manifest, options: WriteOptions) -> Manifest:
        scale, version = target.kind.scale, metadata.of(body).get("resourceVersion")
        if scale is None:
            raise bad_request(f"{target.kind.qualified} has no scale")
        if version and str(version) != str(entry.version):
            raise conflict(target.kind, target.name)
        replicas = (body.get("spec") or {}).get("replicas", 0)
        if not isinstance(replicas, int) or isinstance(replicas, bool) or replicas < 0:
            cause = Cause("spec.replicas", f"Invalid value: {replicas}: must be greater than or equal to 0")
            raise invalid(SCALE, target.name, [cause])
        served = as_served(target.kind, entry.manifest)
        whole = Target(target.kind, target.namespace, target.name)
        written = self._writer.update(whole, with_number(served, scale.spec, replicas), options)
        return scale_of(scale, written.manifest)

    def evict(self, target: Target, headers: Mapping[str, str], body: bytes) -> Manifest:
        """Delete a pod unless a disruption budget forbids it now (429)."""
        entry = self._writer.find(target)
        eviction = decode_object(headers, body)
        if metadata.of(eviction).get("name") != target.name:
            raise bad_request("name in URL does not match name in Eviction object")
        deletion = Deletion.parse({}, eviction.get("deleteOptions") or {})
        for budget in self._budgets(target.namespace, entry.manifest):
            if not self._allows(budget, target.namespace):
                name = budget["metadata"]["name"]
                cause = {"reason": "DisruptionBudget", "message": f"The disruption budget {name} does not allow to disrupt a pod now"}
                raise too_many_requests("Cannot evict pod as it would violate the pod's disruption budget.", 0, [cause])
        self._remover.delete(target, entry, deletion)
        return {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "code": 201}

    def _budgets(self, namespace: str, pod: Manifest) -> list[Manifest]:
        budgets = [entry.manifest for entry in self._store.collection("policy", "poddisruptionbudgets").sorted(namespace)]
        return [budget for budget in budgets if from_object(budget["spec"].get("selector"))(pod)]

    def _allows(self, budget: Manifest, namespace: str) -> bool:
        """Whether one more pod may go: judged on the live pods, as no controller keeps the budget's status here."""
        selects = from_object(budget["spec"].get("selector"))
        pods = [entry.manifest for entry in self._store.collection("", "pods").sorted(namespace) if selects(entry.manifest)]
        healthy = sum(_healthy(pod) for pod in pods)
        spec = budget["spec"]
        if spec.get("maxUnavailable") is not None:
            needed = len(pods) - _portion(spec["maxUnavailable"], len(pods))
        else:
            needed = _portion(spec.get("minAvailable", 1), len(pods))
        return healthy - 1 >= needed

    def bind(self, target: Target, headers: Mapping[str, str], body: bytes) -> Manifest:
        """Put a pod on a node."""
        entry, binding = self._writer.find(target), decode_object(headers, body)
        node = (binding.get("target") or {}).get("name")
        if not node:
            raise invalid(target.kind, target.name, [Cause("target.name", "Required value", "Required")])
        if entry.manifest["spec"].get("nodeName"):
            raise conflict(BINDING, target.name, f'pod {target.name} is already assigned to node "{entry.manifest["spec"]["nodeName"]}"')
        if "deletionTimestamp" in entry.manifest["metadata"]:
            raise conflict(BINDING, target.name, f"pod {target.name} is being deleted, cannot be assigned to a host")
        scheduled = {"type": "PodScheduled", "status": "True", "lastProbeTime": None, "lastTransitionTime": self._writer.moment()}
        status = entry.manifest.get("status") or {}
        others = [one for one in status.get("conditions") or () if one.get("type") != "PodScheduled"]
        bound = {
            **entry.manifest,
            "spec": {**entry.manifest["spec"], "nodeName": node},
            "status": {**status, "conditions": [*others, scheduled]},
        }
        self._writer.change(target, bound)
        return {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "code": 201}


def _healthy(pod: Manifest) -> bool:
    conditions = (pod.get("status") or {}).get("conditions") or ()
    ready = any(one.get("type") == "Ready" and one.get("status") == "True" for one in conditions)
    return ready and "deletionTimestamp" not in pod["metadata"]


def _portion(amount: int | str, total: int) -> int:
    """A number, or a percentage of a total rounded up."""
    if isinstance(amount, int):
        return amount
    try:
        return -(-int(amount.removesuffix("%")) * total // 100)
    except ValueError as error:
        raise Failure(
            500, "InternalError", f"the disruption budget asks for {amount!r}, which is neither a number nor a percentage"
        ) from error

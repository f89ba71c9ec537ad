"""SMI: a TrafficSplit between the Services of both versions, made, owned and removed by us (contract 9.6). Linkerd carries it out."""

from collections.abc import Iterator
from typing import Any, ClassVar

from reconciler.kernel.identity import Manifest, ObjectRef, Resource, name_of, namespace_of
from reconciler.kernel.plan import Action, Create, Replace
from reconciler.kernel.problem import Problem, invalid
from reconciler.kernel.shapes import Shapes
from reconciler.rollouts.traffic.made import is_ours, made, removals, was_made
from reconciler.rollouts.traffic.marks import carried
from reconciler.rollouts.traffic.model import Traffic
from reconciler.rollouts.traffic.router import Features, InForce, Live, Needs, Notice, Owner, RoutesAsked, Routing, Services

TRAFFIC_SPLITS = Resource("split.smi-spec.io", "v1alpha1", "trafficsplits", "TrafficSplit", optional=True)
FIELD = "spec.strategy.canary.trafficRouting.smi"
ROOT, NAME = "rootService", "trafficSplitName"
SERVICES = "Canary service and Stable service must to be set to use Traffic Routing"


class Smi:
    """The router of `trafficRouting.smi`. A weight is written as a number: that is a quantity too, and what later versions want."""

    features = Features(experiments=True, shared_fields={TRAFFIC_SPLITS.kind: (".spec",)}, makes=(TRAFFIC_SPLITS.kind,))
    kinds = (TRAFFIC_SPLITS,)
    shapes: ClassVar[Shapes] = {"smi": f"{ROOT}:text {NAME}:text"}

    def needs(self, config: Manifest, services: Services) -> Needs:
        return Needs(made=(_ref(config, services.owner),))

    def route(self, config: Manifest, services: Services, traffic: Traffic, live: Live) -> Routing:
        """One write that gives the canary its weight and stable the rest."""
        ref = _ref(config, services.owner)
        found = live.get(ref)
        if found is not None and not is_ours(found, services):
            problem = f"Rollout does not own TrafficSplit `{ref.name}`: remove it, or name another one"
            return Routing(events=(Notice("TrafficSplitNotCreated", problem, warning=True),), problem=problem)
        wanted = _wanted(config, services, traffic, found or _new(ref))
        if wanted == found:
            return Routing()
        if found is None:
            return Routing((Create(TRAFFIC_SPLITS, wanted),), (Notice("TrafficSplitCreated", f"TrafficSplit `{ref.name}` created"),))
        return Routing((Replace(TRAFFIC_SPLITS, wanted),), (Notice("TrafficSplitModified", f"TrafficSplit `{ref.name}` modified"),))

    def release(self, owner: Owner, live: Live) -> tuple[Action, ...]:
        """The TrafficSplits of this Rollout go: the root Service leads to its own pods again."""
        return removals(live, lambda found: was_made(found, owner))

    def problems(self, config: Manifest, asked: RoutesAsked) -> Iterator[Problem]:
        """Missing Services, and names that are no text (contract 12.2)."""
        if not (asked.canary and asked.stable):
            yield invalid(f"spec.strategy.{'canaryService' if asked.stable else 'stableService'}", "", SERVICES)
        for field in (ROOT, NAME):
            if not isinstance(config.get(field) or "", str):
                yield invalid(f"{FIELD}.{field}", config[field], "must be a name")

    def in_force(self, config: Manifest, services: Services, live: Live) -> InForce:
        """The weight of the canary in the TrafficSplit; 0 before there is one."""
        ref = _ref(config, services.owner)
        backends = _backends(live.get(ref) or {})
        weights = [_number(backend.get("weight")) for backend in backends if backend.get("service") == services.canary]
        return InForce(weight=max(weights, default=0), subject=ref.name)

    def carry(self, config: Manifest, services: Services, desired: Manifest, live: Manifest) -> Manifest:
        """A TrafficSplit of ours that is in Git all the same: as it lives."""
        ref = _ref(config, services.owner)
        place = (str(desired.get("kind")), namespace_of(desired), name_of(desired))
        if place != (ref.resource.kind, ref.namespace, ref.name) or not is_ours(live, services):
            return desired
        owners = live["metadata"].get("ownerReferences") or []
        metadata = {**desired["metadata"], "ownerReferences": owners}
        return carried({**desired, "metadata": metadata, "spec": live.get("spec")}, live)


def _ref(config: Manifest, owner: Owner) -> ObjectRef:
    name = config.get(NAME)
    return ObjectRef(TRAFFIC_SPLITS, owner.namespace, name if isinstance(name, str) and name else owner.name)


def _new(ref: ObjectRef) -> Manifest:
    metadata = {"name": ref.name, "namespace": ref.namespace}
    return {"apiVersion": TRAFFIC_SPLITS.api_version, "kind": TRAFFIC_SPLITS.kind, "metadata": metadata}


def _wanted(config: Manifest, services: Services, traffic: Traffic, former: Manifest) -> Manifest:
    """The TrafficSplit as it is to be; fields of its spec that others set stay."""
    shares = {services.canary: traffic.weight, **{other.service: other.weight for other in traffic.additional}}
    shares[services.stable] = 100 - sum(shares.values())
    backends = [{"service": name, "weight": weight} for name, weight in shares.items()]
    spec = {**_spec(former), "service": config.get(ROOT) or services.stable, "backends": backends}
    return made({**former, "spec": spec}, services, {"weight": traffic.weight})


def _spec(manifest: Manifest) -> Manifest:
    spec = manifest.get("spec")
    return spec if isinstance(spec, dict) else {}


def _backends(manifest: Manifest) -> list[Manifest]:
    found = _spec(manifest).get("backends")
    return [backend for backend in found if isinstance(backend, dict)] if isinstance(found, list) else []


def _number(weight: Any) -> int:
    """A weight as the reference writes it, a quantity in text, or as a number."""
    return int(weight) if isinstance(weight, int) or (isinstance(weight, str) and weight.isascii() and weight.isdigit()) else 0

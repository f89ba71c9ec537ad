"""Ambassador: a canary Mapping beside each Mapping, made, owned and removed by us, with the canary's weight (contract 9.7)."""

import re
from collections.abc import Iterator
from typing import Any, ClassVar

from reconciler.kernel.identity import Manifest, ObjectRef, Resource, name_of, namespace_of
from reconciler.kernel.plan import Action, Create, Replace
from reconciler.kernel.problem import Problem, invalid, required
from reconciler.kernel.shapes import Shapes
from reconciler.rollouts.traffic.made import is_ours, made, not_ours, removals, was_made
from reconciler.rollouts.traffic.marks import carried
from reconciler.rollouts.traffic.model import Traffic
from reconciler.rollouts.traffic.router import Features, InForce, Live, Needs, Notice, Owner, RoutesAsked, Routing, Services

MAPPINGS = Resource("getambassador.io", "v2", "mappings", "Mapping", optional=True)
FIELD = "spec.strategy.canary.trafficRouting.ambassador.mappings"
SERVICES = "Canary service and Stable service must to be set to use Traffic Routing"
UNNAMED = "at least one Mapping has to be named"
SUFFIX, LONGEST = "-canary", 253


class Ambassador:
    """The router of `trafficRouting.ambassador`. It reads the Mappings in the Rollout's namespace and never writes them."""

    features = Features(shared_fields={MAPPINGS.kind: (".spec.weight",)}, makes=(MAPPINGS.kind,))
    kinds = (MAPPINGS,)
    shapes: ClassVar[Shapes] = {"ambassador": "mappings[]:text"}

    def needs(self, config: Manifest, services: Services) -> Needs:
        """The Mappings, and in the same order the canary Mappings."""
        names = _names(config)
        refs = tuple(ObjectRef(MAPPINGS, services.namespace, name) for name in names)
        return Needs(refs, tuple(ObjectRef(MAPPINGS, services.namespace, canary_name(name)) for name in names))

    def route(self, config: Manifest, services: Services, traffic: Traffic, live: Live) -> Routing:
        """One write a canary Mapping that is not as wanted yet. Without weight there is none: it goes once its weight is 0."""
        needed = self.needs(config, services)
        pairs = [(live.get(base), ref, live.get(ref)) for base, ref in zip(needed.named, needed.made, strict=True)]
        taken = (not_ours(ref, services) for _, ref, found in pairs if found and not is_ours(found, services))
        problem = next((words for _, words in self._obstacles(config, services, live)), None) or next(taken, None)
        if problem is not None:
            return Routing(events=(Notice("MappingNotUsable", problem, warning=True),), problem=problem)
        actions = tuple(action for base, ref, found in pairs if base for action in _actions(base, ref, found, services, traffic.weight))
        told = f"weight of the canary Mappings: {traffic.weight}"
        return Routing(actions, (Notice("CanaryMappingsUpdated", told),) if actions else ())

    def release(self, owner: Owner, live: Live) -> tuple[Action, ...]:
        """The canary Mappings of this Rollout go."""
        return removals(live, lambda found: was_made(found, owner))

    def problems(self, config: Manifest, asked: RoutesAsked) -> Iterator[Problem]:
        """No Mapping, names too long to tell apart, and Services that are missing (contract 12)."""
        names = _names(config)
        if not names:
            yield required(FIELD, UNNAMED)
        if len({canary_name(name) for name in names}) < len(names):
            yield invalid(FIELD, ", ".join(names), "the names are too long to tell their canary Mappings apart")
        if not (asked.canary and asked.stable):
            yield invalid(f"spec.strategy.{'canaryService' if asked.stable else 'stableService'}", "", SERVICES)

    def in_force(self, config: Manifest, services: Services, live: Live) -> InForce:
        """The largest weight of a canary Mapping; 0 where there is none."""
        needed = self.needs(config, services)
        weights = [_weight(live.get(ref) or {}) for ref in needed.made]
        subject, problem = next(self._obstacles(config, services, live), (needed.named[0].name if needed.named else "", None))
        return InForce(weight=max(weights, default=None), subject=subject, problem=problem)

    def carry(self, config: Manifest, services: Services, desired: Manifest, live: Manifest) -> Manifest:
        """A canary Mapping that is in Git all the same: as it lives."""
        place = (str(desired.get("kind")), namespace_of(desired), name_of(desired))
        made_ones = [(ref.resource.kind, ref.namespace, ref.name) for ref in self.needs(config, services).made]
        if place not in made_ones or not is_ours(live, services):
            return desired
        metadata = {**desired["metadata"], "ownerReferences": live["metadata"].get("ownerReferences") or []}
        return carried({**desired, "metadata": metadata, "spec": live.get("spec")}, live)

    def _obstacles(self, config: Manifest, services: Services, live: Live) -> Iterator[tuple[str, str]]:
        """Which Mapping cannot be used and why (contract 12.3)."""
        named = self.needs(config, services).named
        if not named:
            yield "", UNNAMED
        for ref in named:
            found = live.get(ref)
            if found is None:
                yield ref.name, f'mappings.getambassador.io "{ref.name}" not found'
            elif _spec(found).get("weight") is not None:
                yield ref.name, f'Ambassador mapping "{ref.name}" can not define weight'
            elif _exchanged(found, services) is None:
                yield ref.name, f'Ambassador mapping "{ref.name}": service {_spec(found).get("service")} does not name {services.stable}'


def canary_name(mapping: str) -> str:
    """The name of a canary Mapping: as the reference's."""
    return mapping[: LONGEST - len(SUFFIX)].rstrip(".") + SUFFIX


def _names(config: Manifest) -> tuple[str, ...]:
    named = config.get("mappings")
    return tuple(dict.fromkeys(name for name in (named if isinstance(named, list) else ()) if isinstance(name, str) and name))


def _spec(manifest: Manifest) -> Manifest:
    spec = manifest.get("spec")
    return spec if isinstance(spec, dict) else {}


def _weight(manifest: Manifest) -> int:
    weight: Any = _spec(manifest).get("weight")
    return weight if isinstance(weight, int) else 0


def _canary_spec(base: Manifest, services: Services) -> Manifest:
    """The spec of a Mapping with the canary Service in place of the stable one."""
    return {**_spec(base), "service": _exchanged(base, services)}


def _exchanged(base: Manifest, services: Services) -> str | None:
    """The `service` of a Mapping with the first stable Service in it exchanged for the canary's; None where it does not name that one."""
    text = str(_spec(base).get("service"))
    whole = re.compile(rf"(?<![A-Za-z0-9-]){re.escape(services.stable)}(?![A-Za-z0-9-])")
    return whole.sub(services.canary, text, count=1) if services.stable and whole.search(text) else None


def _actions(base: Manifest, ref: ObjectRef, found: Manifest | None, services: Services, weight: int) -> Iterator[Action]:
    """What brings one canary Mapping to its weight."""
    if not weight and (found is None or not _weight(found)):
        yield from removals({ref: found}, lambda _: True)
        return
    new = {"apiVersion": MAPPINGS.api_version, "kind": MAPPINGS.kind, "metadata": {"name": ref.name, "namespace": ref.namespace}}
    wanted = made({**(found or new), "spec": {**_canary_spec(base, services), "weight": weight}}, services, {"weight": weight})
    if wanted != found:
        yield Replace(MAPPINGS, wanted) if found else Create(MAPPINGS, wanted)

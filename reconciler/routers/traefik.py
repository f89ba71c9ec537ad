"""Traefik: the weights of a TraefikService that splits between Kubernetes Services (contract 9.8)."""

from collections.abc import Callable, Iterator
from typing import Any, ClassVar

from reconciler.kernel.identity import Manifest, ObjectRef, Resource, name_of, namespace_of
from reconciler.kernel.plan import Action, Replace
from reconciler.kernel.problem import Problem, invalid, required
from reconciler.kernel.shapes import Shapes
from reconciler.rollouts.traffic.marks import carried, mark_of, with_mark
from reconciler.rollouts.traffic.model import Traffic
from reconciler.rollouts.traffic.router import Features, InForce, Live, Needs, Notice, Owner, RoutesAsked, Routing, Services

TRAEFIK_SERVICES = Resource("traefik.io", "v1alpha1", "traefikservices", "TraefikService", optional=True)
NAME = "weightedTraefikServiceName"
FIELD = f"spec.strategy.canary.trafficRouting.traefik.{NAME}"
UNNAMED = f"{NAME} is not set: name the TraefikService that splits the traffic"
SERVICES = "Canary service and Stable service must to be set to use Traffic Routing"
WEIGHTS = (".spec.weighted.services[]?.weight",)
UNSAID = 1
"""What Traefik takes for a weight that is not written."""


class Traefik:
    """The router of `trafficRouting.traefik`. The TraefikService in the Rollout's namespace names both Services."""

    features = Features(shared_fields={TRAEFIK_SERVICES.kind: WEIGHTS})
    kinds = (TRAEFIK_SERVICES,)
    shapes: ClassVar[Shapes] = {"traefik": f"{NAME}:text"}

    def needs(self, config: Manifest, services: Services) -> Needs:
        return Needs(_named(config, services.namespace))

    def route(self, config: Manifest, services: Services, traffic: Traffic, live: Live) -> Routing:
        """One write that gives the canary its weight and stable the rest; a mark stays on it while the canary has any."""
        named = _named(config, services.namespace)
        if not named:
            return Routing(problem=UNNAMED)
        found = live.get(named[0])
        if found is None:
            message = f"TraefikService `{named[0].name}` not found"
            return Routing(events=(Notice("TraefikServiceNotFound", message, warning=True),), problem=message)
        problem = _absent(found, services)
        if problem is not None:
            return Routing(problem=problem)
        mark = {"canary": services.canary, "stable": services.stable} if traffic.weight else None
        shares = {services.canary: traffic.weight, services.stable: 100 - traffic.weight}
        wanted = with_mark(_weighted(_returned(found, services.owner), shares), services.owner, mark)
        if wanted == found:
            return Routing()
        told = f"TraefikService `{named[0].name}` set to desiredWeight '{traffic.weight}'"
        return Routing((Replace(TRAEFIK_SERVICES, wanted),), (Notice("Updated TraefikService", told),))

    def release(self, owner: Owner, live: Live) -> tuple[Action, ...]:
        """Weights at home and no mark, wherever one of this Rollout stands."""
        given = ((found, _returned(found, owner)) for found in live.values() if found)
        return tuple(Replace(TRAEFIK_SERVICES, clean) for found, clean in given if clean is not found)

    def problems(self, config: Manifest, asked: RoutesAsked) -> Iterator[Problem]:
        """A TraefikService that is not named, and Services that are missing (contract 12.2)."""
        if not _named(config, ""):
            yield required(FIELD, "name the TraefikService that splits the traffic")
        if not (asked.canary and asked.stable):
            yield invalid(f"spec.strategy.{'canaryService' if asked.stable else 'stableService'}", "", SERVICES)

    def in_force(self, config: Manifest, services: Services, live: Live) -> InForce:
        """The largest weight that an entry of the canary has; what is wrong with the object (contract 12.3)."""
        named = _named(config, services.namespace)
        if not named:
            return InForce(problem=UNNAMED)
        found = live.get(named[0])
        if found is None:
            return InForce(subject=named[0].name, problem=f'traefikservices.traefik.io "{named[0].name}" not found')
        weights = [_weight(entry) for entry in _entries(found) if _leads_to(entry, services.canary, services.namespace)]
        return InForce(weight=max(weights, default=None), subject=named[0].name, problem=_absent(found, services))

    def carry(self, config: Manifest, services: Services, desired: Manifest, live: Manifest) -> Manifest:
        """The weights of both Services and the mark as they live."""
        place = (str(desired.get("kind")), namespace_of(desired), name_of(desired))
        if place not in [(ref.resource.kind, ref.namespace, ref.name) for ref in _named(config, services.namespace)]:
            return desired
        shares: dict[str, int] = {}
        for name in (services.canary, services.stable):
            found = [_weight(entry) for entry in _entries(live) if _leads_to(entry, name, namespace_of(live))]
            shares |= {name: found[0]} if found else {}
        return carried(_weighted(desired, shares), live)


def _named(config: Manifest, namespace: str) -> tuple[ObjectRef, ...]:
    name = config.get(NAME)
    return (ObjectRef(TRAEFIK_SERVICES, namespace, name),) if isinstance(name, str) and name else ()


def _entries(manifest: Manifest) -> list[Manifest]:
    """The entries of `spec.weighted.services`; what is of another shape has none."""
    spec = manifest.get("spec")
    weighted = spec.get("weighted") if isinstance(spec, dict) else None
    services = weighted.get("services") if isinstance(weighted, dict) else None
    return [entry for entry in services if isinstance(entry, dict)] if isinstance(services, list) else []


def _leads_to(entry: Manifest, service: str, namespace: str) -> bool:
    """True for an entry that is a Kubernetes Service of this name: not a TraefikService, and not one in another namespace."""
    kind, home = entry.get("kind") or "Service", entry.get("namespace") or namespace
    return (kind, home, entry.get("name")) == ("Service", namespace, service)


def _weight(entry: Manifest) -> int:
    weight = entry.get("weight")
    return weight if isinstance(weight, int) else UNSAID


def _absent(manifest: Manifest, services: Services) -> str | None:
    """Which of the two Services is not among the entries, in words."""
    for name in (services.canary, services.stable):
        if not any(_leads_to(entry, name, services.namespace) for entry in _entries(manifest)):
            return f"TraefikService `{name_of(manifest)}`: spec.weighted.services names no Service {name}: add it"
    return None


def _weighted(manifest: Manifest, shares: dict[str, int]) -> Manifest:
    """The object with these weights by Service; the same object when it has them already."""

    def share(entry: Any) -> Any:
        if not isinstance(entry, dict):
            return entry
        wanted = next((weight for name, weight in shares.items() if _leads_to(entry, name, namespace_of(manifest))), None)
        return entry if wanted is None or entry.get("weight") == wanted else {**entry, "weight": wanted}

    return _changed(manifest, share)


def _changed(manifest: Manifest, change: Callable[[Any], Any]) -> Manifest:
    if not _entries(manifest):
        return manifest
    spec = manifest["spec"]
    before = spec["weighted"]["services"]
    after = [change(entry) for entry in before]
    return manifest if after == before else {**manifest, "spec": {**spec, "weighted": {**spec["weighted"], "services": after}}}


def _returned(manifest: Manifest, owner: Owner) -> Manifest:
    """Without what is on record for this Rollout; the same object when nothing is."""
    mark = mark_of(manifest, owner)
    if mark is None:
        return manifest
    return with_mark(_weighted(manifest, {str(mark.get("canary")): 0, str(mark.get("stable")): 100}), owner, None)

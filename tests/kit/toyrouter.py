"""A second, small router: it proves that the seam knows nothing of Istio. One file, one row."""

from collections.abc import Iterator
from typing import ClassVar

from reconciler.kernel.identity import Manifest, ObjectRef, Resource, name_of, namespace_of
from reconciler.kernel.plan import Action, Replace
from reconciler.kernel.problem import Problem, invalid
from reconciler.kernel.shapes import Shapes
from reconciler.rollouts.traffic.marks import carried, mark_of, with_mark
from reconciler.rollouts.traffic.model import Traffic
from reconciler.rollouts.traffic.router import Features, InForce, Live, Needs, Notice, Owner, RoutesAsked, Routing, Services

SPLITS = Resource("toys.example", "v1", "splits", "Split", optional=True)


class Toy:
    """Weights by service in `spec.weights`, tagged requests in `spec.tags`: both hold nothing of anybody else's."""

    features = Features(header=True, shared_fields={"Split": (".spec.weights",)})
    kinds = (SPLITS,)
    shapes: ClassVar[Shapes] = {"toy": "split:text"}

    def needs(self, config: Manifest, services: Services) -> Needs:
        return Needs((ObjectRef(SPLITS, services.namespace, str(config["split"])),) if config.get("split") else ())

    def route(self, config: Manifest, services: Services, traffic: Traffic, live: Live) -> Routing:
        (ref,) = self.needs(config, services).named
        found = live.get(ref)
        if found is None:
            return Routing(events=(Notice("SplitNotFound", f"Split `{ref.name}` not found", warning=True),), problem="Split not found")
        clean = _without(found, services.owner)
        weights = {**clean["spec"].get("weights", {}), services.canary: traffic.weight, services.stable: 100 - traffic.weight}
        tags = _tags(found, services.owner, traffic)
        mark = {"canary": services.canary, "stable": services.stable, "tags": tags} if traffic.weight or tags else None
        spec = {**clean["spec"], "weights": weights, "tags": {**clean["spec"].get("tags", {}), **tags}}
        wanted = with_mark({**clean, "spec": {key: value for key, value in spec.items() if value}}, services.owner, mark)
        return Routing((Replace(SPLITS, wanted),), (Notice("UpdatedSplit", str(traffic.weight)),)) if wanted != found else Routing()

    def release(self, owner: Owner, live: Live) -> tuple[Action, ...]:
        given = [(found, _without(found, owner)) for found in live.values() if found]
        return tuple(Replace(SPLITS, clean) for found, clean in given if clean != found)

    def problems(self, config: Manifest, asked: RoutesAsked) -> Iterator[Problem]:
        if not config.get("split"):
            yield invalid("spec.strategy.canary.trafficRouting.toy", "", "name a split")

    def in_force(self, config: Manifest, services: Services, live: Live) -> InForce:
        found = next((live.get(ref) for ref in self.needs(config, services).named), None)
        if found is None:
            return InForce(subject=str(config.get("split")), problem="Split not found")
        spec = found.get("spec") or {}
        routes = tuple(name for name in services.managed_routes if name in spec.get("tags", {}))
        return InForce(weight=spec.get("weights", {}).get(services.canary), managed_routes=routes)

    def carry(self, config: Manifest, services: Services, desired: Manifest, live: Manifest) -> Manifest:
        place = [(ref.namespace, ref.name) for ref in self.needs(config, services).named]
        if desired.get("kind") != "Split" or (namespace_of(desired), name_of(desired)) not in place:
            return desired
        spec = live.get("spec") or {}
        kept = {key: spec[key] for key in ("weights", "tags") if key in spec}
        return carried({**desired, "spec": {**(desired.get("spec") or {}), **kept}}, live)


def _tags(found: Manifest, owner: Owner, traffic: Traffic) -> Manifest:
    tags = {} if traffic.drop_managed_routes else dict((mark_of(found, owner) or {}).get("tags") or {})
    if traffic.header_route is not None and not traffic.drop_managed_routes:
        tags[traffic.header_route.name] = [match.name for match in traffic.header_route.matches]
    return {name: tag for name, tag in tags.items() if tag and name in traffic.managed_routes}


def _without(found: Manifest, owner: Owner) -> Manifest:
    mark = mark_of(found, owner)
    if mark is None:
        return found
    spec = found["spec"]
    weights = {**spec.get("weights", {}), mark["canary"]: 0, mark["stable"]: 100}
    tags = {name: tag for name, tag in spec.get("tags", {}).items() if name not in mark["tags"]}
    clean = {key: value for key, value in {**spec, "weights": weights, "tags": tags}.items() if value}
    return with_mark({**found, "spec": clean}, owner, None)

"""What a Rollout says about traffic, read off the object as it is written: also where the rest of it cannot be read."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from reconciler.kernel.identity import Manifest, ObjectRef, annotations_of, name_of, namespace_of, uid_of
from reconciler.kernel.well_known import GENERATED_ROUTES, SOURCE
from reconciler.rollouts.spec.model import PING
from reconciler.rollouts.traffic.router import Routers, Services, served


@dataclass(frozen=True, slots=True)
class Reach:
    """What a source may write: namespaces, and kinds as it names them (`allow`)."""

    namespaces: frozenset[str] = frozenset()
    kinds: frozenset[str] = frozenset()


Reaches = Mapping[str, Reach]
"""By source of ours."""
NO_SOURCES: Reaches = MappingProxyType({})


def routing_of(rollout: Manifest) -> Manifest:
    """Its `trafficRouting`; empty without one."""
    return _object(_canary(rollout).get("trafficRouting"))


def services_of(rollout: Manifest, unavailable: str = "") -> Services:
    """Whose traffic the routers move."""
    canary = _canary(rollout)
    managed = routing_of(rollout).get("managedRoutes")
    pair, recorded = _object(canary.get("pingPong")), _object(_object(rollout.get("status")).get("canary"))
    names = [str(route.get("name", "")) for route in (managed if isinstance(managed, list) else []) if isinstance(route, dict)]
    return Services(
        canary=str(canary.get("canaryService") or ""),
        stable=str(canary.get("stableService") or ""),
        ping=str(pair.get("pingService") or ""),
        pong=str(pair.get("pongService") or ""),
        stable_is_ping=recorded.get("stablePingPong") == PING,
        namespace=namespace_of(rollout),
        rollout=name_of(rollout),
        uid=uid_of(rollout),
        managed_routes=tuple(names),
        unavailable=unavailable,
        plain_routes=annotations_of(rollout).get(GENERATED_ROUTES) == "plain",
    )


def routed_refs(routers: Routers, rollout: Manifest) -> tuple[ObjectRef, ...]:
    """The objects whose traffic it moves, those included that its routers make."""
    return tuple(dict.fromkeys(ref for _, ref in routed_by(routers, rollout)))


def routed_by(routers: Routers, rollout: Manifest) -> Iterator[tuple[str, ObjectRef]]:
    """(router, object that it needs), by the router's key: two of them may write objects of one kind."""
    services = services_of(rollout)
    for each in served(routers, routing_of(rollout)):
        yield from ((each.name, ref) for ref in each.router.needs(each.config, services).refs)


def out_of_reach(routers: Routers, rollout: Manifest, reaches: Reaches) -> str | None:
    """Why a Rollout that a source of ours applied may not move its traffic; one without a source of ours moves what it names.

    Objects that its routers make are written on the source's behalf: their kinds are of those that it may write itself.
    """
    source = annotations_of(rollout).get(SOURCE, "")
    allowed = reaches.get(source)
    if allowed is None:
        return None
    for each in served(routers, routing_of(rollout)):
        for ref in each.router.needs(each.config, services_of(rollout)).made:
            word = f"{ref.resource.kind}.{ref.resource.group}"
            if word not in allowed.kinds:
                return f'{ref}: kind {word} is not in allow.kinds of source "{source}": it is not made'
    return objects_out_of_reach(rollout, routed_refs(routers, rollout), reaches)


def objects_out_of_reach(rollout: Manifest, refs: Iterable[ObjectRef], reaches: Reaches) -> str | None:
    """Why such a Rollout may not move the traffic of these objects: those that it names, and those that they lead to."""
    source = annotations_of(rollout).get(SOURCE, "")
    allowed = reaches.get(source)
    if allowed is None:
        return None
    for ref in refs:
        if ref.namespace not in allowed.namespaces and ref.namespace != namespace_of(rollout):
            return f'{ref}: namespace {ref.namespace} is not in allow.namespaces of source "{source}": its weights are not moved'
    return None


def carried_over(routers: Routers, rollouts: tuple[Manifest, ...], desired: Manifest, live: Manifest) -> Manifest:
    """The desired object with every field that routers own on behalf of these Rollouts as it lives."""
    for rollout in rollouts:
        for each in served(routers, routing_of(rollout)):
            desired = each.router.carry(each.config, services_of(rollout), desired, live)
    return desired


def _canary(rollout: Manifest) -> Manifest:
    return _object(_object(_object(rollout.get("spec")).get("strategy")).get("canary"))


def _object(value: object) -> Manifest:
    return value if isinstance(value, dict) else {}

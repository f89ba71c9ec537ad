"""Objects behind those that a Rollout names: a router that writes one which only a live object names says here which (contract 9.10).

Beside `Router`, and only for those that need it. What is found so is read, watched, suspended, contested and out of reach as what is named.
"""

from collections.abc import Mapping
from typing import Protocol, runtime_checkable

from reconciler.kernel.identity import Manifest, ObjectRef, Resource, name_of, namespace_of
from reconciler.rollouts.traffic.router import Live, Routers, kinds_of


@runtime_checkable
class Leading(Protocol):
    """A router some of whose objects lead to others that it writes. Such an object carries its mark for as long as it is routed."""

    def beyond(self, live: Live) -> tuple[ObjectRef, ...]:
        """The objects that these lead to; what cannot be read leads nowhere."""
        ...


def beyond(router: object, live: Live) -> tuple[ObjectRef, ...]:
    """What these objects of a router lead to, but for themselves."""
    return tuple(ref for ref in dict.fromkeys(router.beyond(live)) if ref not in live) if isinstance(router, Leading) else ()


def leading(routers: Routers) -> Routers:
    """Those of the routers whose objects lead to others."""
    return {name: router for name, router in routers.items() if isinstance(router, Leading)}


def led_word(ref: ObjectRef) -> str:
    """Objects that lead to this one."""
    return f"leads to {ref}"


def led_words(routers: Routers, kind: Resource, manifest: Manifest) -> tuple[str, ...]:
    """An object is listed under those that it leads to."""
    here: Mapping[ObjectRef, Manifest] = {ObjectRef(kind, namespace_of(manifest), name_of(manifest)): manifest}
    found = (ref for router in leading(routers).values() if kind in router.kinds for ref in beyond(router, here))
    return tuple(dict.fromkeys(map(led_word, found)))


def leading_kinds(routers: Routers) -> tuple[Resource, ...]:
    """The kinds of which some objects lead to others, or are led to."""
    return kinds_of(leading(routers))

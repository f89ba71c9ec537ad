"""Which routers exist, by their key in `trafficRouting`, in the order in which they are routed (contract 1.7)."""

from collections.abc import Mapping

from reconciler.model.errors import Terminal
from reconciler.model.identity import Manifest
from reconciler.routers.istio import Istio
from reconciler.routers.protocol import Router

ROUTERS: Mapping[str, Router] = {"istio": Istio()}
SETTINGS = frozenset({"managedRoutes", "maxTrafficWeight"})


def router(name: str) -> Router:
    """The router of this name; Terminal when there is none."""
    found = ROUTERS.get(name)
    if found is None:
        raise Terminal(f"trafficRouting.{name}: no such router here; known are {', '.join(ROUTERS)}")
    return found


def configured(traffic_routing: Manifest) -> tuple[tuple[Router, Manifest], ...]:
    """The routers of a `trafficRouting` with their configurations, in order; Terminal when one is unknown."""
    named = {name: config for name, config in traffic_routing.items() if name not in SETTINGS and config is not None}
    order = sorted(named, key=lambda name: list(ROUTERS).index(name) if name in ROUTERS else len(ROUTERS))
    return tuple((router(name), named[name]) for name in order)

"""Which routers this process has: ours, and the plug-ins among the packages that it was started with.

An entry point of the group `reconciler.routers` has the name by which `trafficRouting.plugins` calls it and leads to a class, or a
function, that is called with nothing and answers a router.
"""

from collections.abc import Iterable, Mapping
from functools import cache
from importlib.metadata import EntryPoint, entry_points

from reconciler.rollouts.traffic.router import PLUGINS, Routers
from reconciler.routers.plugins import PluggedInRouter, plugged_in, unusable
from reconciler.routers.registry import ROUTERS

GROUP = "reconciler.routers"


@cache
def installed() -> Routers:
    """All routers: a plug-in never takes the place of one of ours."""
    return {**ROUTERS, **{name: plugin for name, plugin in router_plugins(entry_points(group=GROUP)).items() if name not in ROUTERS}}


def router_plugins(points: Iterable[EntryPoint]) -> Mapping[str, PluggedInRouter]:
    """What entry points lead to, each name once. A plug-in that cannot be used is one that says why."""
    found: dict[str, list[EntryPoint]] = {}
    for point in points:
        found.setdefault(point.name, []).append(point)
    return {f"{PLUGINS}.{name}": _plugin(name, same) for name, same in sorted(found.items())}


def _plugin(name: str, points: list[EntryPoint]) -> PluggedInRouter:
    values = sorted({point.value for point in points})
    if len(values) > 1:
        return unusable(name, f"is installed more than once ({', '.join(values)}): remove all packages but one")
    try:
        return plugged_in(name, points[0].load()())
    except (Exception, SystemExit) as error:
        return unusable(name, f"cannot be made from {values[0]}: {type(error).__name__}: {error}"[:300])

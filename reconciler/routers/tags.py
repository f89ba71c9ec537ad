"""The conditions of managed routes, which a router keeps with its mark: from them a later pass makes the routes again. Pure."""

from collections.abc import Callable, Mapping

from reconciler.kernel.identity import Manifest
from reconciler.rollouts.traffic.model import HeaderRoute, Traffic

Tags = Mapping[str, list[Manifest]]
"""The conditions of every managed route by its name."""


def tags_of(mark: Manifest | None) -> Tags:
    """What is on record; what has another shape is none of ours."""
    found = (mark or {}).get("tags")
    return {str(name): list(tag) for name, tag in found.items() if isinstance(tag, list)} if isinstance(found, dict) else {}


def wanted_tags(before: Tags, traffic: Traffic, conditions: Callable[[HeaderRoute], list[Manifest]]) -> Tags:
    """The conditions of every managed route after this pass, in their order; a route without conditions is none."""
    if traffic.drop_managed_routes:
        return {}
    route, known = traffic.header_route, dict(before)
    if route is not None:
        known[route.name] = conditions(route)
    return {name: known[name] for name in traffic.managed_routes if known.get(name)}

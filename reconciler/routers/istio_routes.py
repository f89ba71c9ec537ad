"""The routes of an Istio VirtualService: which of them are ours, and what they look like for a weight (contract 9.3)."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from reconciler.kernel.errors import Terminal
from reconciler.kernel.identity import Manifest
from reconciler.rollouts.traffic.model import HeaderRoute, MirrorRoute, Traffic

PROTOCOLS = ("http", "tls", "tcp")


@dataclass(frozen=True, slots=True, kw_only=True)
class Sides:
    """How to tell the canary's destinations from the stable ones: by service or by subset; `host` is the DestinationRule's."""

    canary: str
    stable: str
    canary_subset: str = ""
    stable_subset: str = ""
    other_subsets: frozenset[str] = frozenset()
    host: str = ""

    def side(self, destination: Manifest) -> str:
        """`canary`, `stable` or empty. A subset says more than a host, which both sides may share."""
        target = destination.get("destination") or {}
        host, subset = str(target.get("host", "")).partition(".")[0], target.get("subset") or ""
        named = {"canary": (self.canary_subset, self.canary), "stable": (self.stable_subset, self.stable)}
        by_subset = (side for side, names in named.items() if subset and subset == names[0])
        by_host = (side for side, names in named.items() if host and host == names[1])
        return next(by_subset, "") or next(by_host, "")

    def missing(self, route: Manifest) -> str | None:
        """Which side a selected route has no destination for (contract 9.3 "Validation")."""
        found = {self.side(destination) for destination in route.get("route") or []}
        names = {"canary": self.canary or self.canary_subset, "stable": self.stable or self.stable_subset}
        return next((f"{side} destination '{name}' is not found in the route" for side, name in names.items() if side not in found), None)


@dataclass(frozen=True, slots=True)
class Shares:
    """The canary's weight of 100 and the experiments' by service."""

    weight: int
    experiments: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Selection:
    """The routes that a `virtualService` entry lists, and the names of managed routes."""

    config: Manifest
    managed: tuple[str, ...] = ()

    def indexes(self, spec: Manifest, sides: Sides) -> Mapping[str, tuple[int, ...]]:
        """The selected routes of each protocol present; Terminal with the reason when one cannot be selected."""
        present = [protocol for protocol in PROTOCOLS if spec.get(protocol)]
        if not present:
            raise Terminal("Unable to get any of the HTTP, TCP or TLS routes for the Istio VirtualService")
        concerned = [protocol for protocol in present if self._concerns(protocol, spec[protocol], sides)]
        return {protocol: self._checked(protocol, spec[protocol], sides) for protocol in concerned}

    def _listed(self, protocol: str) -> Sequence[Any]:
        return self.config.get({"http": "routes", "tls": "tlsRoutes", "tcp": "tcpRoutes"}[protocol]) or []

    def _concerns(self, protocol: str, routes: Sequence[Manifest], sides: Sides) -> bool:
        """A protocol without a list is left alone if another one has a list and none of its routes leads to us."""
        if self._listed(protocol) or not any(self._listed(other) for other in PROTOCOLS):
            return True
        return any(sides.side(destination) for route in routes for destination in route.get("route") or [])

    def _checked(self, protocol: str, routes: Sequence[Manifest], sides: Sides) -> tuple[int, ...]:
        try:
            found = self._http(routes) if protocol == "http" else self._by_match(protocol, routes)
            wrong = next(filter(None, (sides.missing(routes[index]) for index in found)), None)
        except Terminal as error:
            wrong = str(error)
        if wrong:
            raise Terminal(f"Istio VirtualService has invalid {protocol.upper()} routes. Error: {wrong}")
        return found

    def _http(self, routes: Sequence[Manifest]) -> tuple[int, ...]:
        listed = self._listed("http")
        if listed:
            return tuple(_named(routes, name) for name in listed)
        if len(routes) == 1:
            return (0,)
        ours = [index for index, route in enumerate(routes) if route.get("name", "") not in self.managed]
        if len(ours) != 1:
            raise Terminal("with several HTTP routes that are not managed, virtualService.routes must list which ones to weight")
        return (ours[0],)

    def _by_match(self, protocol: str, routes: Sequence[Manifest]) -> tuple[int, ...]:
        """TLS and TCP routes have no names: they are listed by port and SNI hosts."""
        listed = self._listed(protocol)
        if not listed and len(routes) != 1:
            raise Terminal(f"with several {protocol.upper()} routes, virtualService.{protocol}Routes must list which ones to weight")
        if not listed:
            return (0,)
        wanted = [(entry.get("port") or 0, frozenset(entry.get("sniHosts") or [])) for entry in listed]
        found = tuple(index for index, route in enumerate(routes) if _match_of(route) in wanted)
        if not found:
            raise Terminal(f"No matching {protocol.upper()} routes found in the defined Virtual Service.")
        return found


def _named(routes: Sequence[Manifest], name: str) -> int:
    for index, route in enumerate(routes):
        if route.get("name") == name:
            return index
    raise Terminal(f"HTTP Route '{name}' is not found in the defined Virtual Service.")


def _match_of(route: Manifest) -> tuple[int, frozenset[str]] | None:
    """The single port (0: none) and the SNI hosts of a route's match blocks; None when it matches several ports."""
    blocks = route.get("match") or []
    ports = {block.get("port") or 0 for block in blocks} or {0}
    hosts = frozenset(host for block in blocks for host in block.get("sniHosts") or [])
    return (ports.pop(), hosts) if len(ports) == 1 else None


def canary_weight(route: Manifest, sides: Sides) -> int:
    """The weight that a route gives the canary."""
    return sum(destination.get("weight") or 0 for destination in route.get("route") or [] if sides.side(destination) == "canary")


def reweighted(route: Manifest, sides: Sides, shares: Shares) -> Manifest:
    """The route with these shares; unknown destinations go, those of new experiments come (contract 9.3, 13.40)."""
    destinations = list(_weighted(route.get("route") or [], sides, shares))
    present = {_host(destination) for destination in destinations}
    new = sorted(shares.experiments.keys() - present)
    destinations += [{"destination": {"host": service}, "weight": shares.experiments[service]} for service in new]
    return route if destinations == route.get("route") else {**route, "route": destinations}


def _weighted(destinations: Sequence[Manifest], sides: Sides, shares: Shares) -> Iterator[Manifest]:
    fixed = sum(destination.get("weight") or 0 for destination in destinations if _is_fixed(destination, sides))
    stable = max(0, 100 - shares.weight - sum(shares.experiments.values()) - fixed)
    for destination in destinations:
        side, host = sides.side(destination), _host(destination)
        if side:
            yield _with_weight(destination, shares.weight if side == "canary" else stable)
        elif host in shares.experiments:
            yield _with_weight(destination, shares.experiments[host])
        elif _is_fixed(destination, sides) or not destination.get("weight"):
            yield destination


def _is_fixed(destination: Manifest, sides: Sides) -> bool:
    """Destinations of `additionalSubsetNames` keep their weight."""
    return not sides.side(destination) and (destination.get("destination") or {}).get("subset") in sides.other_subsets


def _with_weight(destination: Manifest, weight: int) -> Manifest:
    return destination if (destination.get("weight") or 0) == weight else {**destination, "weight": weight}


def _host(destination: Manifest) -> str:
    return str((destination.get("destination") or {}).get("host", "")).partition(".")[0]


def http_routes(routes: Sequence[Manifest], selected: Sequence[int], sides: Sides, traffic: Traffic) -> list[Manifest]:
    """All HTTP routes for this traffic: selected and mirrored managed routes weighted, then the step's own route set."""
    shares = shares_of(traffic)
    mirrored = {index for index, route in enumerate(routes) if route.get("mirror") and route.get("name") in traffic.managed_routes}
    weighted = [reweighted(route, sides, shares) if index in mirrored.union(selected) else route for index, route in enumerate(routes)]
    if traffic.drop_managed_routes or not selected:
        return weighted
    return _with_step_routes(weighted, weighted[selected[0]], sides, traffic)


def shares_of(traffic: Traffic) -> Shares:
    return Shares(traffic.weight, {destination.service: destination.weight for destination in traffic.additional})


def _with_step_routes(routes: list[Manifest], weighted: Manifest, sides: Sides, traffic: Traffic) -> list[Manifest]:
    """The routes with the header or mirror route of the current step set, replaced or removed, in the order of managedRoutes."""
    if traffic.header_route:
        routes = _placed(routes, traffic.header_route.name, header_route(traffic.header_route, weighted, sides))
    if traffic.mirror_route:
        routes = _placed(routes, traffic.mirror_route.name, mirror_route(traffic.mirror_route, weighted, sides))
    if not (traffic.header_route or traffic.mirror_route):
        return routes
    rank = {name: position for position, name in enumerate(traffic.managed_routes)}
    return sorted(routes, key=lambda route: rank.get(route.get("name", ""), len(rank)))


def _placed(routes: list[Manifest], name: str, route: Manifest | None) -> list[Manifest]:
    rest = [other for other in routes if other.get("name") != name]
    return [route, *rest] if route else rest


def header_route(wanted: HeaderRoute, weighted: Manifest, sides: Sides) -> Manifest | None:
    """The route that leads requests with any of the headers to the canary; None without a match."""
    if not wanted.matches:
        return None
    values = [(match.name, {"exact": match.exact, "regex": match.regex, "prefix": match.prefix}) for match in wanted.matches]
    matches = [{"headers": {name: {key: text for key, text in value.items() if text is not None}}} for name, value in values]
    return {"name": wanted.name, "match": matches, "route": [{"destination": _canary_destination(weighted, sides), "weight": 100}]}


def mirror_route(wanted: MirrorRoute, weighted: Manifest, sides: Sides) -> Manifest | None:
    """The route that copies a share of matching requests to the canary; None without a match."""
    if not wanted.matches:
        return None
    words = {"method": "method", "path": "uri", "headers": "headers"}
    matches = [{words[key]: value for key, value in match.items() if key in words and value is not None} for match in wanted.matches]
    return {
        "name": wanted.name,
        "match": matches,
        "route": weighted.get("route") or [],
        "mirror": _canary_destination(weighted, sides),
        "mirrorPercentage": {"value": wanted.percentage},
    }


def _canary_destination(weighted: Manifest, sides: Sides) -> Manifest:
    """Where the canary is: by subset of the DestinationRule's host if there is one, at the port of the weighted route."""
    ports = ((destination.get("destination") or {}).get("port") for destination in weighted.get("route") or [])
    whole = {"host": sides.host or sides.canary, "port": next(filter(None, ports), None), "subset": sides.canary_subset}
    return {key: value for key, value in whole.items() if value}

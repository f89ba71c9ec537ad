"""Which routes of a VirtualService are meant (contract 9.3 "Route selection")."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from reconciler.kernel.errors import Terminal
from reconciler.kernel.identity import Manifest
from reconciler.routers.istio_sides import Sides

LISTS = {"http": "routes", "tls": "tlsRoutes", "tcp": "tcpRoutes"}


@dataclass(frozen=True, slots=True)
class Selection:
    """The routes that a `virtualService` entry lists, and the names of managed routes."""

    config: Manifest
    managed: tuple[str, ...] = ()

    def indexes(self, spec: Manifest, sides: Sides) -> Mapping[str, tuple[int, ...]]:
        """The selected routes of each protocol concerned; Terminal with the reason when one cannot be selected."""
        present = [protocol for protocol in LISTS if spec.get(protocol)]
        if not present:
            raise Terminal("Unable to get any of the HTTP, TCP or TLS routes for the Istio VirtualService")
        concerned = [protocol for protocol in present if self._listed(protocol) or leads(spec[protocol], sides)]
        return {protocol: self._checked(protocol, spec[protocol], sides) for protocol in concerned or present}

    def likely(self, spec: Manifest, sides: Sides) -> Mapping[str, tuple[int, ...]]:
        """The same, and where that cannot be said every route that leads to both sides: it can only be meant."""
        try:
            return self.indexes(spec, sides)
        except Terminal:
            return {protocol: tuple(self._whole(spec.get(protocol) or [], sides)) for protocol in LISTS}

    def _whole(self, routes: Sequence[Manifest], sides: Sides) -> list[int]:
        ours = [index for index, route in enumerate(routes) if route.get("name", "") not in self.managed]
        return [index for index in ours if sides.missing(routes[index]) is None]

    def _listed(self, protocol: str) -> Sequence[Any]:
        return self.config.get(LISTS[protocol]) or []

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


def leads(routes: Sequence[Manifest], sides: Sides) -> bool:
    """Routes of a protocol that none of them leads to us are no concern of ours, as long as others do."""
    return any(sides.side(destination) for route in routes for destination in route.get("route") or [])


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

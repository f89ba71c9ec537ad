"""What is wrong with Services and Istio VirtualServices, as far as a release depends on them."""

from collections.abc import Iterator
from typing import Any

from reconciler.app.lint.finding import Remark, Remarks, Severity
from reconciler.app.lint.library import Library
from reconciler.kernel.identity import Manifest, name_of, namespace_of

PROTOCOLS = ("http", "tls", "tcp")
WITHOUT_PORTS = ("ExternalName",)
CLUSTER = ".cluster.local"


def service_remarks(manifest: Manifest, library: Library) -> Remarks:
    """A Service must have ports that are numbers, and a selector of texts."""
    spec = manifest.get("spec") or {}
    ports = spec.get("ports") or []
    headless = spec.get("clusterIP") == "None"
    if not ports and spec.get("type") not in WITHOUT_PORTS and not headless:
        yield Remark("spec.ports", "is required: name at least one port")
    for index, port in enumerate(ports):
        number = port.get("port")
        if not isinstance(number, int) or isinstance(number, bool) or not 1 <= number <= 65535:
            yield Remark(f"spec.ports[{index}].port", f"must be a number from 1 to 65535, is {number!r}")
        if len(ports) > 1 and not port.get("name"):
            yield Remark(f"spec.ports[{index}].name", "is required with several ports")
    selector = spec.get("selector") or {}
    if not isinstance(selector, dict) or not all(isinstance(value, str) for value in selector.values()):
        yield Remark("spec.selector", "must hold texts: write numbers and booleans in quotes")


def virtual_service_remarks(manifest: Manifest, library: Library) -> Remarks:
    """A VirtualService must lead somewhere: destinations, their weights, its Gateways."""
    spec = manifest.get("spec") or {}
    if not spec.get("hosts") and not _is_delegate(manifest, library):
        yield Remark("spec.hosts", "is required: name at least one host (only a VirtualService that another one delegates to has none)")
    if not any(spec.get(protocol) for protocol in PROTOCOLS):
        yield Remark("spec", f"has no routes: write one of {', '.join(PROTOCOLS)}")
    yield from _gateways(manifest, library)
    for field, route in _routes(spec):
        yield from _weights(field, route)
        for index, destination in enumerate(route.get("route") or ()):
            yield from _destination(f"{field}.route[{index}].destination.host", destination, manifest, library)
    yield from _repeated(spec)
    yield from _shadowed(spec)


def _is_delegate(manifest: Manifest, library: Library) -> bool:
    """True when a VirtualService among the files delegates to this one."""
    place = (namespace_of(manifest), name_of(manifest))
    roots = (located.manifest for located in library.of_kind("VirtualService"))
    delegates = ((root, route.get("delegate")) for root in roots for route in (root.get("spec") or {}).get("http") or ())
    return any((d.get("namespace") or namespace_of(root), d.get("name")) == place for root, d in delegates if isinstance(d, dict))


def _gateways(manifest: Manifest, library: Library) -> Remarks:
    home = namespace_of(manifest)
    for index, name in enumerate((manifest.get("spec") or {}).get("gateways") or ()):
        namespace, _, short = str(name).rpartition("/")
        place = ("Gateway", home if namespace in ("", ".") else namespace, short)
        if short != "mesh" and library.find(*place) is None:
            yield library.missing(f"spec.gateways[{index}]", place, home)


def _routes(spec: Manifest) -> Iterator[tuple[str, Manifest]]:
    for protocol in PROTOCOLS:
        for index, route in enumerate(spec.get(protocol) or ()):
            yield f"spec.{protocol}[{index}]", route


def _weights(field: str, route: Manifest) -> Remarks:
    """A single destination gets everything; several must share 100 (Istio, HTTPRouteDestination; contract 9.3 counts against 100)."""
    destinations = route.get("route") or []
    weights = [destination.get("weight", 0) for destination in destinations]
    wrong = [weight for weight in weights if not isinstance(weight, int) or isinstance(weight, bool) or weight < 0]
    if wrong:
        yield Remark(f"{field}.route", f"weights must be whole numbers of at least 0, found {wrong[0]!r}")
    elif len(weights) > 1 and sum(weights) != 100:
        yield Remark(f"{field}.route", f"the weights of several destinations must add up to 100, they are {sum(weights)}")


def _destination(field: str, destination: Manifest, manifest: Manifest, library: Library) -> Remarks:
    host: Any = (destination.get("destination") or {}).get("host")
    if not host:
        yield Remark(field, "is required")
        return
    home = namespace_of(manifest)
    place = service_of(str(host), home)
    if place is not None and library.find("Service", *place) is None:
        yield library.missing(field, ("Service", *place), home)


def service_of(host: str, home: str) -> tuple[str, str] | None:
    """(namespace, name) of the Service a host means; None for hosts outside the cluster (Istio, Destination.host)."""
    if host.endswith((".svc", f".svc{CLUSTER}")):
        parts = host.removesuffix(CLUSTER).split(".")
        return (parts[1], parts[0]) if len(parts) == 3 else None
    return (home, host) if "." not in host and host != "*" else None


def _shadowed(spec: Manifest) -> Remarks:
    """Routes are tried from the top: behind one that takes everything none is ever selected."""
    for protocol in ("http", "tcp"):
        greedy = ""
        for index, route in enumerate(spec.get(protocol) or ()):
            name = str(route.get("name") or f"number {index + 1}")
            if greedy:
                words = f"route {name} is never selected: route {greedy} above it takes every request"
                yield Remark(f"spec.{protocol}[{index}]", words, Severity.WARNING, "move it up, or give the route above a match")
            elif not route.get("match") or any(_takes_all(match) for match in _objects(route.get("match"))):
                greedy = name


def _takes_all(match: Manifest) -> bool:
    """True of a match that says nothing, or no more than that a path begins with a slash."""
    said = {key: value for key, value in match.items() if key != "name" and value}
    return not said or said == {"uri": {"prefix": "/"}}


def _objects(value: Any) -> list[Manifest]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def _repeated(spec: Manifest) -> Remarks:
    """A route is found by its name, so a name may stand once."""
    seen: set[str] = set()
    for index, route in enumerate(spec.get("http") or ()):
        name = route.get("name")
        if name and name in seen:
            yield Remark(f"spec.http[{index}].name", f"a route {name} is already above: names must differ")
        seen.add(str(name))

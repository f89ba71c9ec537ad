"""What runtime owns is carried over from the live object into what we write, so one write never moves traffic (ADR 0017).

Law: an unrelated push at weight 30 never shows another weight or selector to any watcher.
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from reconciler.kernel.identity import Manifest, name_of, namespace_of
from reconciler.kernel.well_known import HASH_LABEL as HASH
from reconciler.sources.kinds import kind_key


@dataclass(frozen=True, slots=True, kw_only=True)
class RuntimeOwned:
    """Who is in charge of what while it runs: (namespace, name) of the objects concerned."""

    scaled: Collection[tuple[str, str, str]] = field(default_factory=frozenset)
    """(kind, namespace, name) whose replicas an autoscaler or a Rollout's workloadRef owns."""
    routed: Mapping[tuple[str, str], Collection[str]] = field(default_factory=dict)
    """VirtualServices whose weights a Rollout owns, with the names of its managed routes."""


def carry_over(desired: Manifest, live: Manifest | None, owned: RuntimeOwned) -> Manifest:
    """The object to write: as desired, with the parts that runtime owns as they live. Without a live object: as desired."""
    if live is None:
        return desired
    carry = CARRIERS.get(kind_key(desired))
    return carry(desired, live, owned) if carry else desired


def _service(desired: Manifest, live: Manifest, _: RuntimeOwned) -> Manifest:
    value = (live.get("spec") or {}).get("selector", {}).get(HASH)
    if value is None:
        return desired
    spec = desired["spec"]
    return {**desired, "spec": {**spec, "selector": {**(spec.get("selector") or {}), HASH: value}}}


def _scaled(desired: Manifest, live: Manifest, owned: RuntimeOwned) -> Manifest:
    place = (desired["kind"], namespace_of(desired), name_of(desired))
    replicas = (live.get("spec") or {}).get("replicas")
    if place not in owned.scaled or replicas is None:
        return desired
    return {**desired, "spec": {**desired["spec"], "replicas": replicas}}


def _destination_rule(desired: Manifest, live: Manifest, _: RuntimeOwned) -> Manifest:
    hashes = {s["name"]: (s.get("labels") or {}).get(HASH) for s in (live.get("spec") or {}).get("subsets") or []}
    subsets = [_with_hash(s, hashes.get(s.get("name"))) for s in desired["spec"].get("subsets") or []]
    return {**desired, "spec": {**desired["spec"], "subsets": subsets}} if subsets else desired


def _with_hash(subset: Manifest, value: str | None) -> Manifest:
    return subset if value is None else {**subset, "labels": {**(subset.get("labels") or {}), HASH: value}}


def _virtual_service(desired: Manifest, live: Manifest, owned: RuntimeOwned) -> Manifest:
    managed = owned.routed.get((namespace_of(desired), name_of(desired)))
    if managed is None:
        return desired
    spec = dict(desired["spec"])
    for protocol in ("http", "tls", "tcp"):
        if protocol in spec:
            spec[protocol] = _routes(spec[protocol], (live.get("spec") or {}).get(protocol) or [], managed)
    return {**desired, "spec": spec}


def _routes(desired: list[Manifest], live: list[Manifest], managed: Collection[str]) -> list[Manifest]:
    kept = [route for route in live if route.get("name") in managed]
    others = [route for route in live if route.get("name") not in managed]
    named = {route["name"]: route for route in others if route.get("name")}
    unnamed = iter([route for route in others if not route.get("name")])
    return kept + [
        _weighted(r, named.get(r["name"]) if r.get("name") else next(unnamed, None)) for r in desired if r.get("name") not in managed
    ]


def _weighted(desired: Manifest, live: Manifest | None) -> Manifest:
    """A route with the live weights, when it leads to the same destinations; a route that leads elsewhere is Git's alone."""
    if live is None or "route" not in desired:
        return desired
    weights = {_destination(d): d.get("weight") for d in live.get("route") or []}
    if not {_destination(d) for d in desired["route"]} <= set(weights):
        return desired
    return {**desired, "route": [_weigh(d, weights[_destination(d)]) for d in desired["route"]] + _further(desired, live)}


def _further(desired: Manifest, live: Manifest) -> list[Manifest]:
    """Live destinations that Git does not name (an experiment's): removing them would move their share."""
    known = {_destination(d) for d in desired["route"]}
    return [d for d in live.get("route") or [] if _destination(d) not in known and d.get("weight")]


def _weigh(destination: Manifest, weight: Any) -> Manifest:
    return destination if weight is None else {**destination, "weight": weight}


def _destination(entry: Manifest) -> tuple[str, str, str]:
    destination = entry.get("destination") or {}
    port = (destination.get("port") or {}).get("number", "")
    return str(destination.get("host", "")), str(destination.get("subset", "")), str(port)


Carrier = Callable[[Manifest, Manifest, RuntimeOwned], Manifest]
CARRIERS: Mapping[str, Carrier] = {
    "Service": _service,
    "Deployment": _scaled,
    "Rollout": _scaled,
    "StatefulSet": _scaled,
    "DestinationRule": _destination_rule,
    "VirtualService": _virtual_service,
}

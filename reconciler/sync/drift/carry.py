"""What runtime owns is carried over from the live object into what we write, so one write never moves traffic (ADR 0017).

Law: an unrelated push at weight 30 never shows another weight or selector to any watcher.
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field

from reconciler.kernel.identity import Manifest, name_of, namespace_of
from reconciler.kernel.well_known import HASH_LABEL as HASH
from reconciler.sources.kinds import kind_key

RoutedCarrier = Callable[[Manifest, Manifest], Manifest]
"""(desired, live) to what is written."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RuntimeOwned:
    """Who is in charge of what while it runs: (namespace, name) of the objects concerned."""

    scaled: Collection[tuple[str, str, str]] = field(default_factory=frozenset)
    """(kind, namespace, name) whose replicas an autoscaler or a Rollout's workloadRef owns."""
    lent: Collection[tuple[str, str, str]] = field(default_factory=frozenset)
    """The same of objects whose pod template a Rollout borrows."""
    routed: Mapping[tuple[str, str, str], RoutedCarrier] = field(default_factory=dict)
    """(kind, namespace, name) of the objects in which a Rollout moves traffic, and how the routers carry their fields over."""


def carry_over(desired: Manifest, live: Manifest | None, owned: RuntimeOwned) -> Manifest:
    """The object to write: as desired, with the parts that runtime owns as they live. Without a live object: as desired."""
    if live is None:
        return desired
    routed = owned.routed.get((desired["kind"], namespace_of(desired), name_of(desired)))
    if routed is not None:
        desired = routed(desired, live)
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


Carrier = Callable[[Manifest, Manifest, RuntimeOwned], Manifest]
CARRIERS: Mapping[str, Carrier] = {
    "Service": _service,
    "Deployment": _scaled,
    "Rollout": _scaled,
    "StatefulSet": _scaled,
}

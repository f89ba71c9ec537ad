"""Whose destination is it: the canary's, the stable version's or another's (contract 9.3 "Destination matching")."""

from dataclasses import dataclass
from functools import lru_cache

from reconciler.kernel.identity import Manifest

CLUSTER = "svc.cluster.local"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sides:
    """How to tell the canary's destinations from the stable ones: by service or by subset of `host`, the DestinationRule's.

    `namespace` is the Rollout's: Services and the DestinationRule live there, wherever the VirtualService does.
    """

    canary: str
    stable: str
    canary_subset: str = ""
    stable_subset: str = ""
    other_subsets: frozenset[str] = frozenset()
    host: str = ""
    namespace: str = ""

    @property
    def names(self) -> tuple[str, ...]:
        """What a destination is told by: when it changes, routes hold what another configuration put there."""
        return self.canary, self.stable, self.canary_subset, self.stable_subset, self.namespace

    def side(self, destination: Manifest) -> str:
        """`canary`, `stable` or empty. A subset says more than a host, which both sides may share."""
        host, subset = host_of(destination), _target(destination).get("subset")
        if subset and subset in (self.canary_subset, self.stable_subset) and self._has_subsets(host):
            return "canary" if subset == self.canary_subset else "stable"
        if self.same(host, self.canary):
            return "canary"
        return "stable" if self.same(host, self.stable) else ""

    def _has_subsets(self, host: str) -> bool:
        """A subset counts only on a host of ours: another host may have one of the same name."""
        hosts = [name for name in (self.host, self.canary, self.stable) if name]
        return not self.host or any(self.same(host, name) for name in hosts)

    def same(self, host: str, name: str) -> bool:
        """Hosts are compared up to the first dot; one that spells another namespace is another Service all the same."""
        return _same(host, name, self.namespace)

    def is_kept(self, destination: Manifest) -> bool:
        """Destinations of `additionalSubsetNames` keep their weight."""
        return not self.side(destination) and _target(destination).get("subset") in self.other_subsets

    def missing(self, route: Manifest) -> str | None:
        """Which side a selected route has no destination for (contract 9.3 "Validation")."""
        delegate = route.get("delegate")
        if delegate:
            place = f"{delegate.get('namespace') or 'its own namespace'}/{delegate.get('name', '')}"
            return f"the route delegates to VirtualService {place}: name that one instead, its routes carry the destinations"
        found = {self.side(destination) for destination in route.get("route") or []}
        names = {"canary": self.canary or self.canary_subset, "stable": self.stable or self.stable_subset}
        return next((f"{side} destination '{name}' is not found in the route" for side, name in names.items() if side not in found), None)

    def reached_from(self, host: str, namespace: str) -> str:
        """The host as a VirtualService of that namespace must write it: a short name is looked up where it is written."""
        if "." in host or not host or not self.namespace or namespace in ("", self.namespace):
            return host
        return f"{host}.{self.namespace}.{CLUSTER}"


@lru_cache(maxsize=4096)
def _same(host: str, name: str, namespace: str) -> bool:
    if not host or not name or host.partition(".")[0] != name.partition(".")[0]:
        return False
    home = spelled_namespace(name) or namespace
    return not home or spelled_namespace(host) in ("", home)


def _target(destination: Manifest) -> Manifest:
    found = destination.get("destination")
    return found if isinstance(found, dict) else {}


def host_of(destination: Manifest) -> str:
    return str(_target(destination).get("host", ""))


def spelled_namespace(host: str) -> str:
    """The namespace that a host says (`name.namespace.svc`, with or without a cluster's domain); empty when it says none."""
    labels = host.split(".")
    return labels[1] if len(labels) > 2 and labels[2] == "svc" else ""

"""What a rollout controller writes into objects that another tool applies, as rules that the tool understands.

Rules are as narrow as each tool's language allows: what is ignored is not applied from Git either.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from reconciler.kernel.identity import Manifest, name_of, namespace_of
from reconciler.kernel.well_known import HASH_LABEL
from reconciler.sources.kinds import kind_key
from reconciler.views.companion.appliers import entries, mapping


@dataclass(frozen=True, slots=True)
class Owned:
    """The fields of one kind: jq paths for Argo CD, JSON pointers into the live object for Flux."""

    jq: tuple[str, ...]
    pointers: Callable[[Manifest], tuple[str, ...]]


def argo_rules(objects: Iterable[Manifest], managed_routes: Iterable[str] = ()) -> list[dict[str, Any]]:
    """`spec.ignoreDifferences` of an Application."""
    routes = tuple(f'.spec.http[]? | select(.name == "{name}")' for name in managed_routes)
    return [
        {
            "group": str(one["apiVersion"]).rpartition("/")[0],
            "kind": one["kind"],
            "namespace": namespace_of(one),
            "name": name_of(one),
            "jqPathExpressions": [*OWNED[kind_key(one)].jq, *(routes if kind_key(one) == "VirtualService" else ())],
        }
        for one in objects
        if kind_key(one) in OWNED
    ]


def flux_rules(objects: Iterable[Manifest], managed_routes: Iterable[str] = ()) -> list[dict[str, Any]]:
    """`spec.ignore` of a Kustomization (Flux 2.9), and `spec.driftDetection.ignore` of a HelmRelease.

    A pointer names the place in a list, and header routes that come and go move it: then the whole list is named.
    """
    moving = bool(tuple(managed_routes))
    found: list[dict[str, Any]] = []
    for one in objects:
        owned = OWNED.get(kind_key(one))
        whole = ("/spec/http",) if moving and kind_key(one) == "VirtualService" else ()
        paths = whole or (owned.pointers(one) if owned else ())
        if paths:
            target = {"kind": one["kind"], "namespace": as_pattern(namespace_of(one)), "name": as_pattern(name_of(one))}
            found.append({"paths": list(paths), "target": target})
    return found


def as_pattern(name: str) -> str:
    """A name as a target of kustomize and Flux has it: they read a regular expression, in which a dot is any letter."""
    return name.replace(".", r"\.")


def _weights(one: Manifest) -> tuple[str, ...]:
    found = []
    for kind in ("http", "tls", "tcp"):
        for i, rule in enumerate(entries(mapping(one.get("spec")).get(kind))):
            found += [f"/spec/{kind}/{i}/route/{j}/weight" for j, _ in enumerate(entries(rule.get("route")))]
    return tuple(found)


def _subsets(one: Manifest) -> tuple[str, ...]:
    subsets = entries(mapping(one.get("spec")).get("subsets"))
    return tuple(f"/spec/subsets/{i}/labels/{HASH_LABEL}" for i, _ in enumerate(subsets))


def _in_lists(outer: str, inner: str) -> Callable[[Manifest], tuple[str, ...]]:
    def found(one: Manifest) -> tuple[str, ...]:
        rules = entries(mapping(one.get("spec")).get(outer))
        return tuple(
            f"/spec/{outer}/{i}/{inner}/{j}/weight" for i, rule in enumerate(rules) for j, _ in enumerate(entries(rule.get(inner)))
        )

    return found


def _weighted(one: Manifest) -> tuple[str, ...]:
    services = entries(mapping(mapping(one.get("spec")).get("weighted")).get("services"))
    return tuple(f"/spec/weighted/services/{i}/weight" for i, _ in enumerate(services))


def _targets(one: Manifest) -> tuple[str, ...]:
    found = []
    for i, route in enumerate(entries(mapping(one.get("spec")).get("routes"))):
        for kind in ROUTE_KINDS:
            targets = entries(mapping(mapping(route.get(kind)).get("action")).get("weightedTargets"))
            found += [f"/spec/routes/{i}/{kind}/action/weightedTargets/{j}/weight" for j, _ in enumerate(targets)]
    return tuple(found)


ROUTE_KINDS = ("httpRoute", "tcpRoute", "http2Route", "grpcRoute")
ROUTE = Owned((".spec.rules[]?.backendRefs[]?.weight",), _in_lists("rules", "backendRefs"))
REPLICAS = Owned((".spec.replicas",), lambda _: ("/spec/replicas",))
OWNED: Mapping[str, Owned] = {
    "VirtualService": Owned((".spec.http[]?.route[]?.weight", ".spec.tls[]?.route[]?.weight", ".spec.tcp[]?.route[]?.weight"), _weights),
    "DestinationRule": Owned((f'.spec.subsets[]?.labels."{HASH_LABEL}"',), _subsets),
    # A selector is written as a whole by server-side apply: without the rule its hash would go.
    "Service": Owned((f'.spec.selector."{HASH_LABEL}"',), lambda _: ("/spec/selector",)),
    **dict.fromkeys(("HTTPRoute", "GRPCRoute", "TCPRoute", "TLSRoute"), ROUTE),
    "TraefikService": Owned((".spec.weighted.services[]?.weight",), _weighted),
    "VirtualRouter": Owned(tuple(f".spec.routes[]?.{kind}.action.weightedTargets[]?.weight" for kind in ROUTE_KINDS), _targets),
    "VirtualNode": Owned((f'.spec.podSelector.matchLabels."{HASH_LABEL}"',), lambda _: (f"/spec/podSelector/matchLabels/{HASH_LABEL}",)),
    "ApisixRoute": Owned((".spec.http[]?.backends[]?.weight",), _in_lists("http", "backends")),
    **dict.fromkeys(("Rollout", "Deployment", "StatefulSet"), REPLICAS),
}
"""By kind; what a rollout controller makes itself is in nobody's Git and needs no rule. Of workloads only those that something scales."""

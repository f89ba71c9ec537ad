"""Builders of VirtualServices, DestinationRules and what a router reads of them."""

from collections.abc import Mapping
from typing import Any

from reconciler.kernel.identity import ObjectRef
from reconciler.kernel.resources import DESTINATION_RULES, VIRTUAL_SERVICES
from reconciler.rollouts.traffic.router import Services

HASH = "rollouts-pod-template-hash"
SERVICES = Services(canary="shop-canary", stable="shop-stable", namespace="prod", rollout="shop")
SUBSETS_ONLY = Services(namespace="prod", rollout="shop")
ONE: dict[str, Any] = {"virtualService": {"name": "shop"}}
WITH_RULE: dict[str, Any] = {**ONE, "destinationRule": {"name": "shop", "canarySubsetName": "canary", "stableSubsetName": "stable"}}


def to(host: str, weight: int | None = None, **destination: Any) -> dict[str, Any]:
    found: dict[str, Any] = {"destination": {"host": host, **destination}}
    return found if weight is None else {**found, "weight": weight}


def pair(canary: int, stable: int) -> list[dict[str, Any]]:
    return [to("shop-stable", stable), to("shop-canary", canary)]


def subset_pair(canary: int, stable: int) -> list[dict[str, Any]]:
    return [to("shop", stable, subset="stable"), to("shop", canary, subset="canary")]


def virtual_service(http: list[dict[str, Any]] | None = None, *, name: str = "shop", **spec: Any) -> dict[str, Any]:
    routes = {} if http is None else {"http": http}
    metadata = {"name": name, "namespace": "prod", "resourceVersion": "7"}
    return {"kind": "VirtualService", "metadata": metadata, "spec": {"hosts": ["shop"], **routes, **spec}}


def destination_rule(canary: str = "h1", stable: str = "h1", *more: dict[str, Any]) -> dict[str, Any]:
    subsets = [
        {"name": "canary", "labels": {HASH: canary, "tier": "web"}, "trafficPolicy": {"x": 1}},
        {"name": "stable", "labels": {HASH: stable}},
    ]
    metadata = {
        "name": "shop",
        "namespace": "prod",
        "resourceVersion": "3",
        "annotations": {"argo-rollouts.argoproj.io/managed-by-rollouts": "shop"},
    }
    return {"kind": "DestinationRule", "metadata": metadata, "spec": {"host": "shop.prod.svc", "subsets": [*subsets, *more]}}


def live(*services: dict[str, Any], rule: dict[str, Any] | None = None) -> Mapping[ObjectRef, dict[str, Any] | None]:
    found: dict[ObjectRef, dict[str, Any] | None] = {
        ObjectRef(VIRTUAL_SERVICES, service["metadata"]["namespace"], service["metadata"]["name"]): service for service in services
    }
    return found if rule is None else {**found, ObjectRef(DESTINATION_RULES, "prod", "shop"): rule}


def weights(service: dict[str, Any], protocol: str = "http", index: int = 0) -> list[int | None]:
    return [destination.get("weight") for destination in service["spec"][protocol][index]["route"]]

"""Services, DestinationRules and Endpoints → Envoy clusters with their endpoints inline.

Endpoints are not served by EDS files: each file subscription costs one inotify instance, and Envoy aborts at the user's limit.
"""

from collections.abc import Iterator
from typing import Any

from reconciler_sandbox.mesh.translate.endpoints import endpoints
from reconciler_sandbox.mesh.translate.expressions import duration
from reconciler_sandbox.mesh.translate.hosts import name_of, namespace_of
from reconciler_sandbox.mesh.translate.index import Index, cluster_name
from reconciler_sandbox.mesh.translate.terms import TYPE, Json, Refused

HTTP_OPTIONS = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions"
HTTP2 = {HTTP_OPTIONS: {"@type": f"type.googleapis.com/{HTTP_OPTIONS}", "explicit_http_config": {"http2_protocol_options": {}}}}
HTTP2_PORT_NAMES = ("grpc", "http2")
HTTP2_PROTOCOLS = ("grpc", "http2", "kubernetes.io/h2c")
UNLIMITED = 4_294_967_295
BALANCERS = {"ROUND_ROBIN": "ROUND_ROBIN", "RANDOM": "RANDOM"}
CLUSTER = TYPE + "config.cluster.v3.Cluster"


def clusters(index: Index) -> Iterator[Json]:
    """One cluster for each port of each service and for each subset of it that a DestinationRule names."""
    for host, service in sorted(index.services.items()):
        rules = index.rules_for(host)
        policy: Json = next((rule["trafficPolicy"] for rule in rules if rule.get("trafficPolicy")), {})
        for port in service["spec"].get("ports") or []:
            for subset in [None, *subsets(rules)]:
                yield _cluster(index, (host, service, port), subset, policy)


def subsets(rules: list[Json]) -> list[Json]:
    """The subsets of all rules of one host; of two with the same name the older rule's."""
    named: dict[str, Json] = {}
    for rule in rules:
        for subset in rule.get("subsets") or []:
            if not subset.get("name"):
                raise Refused("a subset has no name")
            named.setdefault(subset["name"], subset)
    return list(named.values())


def connection_policy(policy: Json) -> Json:
    """The fields of a cluster that a `trafficPolicy` sets."""
    balancer = (policy.get("loadBalancer") or {}).get("simple")
    http = (policy.get("connectionPool") or {}).get("http") or {}
    pending = http.get("http1MaxPendingRequests") or UNLIMITED
    requests = http.get("http2MaxRequests") or UNLIMITED
    limits = {"max_connections": UNLIMITED, "max_pending_requests": pending, "max_requests": requests, "max_retries": UNLIMITED}
    rendered: Json = {"lb_policy": BALANCERS.get(balancer or "", "LEAST_REQUEST"), "circuit_breakers": {"thresholds": [limits]}}
    if policy.get("outlierDetection"):
        rendered["outlier_detection"] = _outlier_detection(policy["outlierDetection"])
    return rendered


def _cluster(index: Index, target: tuple[str, Json, Json], subset: Json | None, policy: Json) -> Json:
    host, service, port = target
    name = cluster_name(port["port"], subset["name"] if subset else "", host)
    owner = {"service": host, "service_name": name_of(service), "service_namespace": namespace_of(service)}
    rendered: Json = {
        "name": name,
        "alt_stat_name": name.replace(".", "_"),  # dots would confuse the tag extraction of Envoy's own statistics
        "type": "STATIC",
        "connect_timeout": "10s",  # as Istio says where nobody says anything else
        "metadata": {"filter_metadata": {"istio": owner}},
        "common_lb_config": {"healthy_panic_threshold": {"value": 0}},
        "load_assignment": {"cluster_name": name, "endpoints": [{"lb_endpoints": endpoints(index, service, port, subset)}]},
        **connection_policy({**policy, **((subset or {}).get("trafficPolicy") or {})}),
    }
    if _speaks_http2(port):
        rendered["typed_extension_protocol_options"] = HTTP2
    return rendered


def _speaks_http2(port: Json) -> bool:
    prefix = (port.get("name") or "").split("-")[0]
    return prefix in HTTP2_PORT_NAMES or port.get("appProtocol") in HTTP2_PROTOCOLS


def _outlier_detection(wanted: dict[str, Any]) -> Json:
    return {
        "consecutive_5xx": wanted.get("consecutive5xxErrors", 5),
        "interval": duration(wanted.get("interval", "10s")),
        "base_ejection_time": duration(wanted.get("baseEjectionTime", "30s")),
        "max_ejection_percent": wanted.get("maxEjectionPercent", 10),
    }

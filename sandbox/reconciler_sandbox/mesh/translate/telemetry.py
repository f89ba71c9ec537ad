"""Istio's standard metrics, counted by Envoy's own statistics logger: one log line for each reporter and protocol.

`source` counts what the client saw; `destination` counts each attempt that reached a server, mirrored ones included.
"""

from collections.abc import Sequence

from reconciler_sandbox.mesh.translate.terms import TYPE, Json

STATS_LOGGER = TYPE + "extensions.access_loggers.stats.v3.Config"
CEL_FILTER = TYPE + "extensions.access_loggers.filters.cel.v3.ExpressionFilter"
CONNECTION_FAILED = 32  # the response flag UF: no server saw this attempt, so no server's proxy would have counted it
# One scope for all listeners, held for ever by the static one: otherwise a listener's update would reset the counters.
SCOPE = {"prefix": "istio", "sharing_name": "istio", "max_counters": 20_000, "max_histograms": 5_000}
CLUSTER_MARKS = ("service", "service_name", "service_namespace")
ENDPOINT_MARKS = ("workload", "workload_namespace", "app", "version", "canonical_service", "canonical_revision")
REACHED_A_SERVER: Json = {
    "extension_filter": {"name": "cel", "typed_config": {"@type": CEL_FILTER, "expression": f"response.flags != {CONNECTION_FAILED}"}},
}


def loggers(reporter: str, source: str, namespace: str) -> list[Json]:
    """The log lines of one reporter for requests that `source` in `namespace` sends."""
    return [
        _logger(reporter, "http", _labels(reporter, source, namespace)),
        _logger(reporter, "grpc", _labels(reporter, source, namespace)),
    ]


def keeper() -> Json:
    """A log line that never matches and keeps the shared scope alive."""
    never = {"status_code_filter": {"comparison": {"op": "GE", "value": {"default_value": 1000, "runtime_key": "never"}}}}
    return {"name": "keeper", "filter": never, "typed_config": {"@type": STATS_LOGGER, "stats_scope": SCOPE}}


def _labels(reporter: str, source: str, namespace: str) -> list[tuple[str, str]]:
    client = [("workload", source), ("workload_namespace", namespace), ("app", source), ("version", "unknown"), ("principal", "unknown")]
    client += [("canonical_service", source), ("canonical_revision", "latest")]
    return [
        ("reporter", reporter),
        *((f"source_{name}", value) for name, value in client),
        *((f"destination_{mark}", f"%METADATA(CLUSTER:istio:{mark})%") for mark in CLUSTER_MARKS),
        *((f"destination_{mark}", f"%METADATA(UPSTREAM_HOST:istio:{mark})%") for mark in ENDPOINT_MARKS),
        ("destination_principal", "unknown"),
        ("response_code", "%RESPONSE_CODE%"),
        ("response_flags", "%RESPONSE_FLAGS%"),
        ("connection_security_policy", "none" if reporter == "destination" else "unknown"),
    ]


def _logger(reporter: str, protocol: str, labels: Sequence[tuple[str, str]]) -> Json:
    extra = [("grpc_response_status", "%GRPC_STATUS_NUMBER%")] if protocol == "grpc" else []
    tags = [{"name": name, "value_format": value} for name, value in [*labels, ("request_protocol", protocol), *extra]]
    return {
        "name": f"istio-{reporter}-{protocol}",
        "filter": _only_protocol(protocol)
        if reporter == "source"
        else {"and_filter": {"filters": [_only_protocol(protocol), REACHED_A_SERVER]}},
        "typed_config": {
            "@type": STATS_LOGGER,
            "stats_scope": SCOPE,
            "counters": [{"stat": {"name": "requests_total", "tags": tags}, "value_fixed": 1}],
            "histograms": [
                {"stat": {"name": "request_duration_milliseconds", "tags": tags}, "unit": "Milliseconds", "value_format": "%DURATION%"},
            ],
        },
    }


def _only_protocol(protocol: str) -> Json:
    header: Json = {"name": "content-type", "string_match": {"prefix": "application/grpc"}, "treat_missing_header_as_empty": True}
    return {"header_filter": {"header": {**header, "invert_match": protocol == "http"}}}

"""What Envoy is started with: where its files and its admin socket are, and the static listener that serves Istio's metrics."""

from reconciler_sandbox.mesh.translate.listeners import http_connections, socket_listener
from reconciler_sandbox.mesh.translate.telemetry import keeper
from reconciler_sandbox.mesh.translate.terms import HTTP_MANAGER, LUA, ROUTER, Config, Json, Layout

STATISTICS = "stats"
WHOLE_BODY = 268_435_456  # the Lua filter holds the whole exposition: 22 kB a service
LARGEST_EXPRESSION = 32_768  # as Istio sets it: Envoy's own limit refuses expressions that Istio accepts
# Envoy prefixes every name and leaves unset labels empty; Istio's filter does neither.
ISTIO_NAMES = """function envoy_on_response(handle)
  if handle:headers():get(":status") ~= "200" then return end
  local body = handle:body()
  local text = body:getBytes(0, body:length()):gsub("envoy_istio_", "istio_"):gsub('=""', '="unknown"')
  handle:headers():replace("content-length", tostring(#text))
  body:setBytes(text)
end"""


def bootstrap(layout: Layout, admin_socket: str) -> Json:
    """The start-up file. Admin is a Unix socket: over TCP anyone on the machine could stop Envoy."""
    return {
        "node": {"id": "sandbox", "cluster": "sandbox"},
        "admin": {"address": {"pipe": {"path": admin_socket, "mode": 0o600}}},
        "stats_flush_on_admin": True,  # otherwise histograms lag by the flush interval of 5 s
        "layered_runtime": _runtime(),
        "static_resources": {"clusters": [_admin(admin_socket)], "listeners": [_statistics(layout)]},
        "dynamic_resources": {"lds_config": _file("lds.json"), "cds_config": _file("cds.json")},
    }


def trial(config: Config) -> Json:
    """The same configuration without files and metrics, for Envoy's validation mode, which the statistics logger crashes."""
    listeners = [
        socket_listener(name, "127.0.0.1", 0, {**http_connections(name), "route_config": table})
        for name, table in sorted(config.tables.items())
    ]
    return {
        "node": {"id": "trial", "cluster": "trial"},
        "layered_runtime": _runtime(),
        "static_resources": {"clusters": list(config.clusters), "listeners": listeners},
    }


def _runtime() -> Json:
    values = {
        f"envoy.resource_limits.listener.{STATISTICS}.connection_limit": 64,
        "re2.max_program_size.error_level": LARGEST_EXPRESSION,
    }
    return {"layers": [{"name": "static", "static_layer": values}]}


def _file(name: str) -> Json:
    return {"resource_api_version": "V3", "path_config_source": {"path": f"./{name}"}}


def _admin(socket: str) -> Json:
    endpoint = {"endpoint": {"address": {"pipe": {"path": socket}}}}
    assignment = {"cluster_name": "admin", "endpoints": [{"lb_endpoints": [endpoint]}]}
    return {"name": "admin", "type": "STATIC", "connect_timeout": "1s", "load_assignment": assignment}


def _statistics(layout: Layout) -> Json:
    only_istio = {"pattern": {"regex": ".*"}, "substitution": r"/stats/prometheus?filter=^istio\\."}
    routes = [{"match": {"path": "/stats/prometheus"}, "route": {"cluster": "admin", "regex_rewrite": only_istio}}]
    manager = {
        "@type": HTTP_MANAGER,
        "stat_prefix": STATISTICS,
        "access_log": [keeper()],
        "route_config": {"virtual_hosts": [{"name": STATISTICS, "domains": ["*"], "routes": routes}]},
        "http_filters": [
            {"name": "lua", "typed_config": {"@type": LUA, "default_source_code": {"inline_string": ISTIO_NAMES}}},
            {"name": "router", "typed_config": {"@type": ROUTER}},
        ],
    }
    listener = socket_listener(STATISTICS, layout.bind, layout.stats_port, manager)
    return {**listener, "per_connection_buffer_limit_bytes": WHOLE_BODY}

"""Listeners: one a gateway port and one for the mesh. They are written once; only their route tables change."""

from reconciler_sandbox.mesh.translate.telemetry import loggers
from reconciler_sandbox.mesh.translate.terms import FAULT, FAULT_FILTER, HTTP_MANAGER, MESH, ROUTER, Json, Layout

INGRESS = ("istio-ingressgateway", "istio-system")
ANY_CLIENT = ("unknown", "unknown")
FAULTS: Json = {"name": FAULT_FILTER, "typed_config": {"@type": FAULT}}


def gateway_table(port: int) -> str:
    """The name of the route table of one declared gateway port."""
    return f"http.{port}"


def table_file(table: str) -> str:
    return f"rds.{table}.json"


def statistics_prefix(table: str) -> str:
    """Envoy's name for the listener that serves a table, as in `http.<prefix>.rds.<table>.version_text`."""
    return table if table == MESH else f"gateway_{table.removeprefix('http.')}"


def listeners(layout: Layout) -> list[Json]:
    """All listeners that serve route tables."""
    gateways = [_listener(gateway_table(declared), port, INGRESS, layout.bind) for declared, port in sorted(layout.gateway_ports.items())]
    return [*gateways, _listener(MESH, layout.mesh_port, ANY_CLIENT, layout.bind)]


def http_connections(table: str) -> Json:
    """The HTTP part of one listener, without its routes and without metrics."""
    return {
        "@type": HTTP_MANAGER,
        "stat_prefix": statistics_prefix(table),
        "codec_type": "AUTO",
        "server_name": "istio-envoy",
        "use_remote_address": True,
        "normalize_path": True,
        "http2_protocol_options": {},
        "upgrade_configs": [{"upgrade_type": "websocket"}],
        "stream_idle_timeout": "300s",
        "http_filters": [FAULTS, _router({})],
    }


def socket_listener(name: str, bind: str, port: int, manager: Json) -> Json:
    """A listener of its own: without SO_REUSEPORT, so that a second Envoy on the same port is an error and not a rival."""
    return {
        "name": name,
        "enable_reuse_port": False,
        "address": {"socket_address": {"address": bind, "port_value": port}},
        "filter_chains": [{"filters": [{"name": "envoy.filters.network.http_http_connections", "typed_config": manager}]}],
    }


def _listener(table: str, port: int, client: tuple[str, str], bind: str) -> Json:
    source = {"resource_api_version": "V3", "path_config_source": {"path": f"./{table_file(table)}"}}
    manager = {
        **http_connections(table),
        "rds": {"route_config_name": table, "config_source": source},
        "access_log": loggers("source", *client),
        "http_filters": [FAULTS, _router({"upstream_log": loggers("destination", *client)})],
    }
    return socket_listener(statistics_prefix(table), bind, port, manager)


def _router(options: Json) -> Json:
    return {"name": "envoy.filters.http.router", "typed_config": {"@type": ROUTER, **options}}

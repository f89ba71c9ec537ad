"""The words that the translator's modules share: what goes in, what comes out, and how it says no."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from reconciler_sandbox.podnetwork import PodPorts

Json = dict[str, Any]
"""One Kubernetes object or one Envoy resource as decoded JSON; never changed in place once it left its maker."""

TYPE = "type.googleapis.com/envoy."
HTTP_MANAGER = TYPE + "extensions.filters.network.http_connection_manager.v3.HttpConnectionManager"
ROUTER = TYPE + "extensions.filters.http.router.v3.Router"
FAULT = TYPE + "extensions.filters.http.fault.v3.HTTPFault"
FAULT_FILTER = "envoy.filters.http.fault"
LUA = TYPE + "extensions.filters.http.lua.v3.Lua"

NO_TIMEOUT = "0s"  # Istio's default; Envoy's own would be 15 s
MESH = "mesh"
"""Istio's reserved gateway name: every workload inside the mesh."""


class Refused(Exception):
    """An object asks for something that Envoy or this translator cannot do; the message says what."""


@dataclass(frozen=True, slots=True)
class Layout:
    """Where the mesh listens on loopback: declared gateway port → real port, the in-mesh port, the statistics port; and where pods do."""

    gateway_ports: Mapping[int, int]
    mesh_port: int
    stats_port: int
    bind: str = "127.0.0.1"
    ports: PodPorts = field(default_factory=PodPorts)


@dataclass(frozen=True, slots=True)
class Config:
    """Everything Envoy needs: clusters, one route table a listener, listeners; and what was left out, with the reason, by object."""

    clusters: tuple[Json, ...] = ()
    tables: Mapping[str, Json] = field(default_factory=dict)
    listeners: tuple[Json, ...] = ()
    problems: Mapping[str, str] = field(default_factory=dict)

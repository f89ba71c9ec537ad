"""Listeners."""

from reconciler_sandbox.mesh.translate.listeners import (
    gateway_table,
    http_connections,
    listeners,
    socket_listener,
    statistics_prefix,
    table_file,
)

from tests.kit.mesh import LAYOUT


def test_each_gateway_port_and_the_mesh_have_a_listener() -> None:
    found = listeners(LAYOUT)
    ports = {listener["name"]: listener["address"]["socket_address"]["port_value"] for listener in found}
    assert ports == {"gateway_80": 21080, "mesh": 21081}
    assert {listener["address"]["socket_address"]["address"] for listener in found} == {"127.0.0.1"}


def test_no_listener_shares_its_port() -> None:
    assert socket_listener("x", "127.0.0.1", 1, http_connections("mesh"))["enable_reuse_port"] is False


def test_names_of_a_table() -> None:
    assert gateway_table(80) == "http.80"
    assert table_file("http.80") == "rds.http.80.json"
    assert (statistics_prefix("http.80"), statistics_prefix("mesh")) == ("gateway_80", "mesh")

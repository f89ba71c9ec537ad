"""Istio's metrics: two reporters, two protocols, one scope."""

from reconciler_sandbox.mesh.translate.telemetry import keeper, loggers


def test_http_and_grpc_are_counted_apart() -> None:
    http, grpc = loggers("source", "client", "ns")
    tags = {tag["name"]: tag["value_format"] for tag in grpc["typed_config"]["counters"][0]["stat"]["tags"]}
    assert (tags["request_protocol"], tags["grpc_response_status"], tags["source_workload"]) == ("grpc", "%GRPC_STATUS_NUMBER%", "client")
    assert http["filter"]["header_filter"]["header"]["invert_match"] is True


def test_the_destination_does_not_count_attempts_that_no_server_saw() -> None:
    assert all("and_filter" in logger["filter"] for logger in loggers("destination", "client", "ns"))


def test_the_keeper_holds_the_scope_that_the_others_share() -> None:
    assert keeper()["typed_config"]["stats_scope"] == loggers("source", "a", "b")[0]["typed_config"]["stats_scope"]
    assert "counters" not in keeper()["typed_config"]

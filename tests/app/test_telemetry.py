"""Logs and numbers, without secrets."""

import json

import pytest
import structlog

from reconciler.app.telemetry import Telemetry, configure_logs, harmless


def fail(password: str) -> None:
    raise RuntimeError(f"no answer for somebody with {len(password)} letters")


@pytest.mark.parametrize("log_format", ["text", "json"])
def test_a_traceback_shows_no_local_values(log_format: str, capsys: pytest.CaptureFixture[str]) -> None:
    configure_logs(log_format)
    try:
        fail("hunter" + str(2))
    except RuntimeError as error:
        structlog.get_logger().error("a bug", exc_info=error)
    said = capsys.readouterr()
    assert said.out == ""
    assert "RuntimeError" in said.err and "hunter2" not in said.err


def test_machines_get_one_json_object_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logs("json")
    structlog.get_logger().warning("source problem", source="shop", webhook_secret="hunter2")
    logged = json.loads(capsys.readouterr().err)
    assert (logged["event"], logged["source"], logged["level"], logged["webhook_secret"]) == ("source problem", "shop", "warning", "*****")
    assert logged["timestamp"].endswith("Z")


def test_debug_lines_are_left_out(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logs("text")
    structlog.get_logger().debug("object is gone")
    assert capsys.readouterr().err == ""


def test_values_under_a_name_that_smells_of_a_secret_are_hidden() -> None:
    event = {"event": "x", "Authorization": "a", "git_password": "b", "token_file": "c", "source": "shop"}
    assert harmless(None, "", event) == {
        "event": "x",
        "Authorization": "*****",
        "git_password": "*****",
        "token_file": "*****",
        "source": "shop",
    }


def test_numbers_are_in_a_registry_of_their_own() -> None:
    one, two = Telemetry(), Telemetry()
    one.leader.set(1)
    one.polls.labels(source="shop", outcome="asked").inc()
    assert b"reconciler_leader 1.0" in one.text()
    assert b'reconciler_polls_total{outcome="asked",source="shop"} 1.0' in one.text()
    assert b"reconciler_leader 0.0" in two.text()

"""Prometheus's words."""

import math

import pytest
from reconciler_sandbox.metrics.api import failure, instant_document, moment, number, parameter, range_document, step, success
from reconciler_sandbox.metrics.promql.values import BadQuery, Sample, Window


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (1.0, "1"),
        (0.1, "0.1"),
        (1e-7, "0.0000001"),
        (1e21, "1" + "0" * 21),
        (-2.5, "-2.5"),
        (math.nan, "NaN"),
        (math.inf, "+Inf"),
        (-math.inf, "-Inf"),
    ],
)
def test_numbers_are_written_without_exponent(value: float, text: str) -> None:
    assert number(value) == text


def test_times_are_seconds_or_calendar() -> None:
    assert moment("1435781451.781", "time") == 1_435_781_451_781
    assert moment("2015-07-01T20:10:51.781Z", "time") == 1_435_781_451_781
    assert moment("2015-07-01T22:10:51+02:00", "time") == 1_435_781_451_000


@pytest.mark.parametrize("text", ["now", "", "NaN", "2015-07-01", "2015-07-01T20:10:51"])
def test_what_is_no_time_is_refused_by_name(text: str) -> None:
    with pytest.raises(BadQuery, match='"start"'):
        moment(text, "start")


def test_steps_are_seconds_or_durations() -> None:
    assert (step("15"), step("0.5"), step("1m30s")) == (15_000, 500, 90_000)
    for text in ("0", "-1", "often", "Inf"):
        with pytest.raises(BadQuery, match="step"):
            step(text)


def test_documents_have_prometheus_shapes() -> None:
    labels = (("__name__", "a"), ("x", "1"))
    assert instant_document(1.5, 1000) == success("scalar", [1.0, "1.5"])
    assert instant_document("s", 1000) == success("string", [1.0, "s"])
    assert instant_document([], 1000) == success("vector", [])
    assert instant_document([], 1000, matrix=True) == success("matrix", [])
    vector = [{"metric": {"__name__": "a", "x": "1"}, "value": [1.0, "2"]}]
    assert instant_document([Sample(labels, 2.0)], 1000) == success("vector", vector)
    matrix = [{"metric": {"__name__": "a", "x": "1"}, "values": [[0.5, "2"]]}]
    assert instant_document([Window(labels, ((500, 2.0),), 0, 1000)], 1000) == success("matrix", matrix)
    assert range_document([(labels, [(500, 2.0)])]) == success("matrix", matrix)
    assert failure("bad_data", "why") == {"status": "error", "errorType": "bad_data", "error": "why"}


def test_a_missing_parameter_is_named() -> None:
    assert parameter({"query": "up"}, "query") == "up"
    with pytest.raises(BadQuery, match='invalid parameter "query"'):
        parameter({}, "query")

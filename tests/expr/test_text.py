"""Numbers as Go and as Prometheus print them."""

import math

import pytest

from reconciler.expr.text import fixed, general, plain


@pytest.mark.parametrize(
    ("value", "go", "prometheus"),
    [
        (3.0, "3", "3"),
        (0.0, "0", "0"),
        (0.95, "0.95", "0.95"),
        (100000.0, "100000", "100000"),
        (1000000.0, "1e+06", "1000000"),
        (1234567.5, "1.2345675e+06", "1234567.5"),
        (0.0001, "0.0001", "0.0001"),
        (0.00001, "1e-05", "0.00001"),
        (-2.5e-7, "-2.5e-07", "-0.00000025"),
        (1e21, "1e+21", "1000000000000000000000"),
        (math.inf, "+Inf", "+Inf"),
        (-math.inf, "-Inf", "-Inf"),
    ],
)
def test_numbers(value: float, go: str, prometheus: str) -> None:
    assert (general(value), fixed(value)) == (go, prometheus)


def test_other_values() -> None:
    assert [plain(v) for v in (None, True, False, 7, "x", math.nan)] == ["<nil>", "true", "false", "7", "x", "NaN"]

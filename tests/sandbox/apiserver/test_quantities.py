"""Quantities have one canonical form."""

import pytest
from reconciler_sandbox.apiserver.quantities import canonical


@pytest.mark.parametrize(
    ("text", "form"),
    [
        (1, "1"),
        ("0.5", "500m"),
        ("1024Mi", "1Gi"),
        ("1000Mi", "1000Mi"),
        ("1000m", "1"),
        ("1000", "1k"),
        ("1500M", "1500M"),
        ("2000M", "2G"),
        ("0", "0"),
        ("0Mi", "0"),
        ("1.5Gi", "1536Mi"),
        ("100u", "100u"),
        ("1e3", "1e3"),
        ("5E2", "500"),
        ("-2", "-2"),
        ("0.1n", "1n"),
        ("plenty", "plenty"),
        ("9" * 50, "9" * 50),
    ],
)
def test_a_quantity_is_written_canonically(text: str | int, form: str) -> None:
    assert canonical(text) == form

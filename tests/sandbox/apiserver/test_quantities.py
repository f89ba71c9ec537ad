"""Quantities have one canonical form."""

import pytest
from reconciler_sandbox.apiserver.quantities import canonical, thousandths


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


@pytest.mark.parametrize(
    ("text", "value"),
    [("1", 1000), ("250m", 250), ("1.0005", 1001), ("-1.5", -1500), ("2Ki", 2_048_000), ("1k", 1_000_000), ("5n", 1), ("2e3", 2_000_000)],
)
def test_a_quantity_has_thousandths(text: str, value: int) -> None:
    assert thousandths(text) == value


@pytest.mark.parametrize("text", ["", "plenty", "1 2", "9" * 50])
def test_what_is_no_quantity_has_none(text: str) -> None:
    with pytest.raises(ValueError, match="no quantity"):
        thousandths(text)

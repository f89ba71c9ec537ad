"""Durations, percentages, and which regular expressions RE2 would refuse."""

import pytest
from reconciler_sandbox.mesh.translate.expressions import duration, percentage, regular_expression
from reconciler_sandbox.mesh.translate.terms import Refused


@pytest.mark.parametrize(
    ("text", "seconds"), [("250ms", "0.25s"), ("1m30s", "90s"), ("1.5h", "5400s"), ("0s", "0s"), ("100us", "0.0001s"), ("1000s", "1000s")]
)
def test_durations_become_seconds(text: str, seconds: str) -> None:
    assert duration(text) == seconds


@pytest.mark.parametrize("text", ["", "5", "1 m", "-1s", "soon", "1d", "999999999999h"])
def test_what_is_no_duration_is_refused(text: str) -> None:
    with pytest.raises(Refused):
        duration(text)


def test_percentages_become_millionths() -> None:
    assert percentage({"value": 12.5}, 100) == {"numerator": 125_000, "denominator": "MILLION"}
    assert percentage(None, 100)["numerator"] == 1_000_000
    assert percentage({}, 100)["numerator"] == 0
    with pytest.raises(Refused, match="101"):
        percentage({"value": 101}, 100)


@pytest.mark.parametrize(
    "pattern",
    [
        ".*",
        "v[0-9]+",
        r"\p{Greek}+",
        "[[:alpha:]]+",
        "(?P<name>a)",
        "(?<name>a)",
        "a(?i)b",
        "(?i:a)b",
        r"\Qa(b++\E",
        r"[+?*]+",
        r"\++",
        r"a{2}",
        r"\\1",
        r"\x{263a}",
    ],
)
def test_what_re2_compiles_is_passed_on(pattern: str) -> None:
    assert regular_expression(pattern) == {"regex": pattern}


@pytest.mark.parametrize(
    "pattern",
    ["", "(", "a**", "[", "(?=a)", "(?!a)", "(?<=a)b", "(?<!a)b", r"(a)\1", "(?P<n>a)(?P=n)", "(?>a)", "a++", "a{1001}", "(?(1)a|b)", "*"],
)
def test_what_re2_refuses_is_refused(pattern: str) -> None:
    with pytest.raises(Refused):
        regular_expression(pattern)

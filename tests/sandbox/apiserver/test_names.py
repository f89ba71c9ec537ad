"""Names are refused in a server's own words."""

import pytest
from reconciler_sandbox.apiserver.names import LABEL, SERVICE, SUBDOMAIN, Rule


@pytest.mark.parametrize(
    ("rule", "fits", "fails"),
    [
        (LABEL, ("a", "1a", "a-b"), ("A", "a.b", "-a", "a-", "")),
        (SERVICE, ("a1",), ("1a", "a.b")),
        (SUBDOMAIN, ("a.b-c", "1"), ("a..b", "a_b")),
    ],
)
def test_a_name_fits_or_not(rule: Rule, fits: tuple[str, ...], fails: tuple[str, ...]) -> None:
    assert not [name for name in fits if rule.complaint(name)]
    assert not [name for name in fails if not rule.complaint(name)]


def test_a_line_break_at_the_end_is_part_of_a_name() -> None:
    assert LABEL.complaint("a\n")


def test_a_complaint_has_the_rule_an_example_and_the_pattern() -> None:
    assert SUBDOMAIN.complaint("A") == (
        "Invalid value: \"A\": a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must "
        "start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is "
        "'[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')"
    )

"""Keys and values of labels."""

import pytest
from reconciler_sandbox.apiserver.qualified import name_complaints, value_complaints


@pytest.mark.parametrize("name", ["a", "A.b_c-d", "example.com/part", "x.y/" + "a" * 63])
def test_a_name_may_have_a_domain_in_front(name: str) -> None:
    assert name_complaints(name) == []


@pytest.mark.parametrize(
    ("name", "starts"),
    [
        ("", ["name part must be non-empty", "name part must consist of"]),
        ("-a", ["name part must consist of"]),
        ("a" * 64, ["name part must be no more than 63 characters"]),
        ("/x", ["prefix part must be non-empty"]),
        ("X.y/z", ["prefix part a lowercase RFC 1123 subdomain must consist of"]),
        ("a." * 127 + "a/z", ["prefix part must be no more than 253 characters"]),
        ("x/y/z", ["a qualified name must consist of"]),
    ],
)
def test_each_part_of_a_name_is_told_apart(name: str, starts: list[str]) -> None:
    found = name_complaints(name)
    assert len(found) == len(starts) and all(one.startswith(start) for one, start in zip(found, starts, strict=True))


def test_a_value_is_short_and_plain_or_empty() -> None:
    assert value_complaints("") == value_complaints("a.B_c-1") == []
    assert value_complaints("a" * 64) == ["must be no more than 63 characters"]
    assert [one.partition(" (")[0] for one in value_complaints("-")] == [
        "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', "
        "and must start and end with an alphanumeric character"
    ]

"""curl's options."""

import pytest
from reconciler_sandbox.node.curl import parse
from reconciler_sandbox.node.unsupported import Unsupported


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (("--resolve", "a:1:b", "http://a"), "--resolve"),
        (("-Z", "http://a"), "-Z"),
        (("-s",), "without a URL"),
        (("http://a", "http://b"), "several"),
        (("-m",), "without a value"),
        (("-m", "soon", "http://a"), "soon"),
    ],
)
def test_options_the_sandbox_does_not_know_are_named(arguments: tuple[str, ...], named: str) -> None:
    with pytest.raises(Unsupported, match=named):
        parse(arguments)


def test_short_flags_may_be_joined_and_carry_values() -> None:
    asked = parse(["-sSfm5", "-oout", "-Hx: y", "web/"])
    assert (asked.url, asked.seconds, asked.headers, asked.prints) == ("http://web/", 5, (("x", "y"),), False)
    assert asked.flags == {"--silent", "--show-error", "--fail"}

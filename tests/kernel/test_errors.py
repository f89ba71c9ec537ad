"""The two ways to fail."""

from reconciler.kernel.errors import Terminal, Transient


def test_only_what_may_pass_says_how_long_to_wait() -> None:
    assert Transient("away").retry_after is None
    assert Transient("busy", 7).retry_after == 7
    assert str(Transient("busy", 7)) == "busy"
    assert not issubclass(Terminal, Transient)

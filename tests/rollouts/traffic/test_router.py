"""Which services are the canary's and stable's: contract 9.3 and 13.48."""

from reconciler.rollouts.traffic.router import Services


def test_ping_and_pong_count_only_when_no_other_service_is_set() -> None:
    assert Services(canary="c", stable="s", ping="i", pong="o").pair == ("c", "s")
    assert Services(stable="s", ping="i", pong="o").pair == ("", "s")


def test_pong_is_stable_until_ping_is() -> None:
    assert Services(ping="i", pong="o").pair == ("i", "o")
    assert Services(ping="i", pong="o", stable_is_ping=True).pair == ("o", "i")

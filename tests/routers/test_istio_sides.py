"""Whose destination it is: contract 9.3."""

import pytest

from reconciler.routers.istio_sides import Sides, spelled_namespace
from tests.kit.istio import to

BY_SUBSET = Sides(canary="", stable="", canary_subset="canary", stable_subset="stable", host="shop.prod.svc", namespace="prod")
BY_HOST = Sides(canary="shop-canary", stable="shop-stable", namespace="prod")


@pytest.mark.parametrize(
    ("host", "side"),
    [
        ("shop", "canary"),
        ("shop.prod.svc.cluster.local", "canary"),
        ("mail", ""),
        ("mail.prod.svc.cluster.local", ""),
        ("shop.other.svc.cluster.local", ""),
    ],
)
def test_a_subset_of_our_name_on_another_host_is_not_ours(host: str, side: str) -> None:
    assert BY_SUBSET.side(to(host, subset="canary")) == side


@pytest.mark.parametrize(
    ("host", "side"),
    [("shop-canary", "canary"), ("shop-canary.prod.svc", "canary"), ("shop-canary.prod", "canary"), ("shop-canary.other.svc", "")],
)
def test_hosts_are_compared_up_to_the_first_dot_unless_they_spell_another_namespace(host: str, side: str) -> None:
    assert BY_HOST.side(to(host)) == side


def test_a_short_name_is_completed_where_it_would_be_looked_up_elsewhere() -> None:
    assert BY_HOST.reached_from("shop-canary", "edge") == "shop-canary.prod.svc.cluster.local"
    assert BY_HOST.reached_from("shop-canary", "prod") == "shop-canary"
    assert BY_HOST.reached_from("shop-canary.prod.svc", "edge") == "shop-canary.prod.svc"


def test_a_host_says_its_namespace_only_in_the_form_of_a_service() -> None:
    assert [spelled_namespace(host) for host in ("a", "a.b", "a.b.svc", "a.example.com")] == ["", "", "b", ""]

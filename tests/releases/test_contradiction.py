"""What cannot be kept is refused with both names."""

from datetime import timedelta
from typing import Any

import pytest

from reconciler.releases.policies.contradiction import contradiction
from reconciler.releases.policies.policy import DEFAULT, AfterPromotion, ReleasePolicy
from tests.kit.counters import COMPARE

WATCHING = ReleasePolicy(name="strict", namespace="shop", after_promotion=AfterPromotion(timedelta(minutes=5), {"templates": []}))


def rollout(spec: Any) -> dict[str, Any]:
    return {"metadata": {"name": "web"}, "spec": spec}


def canary(**fields: Any) -> dict[str, Any]:
    return rollout({"strategy": {"canary": fields}})


def test_a_version_cannot_be_kept_warm_and_shrunk_at_once() -> None:
    words = contradiction(WATCHING, canary(dynamicStableScale=True))
    assert words is not None and "ReleasePolicy strict" in words and "Rollout web" in words and "take one of the two away" in words


@pytest.mark.parametrize(
    "known", [None, canary(), canary(dynamicStableScale=False), rollout(None), rollout("text"), rollout({"strategy": []})]
)
def test_everything_else_can_be_kept(known: dict[str, Any] | None) -> None:
    assert contradiction(WATCHING, known) is None


def test_without_a_watch_after_promotion_the_old_version_may_shrink() -> None:
    assert contradiction(DEFAULT, canary(dynamicStableScale=True)) is None


def test_what_moves_all_users_at_once_has_nothing_to_compare() -> None:
    comparing = ReleasePolicy(name="strict", namespace="shop", compare=COMPARE)
    words = contradiction(comparing, rollout({"strategy": {"blueGreen": {"activeService": "web"}}}))
    assert words is not None and "ReleasePolicy strict" in words and "blue/green Rollout web" in words and "use a canary" in words
    assert contradiction(comparing, canary()) is None
    assert contradiction(DEFAULT, rollout({"strategy": {"blueGreen": {}}})) is None

"""Writes are remembered by Rollout and object, and forgotten after an hour."""

from datetime import UTC, datetime, timedelta

from reconciler.kernel.identity import ObjectRef
from reconciler.kernel.resources import VIRTUAL_SERVICES
from reconciler.rollouts.observe_contests import Contests
from tests.kit.rollouts import rollout, virtual_service

REF = ObjectRef(VIRTUAL_SERVICES, "shop", "web")
NOW = datetime(2030, 1, 1, tzinfo=UTC)


def test_each_rollout_has_its_own_count_and_old_ones_go() -> None:
    contests = Contests()
    for _ in range(2):
        contests.wrote(rollout(), REF, virtual_service(), NOW)
    contests.wrote(rollout(name="api"), REF, virtual_service(), NOW + timedelta(minutes=1))
    assert contests.known(rollout(), [REF])[REF].writes == 2
    assert contests.known(rollout(name="api"), [REF])[REF].writes == 1
    contests.wrote(rollout(name="third"), REF, virtual_service(), NOW + timedelta(hours=2))
    assert contests.known(rollout(), [REF]) == {}

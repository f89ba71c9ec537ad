"""Dates of commits are whatever a clock said: what is newer is told by the branch."""

from pathlib import Path

import pytest

from reconciler.releases.manifest import parse_release
from reconciler.releases.model import RestoreState
from tests.kit.desk import desk, rollout
from tests.kit.repositories import Person

BAD = "registry.example.com/web:6.6.6"
PAST, FUTURE = 1, 4_000_000_000


@pytest.mark.parametrize(("good", "bad"), [(FUTURE, PAST), (PAST, FUTURE)])
async def test_dates_in_the_past_and_in_the_future_decide_nothing(tmp_path: Path, good: int, bad: int) -> None:
    async with desk(tmp_path) as shop:
        shop.origin.commit({"web.yaml": rollout()}, "good", author=Person("Ann", "ann@example.com", good))
        await shop.proven()
        commit = shop.origin.commit({"web.yaml": rollout(BAD)}, "bad", author=Person("Ann", "ann@example.com", bad))
        await shop.look()
        await shop.lost()
        release = parse_release((await shop.releases())[-1])
        assert release.spec.commit.sha == commit
        assert release.status.restore is not None and release.status.restore.state is RestoreState.PUSHED
        assert shop.origin.read("web.yaml").decode() == rollout()
        await shop.look()
        await shop.judge()
        assert len(shop.origin.log("%H")) == 3 and len(await shop.releases()) == 2

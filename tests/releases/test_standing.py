"""How the way back stands: it is wanted for as long as Git asks for the rejected version and nobody tries that version again."""

import pytest

from reconciler.releases.model import Cause, Release, ReleaseStatus, Restore, RestoreState, Verdict
from reconciler.releases.restore.standing import Standing, standing
from tests.kit.releases import NOW, release


def rejected(state: RestoreState | None, minutes: int = 0) -> Release:
    restore = Restore(state=state) if state is not None else None
    return release(minutes=minutes, status=ReleaseStatus(verdict=Verdict.FAILED, decided_at=NOW, restore=restore))


def later(cause: Cause = Cause.RETRIED, identity: str = "bad-identity", **status: object) -> Release:
    return release("later", minutes=5, identity=identity, cause=cause, status=ReleaseStatus(**status))  # type: ignore[arg-type]


WANTED, PROPOSED = RestoreState.WANTED, RestoreState.PROPOSED
PASSED = {"verdict": Verdict.PASSED, "decided_at": NOW}


@pytest.mark.parametrize("state", [None, *(state for state in RestoreState if state not in (WANTED, PROPOSED))])
def test_a_way_back_that_was_never_wanted_or_is_over_asks_for_nothing(state: RestoreState | None) -> None:
    assert standing(rejected(state), [rejected(state)], "bad-identity") is Standing.NOTHING


@pytest.mark.parametrize(
    ("state", "after", "found"),
    [
        (WANTED, None, Standing.RESTORE),
        (WANTED, later(Cause.RETRIED), Standing.WITHDRAW),
        (WANTED, later(Cause.LIFTED), Standing.WITHDRAW),
        (WANTED, later(Cause.PUSHED_AGAIN), Standing.RESTORE),
        (WANTED, later(Cause.RETRIED, "other"), Standing.RESTORE),
        (WANTED, later(Cause.PUSHED_AGAIN, restore=Restore(state=WANTED)), Standing.HANDED_ON),
        (WANTED, later(Cause.PUSHED, "other", restore=Restore(state=WANTED)), Standing.RESTORE),
        (PROPOSED, None, Standing.WAIT),
        (PROPOSED, later(Cause.RETRIED), Standing.WAIT),
        (PROPOSED, later(Cause.RETRIED, **PASSED), Standing.WITHDRAW),
        (PROPOSED, later(Cause.PUSHED, "other", **PASSED), Standing.WAIT),
        (PROPOSED, later(Cause.PUSHED_AGAIN, restore=Restore(state=PROPOSED)), Standing.HANDED_ON),
    ],
)
def test_only_a_later_attempt_of_the_same_version_changes_it(state: RestoreState, after: Release | None, found: Standing) -> None:
    mine = rejected(state)
    assert standing(mine, [mine, *([after] if after else [])], "bad-identity") is found


def test_an_attempt_before_it_changes_nothing() -> None:
    mine = rejected(WANTED, minutes=9)
    assert standing(mine, [later(Cause.RETRIED, restore=Restore(state=WANTED)), mine], None) is Standing.RESTORE


def test_a_proposal_is_merged_once_git_is_known_to_ask_for_another_version() -> None:
    mine = rejected(PROPOSED)
    assert standing(mine, [mine], "good-identity") is Standing.MERGED
    assert standing(mine, [mine], None) is Standing.WAIT
    assert standing(rejected(WANTED), [], "good-identity") is Standing.RESTORE

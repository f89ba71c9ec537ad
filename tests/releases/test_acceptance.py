"""A person answers for a version that no verdict proved."""

import pytest

from reconciler.kernel.errors import Terminal
from reconciler.releases.acceptance import accepted_patch, to_accept
from reconciler.releases.manifest import parse_release, render_release
from reconciler.releases.model import Accepted, Release, ReleasePhase, ReleaseStatus, Verdict
from reconciler.rollouts.view import RolloutView, view_of
from tests.kit.releases import BAD, GOOD, NOW, release, rollout


def ended(verdict: Verdict, **known: object) -> Release:
    status = ReleaseStatus(phase=ReleasePhase.CLOSED, verdict=verdict, decided_at=NOW, promoted_at=NOW, pod_hash=BAD, **known)  # type: ignore[arg-type]
    return release(status=status)


def live(current: str = BAD, stable: str = BAD) -> RolloutView:
    return view_of(rollout(current=current, stable=stable))


def test_an_unproven_version_that_serves_is_accepted() -> None:
    unproven = ended(Verdict.NOT_ENOUGH_EVIDENCE)
    assert to_accept([unproven], live()) is unproven
    stored = {**render_release(unproven), **accepted_patch(Accepted(by="ann", at=NOW, reason="checked"))}
    found = parse_release(stored)
    assert found.proven and found.status.accepted == Accepted(by="ann", at=NOW, reason="checked")


@pytest.mark.parametrize(
    ("history", "view", "words"),
    [
        ([ended(Verdict.NOT_ENOUGH_EVIDENCE)], live(stable=GOOD), "on its way to another version"),
        ([], live(), "no release brought the version that serves"),
        ([ended(Verdict.PASSED)], live(), "is proven already"),
        ([ended(Verdict.FAILED)], live(), "no release brought the version that serves"),
    ],
)
def test_what_does_not_serve_or_is_proven_already_is_refused_by_name(history: list[Release], view: RolloutView, words: str) -> None:
    with pytest.raises(Terminal, match=words):
        to_accept(history, view)

"""What is told of a release within what a service takes."""

from reconciler.releases.announce.notice import NoticeEvidence, NoticeLimits, fitted
from tests.kit.notices import message

LONG = message(reason="é" * 2000, evidence=tuple(NoticeEvidence(metric=str(n), ended="Failed", values=("x" * 100,)) for n in range(50)))


def test_a_message_that_fits_is_told_whole() -> None:
    assert fitted(LONG, NoticeLimits(size=64_000)) == LONG


def test_of_one_that_does_not_evidence_goes_first_and_its_words_last() -> None:
    some = fitted(LONG, NoticeLimits(size=8000))
    assert 0 < len(some.evidence) < 50 and some.reason == LONG.reason and some.links == LONG.links
    few = fitted(LONG, NoticeLimits(size=1000))
    assert not few.evidence and not few.links and few.reason.endswith("é…") and few.commit == LONG.commit

"""What is remembered of a write that did not go through."""

from datetime import UTC, datetime, timedelta

import pytest

from reconciler.kernel.errors import Transient
from reconciler.kernel.identity import ObjectRef
from reconciler.kernel.plan import Patch
from reconciler.kernel.resources import CONFIGMAPS
from reconciler.kube.errors import error_of
from reconciler.sources.problem import Mender, Reason
from reconciler.sync.failing import LONGEST, PATIENCE, failure_of
from reconciler.sync.writes import Write

NOW = datetime(2030, 1, 1, tzinfo=UTC)
WRITE = Write(
    place=("v1", "ConfigMap", "shop", "a"), patch=Patch(ObjectRef(CONFIGMAPS, "shop", "a"), {}), rank=3, digest="d", file="a.yaml", line=1
)


def named(status: int) -> Exception:
    return error_of(status, b'{"message": "words", "details": {"name": "a"}}')


@pytest.mark.parametrize(
    ("error", "reason", "mender"),
    [
        (named(422), Reason.REFUSED, Mender.AUTHOR),
        (named(500), Reason.REFUSED, Mender.AUTHOR),
        (named(403), Reason.REFUSED, Mender.OPERATOR),
        (named(409), Reason.CONFLICT, Mender.NOBODY),
        (error_of(404, b"404 page not found"), Reason.NOT_SERVED, Mender.OPERATOR),
        (Transient("no answer"), Reason.NO_ANSWER, Mender.NOBODY),
    ],
)
def test_a_failure_says_who_can_mend_it(error: Exception, reason: Reason, mender: Mender) -> None:
    problem = failure_of(WRITE, error, None, NOW).problem
    assert (problem.reason, problem.mender, problem.file, problem.object) == (reason, mender, "a.yaml", "ConfigMap shop/a")
    assert str(error) in problem.message


def test_pauses_grow_and_end_at_five_minutes() -> None:
    failure, pauses = None, []
    for _ in range(14):
        failure = failure_of(WRITE, named(500), failure, NOW)
        pauses.append(failure.retry_at - NOW)
    assert pauses == sorted(pauses) and pauses[0] == timedelta(seconds=1) and pauses[-1] == LONGEST


def test_the_server_may_ask_for_a_longer_pause() -> None:
    assert failure_of(WRITE, Transient("busy", retry_after=40.0), None, NOW).retry_at == NOW + timedelta(seconds=40)


def test_a_race_is_told_only_when_it_does_not_end() -> None:
    failure, quiet = None, []
    for _ in range(PATIENCE):
        failure = failure_of(WRITE, named(409), failure, NOW)
        quiet.append(failure.quiet)
    assert quiet == [True] * (PATIENCE - 1) + [False]


def test_a_clock_that_was_ahead_and_is_set_back_puts_no_try_off() -> None:
    """Otherwise an object were not written for as long as the clock had been wrong, and nobody told: the first failures are quiet."""
    failure = failure_of(WRITE, named(409), None, NOW + timedelta(hours=3))
    assert failure.quiet and failure.waits(NOW + timedelta(hours=3)) and not failure.waits(NOW)
    assert not failure.waits(failure.retry_at) and failure.waits(failure.retry_at - timedelta(milliseconds=1))

"""From what the server said of one write to a problem on record and the moment of the next try."""

from datetime import datetime, timedelta

from reconciler.kernel.errors import Transient
from reconciler.kube.errors import ApiError, Conflict, Forbidden, NotFound, NotServed, Refused
from reconciler.sources.problem import Mender, Reason, RecordedProblem
from reconciler.sync.facts import Failure
from reconciler.sync.writes import HookStep, Write

SOON, LATER, LONGEST = timedelta(seconds=1), timedelta(seconds=5), timedelta(minutes=5)
PATIENCE = 3
"""A write that raced is told of after so many tries."""


def failure_of(write: Write | HookStep, error: Exception, before: Failure | None, now: datetime) -> Failure:
    """What is remembered of a write that did not go through. The pauses double as long as the same wish fails."""
    attempts = 1 + (before.attempts if before is not None and before.digest == write.digest else 0)
    first = LATER if isinstance(error, Refused | NotFound) else SOON
    pause = min(first * 2 ** min(attempts - 1, 10), LONGEST)
    asked = timedelta(seconds=getattr(error, "retry_after", None) or 0.0)
    quiet = isinstance(error, Conflict) and attempts < PATIENCE
    wait = max(pause, asked)
    return Failure(write.digest, _problem(write, error), attempts, now + wait, quiet, wait)


def _problem(write: Write | HookStep, error: Exception) -> RecordedProblem:
    reason, mender, remedy = _kind(error)
    message = f"the server refused it: {error}" if isinstance(error, ApiError) else str(error)
    return RecordedProblem(
        reason=reason,
        file=write.file,
        line=write.line,
        object=str(write.ref),
        message=message,
        remedy=remedy,
        mender=mender,
        retried=True,
    )


def _kind(error: Exception) -> tuple[Reason, Mender, str]:
    if isinstance(error, NotServed):
        return Reason.NOT_SERVED, Mender.OPERATOR, "install the CustomResourceDefinition of this kind"
    if isinstance(error, Conflict):
        return Reason.CONFLICT, Mender.NOBODY, "somebody else writes this object all the time: find out who"
    if isinstance(error, Forbidden):
        return Reason.REFUSED, Mender.OPERATOR, "give the right to who is named there, or take the object out of this folder"
    if isinstance(error, ApiError):
        return Reason.REFUSED, Mender.AUTHOR, "correct the manifest by what the server says"
    if isinstance(error, Transient):
        return Reason.NO_ANSWER, Mender.NOBODY, ""
    return Reason.REFUSED, Mender.AUTHOR, "correct the manifest"

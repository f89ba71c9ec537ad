"""When a release that had ended begins anew, as an attempt with its own number and its own evidence (ADR 0011). Pure.

A rejected version is tried again when a person lifts it, or when the rollout goes on with it after a retry; Git still asks for it.
"""

from collections.abc import Mapping, Sequence

from msgspec.structs import replace

from reconciler.kernel.moment import parse_moment
from reconciler.releases.identity import release_name
from reconciler.releases.model import Cause, Release, Verdict
from reconciler.rollouts.view import RolloutView
from reconciler.sources.model import Commit

MOST_RUNS = 200
LIFTABLE = frozenset({Verdict.FAILED, Verdict.ABORTED, Verdict.HELD})
RETRIABLE = frozenset({Verdict.FAILED, Verdict.ABORTED, Verdict.HELD, Verdict.COULD_NOT_MEASURE, Verdict.NOT_ENOUGH_EVIDENCE})


def next_attempt(history: Sequence[Release], live: RolloutView | None, asked: str | None, commit: Commit | None = None) -> Release | None:
    """The attempt to open for the newest release of a workload; None while nothing begins anew.

    `asked` is the identity that Git asks for now; None when that is not known, which opens nothing. `commit` is the one that asks, where it
    is known.
    """
    latest = history[-1] if history else None
    if latest is None or not latest.decided or asked != latest.spec.identity or latest.spec.baseline:
        return None
    if goes_on(latest, live) and latest.status.verdict in RETRIABLE:
        return attempt_after(latest, history, Cause.RETRIED, live, commit)
    if latest.status.verdict in LIFTABLE and not latest.status.held:
        return attempt_after(latest, history, Cause.LIFTED, live, commit)
    return None


def goes_on(release: Release, live: RolloutView | None) -> bool:
    """True when the abort is gone, and a version that had come home is on its way to users again, or with them."""
    if live is None or release.status.promoted_at is not None or not release.status.pod_hash:
        return False
    return live.current == release.status.pod_hash and not live.aborted and not _fell_to(release, live)


def _fell_to(release: Release, live: RolloutView) -> bool:
    """True when a version that had come home became stable without a new try, as nothing else was left: its predecessor's pods are gone.

    A controller makes the newest version stable where there is no stable ReplicaSet, and drops the abort (contract 13.4). A retry begins
    an attempt, which the Rollout says; a full promotion is a person's word and needs none.
    """
    if not live.promoted or live.promoted_in_full or release.status.decided_at is None:
        return False
    try:
        return parse_moment(live.began) < release.status.decided_at
    except ValueError:
        return False  # a controller that does not say when an attempt began


def attempt_after(latest: Release, history: Sequence[Release], cause: Cause, live: RolloutView | None, commit: Commit | None) -> Release:
    """The same request once more: nothing that was measured before is evidence of it.

    Its name comes from the attempt before, whichever commit asks, so that two passes that open it open the same object.
    """
    number = 1 + max(r.spec.attempt for r in history if r.spec.identity == latest.spec.identity)
    spec = replace(
        latest.spec,
        commit=commit or latest.spec.commit,
        pull=latest.pull,
        number=1 + max(r.spec.number for r in history),
        attempt=number,
        cause=cause,
        earlier_runs=earlier_runs(history),
        earlier_abort=live.aborted_at if live is not None and live.aborted else "",
    )
    place = (spec.source, spec.environment, spec.identity)
    name = release_name(spec.workload.name, place, latest.spec.commit.sha, number)
    return Release(name=name, namespace=latest.namespace, spec=spec)


def earlier_runs(history: Sequence[Release], others: Sequence[str] = ()) -> tuple[str, ...]:
    """UIDs of the AnalysisRuns that belong to attempts before a new one, the latest last."""
    known: Mapping[str, None] = dict.fromkeys(uid for release in history for uid in (*release.status.seen_runs,))
    return tuple(dict.fromkeys((*known, *others)))[-MOST_RUNS:]

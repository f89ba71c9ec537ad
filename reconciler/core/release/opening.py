"""Which releases Git asks for: compares what it holds now with what is proven, held and already on its way."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from reconciler.core.release.holds import holder, proven
from reconciler.core.release.identity import release_name
from reconciler.core.release.judge import hold_again
from reconciler.model.release import Change, Commit, Named, Proven, Pull, Release, ReleaseSpec, Verdict

ENDED_BADLY = (Verdict.FAILED, Verdict.ABORTED, Verdict.HELD, Verdict.COULD_NOT_MEASURE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What one workload asks for at the tip of its source."""

    namespace: str
    workload: Named
    template: Named
    source: str
    environment: str
    identity: str
    images: dict[str, str]
    commit: Commit


@dataclass(frozen=True, slots=True, kw_only=True)
class Details:
    """What is looked up only when a release is really opened."""

    pull: Pull | None = None
    changes: tuple[Change, ...] = ()
    revert: str = "manual"


@dataclass(frozen=True, slots=True)
class Opening:
    """A release to open; `baseline` is the first one of its workload, `attempt` counts tries of the same name."""

    asked: Asked
    proven: Release | None
    held_by: Release | None
    baseline: bool
    attempt: int


def opening(asked: Asked, history: Sequence[Release]) -> Opening | None:
    """The release to open now; None when what Git asks for is proven, on its way, or already answered.

    `history` is the workload's releases, oldest first.
    """
    good = proven(history)
    if not history:
        return Opening(asked, None, None, True, 1)
    if good is not None and asked.identity == good.spec.identity:
        return None
    latest = history[-1]
    held_by = holder(history, asked.identity)
    if latest.spec.identity == asked.identity and not _again(latest, asked, held_by):
        return None
    attempt = 1 + sum(1 for r in history if r.name.startswith(release_name(asked.workload.name, asked.identity, asked.commit.sha)))
    return Opening(asked, good, held_by, False, attempt)


def open_release(opening: Opening, details: Details, now: datetime) -> Release:
    """The Release to create. A held identity is answered at once: it is neither deployed nor judged (DESIGN 5)."""
    asked, good = opening.asked, opening.proven
    spec = ReleaseSpec(
        workload=asked.workload,
        template=asked.template,
        source=asked.source,
        environment=asked.environment,
        identity=asked.identity,
        commit=asked.commit,
        pull=details.pull,
        images=asked.images,
        changes=details.changes,
        proven=_proven(good) if good else None,
        revert=details.revert,
        baseline=opening.baseline,
    )
    name = release_name(asked.workload.name, asked.identity, asked.commit.sha, opening.attempt)
    release = Release(name=name, namespace=asked.namespace, spec=spec)
    if opening.held_by is None:
        return release
    return Release(name=name, namespace=asked.namespace, spec=spec, status=hold_again(release, opening.held_by.name, now))


def _again(latest: Release, asked: Asked, held_by: Release | None) -> bool:
    """Whether the same identity is a new attempt: pushed again in another commit, or lifted after it had lost."""
    if not latest.decided:
        return False
    if held_by is not None:
        return latest.status.restore is not None and latest.status.restore.sha != "" and latest.spec.commit.sha != asked.commit.sha
    return latest.status.verdict in ENDED_BADLY and not latest.status.held


def _proven(release: Release) -> Proven:
    return Proven(release=release.name, sha=release.spec.commit.sha, images=release.spec.images, pod_hash=release.status.pod_hash)

"""Which releases Git asks for: compares what it holds now with what is proven, held and already on its way."""

from collections.abc import Sequence
from dataclasses import dataclass

from msgspec.structs import replace

from reconciler.releases.holds import holder, proven
from reconciler.releases.identity import release_name
from reconciler.releases.model import Change, Named, Proven, Release, ReleaseSpec, Verdict
from reconciler.sources.model import Commit, Pull

ENDED_BADLY = (Verdict.FAILED, Verdict.ABORTED, Verdict.HELD)


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
    running: bool = False
    """Whether this is not what the tip asks for, but an earlier version that was found running."""
    retried: bool = False
    """Whether the Rollout goes on with this version by a person's retry, after its release ended without a verdict."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Details:
    """What is looked up only when a release is really opened."""

    pull: Pull | None = None
    changes: tuple[Change, ...] = ()
    revert: str = "manual"


def opening(asked: Asked, history: Sequence[Release]) -> Release | None:
    """The release to open now; None when what Git asks for is proven, on its way, or already answered.

    `history` is the workload's releases, oldest first. Until one is proven there is nothing to go back to: a baseline.
    """
    good = proven(history)
    if good is not None and asked.identity == good.spec.identity:
        return None
    if history and history[-1].spec.running and not history[-1].decided:
        return None
    if history and history[-1].spec.identity == asked.identity and not _again(history[-1], asked, history):
        return None
    base = release_name(asked.workload.name, asked.identity, asked.commit.sha)
    attempt = 1 + sum(1 for release in history if release.name.startswith(base))
    spec = ReleaseSpec(
        workload=asked.workload,
        template=asked.template,
        source=asked.source,
        environment=asked.environment,
        identity=asked.identity,
        commit=asked.commit,
        images=asked.images,
        proven=_proven(good) if good else None,
        baseline=good is None,
        running=asked.running,
        number=1 + max((known.spec.number for known in history), default=0),
    )
    name = release_name(asked.workload.name, asked.identity, asked.commit.sha, attempt)
    return Release(name=name, namespace=asked.namespace, spec=spec)


def detailed(release: Release, details: Details) -> Release:
    """The same release with what is looked up only for one that is really opened."""
    spec = replace(release.spec, pull=details.pull, changes=details.changes, revert=details.revert)
    return replace(release, spec=spec)


def _again(latest: Release, asked: Asked, history: Sequence[Release]) -> bool:
    """Whether the same identity is a new attempt: pushed again after Git was restored, or lifted after it had lost."""
    if not latest.decided:
        return False
    if holder(history, asked.identity) is not None:
        return latest.status.restore is not None and latest.status.restore.sha != "" and latest.spec.commit.sha != asked.commit.sha
    if latest.status.verdict is Verdict.COULD_NOT_MEASURE:
        return asked.retried
    return latest.status.verdict in ENDED_BADLY and not latest.status.held


def _proven(release: Release) -> Proven:
    return Proven(release=release.name, sha=release.spec.commit.sha, images=release.spec.images, pod_hash=release.status.pod_hash)

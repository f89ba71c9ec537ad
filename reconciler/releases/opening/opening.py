"""Which releases Git asks for: compares what it holds now with what serves, what is held and what is on its way. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

from msgspec.structs import replace

from reconciler.releases.attempts import earlier_runs
from reconciler.releases.holds import holder, serving
from reconciler.releases.identity import release_name
from reconciler.releases.model import Cause, Change, Content, Named, Previous, Release, ReleaseSpec, RestoreState, Verdict
from reconciler.releases.opening.config_mark import next_mark
from reconciler.rollouts.view import RolloutView
from reconciler.sources.model import Commit, Pull

RESTORED = frozenset({RestoreState.PUSHED, RestoreState.MERGED, RestoreState.SUPERSEDED})


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
    content: Content
    companion: bool = False
    config_rolls: bool = True
    """True where a change of config alone makes new pods."""
    config_mark: str = ""
    """The mark that the live pod template bears."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Serving:
    """What serves where no Release says so: a version that Git once asked for, or at least its template."""

    images: dict[str, str]
    content: Content
    identity: str = ""
    commit: Commit
    pod_hash: str = ""
    config_mark: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Details:
    """What is looked up only when a release is really opened."""

    pull: Pull | None = None
    pull_unknown: bool = False
    changes: tuple[Change, ...] = ()
    revert: str = "manual"
    revert_reason: str = ""


def opening(asked: Asked, history: Sequence[Release], live: RolloutView | None, runs: Sequence[str] = ()) -> Release | None:
    """The release to open now; None when what Git asks for serves, is on its way, or is answered already.

    `history` are the workload's releases, oldest first, with at least a baseline among them; `runs` the UIDs of AnalysisRuns that are
    there already and belong to no attempt of this version.
    """
    latest = history[-1]
    if not latest.decided and latest.spec.baseline:
        return None  # what serves comes first: without it there is nothing to go back to
    good = serving(history, live.stable if live is not None else "")
    if latest.spec.identity == asked.identity:
        return _asked_again(asked, history, good, runs)
    if good is not None and good.spec.identity == asked.identity:
        return None
    return _release(asked, history, good, Cause.PUSHED, runs)


def baseline(asked: Asked, history: Sequence[Release], runs: Sequence[str] = (), found: Serving | None = None) -> Release:
    """The release for what serves, or for the first version where nothing does yet. What was measured before is no evidence of it."""
    spec = replace(_spec(asked, history), earlier_runs=earlier_runs(history, runs), config_mark=asked.config_mark)
    if found is not None:
        spec = replace(
            spec,
            identity=found.identity,
            commit=found.commit,
            images=found.images,
            content=found.content,
            serving=found.pod_hash,
            config_mark=found.config_mark,
        )
    spec = replace(spec, cause=Cause.FOUND if found is not None else Cause.PUSHED)
    return _named(asked.namespace, spec)


def detailed(release: Release, details: Details) -> Release:
    """The same release with what is looked up only for one that is really opened."""
    spec = replace(
        release.spec,
        pull=details.pull,
        pull_unknown=details.pull_unknown,
        changes=details.changes,
        revert=details.revert,
        revert_reason=details.revert_reason,
    )
    return replace(release, spec=spec)


def _asked_again(asked: Asked, history: Sequence[Release], good: Release | None, runs: Sequence[str]) -> Release | None:
    """The next attempt of the newest version: Git had been brought back from it, or had gone back by itself, and asks for it anew."""
    latest = history[-1]
    if latest.status.verdict is Verdict.SUPERSEDED and good is not latest:
        return _release(asked, history, good, Cause.PUSHED, runs)
    if holder(history, asked.identity, asked.images) is not None and _restored(latest):
        return _release(asked, history, good, Cause.PUSHED_AGAIN, runs)
    return None


def _restored(latest: Release) -> bool:
    """True when Git had been brought back from this version: what asks for it now asks again."""
    return latest.decided and latest.status.restore is not None and latest.status.restore.state in RESTORED


def _release(asked: Asked, history: Sequence[Release], good: Release | None, cause: Cause, runs: Sequence[str]) -> Release:
    spec = _spec(asked, history)
    before = previous(good) if good is not None else None
    spec = replace(spec, cause=cause, previous=before, earlier_runs=earlier_runs(history, runs))
    return _named(asked.namespace, replace(spec, config_mark=_config_mark(asked, history, good)))


def _config_mark(asked: Asked, history: Sequence[Release], good: Release | None) -> str:
    """The mark of the pod template: another one where config has changed, unless another tool applies it, or the policy says so."""
    if good is None or asked.companion or not asked.config_rolls:
        return good.spec.config_mark if good is not None else ""
    own = f"{1 + max(known.spec.number for known in history)}-{asked.commit.sha[:12]}"
    return next_mark(asked.content, asked.identity, history, good, own)


def previous(good: Release) -> Previous:
    """What a new release would go back to."""
    return Previous(
        release=good.name,
        sha=good.spec.commit.sha,
        identity=good.spec.identity,
        images=good.spec.images,
        pod_hash=good.status.pod_hash,
        proven=good.proven,
        content=good.spec.content,
    )


def _spec(asked: Asked, history: Sequence[Release]) -> ReleaseSpec:
    return ReleaseSpec(
        workload=asked.workload,
        template=asked.template,
        source=asked.source,
        environment=asked.environment,
        identity=asked.identity,
        commit=asked.commit,
        images=asked.images,
        content=asked.content,
        companion=asked.companion,
        number=1 + max((known.spec.number for known in history), default=0),
        attempt=1 + max((known.spec.attempt for known in history if known.spec.identity == asked.identity), default=0),
    )


def _named(namespace: str, spec: ReleaseSpec) -> Release:
    place = (spec.source, spec.environment, spec.identity)
    return Release(name=release_name(spec.workload.name, place, spec.commit.sha, spec.attempt), namespace=namespace, spec=spec)

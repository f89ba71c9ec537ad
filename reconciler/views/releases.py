"""Releases as people and machines read them: whole, and how one stands in a line. Pure."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

import msgspec

from reconciler.kernel.identity import Manifest, annotations_of, name_of, namespace_of
from reconciler.releases.model import Release, ReleasePhase
from reconciler.views.view import View

RELEASE = "reconciler.dev/release"
STANDS: Mapping[ReleasePhase, str] = {
    ReleasePhase.PENDING: "waits to be deployed",
    ReleasePhase.PROGRESSING: "is under way, not judged yet",
    ReleasePhase.WATCHING: "serves everybody and is still watched, not judged yet",
    ReleasePhase.RESTORING: "is being restored in Git",
    ReleasePhase.CLOSED: "is closed without a verdict",
}


class ReleaseStanding(View, frozen=True, kw_only=True):
    """How the newest release of a workload stands beside its Rollout."""

    name: str
    phase: str
    verdict: str
    """Empty while it is not judged."""
    reason: str
    held: bool
    commit: str
    author: str
    subject: str
    created: datetime | None
    decided_at: datetime | None

    @property
    def sentence(self) -> str:
        """`web-1c2d: passed: 12 measurements passed`, or what it still waits for."""
        state = self.verdict or STANDS[ReleasePhase(self.phase)]
        return f"{self.name}: {state}" + (f": {self.reason}" if self.reason else "")


def standing_of(release: Release) -> ReleaseStanding:
    """The standing of one release."""
    spec, status = release.spec, release.status
    return ReleaseStanding(
        name=release.name,
        phase=str(status.phase),
        verdict=str(status.verdict or ""),
        reason=status.reason,
        held=status.held,
        commit=spec.commit.sha,
        author=spec.commit.author,
        subject=spec.commit.subject,
        created=release.created,
        decided_at=status.decided_at,
    )


def running_release(rollout: Manifest, releases: Iterable[Release]) -> Release | None:
    """The release that the live template came with: of its pods, else the one that the template was marked with when it was applied."""
    own = sorted((r for r in releases if r.key == (namespace_of(rollout), "Rollout", name_of(rollout))), key=lambda release: release.age)
    status = rollout.get("status")
    current = status.get("currentPodHash") if isinstance(status, dict) else None
    marked = annotations_of(rollout).get(RELEASE)
    of_pods = [release for release in own if current and release.status.pod_hash == current]
    return next(reversed(of_pods or [release for release in own if release.name == marked]), None)


def release_document(release: Release) -> dict[str, Any]:
    """A release as plain JSON: where and since when it is kept, spec and status (docs/configuration.md)."""
    return {
        "name": release.name,
        "namespace": release.namespace,
        "created": msgspec.to_builtins(release.created),
        "spec": msgspec.to_builtins(release.spec),
        "status": msgspec.to_builtins(release.status),
    }


def author_name(author: str) -> str:
    """`Ann` of `Ann <ann@example.com>`: what fits a column."""
    return author.partition("<")[0].strip() or author

"""How a release stands, as the data that every notifier gets. Pure."""

from reconciler.releases.announce.message import URL, headline, next_steps, rule_of
from reconciler.releases.announce.notice import NoticeCommit, NoticeEvidence, NoticeLink, ReleaseMessage
from reconciler.releases.model import Evidence, Release, RestoreState


def notice_of(release: Release, page: str = "") -> ReleaseMessage:
    """How a release stands, as data for notifiers: it changes when the release does, and not with every step of the rollout.

    `page` is its address in the console, empty if people have none.
    """
    spec, status, pull = release.spec, release.status, release.pull
    commit = NoticeCommit(sha=spec.commit.sha, author=spec.commit.author, subject=spec.commit.subject)
    restore = status.restore
    proposed = restore.pull if restore is not None and URL.fullmatch(restore.pull) else ""
    found = (("pull request", pull.url if pull else ""), ("proposed restore", proposed), ("details", page))
    links = tuple(NoticeLink(text=text, url=url) for text, url in found if url)
    return ReleaseMessage(
        environment=spec.environment,
        source=spec.source,
        namespace=release.namespace,
        workload=spec.workload.name,
        release=release.name,
        attempt=spec.attempt,
        phase=status.phase.value,
        verdict=status.verdict.value if status.verdict else "",
        headline=headline(release),
        reason=". ".join(part.rstrip(".") for part in (status.reason, _told_restore(release)) if part),
        needs_person=restore is not None and restore.state in (RestoreState.PROPOSED, RestoreState.IMPOSSIBLE),
        commit=commit if commit.sha else None,
        pull=pull.url if pull else "",
        evidence=tuple(_told_evidence(row) for row in status.evidence),
        next_steps=next_steps(release),
        links=links,
        decided_at=status.decided_at,
    )


def _told_restore(release: Release) -> str:
    restore = release.status.restore
    if restore is None:
        return ""
    where = restore.sha[:12] if restore.state is RestoreState.PUSHED else restore.pull
    return f"The way back in Git: {restore.state.value}{f' ({where})' if where else ''}."


def _told_evidence(row: Evidence) -> NoticeEvidence:
    return NoticeEvidence(
        metric=row.metric,
        ended=row.phase,
        passed=row.successful,
        failed=row.failed,
        without_data=row.inconclusive + row.error,
        values=row.values[-5:],
        rule=rule_of(row),
    )

"""What people are told: the restore commit, the commit status, the living comment on the pull request.

Read at 3 a.m. by the author of the change: first what happened, then the numbers, then what to do. Values that come from outside
(subjects, paths, queries, error texts) are shown as code, never as markup.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from reconciler.model.release import Evidence, Release, ReleasePhase, RestoreState, Verdict

TRAILER = "Reconciler-Release"
HEADLINE = {
    Verdict.PASSED: "✅ proven",
    Verdict.FAILED: "❌ failed — traffic is back on the proven version",
    Verdict.NOT_ENOUGH_EVIDENCE: "⚪ not enough evidence — it runs, but it is not proven",
    Verdict.COULD_NOT_MEASURE: "⚠️ could not measure — nothing was written to Git",
    Verdict.ABORTED: "⏹ aborted by a person",
    Verdict.SUPERSEDED: "➡️ superseded by a newer commit",
    Verdict.HELD: "⛔ held — this version was rejected before and is not deployed",
}
IN_FLIGHT = {
    ReleasePhase.PENDING: "⏳ waiting for the cluster",
    ReleasePhase.PROGRESSING: "🚦 in progress",
    ReleasePhase.WATCHING: "👀 at 100 %, being watched while the old version stays warm",
}
RESTORED = {
    RestoreState.WANTED: "Git still asks for this version; the restore commit is being written.",
    RestoreState.PUSHED: "Git was restored by commit `{sha}`.",
    RestoreState.PROPOSED: "The way back is proposed in {pull}: it needs a person.",
    RestoreState.SUPERSEDED: "Git holds another value by now: nothing was written.",
    RestoreState.IMPOSSIBLE: "Git could not be restored automatically: {message}. Revert by hand.",
}
STATES = {
    Verdict.PASSED: "success",
    Verdict.FAILED: "failure",
    Verdict.HELD: "failure",
    Verdict.ABORTED: "failure",
    Verdict.COULD_NOT_MEASURE: "error",
    Verdict.NOT_ENOUGH_EVIDENCE: "success",
    Verdict.SUPERSEDED: "success",
}


def headline(release: Release) -> str:
    """How it stands, in one line."""
    verdict = release.status.verdict
    if verdict is Verdict.PASSED and release.status.unmeasured:
        return "✅ promoted, unmeasured"
    return HEADLINE[verdict] if verdict else IN_FLIGHT.get(release.status.phase, str(release.status.phase))


def commit_state(release: Release) -> str:
    """The state of the commit status: pending, success, failure or error."""
    return STATES[release.status.verdict] if release.status.verdict else "pending"


def commit_context(release: Release) -> str:
    return f"reconciler/{release.spec.environment}/{release.namespace}/{release.spec.workload.name}"


def commit_description(release: Release) -> str:
    """At most 140 characters (GitHub's limit)."""
    text = release.status.reason or headline(release)
    return text if len(text) <= 140 else text[:139] + "…"


def comment(environment: str, releases: Sequence[Release], steps: dict[str, str]) -> str:
    """The living comment: one section per release of this pull request. `steps` tells by release name where the rollout stands."""
    sections = [_section(release, steps.get(release.name, "")) for release in releases]
    return "\n\n".join([f"### Release to `{code(environment)}`", *sections]) + "\n"


def _section(release: Release, step: str) -> str:
    parts = [
        f"**{code_span(release.namespace + '/' + release.spec.workload.name)} — {headline(release)}**",
        text(release.status.reason) if release.status.reason else "",
        f"Now: {text(step)}" if step and not release.decided else "",
        _restored(release),
        _changes(release),
        _evidence(release.status.evidence),
        _next(release),
    ]
    return "\n\n".join(part for part in parts if part)


def _restored(release: Release) -> str:
    restore = release.status.restore
    if restore is None:
        return ""
    return RESTORED[restore.state].format(sha=code(restore.sha[:12]), pull=restore.pull or "a pull request", message=text(restore.message))


def _changes(release: Release) -> str:
    if not release.spec.changes:
        return ""
    rows = [
        f"| {code_span(f'{c.file}:{c.line}')} | {code_span(c.field)} | {code_span(c.old)} | {code_span(c.new)} |"
        for c in release.spec.changes
    ]
    return "\n".join(["| where | field | before | after |", "|---|---|---|---|", *rows])


def _evidence(rows: Sequence[Evidence]) -> str:
    if not rows:
        return ""
    head = "| metric | ended | passed / failed / no data | last values | rule |\n|---|---|---|---|---|"
    lines = [
        f"| {code_span(r.metric)} | {code(r.phase)} | {r.successful} / {r.failed} / {r.inconclusive + r.error} "
        f"| {code_span(', '.join(r.values[-5:]) or r.message or '–')} | {code_span(_rule(r))} |"
        for r in rows
    ]
    return "\n".join([head, *lines])


def _rule(row: Evidence) -> str:
    return ", ".join(part for part in (row.condition, row.limit) if part)


def _next(release: Release) -> str:
    if release.status.held and release.decided:
        return (
            f"This version is held. To try it again: `reconciler hold lift {code(release.name)} -n {code(release.namespace)}`, "
            "or push another image."
        )
    if release.status.verdict is Verdict.COULD_NOT_MEASURE:
        return f"When the metrics answer again: `reconciler retry {code(release.spec.workload.name)} -n {code(release.namespace)}`."
    return ""


@dataclass(frozen=True, slots=True)
class CommitText:
    """A commit message in parts; trailers become its last paragraph."""

    subject: str
    body: str
    trailers: Mapping[str, str]


def restore_commit(release: Release, fields: Sequence[str]) -> CommitText:
    """What the restore commit says: what happened, with the numbers, then the fields that went back."""
    spec = release.spec
    body = [*_wrapped(f"{release.status.reason}."), "", *[f"- {field}" for field in fields]]
    return CommitText(
        subject=f"Restore {spec.workload.name} in {spec.environment}: {release.status.verdict}",
        body="\n".join(body),
        trailers={
            TRAILER: f"{release.namespace}/{release.name}",
            "Reconciler-Restores": spec.commit.sha,
            "Reconciler-Environment": spec.environment,
        },
    )


def _wrapped(sentence: str) -> list[str]:
    lines, line = [], ""
    for word in sentence.replace("\n", " ").split():
        if line and len(line) + len(word) > 100:
            lines.append(line)
            line = ""
        line = f"{line} {word}".strip()
    return [*lines, line]


def code_span(value: str) -> str:
    """Untrusted text as inline code, safe inside a table cell."""
    return f"`{code(value)}`" if value else "–"


def code(value: str) -> str:
    """Untrusted text that can neither close a code span nor a table cell nor open a comment."""
    return " ".join(value.replace("`", "'").replace("|", "¦").replace("<!--", "<!- -").split())[:300]


def text(value: str) -> str:
    """Untrusted text in a sentence: no mention, no markup, no link."""
    escaped = " ".join(value.split()).replace("<", "&lt;").replace("@", "@\u200b").replace("|", "¦")
    for sign in ("*", "_", "[", "]", "`", "#"):
        escaped = escaped.replace(sign, "\\" + sign)
    return escaped[:1000]


def moment(value: datetime | None) -> str:
    return value.strftime("%Y-%m-%d %H:%M:%S UTC") if value else ""

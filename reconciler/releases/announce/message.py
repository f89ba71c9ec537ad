"""What people are told: the restore commit, the commit status, the living comment on the pull request.

Read at 3 a.m. by the author of the change: first what happened, then the numbers, then what to do. Values that come from outside
(subjects, paths, queries, error texts) are shown as code, never as markup.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from reconciler.kernel.text import commit_line, commit_text
from reconciler.releases.announce.markdown import clean, code, fenced, plain, shortened, table
from reconciler.releases.announce.notice import NextStep
from reconciler.releases.announce.pages import page_of
from reconciler.releases.comparison.record import ComparedCounts
from reconciler.releases.comparison.words import number, rule_words, side_words, times_words
from reconciler.releases.model import Evidence, Release, ReleasePhase, Restore, RestoreState, Verdict
from reconciler.releases.preview.words import standing_words
from reconciler.releases.share.words import mismatch_words

TRAILER = "Reconciler-Release"
SPAN_LIMIT, TEXT_LIMIT = 300, 1000
URL = re.compile(r"https?://[\w.:/?=&%-]+", re.ASCII)
"""Addresses that may stand in a sentence as they are."""
HEADLINE = {
    Verdict.PASSED: "✅ proven",
    Verdict.FAILED: "❌ failed — traffic is back on the version before",
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
    RestoreState.PUSHED: "Git was restored by commit {sha}.",
    RestoreState.PROPOSED: "The way back is proposed in {pull}: it needs a person.",
    RestoreState.MERGED: "Git does not ask for this version any more.",
    RestoreState.WITHDRAWN: "The way back is withdrawn: this version is tried again, or was proven then.",
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

UNPROVEN = frozenset({Verdict.NOT_ENOUGH_EVIDENCE, Verdict.COULD_NOT_MEASURE})


def headline(release: Release) -> str:
    """How it stands, in one line."""
    verdict, status = release.status.verdict, release.status
    if status.lost is not None:
        return f"⚠️ proven once, and not any more: {shortened(text(status.lost.reason or status.lost.by), 200)}"
    if status.accepted is not None:
        return f"✅ called proven by {shortened(clean(status.accepted.by), 80)}"
    if verdict is Verdict.PASSED and status.unmeasured:
        return "✅ promoted, unmeasured"
    if verdict is Verdict.NOT_ENOUGH_EVIDENCE and status.promoted_at is None:
        return "⚪ not enough evidence — traffic is back on the version before"
    if verdict is Verdict.ABORTED and status.preview is not None and status.preview.expired:
        return "⏹ brought home: its preview was over and no user was on it"
    if verdict is Verdict.HELD and release.spec.companion:
        return "⛔ held — this version was rejected before; whoever applies here may deploy it until Git is restored"
    return HEADLINE[verdict] if verdict else IN_FLIGHT.get(status.phase, str(status.phase))


def commit_state(release: Release) -> str:
    """The state of the commit status: pending, success, failure or error."""
    if release.status.lost is not None:
        return "failure"
    return STATES[release.status.verdict] if release.status.verdict else "pending"


def commit_context(release: Release) -> str:
    return f"reconciler/{release.spec.source}/{release.spec.environment}/{release.namespace}/{release.spec.workload.name}"


def commit_description(release: Release) -> str:
    """One line of at most 140 characters (GitHub's limit)."""
    lost = release.status.lost
    return shortened(f"not proven any more: {lost.reason or lost.by}" if lost is not None else release.status.reason or headline(release))


def comment(environment: str, releases: Sequence[Release], steps: dict[str, str], console: str = "") -> str:
    """The living comment: one section per release of this pull request. `steps` tells by release name where the rollout stands, `console`
    is where people open the console, empty if they have none."""
    sections = [_section(release, steps.get(release.name, ""), page_of(console, release)) for release in releases]
    return "\n\n".join([f"### Release to {code_span(environment)}", *sections]) + "\n"


def _section(release: Release, step: str, page: str) -> str:
    more = f" · [details]({page})" if page else ""
    parts = [
        f"**{code_span(release.namespace + '/' + release.spec.workload.name)} — {headline(release)}**{more}",
        text(release.status.reason),
        _unjudged(release),
        f"Now: {text(step)}" if step and not release.decided else "",
        _share(release),
        _preview(release),
        _restored(release),
        _changes(release),
        _evidence(release.status.lost.evidence if release.status.lost is not None else ()),
        _evidence(release.status.evidence),
        _comparison(release),
        _next(release),
    ]
    return "\n\n".join(part for part in parts if part)


def _unjudged(release: Release) -> str:
    return f"Applied, not judged: {text(release.status.unjudged)}." if release.status.unjudged else ""


def _preview(release: Release) -> str:
    """When the way of testers closes, and how far their header comes."""
    told = standing_words(release.status.preview)
    return f"Preview: {text(told)}." if told else ""


def _share(release: Release) -> str:
    """Only what does not fit: what is as routed is for `explain`."""
    told = mismatch_words(release.status.share)
    return f"Routes: {text(told)}." if told else ""


def _restored(release: Release) -> str:
    restore = release.status.restore
    if restore is None:
        return ""
    place = restore.pull if URL.fullmatch(restore.pull) else code_span(restore.pull or "a pull request")
    said = RESTORED[restore.state].format(sha=code_span(restore.sha[:12]), pull=place, message=text(restore.message))
    return " ".join(part for part in (said, _why(restore), _goes_back_to(release)) if part)


def _why(restore: Restore) -> str:
    """What the way back waits for, or why it was proposed and not pushed: the server's own words, where it refused."""
    said = {RestoreState.WANTED: "It waits", RestoreState.PROPOSED: "It was not pushed"}.get(restore.state)
    return f"{said}: {text(restore.message)}." if said and restore.message else ""


def _goes_back_to(release: Release) -> str:
    """Git ends up telling what served before; that it was never proven is said."""
    previous = release.spec.previous
    if previous is None or previous.proven:
        return ""
    return f"It leads to {code_span(', '.join(previous.images.values()))}, which served before this release and was never proven."


def _changes(release: Release) -> str:
    if not release.spec.changes:
        return ""
    rows = [[code_span(v) for v in (f"{c.file}:{c.line}", c.field, c.old, c.new)] for c in release.spec.changes]
    return table(["where", "field", "before", "after"], rows)


def _evidence(rows: Sequence[Evidence]) -> str:
    if not rows:
        return ""
    return table(["metric", "ended", "passed / failed / no data", "last values", "rule"], [_evidence_row(row) for row in rows])


def _evidence_row(row: Evidence) -> list[str]:
    counts = f"{row.successful} / {row.failed} / {row.inconclusive + row.error}"
    values = ", ".join(row.values[-5:]) or row.message
    return [code_span(row.metric), text(row.phase), counts, code_span(values), code_span(rule_of(row))]


def _comparison(release: Release) -> str:
    """Both sides of what was compared, once it has ended: counts that move every minute are for `explain`, not for a pull request."""
    known = release.status.comparison
    if known is None or not release.decided:
        return ""
    rows = [_comparison_row(counts) for counts in known.metrics]
    return table(["compared", "canary", "baseline", "times", "e-value"], rows) + f"\n\n{text(rule_words(known))}"


def _comparison_row(counts: ComparedCounts) -> list[str]:
    sides = [text(side_words(counts.canary)), text(side_words(counts.baseline))]
    value = f"{number(counts.e_value)}{f', not measured: {counts.problem}' if counts.problem else ''}"
    return [code_span(counts.metric), *sides, times_words(counts) or "–", text(value)]


def rule_of(row: Evidence) -> str:
    return ", ".join(part for part in (row.condition, row.limit) if part)


def _next(release: Release) -> str:
    return " ".join(f"{step.text}{f': {code_span(step.command)}' if step.command else ''}." for step in next_steps(release))


def next_steps(release: Release) -> tuple[NextStep, ...]:
    """What a person can do now."""
    name, place = release.spec.workload.name, f"-n {release.namespace}"
    verdict, status = release.status.verdict, release.status
    if status.held and release.decided:
        lift = NextStep(text="This version is held. To try it again", command=f"reconciler hold lift {release.name} {place}")
        return (lift, NextStep(text="Or push another image"))
    if verdict is Verdict.COULD_NOT_MEASURE and status.promoted_at is None:
        return (NextStep(text="When the metrics answer again", command=f"reconciler retry {name} {place}"),)
    if verdict in UNPROVEN and status.promoted_at is not None and status.accepted is None:
        return (NextStep(text="If you know that it is good", command=f"reconciler accept {name} {place}"),)
    return ()


@dataclass(frozen=True, slots=True)
class CommitText:
    """A commit message in parts; trailers become its last paragraph."""

    subject: str
    body: str
    trailers: Mapping[str, str]


BRACED = re.compile(r"\{([a-z]+)\}")
SUBJECT = "Restore {workload} in {environment}: {verdict}"
SUBJECT_WORDS = ("workload", "namespace", "environment", "source", "verdict")
"""What a subject may name, each in braces."""


def restore_subject(release: Release, template: str) -> str:
    """The first line of a restoring commit and the title of a proposal; every word of the release stands for itself only once."""
    spec = release.spec
    words = (spec.workload.name, release.namespace, spec.environment, spec.source, str(release.status.verdict))
    known = dict(zip(SUBJECT_WORDS, words, strict=True))
    return BRACED.sub(lambda found: known.get(found[1], found[0]), template or SUBJECT)


def restore_commit(release: Release, fields: Sequence[str], subject: str = "") -> CommitText:
    """What the restore commit says: what happened, with the numbers, then the fields that went back; `subject` is a person's template."""
    spec = release.spec
    body = [commit_text(f"{release.status.reason.rstrip('.')}."), "", *[f"- {commit_line(field, TEXT_LIMIT)}" for field in fields]]
    return CommitText(
        subject=commit_line(restore_subject(release, subject)),
        body="\n".join(body),
        trailers={
            TRAILER: release_trailer(release),
            "Reconciler-Restores": spec.commit.sha,
            "Reconciler-Environment": spec.environment,
        },
    )


def release_trailer(release: Release) -> str:
    """Which release of which source and environment a commit is about. It informs; nothing is decided by it."""
    return f"{release.spec.source}/{release.spec.environment}/{release.namespace}/{release.name}"


def withdrawal(release: Release) -> str:
    """Why a proposal is closed."""
    version = code_span(", ".join(release.spec.images.values()))
    workload = code_span(f"{release.namespace}/{release.spec.workload.name}")
    return f"{version} of {workload} is proven by now, or Git asks for another version: there is nothing to take back."


def proposal_body(commit: CommitText, reason: str) -> str:
    """The description of a proposed restore: the commit's words as code, and why it was not pushed."""
    return f"{fenced(commit.body)}\n\nProposed, not pushed: {text(reason)}."


def code_span(value: str) -> str:
    """Untrusted text as inline code, shortened; a dash where there is none."""
    return code(shortened(value, SPAN_LIMIT)) or "–"


def text(value: str) -> str:
    """Untrusted text in a sentence: no mention, no markup, no link."""
    return plain(shortened(value, TEXT_LIMIT))

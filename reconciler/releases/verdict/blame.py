"""Who or what ended an attempt that was brought home, and with which numbers (the verdict table of ADR 0011). Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

from reconciler.analysis.model import RunPhase
from reconciler.releases.facts import ReleaseFacts
from reconciler.releases.model import Evidence, Release, RunRecord, Verdict
from reconciler.releases.verdict.evidence import LIMITS
from reconciler.releases.verdict.windows import thin_words
from reconciler.rollouts.view import AbortCause

BAD = (RunPhase.FAILED, RunPhase.ERROR, RunPhase.INCONCLUSIVE)
GONE = "an analysis ended it, and its run is gone: what it measured is not known"


@dataclass(frozen=True, slots=True)
class Ending:
    """A verdict that is no pass, and the sentence with the numbers."""

    verdict: Verdict
    reason: str

    @classmethod
    def of_run(cls, phase: str, said: str, evidence: Sequence[Evidence], run: str) -> "Ending":
        """What a run in this phase means. A failure counts only if one of its failed measurements held data."""
        if phase == RunPhase.ERROR:
            return cls(Verdict.COULD_NOT_MEASURE, said)
        rows = [row for row in evidence if row.run == run and row.phase == phase]
        if phase == RunPhase.FAILED and any(row.failed_on_data for row in rows):
            return cls(Verdict.FAILED, said)
        return cls(Verdict.NOT_ENOUGH_EVIDENCE, said if phase != RunPhase.FAILED else f"{said}; no failed measurement {thin_words(rows)}")


def blame(release: Release, facts: ReleaseFacts) -> Ending:
    """What ended it: our own recorded verb, this attempt's runs, an experiment whose pods did not come, the deadline; else a person."""
    ours = next((verb for verb in release.status.verbs if verb.verb == "abort"), None)
    if ours is not None:
        preview = release.status.preview
        return Ending(Verdict.ABORTED if preview is not None and preview.expired else Verdict.FAILED, ours.reason)
    run = _worst(release.status.runs, release.status.evidence)
    if run is not None:
        return Ending.of_run(run.phase, words(release.status.evidence, run.name, run.phase), release.status.evidence, run.name)
    if facts.experiment_end:
        return Ending(Verdict.COULD_NOT_MEASURE, facts.experiment_end)
    match facts.rollout.abort_cause:
        case AbortCause.ANALYSIS:
            return Ending(Verdict.COULD_NOT_MEASURE, GONE)
        case AbortCause.DEADLINE:
            return Ending(Verdict.FAILED, facts.rollout.abort_message)
        case AbortCause.PERSON:
            return Ending(Verdict.ABORTED, f"a person aborted it ({_told(release) or facts.rollout.abort_message or 'without a word'})")


def _told(release: Release) -> str:
    """Who pressed it, and why, where that was on a page; empty where no page was used."""
    press = next((one for one in reversed(release.status.presses) if one.verb == "abort" and not one.refused), None)
    return "" if press is None else f"{press.by}: {press.reason}" if press.reason else press.by


def _worst(runs: Sequence[RunRecord], evidence: Sequence[Evidence]) -> RunRecord | None:
    """The run that brings a rollout home: of those that failed one that failed on data, and any before one that could not measure."""
    failed = [run for run in runs if run.phase == RunPhase.FAILED]
    founded = (run for run in failed if Ending.of_run(run.phase, "", evidence, run.name).verdict is Verdict.FAILED)
    return next(iter((*founded, *failed, *(run for run in runs if run.phase == RunPhase.ERROR))), None)


def words(evidence: Sequence[Evidence], run: str, phase: str) -> str:
    """One sentence with the numbers of the metric that decided a run."""
    rows = [row for row in evidence if row.run == run and row.phase in BAD]
    worst = next((row for row in rows if row.phase == phase), rows[0] if rows else None)
    if worst is None:
        return f"{run} ended as {phase or 'nothing'}, without a word"
    counted = {
        RunPhase.FAILED: f"failed {_times(worst.failed)} ({_allowed(worst.limit)})",
        RunPhase.ERROR: f"could not be measured {_times(worst.error)}",
        RunPhase.INCONCLUSIVE: f"had no verdict {_times(worst.inconclusive)}",
    }
    values = f": measured {', '.join(_short(value) for value in worst.values)}" if worst.values else ""
    why = f": {worst.message}" if worst.message and not worst.values else ""
    return f"{worst.metric} {counted[RunPhase(worst.phase)]}{values}{why}"


def _allowed(limit: str) -> str:
    name, _, number = limit.partition(" ")
    return f"{number} in a row allowed" if name == LIMITS[1] else f"{number} allowed"


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count} times"


def _short(value: str) -> str:
    """A measured value for people: `[0.6152540184245354]` as `0.6153`; what is no single number stays as it is."""
    try:
        return f"{float(value.strip('[]')):.4g}"
    except ValueError:
        return value

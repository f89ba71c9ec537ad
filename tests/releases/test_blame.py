"""Who or what ended an attempt, in one sentence with the numbers."""

import pytest

from reconciler.releases.model import Evidence, Press, ReleaseStatus, RunRecord, Verb, Verdict
from reconciler.releases.verdict.blame import Ending, blame, words
from tests.kit.releases import NOW, aborted, facts, release, rollout


def row(phase: str = "Failed", metric: str = "errors", **known: object) -> Evidence:
    return Evidence(run="r", metric=metric, phase=phase, limit="failureLimit 1", **known)  # type: ignore[arg-type]


def record(phase: str, name: str = "r") -> RunRecord:
    return RunRecord(uid=f"uid of {name} {phase}", name=name, kind="Step", phase=phase)


@pytest.mark.parametrize(
    ("rows", "phase", "said"),
    [
        ([row(failed=2, values=("[0.6152540184245354]", "x"))], "Failed", "errors failed 2 times (1 allowed): measured 0.6153, x"),
        ([row(failed=1, message="no")], "Failed", "errors failed once (1 allowed): no"),
        ([row(failed=1, message="no", values=("[1]",))], "Failed", "errors failed once (1 allowed): measured 1"),
        ([row("Error", error=5)], "Error", "errors could not be measured 5 times"),
        ([row("Inconclusive", inconclusive=1)], "Inconclusive", "errors had no verdict once"),
        ([row("Error", "other", error=1), row(failed=3)], "Failed", "errors failed 3 times (1 allowed)"),
        ([row(failed=3), row("Error", "other", error=1)], "Error", "other could not be measured once"),
        ([row("Error", "other", error=1)], "Failed", "other could not be measured once"),
        ([row("Successful")], "Failed", "r ended as Failed, without a word"),
        ([], "Failed", "r ended as Failed, without a word"),
        ([], "", "r ended as nothing, without a word"),
    ],
)
def test_the_metric_that_decided_is_told_with_its_numbers(rows: list[Evidence], phase: str, said: str) -> None:
    assert words(rows, "r", phase) == said


def test_a_row_of_another_run_decides_nothing() -> None:
    assert words([row(failed=2)], "other", "Failed") == "other ended as Failed, without a word"


@pytest.mark.parametrize(
    ("phase", "rows", "verdict"),
    [
        ("Error", [row("Error", failed_on_data=True)], Verdict.COULD_NOT_MEASURE),
        ("Failed", [row(failed_on_data=True)], Verdict.FAILED),
        ("Failed", [row(failed_on_data=False)], Verdict.NOT_ENOUGH_EVIDENCE),
        ("Failed", [row("Error", failed_on_data=True)], Verdict.NOT_ENOUGH_EVIDENCE),
        ("Inconclusive", [row("Inconclusive", failed_on_data=True)], Verdict.NOT_ENOUGH_EVIDENCE),
    ],
)
def test_a_failure_counts_only_with_a_failed_measurement_that_held_data(phase: str, rows: list[Evidence], verdict: Verdict) -> None:
    ending = Ending.of_run(phase, "said", rows, "r")
    assert ending.verdict is verdict
    assert ending.reason.endswith("; no failed measurement held data") is (phase == "Failed" and verdict is not Verdict.FAILED)
    assert Ending.of_run(phase, "said", rows, "other").verdict is not Verdict.FAILED


def ended(*runs: RunRecord, verbs: tuple[Verb, ...] = (), message: str = "") -> Ending:
    status = ReleaseStatus(runs=runs, verbs=verbs, evidence=(row(failed=1, failed_on_data=True),))
    return blame(release(status=status), facts(rollout=rollout(**aborted(message))))


def test_our_own_verb_comes_before_a_run_and_a_run_before_a_person() -> None:
    abort, undo = (Verb(verb=word, at=NOW, reason="it crashed") for word in ("abort", "undo"))
    assert ended(record("Failed"), verbs=(undo, abort)) == Ending(Verdict.FAILED, "it crashed")
    assert ended(record("Failed"), verbs=(undo,)) == Ending(Verdict.FAILED, "errors failed once (1 allowed)")
    assert ended(record("Successful"), record("Inconclusive")).verdict is Verdict.ABORTED
    assert blame(release(), facts(rollout=rollout(abort=True))).reason == "a person aborted it (without a word)"
    assert ended(message="ann said so").reason == "a person aborted it (ann said so)"


def test_who_aborted_it_on_a_page_and_why_is_told() -> None:
    presses = [Press(verb=verb, at=NOW, by=by, reason=why, refused=no) for verb, by, why, no in PRESSES]
    live = facts(rollout=rollout(**aborted("")))

    def said(count: int) -> str:
        return blame(release(status=ReleaseStatus(presses=tuple(presses[:count]))), live).reason

    assert said(1) == "a person aborted it (RolloutAborted)"
    assert said(2) == "a person aborted it (ann: 500s)" == said(3) == said(4)
    assert said(5) == "a person aborted it (dee)"


PRESSES = (
    ("pause", "bo", "look", ""),
    ("abort", "ann", "500s", ""),
    ("abort", "cy", "me too", "somebody else was first"),
    ("promote", "cy", "", ""),
    ("abort", "dee", "", ""),
)


def test_a_run_that_failed_is_told_before_one_that_could_not_measure() -> None:
    assert ended(record("Error", "e"), record("Failed")).verdict is Verdict.FAILED
    assert ended(record("Error", "e")).verdict is Verdict.COULD_NOT_MEASURE

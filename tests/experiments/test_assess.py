"""The phase of an experiment as a table (contract 8.4)."""

import pytest

from reconciler.analysis.model import RunPhase
from reconciler.experiments.assess import assess
from reconciler.experiments.manifest import parse_experiment, render_status
from reconciler.experiments.model import MeasuredStatus, TemplateCode, TemplateStatus
from reconciler.kernel.identity import Manifest
from tests.kit.experiments import experiment, measured, version

CODES = {code[0]: code for code in TemplateCode}
PHASES = {"S": "Successful", "R": "Running", "P": "Pending", "I": "Inconclusive", "E": "Error", "F": "Failed", "-": ""}


def assessed(codes: str, phases: str = "", required: str = "", before: str = "Running") -> str:
    """By letters: templates' codes, the analyses' phases (`-` none yet in both), which analyses are required, and the phase on record."""
    names = [str(index) for index in range(len(phases))]
    analyses = [measured(name, requiredForCompletion=name in required) for name in names]
    status = {"phase": before, "message": "was"}
    manifest = {**experiment(*(version(str(i)) for i in range(len(codes))), analyses=analyses), "status": status}
    templates = [TemplateStatus(name=str(i), code=CODES.get(code), message=f"t{code}") for i, code in enumerate(codes)]
    found = zip(names, phases, strict=True)
    runs = [MeasuredStatus(name=n, phase=RunPhase(PHASES[p]) if PHASES[p] else None, message=f"a{p}") for n, p in found]
    phase, message = assess(parse_experiment(manifest), templates, runs)
    return f"{phase} {message}"


@pytest.mark.parametrize(
    ("codes", "phases", "required", "end"),
    [
        ("RP", "", "", "Pending tP"),
        ("RS", "", "", "Running tR"),
        ("R-", "", "", "Pending t-"),
        ("SS", "", "", "Successful "),
        ("SE", "", "", "Error tE"),
        ("EF", "", "", "Failed tF"),
        ("RF", "S", "", "Failed tF"),
        ("SE", "S", "", "Error tE"),
        ("S", "S", "", "Successful "),
        ("S", "R", "", "Successful tS"),
        ("S", "R", "0", "Running aR"),
        ("S", "-", "0", "Running a-"),
        ("S", "P", "0", "Running aP"),
        ("S", "F", "", "Failed aF"),
        ("S", "I", "", "Inconclusive aI"),
        ("R", "F", "", "Failed aF"),
        ("P", "E", "", "Error aE"),
        ("R", "I", "", "Inconclusive aI"),
        ("R", "SE", "0", "Error aE"),
        ("R", "EF", "", "Failed aF"),
        ("R", "IE", "", "Error aE"),
        ("R", "S", "", "Running tR"),
        ("R", "S", "0", "Successful Required AnalysisRuns completed"),
        ("R", "SR", "0", "Successful Required AnalysisRuns completed"),
        ("R", "SR", "01", "Running tR"),
        ("R", "SS", "01", "Successful Required AnalysisRuns completed"),
    ],
)
def test_the_phase_is_the_worst_that_counts(codes: str, phases: str, required: str, end: str) -> None:
    assert assessed(codes, phases, required) == end


def test_the_first_pass_only_begins_and_an_end_is_one() -> None:
    assert assessed("F", before="") == "Pending "
    assert assessed("R", "F", before="Successful") == "Successful was"


STATUS: Manifest = {
    "phase": "Running",
    "message": "m",
    "availableAt": "2030-01-01T12:00:00Z",
    "templateStatuses": [
        {
            "name": "canary",
            "replicas": 1,
            "updatedReplicas": 1,
            "readyReplicas": 1,
            "availableReplicas": 0,
            "collisionCount": 2,
            "status": "Progressing",
            "message": "n",
            "lastTransitionTime": "2030-01-01T12:00:00Z",
            "serviceName": "s",
            "podTemplateHash": "h",
        }
    ],
    "analysisRuns": [{"name": "check", "analysisRun": "trial-check", "phase": "Pending", "message": "o"}],
    "conditions": [
        {
            "type": "Progressing",
            "status": "True",
            "lastUpdateTime": "2030-01-01T12:00:00Z",
            "lastTransitionTime": "2030-01-01T12:00:00Z",
            "reason": "ReplicaSetUpdated",
            "message": "p",
        }
    ],
}


def test_a_status_that_the_reference_wrote_is_read_and_written_without_a_change() -> None:
    assert render_status(parse_experiment({**experiment(), "status": STATUS}).status) == STATUS

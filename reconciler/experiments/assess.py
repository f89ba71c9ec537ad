"""How an experiment stands, from how its templates and analyses do (contract 8.4)."""

from collections.abc import Sequence

from reconciler.analysis.judge import SEVERITY
from reconciler.analysis.model import RunPhase
from reconciler.experiments.facts import required_done
from reconciler.experiments.model import Experiment, MeasuredStatus, TemplateCode, TemplateStatus

CODES = (TemplateCode.SUCCESSFUL, TemplateCode.RUNNING, TemplateCode.PROGRESSING, TemplateCode.ERROR, TemplateCode.FAILED)
PHASES = {
    TemplateCode.SUCCESSFUL: RunPhase.SUCCESSFUL,
    TemplateCode.RUNNING: RunPhase.RUNNING,
    TemplateCode.PROGRESSING: RunPhase.PENDING,
    TemplateCode.ERROR: RunPhase.ERROR,
    TemplateCode.FAILED: RunPhase.FAILED,
}
REQUIRED_DONE = "Required AnalysisRuns completed"
Verdict = tuple[RunPhase, str]
"""A phase and the message that goes with it."""


def assess(experiment: Experiment, templates: Sequence[TemplateStatus], runs: Sequence[MeasuredStatus]) -> Verdict:
    """The phase after this pass; one that is final stays, and the first pass only begins."""
    status = experiment.status
    if status.finished and status.phase is not None:
        return status.phase, status.message
    if status.phase is None:
        return RunPhase.PENDING, ""
    pods, measured = of_templates(templates), of_analyses(experiment, runs)
    required = any(analysis.required for analysis in experiment.spec.analyses)
    if pods[0].completed:
        return measured if pods[0] is RunPhase.SUCCESSFUL and (measured[0].completed or required) else pods
    ended_badly = measured[0].completed and measured[0] is not RunPhase.SUCCESSFUL
    return measured if ended_badly or required_done(experiment, {run.name: run.phase for run in runs}) else pods


def of_templates(templates: Sequence[TemplateStatus]) -> Verdict:
    """The worst of them; one without a word yet is on its way."""
    worst = max(templates, key=lambda template: CODES.index(template.code or TemplateCode.PROGRESSING))
    return PHASES[worst.code or TemplateCode.PROGRESSING], worst.message


def of_analyses(experiment: Experiment, runs: Sequence[MeasuredStatus]) -> Verdict:
    """The worst of them, none is a success; those that were required make up for others that still run."""
    worst, message = RunPhase.SUCCESSFUL, ""
    for run in runs:
        phase = run.phase or RunPhase.PENDING
        if SEVERITY.index(phase) > SEVERITY.index(worst):
            worst, message = phase, run.message
    going_on = worst in (RunPhase.SUCCESSFUL, RunPhase.RUNNING)
    if going_on and required_done(experiment, {run.name: run.phase for run in runs}):
        return RunPhase.SUCCESSFUL, REQUIRED_DONE
    return (RunPhase.RUNNING, message) if worst is RunPhase.PENDING else (worst, message)

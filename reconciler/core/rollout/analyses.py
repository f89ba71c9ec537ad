"""The analysis runs of an attempt: created when due, read for their verdict, cancelled when they no longer count (contract 6.4, 6.11)."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from reconciler.core.analysis.cleanup import runs_to_delete
from reconciler.core.analysis.runs import new_run, terminate
from reconciler.core.rollout.rollback import fast_rollback
from reconciler.core.status.conditions import saturated
from reconciler.core.turn.position import current_step, index_of, run_phase
from reconciler.core.turn.turn import Runs, Turn, reference
from reconciler.model.analysis import STEP_LABEL, RunKind
from reconciler.model.errors import Transient
from reconciler.model.identity import Manifest, labels_of, name_of, uid_of
from reconciler.model.plan import Create, Remove
from reconciler.model.resources import ANALYSIS_RUNS
from reconciler.model.rollout import BlueGreen, Canary, RolloutAnalysis
from reconciler.model.rollout_status import PauseReason, RunStatus
from reconciler.model.workload import ReplicaSet

OVER = frozenset({"Successful", "Failed", "Error", "Inconclusive"})
FAILED = frozenset({"Failed", "Error"})
Outcome = tuple[Turn, Manifest | None]


@dataclass(frozen=True, slots=True)
class Kind:
    """One place a rollout measures at, and the beginning of the message of an abort from there (contract 4.9)."""

    name: RunKind
    failure: str


STEP = Kind(RunKind.STEP, "Step-based analysis phase error/failed")
BACKGROUND = Kind(RunKind.BACKGROUND, "Background analysis phase error/failed")
PRE = Kind(RunKind.PRE_PROMOTION, "Blue/green pre-promotion analysis phase error/failed")
POST = Kind(RunKind.POST_PROMOTION, "Blue/green post-promotion analysis phase error/failed")


def recall_runs(turn: Turn) -> Turn:
    """The current runs, by the names the status holds."""
    before = turn.before
    if turn.seen.spec.canary:
        runs = Runs(step=_named(turn, before.canary.step_run), background=_named(turn, before.canary.background_run))
    else:
        runs = Runs(pre=_named(turn, before.blue_green.pre_run), post=_named(turn, before.blue_green.post_run))
    return turn.measure(runs)


def _named(turn: Turn, status: RunStatus | None) -> Manifest | None:
    return next((run for run in turn.seen.found.runs if status is not None and name_of(run) == status.name), None)


def run_analyses(turn: Turn) -> Turn:
    """Create, judge and cancel. Where nothing is to be measured every run is cancelled, and a canary forgets its own (contract 6.4)."""
    former = turn.runs
    if _unmeasured(turn):
        kept = former if turn.seen.spec.blue_green else Runs()
        return _swept(_cancelled(turn.measure(kept), turn.seen.found.runs), former)
    strategy = turn.seen.spec.strategy
    turn = _told(_canary_runs(turn, strategy) if isinstance(strategy, Canary) else _blue_green_runs(turn, strategy))
    names = {name_of(run) for run in turn.runs.all}
    return _swept(_cancelled(turn, (run for run in turn.seen.found.runs if name_of(run) not in names)), turn.runs)


def _told(turn: Turn) -> Turn:
    """An event for every current run whose phase is not the one on record (contract 3.9)."""
    before, runs = turn.before, turn.runs
    mirrors = (
        (STEP, runs.step, before.canary.step_run),
        (BACKGROUND, runs.background, before.canary.background_run),
        (PRE, runs.pre, before.blue_green.pre_run),
        (POST, runs.post, before.blue_green.post_run),
    )
    for kind, run, mirror in mirrors:
        phase = run_phase(run)
        known = mirror.status if mirror is not None and run is not None and mirror.name == name_of(run) else ""
        if run is None or phase in ("", known):
            continue
        text = f"{kind.name} Analysis Run '{name_of(run)}' Status New: '{phase}' Previous: '{known or 'NoPreviousStatus'}'"
        turn = turn.tell(f"AnalysisRun{phase}", text, warning=phase in FAILED)
    return turn


def _unmeasured(turn: Turn) -> bool:
    """Aborted, fully promoted by request, on the way back, or never deployed before."""
    return turn.aborted or turn.before.promote_full or fast_rollback(turn) or not turn.before.stable_hash


def _canary_runs(turn: Turn, canary: Canary) -> Turn:
    turn, step = _step_run(turn)
    turn, background = _background_run(turn, canary)
    return turn.measure(Runs(step=step, background=background))


def _step_run(turn: Turn) -> Outcome:
    """While anything pauses, the run of the step is left as it is (contract 6.4)."""
    current = turn.runs.step
    if turn.before.pauses or turn.aborted:
        return turn, current
    step, index = current_step(turn), index_of(turn)
    if step is None or step.analysis is None or not step.analysis.measured:
        return turn, None
    if current is not None and labels_of(current).get(STEP_LABEL, str(index)) != str(index):
        current = None
    if _is_new_run_due(turn, current):
        return _created(turn, STEP, step.analysis, index)
    return _judged(turn, STEP, current), current


def _background_run(turn: Turn, canary: Canary) -> Outcome:
    analysis, current = canary.analysis, turn.runs.background
    if analysis is None or not analysis.measured or turn.before.promoted:
        return turn, None
    if turn.before.pause(PauseReason.INCONCLUSIVE_ANALYSIS) is not None:
        return turn, current
    if canary.steps and index_of(turn) < analysis.starting_step:
        return turn, None
    if _is_new_run_due(turn, current):
        return _created(turn, BACKGROUND, analysis)
    return _judged(turn, BACKGROUND, current), current


def _blue_green_runs(turn: Turn, strategy: BlueGreen) -> Turn:
    turn, pre = _promotion_run(turn, PRE, strategy.pre_promotion, turn.runs.pre, _before_switch)
    turn, post = _promotion_run(turn, POST, strategy.post_promotion, turn.runs.post, _after_switch)
    return turn.measure(Runs(pre=pre, post=post))


def _promotion_run(
    turn: Turn, kind: Kind, analysis: RolloutAnalysis | None, current: Manifest | None, due: Callable[[Turn], bool]
) -> Outcome:
    """A run of blue/green: begun only with the new version at size, read until it ends (contract 5.5)."""
    if analysis is None or not analysis.measured:
        return turn, None
    if turn.before.pause(PauseReason.INCONCLUSIVE_ANALYSIS) is not None:
        return turn, current
    if not due(turn):
        return _cancelled(turn, [current] if current else []), current
    if not _is_new_run_due(turn, current):
        return _judged(turn, kind, current), current
    if not _at_size(turn):
        # The retried attempt scales up first; its former run is forgotten here, or it would abort the rollout again.
        return turn, None
    return _created(turn, kind, analysis)


def _before_switch(turn: Turn) -> bool:
    active, new = turn.before.blue_green.active_selector, turn.seen.new_hash
    return turn.before.stable_hash != new and active not in ("", new)


def _after_switch(turn: Turn) -> bool:
    return turn.before.stable_hash != turn.seen.new_hash and turn.before.blue_green.active_selector == turn.seen.new_hash


def _at_size(turn: Turn) -> bool:
    new, strategy = turn.seen.new, turn.seen.spec.blue_green
    if new is None or strategy is None:
        return False
    if strategy.preview_replica_count is not None and not turn.before.blue_green.checkpoint:
        return _at_preview_size(new, strategy.preview_replica_count) or saturated(new, turn.seen.spec.replicas)
    return saturated(new, turn.seen.spec.replicas)


def _at_preview_size(new: ReplicaSet, size: int) -> bool:
    return new.spec == size == new.available


def _is_new_run_due(turn: Turn, current: Manifest | None) -> bool:
    """No run yet; or a person resumed after an inconclusive one; or the attempt is a retry (contract 6.4)."""
    if current is None:
        return True
    before = turn.before
    waits_elsewhere = before.pause(PauseReason.CANARY_STEP) or before.pause(PauseReason.BLUE_GREEN)
    if before.controller_pause and not waits_elsewhere:
        return run_phase(current) == "Inconclusive"
    return before.aborted_at is not None


def _created(turn: Turn, kind: Kind, analysis: RolloutAnalysis, index: int | None = None) -> Outcome:
    """A new run, or an unfinished equal one that a pass before this one created and never wrote down."""
    seen = turn.seen
    run = new_run(
        rollout=seen.rollout,
        kind=kind.name,
        step_index=index,
        templates=seen.found.templates,
        analysis=analysis.manifest,
        new_hash=seen.new_hash,
        stable_hash=turn.before.stable_hash,
        revision=seen.revision,
        existing=(*seen.found.runs, *seen.found.other_runs),
        instance_id=seen.instance_id,
    )
    if isinstance(run, str):
        raise Transient(f"{seen.name}: {kind.name} analysis run not created: {run}")
    return (turn, run) if uid_of(run) else (turn.act(Create(ANALYSIS_RUNS, run)), run)


def _judged(turn: Turn, kind: Kind, run: Manifest | None) -> Turn:
    phase = run_phase(run)
    if phase == "Inconclusive":
        return turn.pause(PauseReason.INCONCLUSIVE_ANALYSIS)
    if phase not in FAILED or run is None:
        return turn
    message = str(run["status"].get("message", ""))
    return turn.abort(f"{kind.failure}: {message}" if message else kind.failure)


def _cancelled(turn: Turn, runs: Iterable[Manifest]) -> Turn:
    """`spec.terminate` for each unfinished run that was not told yet."""
    for run in runs:
        if run_phase(run) in OVER or run["spec"].get("terminate"):
            continue
        turn = turn.act(terminate(run))
    return turn


def _swept(turn: Turn, current: Runs) -> Turn:
    """Runs of forgotten versions and finished ones beyond the limits removed (contract 6.10)."""
    if not turn.seen.found.runs:
        return turn
    spec = turn.seen.spec
    gone = runs_to_delete(
        turn.seen.found.runs,
        turn.seen.replica_sets,
        current=frozenset(name_of(run) for run in (*turn.runs.all, *current.all)),
        successful=spec.successful_runs,
        unsuccessful=spec.unsuccessful_runs,
    )
    return turn.act(*(Remove(reference(ANALYSIS_RUNS, run), uid_of(run)) for run in gone))

"""The analysis runs of an attempt: created when due, read for their verdict, cancelled when they no longer count (contract 6.4, 6.11)."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from reconciler.analysis.cleanup import runs_to_delete
from reconciler.analysis.model import STEP_LABEL, RunKind
from reconciler.analysis.runs import new_run, terminate
from reconciler.kernel.errors import Transient
from reconciler.kernel.identity import Manifest, labels_of, name_of, uid_of
from reconciler.kernel.plan import Create, Remove
from reconciler.kernel.resources import ANALYSIS_RUNS
from reconciler.rollouts.passes import Pass, Runs, reference
from reconciler.rollouts.pods.replica_set import ReplicaSet
from reconciler.rollouts.position import current_step, index_of, run_phase
from reconciler.rollouts.rollback import fast_rollback
from reconciler.rollouts.spec.model import BlueGreen, Canary, RolloutAnalysis
from reconciler.rollouts.status.conditions import saturated
from reconciler.rollouts.status.model import PauseReason, RunStatus
from reconciler.rollouts.traffic.targets import unregistered

OVER = frozenset({"Successful", "Failed", "Error", "Inconclusive"})
FAILED = frozenset({"Failed", "Error"})
Outcome = tuple[Pass, Manifest | None]


@dataclass(frozen=True, slots=True)
class Kind:
    """One place a rollout measures at, and the beginning of the message of an abort from there (contract 4.9)."""

    name: RunKind
    failure: str


STEP = Kind(RunKind.STEP, "Step-based analysis phase error/failed")
BACKGROUND = Kind(RunKind.BACKGROUND, "Background analysis phase error/failed")
PRE = Kind(RunKind.PRE_PROMOTION, "Blue/green pre-promotion analysis phase error/failed")
POST = Kind(RunKind.POST_PROMOTION, "Blue/green post-promotion analysis phase error/failed")


def recall_runs(pass_: Pass) -> Pass:
    """The current runs, by the names the status holds."""
    before = pass_.before
    if pass_.facts.spec.canary:
        runs = Runs(step=_named(pass_, before.canary.step_run), background=_named(pass_, before.canary.background_run))
    else:
        runs = Runs(pre=_named(pass_, before.blue_green.pre_run), post=_named(pass_, before.blue_green.post_run))
    return pass_.measure(runs)


def _named(pass_: Pass, status: RunStatus | None) -> Manifest | None:
    return next((run for run in pass_.facts.found.runs if status is not None and name_of(run) == status.name), None)


def run_analyses(pass_: Pass) -> Pass:
    """Create, judge and cancel. Where nothing is to be measured every run is cancelled, and a canary forgets its own (contract 6.4)."""
    former = pass_.runs
    if _unmeasured(pass_):
        kept = former if pass_.facts.spec.blue_green else Runs()
        return _swept(_cancelled(pass_.measure(kept), pass_.facts.found.runs), former)
    strategy = pass_.facts.spec.strategy
    pass_ = _told(_canary_runs(pass_, strategy) if isinstance(strategy, Canary) else _blue_green_runs(pass_, strategy))
    names = {name_of(run) for run in pass_.runs.all}
    return _swept(_cancelled(pass_, (run for run in pass_.facts.found.runs if name_of(run) not in names)), pass_.runs)


def _told(pass_: Pass) -> Pass:
    """An event for every current run whose phase is not the one on record (contract 3.9)."""
    before, runs = pass_.before, pass_.runs
    mirrors = (
        (STEP, runs.step, before.canary.step_run),
        (BACKGROUND, runs.background, before.canary.background_run),
        (PRE, runs.pre, before.blue_green.pre_run),
        (POST, runs.post, before.blue_green.post_run),
    )
    for kind, run, mirror in mirrors:
        phase = run_phase(run)
        if run is None or not phase or (mirror is not None and (mirror.name != name_of(run) or mirror.status == phase)):
            continue
        known = "NoPreviousStatus" if mirror is None else mirror.status
        text = f"{kind.name} Analysis Run '{name_of(run)}' Status New: '{phase}' Previous: '{known}'"
        pass_ = pass_.tell(f"AnalysisRun{phase}", text, warning=phase in FAILED)
    return pass_


def _unmeasured(pass_: Pass) -> bool:
    """Aborted, fully promoted by request, on the way back, or never deployed before."""
    return pass_.aborted or pass_.before.promote_full or fast_rollback(pass_) or not pass_.before.stable_hash


def _canary_runs(pass_: Pass, canary: Canary) -> Pass:
    pass_, step = _step_run(pass_)
    pass_, background = _background_run(pass_, canary)
    return pass_.measure(Runs(step=step, background=background))


def _step_run(pass_: Pass) -> Outcome:
    """While anything pauses, the run of the step is left as it is (contract 6.4)."""
    current = pass_.runs.step
    if pass_.before.pauses:
        return pass_, current
    step, index = current_step(pass_), index_of(pass_)
    if step is None or step.analysis is None or not step.analysis.measured:
        return pass_, None
    if current is not None and labels_of(current).get(STEP_LABEL, str(index)) != str(index):
        current = None
    if _is_new_run_due(pass_, current):
        return _created(pass_, STEP, step.analysis, index)
    return _judged(pass_, STEP, current), current


def _background_run(pass_: Pass, canary: Canary) -> Outcome:
    analysis, current = canary.analysis, pass_.runs.background
    if analysis is None or not analysis.measured or pass_.before.promoted:
        return pass_, None
    if pass_.before.pause(PauseReason.INCONCLUSIVE_ANALYSIS) is not None:
        return pass_, current
    if canary.steps and index_of(pass_) < analysis.starting_step:
        return pass_, None
    if _is_new_run_due(pass_, current):
        return _created(pass_, BACKGROUND, analysis)
    return _judged(pass_, BACKGROUND, current), current


def _blue_green_runs(pass_: Pass, strategy: BlueGreen) -> Pass:
    pass_, pre = _promotion_run(pass_, PRE, strategy.pre_promotion, pass_.runs.pre, _before_switch)
    pass_, post = _promotion_run(pass_, POST, strategy.post_promotion, pass_.runs.post, _after_switch)
    return pass_.measure(Runs(pre=pre, post=post))


def _promotion_run(
    pass_: Pass, kind: Kind, analysis: RolloutAnalysis | None, current: Manifest | None, due: Callable[[Pass], bool]
) -> Outcome:
    """A run of blue/green: begun only with the new version at size, read until it ends (contract 5.5)."""
    if analysis is None or not analysis.measured:
        return pass_, None
    if pass_.before.pause(PauseReason.INCONCLUSIVE_ANALYSIS) is not None:
        return pass_, current
    if not due(pass_):
        return _cancelled(pass_, [current] if current else []), current
    if not _is_new_run_due(pass_, current):
        return _judged(pass_, kind, current), current
    if kind is PRE and not _previewed(pass_):
        # A person paused the rollout before it was: the run would measure the former version and speak for this one.
        return pass_, None
    if not _at_size(pass_):
        # The retried attempt scales up first; its former run is forgotten here, or it would abort the rollout again.
        return pass_, None
    return _created(pass_, kind, analysis)


def _before_switch(pass_: Pass) -> bool:
    active, new = pass_.before.blue_green.active_selector, pass_.facts.new_hash
    return pass_.before.stable_hash != new and active not in ("", new)


def _after_switch(pass_: Pass) -> bool:
    switched = pass_.before.blue_green.active_selector == pass_.facts.new_hash
    return pass_.before.stable_hash != pass_.facts.new_hash and switched and not unregistered(pass_)


def _previewed(pass_: Pass) -> bool:
    """True when the preview Service, if there is one, leads to the new version."""
    strategy = pass_.facts.spec.blue_green
    return strategy is None or not strategy.preview_service or pass_.selectors.get(strategy.preview_service) == pass_.facts.new_hash


def _at_size(pass_: Pass) -> bool:
    new, strategy = pass_.facts.new, pass_.facts.spec.blue_green
    if new is None or strategy is None:
        return False
    if strategy.preview_replica_count is not None and not pass_.before.blue_green.checkpoint:
        return _at_preview_size(new, strategy.preview_replica_count) or saturated(new, pass_.facts.spec.replicas)
    return saturated(new, pass_.facts.spec.replicas)


def _at_preview_size(new: ReplicaSet, size: int) -> bool:
    return new.spec == size == new.available


def _is_new_run_due(pass_: Pass, current: Manifest | None) -> bool:
    """No run yet; or a person resumed after an inconclusive one; or the attempt is a retry (contract 6.4)."""
    if current is None:
        return True
    before = pass_.before
    waits_elsewhere = before.pause(PauseReason.CANARY_STEP) or before.pause(PauseReason.BLUE_GREEN)
    if before.controller_pause and not waits_elsewhere:
        return run_phase(current) == "Inconclusive"
    return before.aborted_at is not None


def _created(pass_: Pass, kind: Kind, analysis: RolloutAnalysis, index: int | None = None) -> Outcome:
    """A new run, or an unfinished equal one that a pass before this one created and never wrote down."""
    facts = pass_.facts
    run = new_run(
        rollout=facts.rollout,
        kind=kind.name,
        step_index=index,
        templates=facts.found.templates,
        analysis=analysis.manifest,
        new_hash=facts.new_hash,
        stable_hash=pass_.before.stable_hash,
        revision=facts.revision,
        existing=(*facts.found.runs, *facts.found.other_runs),
        instance_id=facts.instance_id,
    )
    if isinstance(run, str):
        raise Transient(f"{facts.name}: {kind.name} analysis run not created: {run}")
    return (pass_, run) if uid_of(run) else (pass_.act(Create(ANALYSIS_RUNS, run)), run)


def _judged(pass_: Pass, kind: Kind, run: Manifest | None) -> Pass:
    phase = run_phase(run)
    if phase == "Inconclusive":
        return pass_.pause(PauseReason.INCONCLUSIVE_ANALYSIS)
    if phase not in FAILED or run is None:
        return pass_
    message = str(run["status"].get("message", ""))
    return pass_.abort(f"{kind.failure}: {message}" if message else kind.failure)


def _cancelled(pass_: Pass, runs: Iterable[Manifest]) -> Pass:
    """`spec.terminate` for each unfinished run that was not told yet."""
    for run in runs:
        if run_phase(run) in OVER or run["spec"].get("terminate"):
            continue
        pass_ = pass_.act(terminate(run))
    return pass_


def _swept(pass_: Pass, current: Runs) -> Pass:
    """Runs of forgotten versions and finished ones beyond the limits removed (contract 6.10)."""
    if not pass_.facts.found.runs:
        return pass_
    spec = pass_.facts.spec
    gone = runs_to_delete(
        pass_.facts.found.runs,
        {replica_set.hash for replica_set in pass_.facts.replica_sets if not replica_set.deleting},
        current=frozenset(name_of(run) for run in (*pass_.runs.all, *current.all)),
        successful=spec.successful_runs,
        unsuccessful=spec.unsuccessful_runs,
    )
    return pass_.act(*(Remove(reference(ANALYSIS_RUNS, run), uid_of(run)) for run in gone))

"""One pass under way: the facts, the effects decided so far, and what the final status must know about them."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from reconciler.kernel.identity import Manifest, ObjectRef, Resource, name_of, namespace_of
from reconciler.kernel.plan import Action, Emit
from reconciler.kernel.records import evolve
from reconciler.kernel.well_known import HASH_LABEL
from reconciler.rollouts.facts import RolloutFacts
from reconciler.rollouts.plugin import StepCall
from reconciler.rollouts.status.model import PauseReason, RolloutStatus, StepPluginStatus, Weights


@dataclass(frozen=True, slots=True)
class RolloutPlan:
    """The effects of one pass in order, the status to write after them (None: leave it), and when to look again.

    `failure` is why the pass could not be carried through: without a status, and tried again at `wake_at` or as the queue backs off.
    `returns` give back what is held of the rollout elsewhere, each by itself: one that is refused holds up nothing.
    `calls` are questions to plug-ins of steps: nothing is decided before they are answered.
    `beside` are effects that do not lead users home while they go there: one that fails holds up none of the others, and not the status.
    """

    effects: tuple[Action, ...] = ()
    status: RolloutStatus | None = None
    wake_at: datetime | None = None
    failure: str = ""
    returns: tuple[tuple[Action, ...], ...] = ()
    calls: tuple[StepCall, ...] = ()
    beside: tuple[Action, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Runs:
    """The analysis runs that count for this attempt."""

    step: Manifest | None = None
    background: Manifest | None = None
    pre: Manifest | None = None
    post: Manifest | None = None

    @property
    def all(self) -> tuple[Manifest, ...]:
        return tuple(run for run in (self.step, self.background, self.pre, self.post) if run is not None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pass:
    """A pass so far. `abort_reason` is set when this pass aborts; `removed_abort` when an abort no longer counts (contract 4.1, step 0).

    `experiment` is the one of the current step; `plugins` is what plug-ins of steps said; `selectors` are the versions that services
    select after this pass's switches. A pass that `ended` takes no further step.
    """

    facts: RolloutFacts
    now: datetime
    effects: tuple[Action, ...] = ()
    added_pauses: tuple[PauseReason, ...] = ()
    removed_pauses: frozenset[PauseReason] = frozenset()
    cleared_pauses: bool = False
    abort_reason: str | None = None
    removed_abort: bool = False
    weights: Weights | None = None
    balancers: tuple[Mapping[str, Any], ...] = ()
    runs: Runs = field(default_factory=Runs)
    experiment: Manifest | None = None
    plugins: tuple[StepPluginStatus, ...] = ()
    selectors: Mapping[str, str] = field(default_factory=dict)
    restarted_at: datetime | None = None
    status: RolloutStatus | None = None
    wake_at: datetime | None = None
    ended: bool = False
    failure: str = ""
    returns: tuple[tuple[Action, ...], ...] = ()
    calls: tuple[StepCall, ...] = ()

    @property
    def before(self) -> RolloutStatus:
        """The status as it was persisted."""
        return self.facts.status

    @property
    def aborted(self) -> bool:
        """True when an abort counts now, the one of this pass included."""
        return not self.removed_abort and (self.abort_reason is not None or self.before.abort)

    @property
    def aborting(self) -> bool:
        """True when a persisted abort counts: what replicas and weights follow (contract 2.1)."""
        return self.before.abort and not self.removed_abort

    def act(self, *effects: Action) -> "Pass":
        return self if not effects else evolve(self, effects=self.effects + effects)

    def tell(self, reason: str, message: str, *, warning: bool = False) -> "Pass":
        """Record an event about the rollout."""
        return self.act(Emit(self.facts.rollout, reason, message, warning))

    def measure(self, runs: Runs) -> "Pass":
        """These are the runs that count."""
        return self if runs == self.runs else evolve(self, runs=runs)

    def wake(self, moment: datetime | None) -> "Pass":
        """Look again at this time or earlier."""
        if moment is None or (self.wake_at is not None and self.wake_at <= moment):
            return self
        return evolve(self, wake_at=moment)

    def end(self, status: RolloutStatus | None = None) -> "Pass":
        return evolve(self, status=status, ended=True)

    def fail(self, failure: str) -> "Pass":
        """Something stands in the way: what was decided so far is done, the rest waits, and no status is written."""
        return evolve(self, status=None, ended=True, failure=failure)

    def ask(self, calls: tuple[StepCall, ...]) -> "Pass":
        """Plug-ins have to answer before this pass can be decided."""
        return evolve(self, calls=calls, status=None, ended=True)

    def pause(self, reason: PauseReason) -> "Pass":
        return evolve(self, added_pauses=(*self.added_pauses, reason))

    def unpause(self, reason: PauseReason) -> "Pass":
        return evolve(self, removed_pauses=self.removed_pauses | {reason})

    def abort(self, reason: str) -> "Pass":
        return evolve(self, abort_reason=reason, removed_abort=False)

    def decision(self) -> RolloutPlan:
        return RolloutPlan(self.effects, self.status, self.wake_at, self.failure, self.returns, self.calls)


def begin(facts: RolloutFacts, now: datetime) -> Pass:
    """A pass without effects. An abort of a fully promoted rollout does not count (contract 4.1 step 0; 13.3).

    Of two opposite wishes the later one counts: an abort that no pass has seen yet was pressed after `promote --full`.
    """
    if facts.status.abort and facts.status.aborted_at is None and not facts.status.promoted:
        facts = replace(facts, status=replace(facts.status, promote_full=False))
    return Pass(
        facts=facts,
        now=now,
        removed_abort=facts.status.promoted,
        weights=facts.status.canary.weights if facts.spec.routing else None,
        plugins=facts.status.canary.plugins,
        balancers=facts.status.balancers if facts.found.verifying else (),
        selectors={name: selected_hash(service) for name, service in facts.found.services.items()},
        restarted_at=facts.status.restarted_at,
    )


def selected_hash(service: Manifest) -> str:
    """The version a Service selects, empty when it selects none."""
    from_selector = (service.get("spec") or {}).get("selector") or {}
    return str(from_selector.get(HASH_LABEL, ""))


def reference(resource: Resource, manifest: Manifest) -> ObjectRef:
    return ObjectRef(resource, namespace_of(manifest), name_of(manifest))

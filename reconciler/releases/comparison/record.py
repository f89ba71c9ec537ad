"""What is on record of a comparison: the counts so far, and how much they say. A part of the JSON of a Release; bounded."""

from reconciler.kernel.struct import Moment, Struct


class SideTally(Struct, frozen=True, kw_only=True):
    """What one side has answered, and how much of it was bad."""

    requests: float = 0.0
    bad: float = 0.0


class ComparedCounts(Struct, frozen=True, kw_only=True):
    """One metric: the counts of both sides over all windows, and what they say."""

    metric: str
    canary: SideTally = SideTally()
    baseline: SideTally = SideTally()
    scores: tuple[float, ...] = ()
    """The logarithms that the next window is added to (analysis/statistics)."""
    e_value: float = 1.0
    """How many times likelier these counts are of a canary that is worse than tolerated."""
    lost: int = 0
    """Windows in which it could not be measured."""
    problem: str = ""
    """Why the last window could not be measured; empty when it was."""


class Comparison(Struct, frozen=True, kw_only=True):
    """A canary beside its baseline: every window counts once, because `until` moves with the counts."""

    digest: str
    """Of what is asked: other questions begin anew."""
    canary: str
    baseline: str
    budget: float
    effect: float
    until: Moment
    """The end of the last window that was looked at."""
    warm_from: Moment | None = None
    """When the canary first answered: its warm-up counts from here."""
    windows: int = 0
    missed: int = 0
    """Windows that passed without being looked at: what is that old is no sample."""
    e_value: float = 1.0
    """Of all metrics together: they share the budget."""
    exceeded: bool = False
    """True once the canary is worse than tolerated; it stays so."""
    metrics: tuple[ComparedCounts, ...] = ()

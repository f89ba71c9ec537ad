"""What would have changed the verdict of a canary beside its baseline: fewer bad answers, another budget, another effect. Pure.

The arithmetic of the comparison is asked again (ADR 0032). It added window by window; here all counts are one window, which is the same
evidence while the weight stayed, and so is told as counted together.
"""

from collections.abc import Iterator

from reconciler.analysis.statistics import START, Counts, Window, advance, e_value, exceeds, shared
from reconciler.releases.comparison.record import ComparedCounts, Comparison

MOST_STEPS = 40
WORST_EFFECT = 20.0


def otherwise(known: Comparison | None) -> Iterator[tuple[str, str, str]]:
    """Kind of change, metric and sentence for each thing that would have let a canary pass that failed beside its baseline."""
    if known is None or not known.exceeded:
        return
    for counts in known.metrics:
        if _speaks(known, counts):
            yield from _fewer(known, counts)
            yield from _effect(known, counts)
    yield ("limit", "", f"with a budget of {_below(100 / known.e_value)} % or less, the comparison would not have failed it")


def _speaks(known: Comparison, counts: ComparedCounts) -> bool:
    """True for a metric whose counts fail the canary, counted together."""
    return bool(counts.canary.requests and counts.baseline.requests) and _fails(known, counts, counts.canary.bad, known.effect)


def _fewer(known: Comparison, counts: ComparedCounts) -> Iterator[tuple[str, str, str]]:
    """The most bad answers that would not have failed it."""
    low, high = 0, int(counts.canary.bad)
    if _fails(known, counts, 0, known.effect):
        return
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if _fails(known, counts, middle, known.effect) else (middle, high)
    told = f"{low:,} bad of {counts.canary.requests:,.0f} requests of the canary or fewer instead of {counts.canary.bad:,.0f}"
    yield "value", counts.metric, f'with {told}, counted together, metric "{counts.metric}" would not have failed it'


def _effect(known: Comparison, counts: ComparedCounts) -> Iterator[tuple[str, str, str]]:
    """The least effect that would have tolerated it, to two digits."""
    low, high = known.effect, WORST_EFFECT
    if counts.baseline.bad * high >= counts.baseline.requests or _fails(known, counts, counts.canary.bad, high):
        return
    for _ in range(MOST_STEPS):
        middle = (low + high) / 2
        low, high = (middle, high) if _fails(known, counts, counts.canary.bad, middle) else (low, middle)
    told = f"an effect of {_above(high)}x or more instead of {known.effect:g}x"
    yield "limit", counts.metric, f'with {told}, metric "{counts.metric}" would not have failed it'


def _fails(known: Comparison, counts: ComparedCounts, bad: float, effect: float) -> bool:
    """What the comparison would say of these counts as one window, with the other metrics as they are."""
    window = Window(Counts(counts.canary.requests, bad), Counts(counts.baseline.requests, counts.baseline.bad))
    own = e_value(advance(START, window, effect))
    return exceeds(shared([own if one is counts else one.e_value for one in known.metrics]), known.budget)


def _below(value: float) -> str:
    """A number of three digits that is not larger."""
    text = f"{value:.3g}"
    return text if float(text) <= value else f"{value * 0.99:.3g}"


def _above(value: float) -> str:
    """A number of three digits that is not smaller."""
    text = f"{value:.3g}"
    return text if float(text) >= value else f"{value * 1.01:.3g}"

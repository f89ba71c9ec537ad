"""Functions of range vectors: rate and its kin with Prometheus's extrapolation, and the `_over_time` family."""

import math
from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise

from reconciler_sandbox.metrics.promql.aggregate import average
from reconciler_sandbox.metrics.promql.values import Window, exact_sum, largest, smallest

EXTRAPOLATION_LIMIT = 1.1  # a gap of up to this many sample intervals at an edge is filled whole, a longer one by half an interval


def rate(window: Window) -> float | None:
    """Per-second increase of a counter."""
    return _extrapolated(window, counter=True, per_second=True)


def increase(window: Window) -> float | None:
    return _extrapolated(window, counter=True, per_second=False)


def delta(window: Window) -> float | None:
    """Difference of a gauge over the window."""
    return _extrapolated(window, counter=False, per_second=False)


def irate(window: Window) -> float | None:
    """Per-second increase between the last two samples; after a reset the counter started from 0."""
    if len(window.points) < 2:
        return None
    (earlier, before), (later, last) = window.points[-2:]
    risen = last if last < before else last - before
    return risen / ((later - earlier) / 1000)


def idelta(window: Window) -> float | None:
    """Difference between the last two samples."""
    return window.points[-1][1] - window.points[-2][1] if len(window.points) > 1 else None


def _extrapolated(window: Window, *, counter: bool, per_second: bool) -> float | None:
    """The change between the first and last sample, extended to the edges of the window as far as the samples' spacing allows."""
    if len(window.points) < 2:
        return None
    values = [value for _, value in window.points]
    change = values[-1] - values[0] + (_lost_in_resets(values) if counter else 0.0)
    sampled = (window.points[-1][0] - window.points[0][0]) / 1000
    before, after = _edges(window, sampled / (len(values) - 1))
    if counter and change > 0 and values[0] >= 0:
        before = min(before, sampled * (values[0] / change))  # a counter never was below 0
    extended = change * ((sampled + before + after) / sampled)
    return extended / ((window.end - window.start) / 1000) if per_second else extended


def _edges(window: Window, spacing: float) -> tuple[float, float]:
    """How many seconds to extend before the first and after the last sample."""
    before = (window.points[0][0] - window.start) / 1000
    after = (window.end - window.points[-1][0]) / 1000
    limit = spacing * EXTRAPOLATION_LIMIT
    return (before if before < limit else spacing / 2), (after if after < limit else spacing / 2)


def _lost_in_resets(values: Sequence[float]) -> float:
    """What a counter had counted each time it fell."""
    return exact_sum(before for before, after in pairwise(values) if after < before)


def _over_time(reduce: Callable[[Sequence[float]], float]) -> Callable[[Window], float | None]:
    return lambda window: reduce([value for _, value in window.points]) if window.points else None


def _resets(values: Sequence[float]) -> float:
    return float(sum(after < before for before, after in pairwise(values)))


def _changes(values: Sequence[float]) -> float:
    pairs = pairwise(values)
    return float(sum(after != before and not (math.isnan(after) and math.isnan(before)) for before, after in pairs))


RANGE_FUNCTIONS: Mapping[str, Callable[[Window], float | None]] = {
    "rate": rate,
    "increase": increase,
    "delta": delta,
    "irate": irate,
    "idelta": idelta,
    "avg_over_time": _over_time(average),
    "min_over_time": _over_time(smallest),
    "max_over_time": _over_time(largest),
    "sum_over_time": _over_time(exact_sum),
    "count_over_time": _over_time(lambda values: float(len(values))),
    "last_over_time": _over_time(lambda values: values[-1]),
    "present_over_time": _over_time(lambda values: 1.0),
    "resets": _over_time(_resets),
    "changes": _over_time(_changes),
}
KEEPS_NAME = frozenset({"last_over_time"})

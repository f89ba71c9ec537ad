"""histogram_quantile over classic buckets: `le` labels, cumulative counts, linear interpolation inside a bucket."""

import math
from itertools import groupby

from reconciler_sandbox.metrics.labels import NAME, Labels, drop, value_of
from reconciler_sandbox.metrics.promql.values import Sample, Vector

Buckets = list[tuple[float, float]]
"""(upper bound, cumulative count), bounds ascending."""


def histogram_quantile(fraction: float, vector: Vector) -> Vector:
    """The φ-quantile of each histogram; samples without a numeric `le` are ignored."""
    histograms: dict[Labels, Buckets] = {}
    for sample in vector:
        bound = _bound(value_of(sample.labels, "le"))
        if bound is not None:
            histograms.setdefault(drop(sample.labels, ("le", NAME)), []).append((bound, sample.value))
    return [Sample(labels, bucket_quantile(fraction, buckets)) for labels, buckets in histograms.items()]


def bucket_quantile(fraction: float, buckets: Buckets) -> float:
    """NaN without a +Inf bucket, with fewer than two buckets or without observations; ±Inf for a fraction outside of [0, 1]."""
    if math.isnan(fraction) or not 0 <= fraction <= 1:
        return fraction * math.inf if not math.isnan(fraction) and fraction > 1 else (math.nan if math.isnan(fraction) else -math.inf)
    cumulative = _monotonic(_merged(buckets))
    if len(cumulative) < 2 or cumulative[-1][0] != math.inf or not cumulative[-1][1] > 0:
        return math.nan
    rank = fraction * cumulative[-1][1]
    position = next((index for index, (_, count) in enumerate(cumulative[:-1]) if count >= rank), len(cumulative) - 1)
    return _inside(cumulative, position, rank)


def _inside(cumulative: Buckets, position: int, rank: float) -> float:
    if position == len(cumulative) - 1:
        return cumulative[-2][0]  # nothing is known above the last finite bound
    upper, count = cumulative[position]
    if position == 0:
        return upper if upper <= 0 else upper * _fraction(rank, count)
    lower, below = cumulative[position - 1]
    return lower + (upper - lower) * _fraction(rank - below, count - below)


def _fraction(part: float, whole: float) -> float:
    return part / whole if whole else math.nan


def _merged(buckets: Buckets) -> Buckets:
    """Buckets of the same bound added up."""
    ordered = sorted(buckets, key=lambda bucket: bucket[0])
    return [(bound, sum(count for _, count in group)) for bound, group in groupby(ordered, key=lambda bucket: bucket[0])]


def _monotonic(buckets: Buckets) -> Buckets:
    """Counts scraped while they moved may fall from one bucket to the next; they never do in truth."""
    raised: Buckets = []
    for bound, count in buckets:
        raised.append((bound, max(count, raised[-1][1]) if raised else count))
    return raised


def _bound(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None

"""A store filled from short notation, and queries on it."""

import math

from reconciler_sandbox.metrics.exposition import samples
from reconciler_sandbox.metrics.labels import NAME, Labels
from reconciler_sandbox.metrics.promql.evaluate import instant
from reconciler_sandbox.metrics.promql.values import Sample
from reconciler_sandbox.metrics.store import Store

MINUTE = 60_000


def labels_of(series: str) -> Labels:
    """`up{job="a"}` → its labels."""
    return next(samples(f"{series} 1"))[0]


def filled(series: dict[str, str], every: int = MINUTE) -> Store:
    """Series → values separated by spaces, one each `every` ms from 0; `_` is no sample, `stale` a staleness marker."""
    result = Store(retention=10_000_000)
    for written, values in series.items():
        for position, value in enumerate(values.split()):
            if value != "_":
                result.append(labels_of(written), position * every, None if value == "stale" else float(value))
    return result


def ask(where: Store, query: str, at: int = 0) -> dict[str, float] | float:
    """A scalar, or value by label set in short notation (`a{x="1"}`)."""
    value = instant(where, query, at)
    if isinstance(value, float):
        return value
    assert isinstance(value, list)
    assert all(isinstance(sample, Sample) for sample in value)
    return {short(sample.labels): sample.value for sample in value if isinstance(sample, Sample)}


def short(labels: Labels) -> str:
    named = dict(labels)
    name = named.pop(NAME, "")
    inside = ",".join(f'{label}="{value}"' for label, value in sorted(named.items()))
    return name + (f"{{{inside}}}" if inside or not name else "")


def same(found: dict[str, float] | float, expected: dict[str, float]) -> bool:
    """Equal keys and nearly equal values, NaN like NaN."""
    assert isinstance(found, dict)
    return found.keys() == expected.keys() and all(
        (math.isnan(found[key]) and math.isnan(value)) or math.isclose(found[key], value, rel_tol=1e-12, abs_tol=1e-12)
        for key, value in expected.items()
    )

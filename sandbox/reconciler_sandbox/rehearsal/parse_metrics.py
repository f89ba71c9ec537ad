"""What a story says that metrics read (docs/stories.md): amounts of workloads and other objects, and values of the outside."""

from collections.abc import Mapping

from reconciler.kernel.strict import FieldError, StrictFields
from reconciler_sandbox.metrics.readings import RESOURCES, Amount, amount
from reconciler_sandbox.rehearsal.parse_fields import mapping, named_object
from reconciler_sandbox.rehearsal.story import MetricsChange

OUTSIDE = "external"
PATTERN = "*?["


def metrics(fields: StrictFields, name: str) -> MetricsChange:
    """A mapping from objects (and `external`) to what each of their metrics reads."""
    said = mapping(fields, name)
    inner = StrictFields(said, fields.path(name))
    amounts = {key: _amounts(inner, key) for key in said}
    outside = amounts.pop(OUTSIDE, {})
    for metric, found in outside.items():
        if found.percent or found.total:
            raise FieldError(f"{inner.path(OUTSIDE)}.{metric}", "a value of the outside is one amount, of nobody's pods")
    of = {named_object(key, inner.path(key)): found for key, found in amounts.items()}
    for target in of:
        if any(mark in target.name for mark in PATTERN) or not target.namespace:
            raise FieldError(inner.path(f"{target}"), "metrics are said of one object in a namespace")
    return MetricsChange(of, {metric: found.value for metric, found in outside.items()})


def _amounts(fields: StrictFields, key: str) -> Mapping[str, Amount]:
    said = mapping(fields, key)
    if not said:
        raise FieldError(fields.path(key), "say what at least one metric reads")
    inner = StrictFields(said, fields.path(key))
    return {metric: _amount(inner, metric) for metric in said}


def _amount(fields: StrictFields, metric: str) -> Amount:
    """`180%` or `250m` of each pod, or `{total: 1200m}` shared by the ready ones."""
    value, total = fields.raw(metric), False
    if isinstance(value, Mapping):
        shared = StrictFields(value, fields.path(metric))
        value, total = shared.raw("total"), True
        shared.done()
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise FieldError(fields.path(metric), "write an amount such as 250m, a percentage of what pods request, or {total: amount}")
    try:
        found = amount(value, total=total)
    except ValueError as error:
        raise FieldError(fields.path(metric), str(error)) from error
    if found.percent and metric not in RESOURCES:
        raise FieldError(fields.path(metric), "only cpu and memory are requested, so only they can be percentages")
    return found

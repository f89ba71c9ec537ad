"""Which measurements held data: answered here for the judge of releases, for `analyze` and for what is dropped (ADR 0011). Pure.

A run keeps its newest measurements only (contract 6.2), and a release is judged by all of them: what is dropped is counted first.
"""

import re
from collections.abc import Mapping, Sequence

from reconciler.kernel.identity import Manifest

DROPPED_PASSED, DROPPED_FAILED = "DroppedSuccessfulWithData", "DroppedFailedWithData"
"""Keys of a metric result's `metadata`: how many measurements with data were dropped, by phase."""
COUNTS = {"Successful": DROPPED_PASSED, "Failed": DROPPED_FAILED}
JOB_KIND = "job"
"""The provider that answers by its end and not by a value."""
ANSWERED = ("Successful", "Failed", "Inconclusive")
NOTHING = frozenset({"", "nan", "null", "nil", "<nil>", "none", "inf", "infinity"})
"""Words that stand where no value came; what is infinite was divided by nothing."""
THIN = "thin"
"""Fewer requests came in its window than whoever judges the release asks for."""
DOUBTED = ("fallback", "partial", "stale", THIN)
"""Keys of a measurement's `metadata` that are `true` where an answer came and yet says nothing of the version."""
PUNCTUATION = re.compile(r"[\[\]{},\s\"]+")


def is_founded(measurement: Manifest, *, by_value: bool = True) -> bool:
    """True when a measurement held data. An empty answer, NaN, infinity and a query's own "no data" fallback are none, and neither is an
    answer with a part missing, nor one of another time.

    `by_value` is False for a Job, which answers by its end and not by a value.
    """
    metadata = measurement.get("metadata") or {}
    if measurement.get("phase") not in ANSWERED or any(metadata.get(doubt) == "true" for doubt in DOUBTED):
        return False
    words = PUNCTUATION.split(str(measurement.get("value") or ""))
    return not by_value or any(word.lower().lstrip("+-") not in NOTHING for word in words)


def with_dropped(metadata: Mapping[str, str], dropped: Sequence[Manifest], *, by_value: bool) -> Mapping[str, str]:
    """The metadata of a metric's result, with the measurements that are dropped now counted."""
    if not dropped:
        return metadata
    founded = [measurement.get("phase") for measurement in dropped if is_founded(measurement, by_value=by_value)]
    return {**metadata, **{key: str(_number(metadata.get(key)) + founded.count(phase)) for phase, key in COUNTS.items()}}


def founded_by_phase(result: Manifest, *, by_value: bool) -> Mapping[str, int]:
    """How many measurements of a metric held data, by phase (Successful, Failed): those that are kept, and those that were dropped.

    A controller that is not ours drops without counting. Then what was dropped is taken for what was kept: data, if all of that held data,
    and else none, as what cannot be shown is no evidence.
    """
    kept = [m for m in result.get("measurements") or [] if m.get("phase") in COUNTS]
    founded = {phase: sum(m.get("phase") == phase and is_founded(m, by_value=by_value) for m in kept) for phase in COUNTS}
    metadata = result.get("metadata") or {}
    if any(key in metadata for key in COUNTS.values()):
        return {phase: founded[phase] + _number(metadata.get(key)) for phase, key in COUNTS.items()}
    if sum(founded.values()) < len(kept):
        return founded
    return {phase: max(founded[phase], _number(result.get(phase.lower()))) for phase in COUNTS}


def _number(value: object) -> int:
    """A count as the API keeps it; what is none counts nothing."""
    return int(str(value)) if str(value).isdecimal() else 0

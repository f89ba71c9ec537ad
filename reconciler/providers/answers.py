"""Answers as measurements: judged by the metric's conditions, or an error in words (contract 7)."""

from collections.abc import Mapping
from typing import Any

from reconciler.analysis.conditions import Conditions, assess
from reconciler.analysis.model import Measurement, RunPhase
from reconciler.analysis.provider import MeasurementTask


def judged(task: MeasurementTask, result: Any, value: str, metadata: Mapping[str, str]) -> Measurement:
    """What came back: the conditions see `result`, people see `value`."""
    assessed = assess(Conditions(task.metric.success_condition, task.metric.failure_condition), result, task.now)
    return Measurement(
        phase=assessed.phase,
        message=assessed.message,
        value=value,
        started=task.now,
        finished=task.now,
        metadata=metadata,
        result=result,
    )


def failed(task: MeasurementTask, error: object) -> Measurement:
    """A measurement that could not be taken."""
    return Measurement(phase=RunPhase.ERROR, message=str(error), started=task.now, finished=task.now)

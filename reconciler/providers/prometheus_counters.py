"""What a counter gained between two moments, in PromQL. Pure.

Not `increase`, which estimates: it stretches what it saw to the whole window, and a count that is a third too large is no count. Here the
value at the start is taken from the value at the end, series by series, so that windows that meet count every request once.
"""

from reconciler.analysis.provider import CounterTask
from reconciler.kernel.errors import Terminal

LOOKBACK = "1h"
"""A series that was silent at the start goes on from what it last said within this time."""


def gained_query(task: CounterTask) -> str:
    """To be asked at the end of the window.

    A series that fell began anew, and one without a word before began at 0, as the first error of a pod makes its series: both gained what
    they hold. But where no series was known at all the server has lost its history, or has just begun, and what counters hold by now was
    counted before or never: the window gained nothing.
    """
    window = round((task.end - task.start).total_seconds() * 1000)
    selector = task.selector.strip()
    before = f"last_over_time({selector}[{LOOKBACK}] offset {window}ms)"
    known = f"last_over_time({task.known_by.strip()}[{LOOKBACK}] offset {window}ms)"
    return f"sum((({selector} - {before}) >= 0 or {selector}) and on() {known})"


def gained_value(result: float | list[float]) -> float:
    """The one number of the answer; 0 where no series is known."""
    numbers = result if isinstance(result, list) else [result]
    if len(numbers) > 1:
        raise Terminal(f"prometheus answered {len(numbers)} series to a sum")
    return numbers[0] if numbers else 0.0

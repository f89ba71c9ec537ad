"""Samples in memory, bounded in age and in number of series. Times are whole milliseconds, as in Prometheus."""

from bisect import bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from reconciler_sandbox.metrics.labels import NAME, Labels, value_of

STALE = None
"""The value of a sample that says: from here on the series is not there (Prometheus's staleness marker)."""

Matcher = Callable[[Labels], bool]
TRIM_AT = 64  # old samples are cut off in blocks, not one by one


@dataclass(slots=True)
class Series:
    """One series: times ascending, and the value at each."""

    labels: Labels
    times: list[int] = field(default_factory=list)
    values: list[float | None] = field(default_factory=list)

    def between(self, after: int, until: int) -> list[tuple[int, float]]:
        """The samples in (after, until], staleness markers left out."""
        low, high = bisect_right(self.times, after), bisect_right(self.times, until)
        pairs = zip(self.times[low:high], self.values[low:high], strict=True)
        return [(time, value) for time, value in pairs if value is not None]

    def latest(self, after: int, until: int) -> float | None:
        """The last value in (after, until]; None if there is none or the series has gone."""
        position = bisect_right(self.times, until) - 1
        if position < 0 or self.times[position] <= after:
            return None
        return self.values[position]


class Store:
    """All series; a new one beyond `most_series` is refused, so that a bad target cannot fill the memory."""

    def __init__(self, retention: float, *, most_series: int = 50_000) -> None:
        self._retention = int(retention * 1000)
        self._most_series = most_series
        self._names: dict[str, dict[Labels, Series]] = {}
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def append(self, label_set: Labels, time: int, value: float | None) -> bool:
        """Add one sample; False if it is not newer than the series' last one or if the store is full."""
        series = self._series(label_set)
        if series is None or (series.times and series.times[-1] >= time):
            return False
        series.times.append(time)
        series.values.append(value)
        return True

    def select(self, name: str, matches: Sequence[Matcher]) -> list[Series]:
        """The series that satisfy every matcher; an empty name means any."""
        groups = [self._names.get(name, {})] if name else list(self._names.values())
        return [series for group in groups for labels, series in group.items() if all(match(labels) for match in matches)]

    def forget_before(self, now: int) -> None:
        """Drop what is older than the retention."""
        oldest = now - self._retention
        for name, group in list(self._names.items()):
            for label_set, series in list(group.items()):
                if series.times[-1] <= oldest:
                    del group[label_set]
                    self._count -= 1
                elif len(series.times) > TRIM_AT and series.times[TRIM_AT] <= oldest:
                    cut = bisect_right(series.times, oldest)
                    del series.times[:cut], series.values[:cut]
            if not group:
                del self._names[name]

    def _series(self, label_set: Labels) -> Series | None:
        group = self._names.setdefault(value_of(label_set, NAME), {})
        series = group.get(label_set)
        if series is None and self._count < self._most_series:
            series = group[label_set] = Series(label_set)
            self._count += 1
        return series

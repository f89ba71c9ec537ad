"""Geometry of the page's charts: numbers in, SVG coordinates out; the template draws them. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from reconciler.views.measuring.measured import MeasuredPoint, MetricSeries, limits_of, number_of
from reconciler.views.measuring.plots import ChartFrame, MetricPlot, WeightPlot, WeightRecord, metric_plot, weight_plot
from reconciler.views.weights import WeightPoint
from reconciler_sandbox.rehearsal.record import Measured, Requests, Weights

FAILED = ""
DISTANCES = (5, 10, 20, 30, 60, 120, 300, 600, 1800, 3600, 7200, 21600, 86400)
SECONDS_UNTIL = 300
"""Marks that are nearer to each other say seconds."""
SMALL = ChartFrame(40.0, 8.0, 170.0, 40.0)


@dataclass(frozen=True, slots=True)
class Frame:
    """The inside of a chart: seconds from left to right, percent from bottom to top."""

    seconds: float
    width: float = 900.0
    height: float = 150.0
    left: float = 44.0
    top: float = 18.0

    def x(self, second: float) -> float:
        return round(self.left + self.width * max(0.0, min(second, self.seconds)) / max(self.seconds, 1e-9), 1)

    def y(self, percent: float) -> float:
        return round(self.top + self.height * (1 - percent / 100), 1)

    @property
    def right(self) -> float:
        return self.left + self.width

    @property
    def bottom(self) -> float:
        return self.top + self.height

    def ticks(self) -> list[tuple[float, str]]:
        """Where the time axis has marks, and what they say."""
        distance = next((step for step in DISTANCES if self.seconds / step <= 12), DISTANCES[-1])
        return [(self.x(second), _words(second, distance)) for second in range(0, int(self.seconds) + 1, distance)]


def _words(second: int, distance: int) -> str:
    """A moment of the time axis: hours and minutes where the marks are minutes apart."""
    return f"{second} s" if distance < SECONDS_UNTIL else f"{second // 3600}:{second % 3600 // 60:02}"


@dataclass(frozen=True, slots=True)
class Band:
    """One version's part of the requests: a closed outline, and how many requests it stands for."""

    version: str
    points: str
    count: int


def bands(requests: Sequence[Requests], frame: Frame) -> list[Band]:
    """The shares of all versions per second, stacked up to 100 %, newest below and failures on top.

    A second without requests keeps the shares before it.
    """
    seen = {version for second in requests for version in second.versions}
    floor, found = [0.0] * len(requests), []
    for version in [*sorted(seen - {FAILED}, reverse=True), *sorted(seen & {FAILED})]:
        edge = [low + _percent(version, second) for low, second in zip(floor, requests, strict=True)]
        outline = [*_steps(requests, edge, frame), *reversed(_steps(requests, floor, frame))]
        count = sum(second.versions.get(version, 0) for second in requests)
        found.append(Band(version, " ".join(f"{x},{y}" for x, y in outline), count))
        floor = edge
    return found


def _percent(version: str, second: Requests) -> float:
    return 100 * second.versions.get(version, 0) / max(sum(second.versions.values()), 1)


def _steps(requests: Sequence[Requests], edge: Sequence[float], frame: Frame) -> list[tuple[float, float]]:
    """An edge that is level within each second and until the next one with requests."""
    ends = [*(second.at for second in requests[1:]), min(requests[-1].at + 1, frame.seconds)] if requests else []
    return [
        point
        for second, end, percent in zip(requests, ends, edge, strict=True)
        for point in ((frame.x(second.at), frame.y(percent)), (frame.x(end), frame.y(percent)))
    ]


def weight_plots(weights: Sequence[Weights], frame: Frame) -> list[tuple[str, WeightPlot]]:
    """By destination its weight over time, for each that ever had less than everything, the one with the lowest share first."""
    destinations = sorted(
        {name for moment in weights for name in moment.shares}, key=lambda name: sum(m.shares.get(name, 0) for m in weights)
    )
    drawn = ((name, _weight_plot(name, weights, frame)) for name in destinations[: max(1, len(destinations) - 1)])
    return [(name, plot) for name, plot in drawn if plot is not None]


def _weight_plot(destination: str, weights: Sequence[Weights], frame: Frame) -> WeightPlot | None:
    """Drawn as the console draws it; the times are seconds of the rehearsal."""
    points = [WeightPoint(_moment(min(moment.at, frame.seconds)), moment.shares.get(destination, 0)) for moment in weights]
    end = _moment(frame.seconds)
    record = WeightRecord(points=[*points, WeightPoint(end, points[-1].weight)], span=(_moment(0.0), end))
    return weight_plot(record, end, ChartFrame(frame.left, frame.top, frame.width, frame.height))


def _moment(second: float) -> datetime:
    return datetime.fromtimestamp(second, UTC)


def header_spans(weights: Sequence[Weights], frame: Frame) -> list[tuple[float, float]]:
    """When a header route was in force beside the weights: (x, width)."""
    ends = [*(moment.at for moment in weights[1:]), frame.seconds]
    return [(frame.x(m.at), round(frame.x(end) - frame.x(m.at), 1)) for m, end in zip(weights, ends, strict=True) if m.headers]


def measured_plot(measured: Measured) -> MetricPlot | None:
    """The measurements of a metric beside their limits, drawn as the console draws them; None where none is a number."""
    samples = tuple(
        MeasuredPoint(None, number_of(value), value, phase) for value, phase in zip(measured.values, measured.phases, strict=True)
    )
    series = MetricSeries(
        run=measured.run,
        kind="",
        metric=measured.metric,
        phase=measured.phase,
        condition=measured.limits,
        query="",
        message=measured.message,
        samples=samples,
        limits=limits_of(measured.limits),
        count=len(samples),
        failed=measured.failed,
        inconclusive=measured.inconclusive,
        unanswered=0,
        failure_limit="",
    )
    return metric_plot(series, SMALL)


def colours(versions: Sequence[str], palette: Sequence[str]) -> Mapping[str, str]:
    """A colour for each version, the same everywhere on the page."""
    named = sorted({version for version in versions if version != FAILED})
    return {version: palette[index % len(palette)] for index, version in enumerate(named)}

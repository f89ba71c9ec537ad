"""Geometry of the console's charts: times and numbers in, places of an SVG out; templates draw them. Pure."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from math import ceil, floor, log10

from reconciler.releases.share.record import ShareFinding
from reconciler.views.measuring.measured import MeasuredPoint, MetricSeries
from reconciler.views.track import Forecast
from reconciler.views.weights import WeightPoint

SPANS = (5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200, 86400, 172800, 604800, 2592000)
TICKS = 6
LAYOUTS = {"seconds": "%H:%M:%S", "time": "%H:%M", "day": "%d %b", "both": "%d %b %H:%M"}
ROOM = 34.0
"""How long a stretch has to be for its label."""


@dataclass(frozen=True, slots=True)
class ChartFrame:
    """The inside of a chart, in the units of its viewBox."""

    left: float
    top: float
    width: float
    height: float

    @property
    def right(self) -> float:
        return self.left + self.width

    @property
    def bottom(self) -> float:
        return self.top + self.height


@dataclass(frozen=True, slots=True)
class Tick:
    """One mark of an axis, and what it says."""

    place: float
    label: str
    at: datetime | None = None
    """The moment it stands for, so that a page may say it in the time of who reads it."""
    form: str = ""
    """How much of it is said: `time`, `seconds`, `day`, `both`."""


@dataclass(frozen=True, slots=True)
class Level:
    """A stretch of one weight, labelled in its middle."""

    x: float
    y: float
    label: str


@dataclass(frozen=True, slots=True)
class ShareDot:
    """The share of requests that was really served in one batch, with the span in which it is no finding."""

    x: float
    y: float
    top: float
    bottom: float
    mismatch: bool
    title: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class WeightRecord:
    """All that is known of the weight of a version over time."""

    points: Sequence[WeightPoint]
    """In force."""
    asked: Sequence[WeightPoint] = ()
    observed: Sequence[ShareFinding] = ()
    ahead: Forecast | None = None
    span: tuple[datetime, datetime] | None = None
    """From when to when it is drawn; None: as far as it is known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WeightPlot:
    """The weight over time: in force as a line, asked for and expected as broken ones, served as dots."""

    frame: ChartFrame
    line: str
    area: str
    ahead: str
    asked: str
    """What the steps asked for; empty where it was never another weight than the one in force."""
    observed: tuple["ShareDot", ...]
    now: float | None
    levels: tuple[Level, ...]
    xs: tuple[Tick, ...]
    ys: tuple[Tick, ...]
    stop: float | None
    """Where the forecast ends, because what comes then has no written length."""
    stop_y: float


@dataclass(frozen=True, slots=True)
class PlotDot:
    """One measurement; `shape` is said by more than its colour."""

    x: float
    y: float
    phase: str
    title: str
    at: datetime | None


@dataclass(frozen=True, slots=True)
class PlotLimit:
    """The line of a limit, the band on its bad side, and the number."""

    y: float
    label: str
    band_top: float
    band_height: float


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricPlot:
    """The measurements of one metric against its limits."""

    frame: ChartFrame
    line: str
    dots: tuple[PlotDot, ...]
    limits: tuple[PlotLimit, ...]
    xs: tuple[Tick, ...]
    ys: tuple[Tick, ...]


WEIGHT_FRAME = ChartFrame(44.0, 22.0, 840.0, 130.0)
NARROW_FRAME = ChartFrame(44.0, 22.0, 380.0, 110.0)
"""The same chart for a phone."""
METRIC_FRAME = ChartFrame(52.0, 12.0, 330.0, 92.0)


def weight_plot(record: WeightRecord, now: datetime, frame: ChartFrame) -> WeightPlot | None:
    """The chart of a weight; None when fewer than two moments are known."""
    points, ahead = record.points, record.ahead
    times = [point.at for point in points] + ([ahead.reached, *(one.at for one in ahead.ahead)] if ahead else [])
    times += record.span or ()
    if not points or min(times) == max(times):
        return None
    scale = _TimeScale(
        min(times), max(times) + (max(times) - min(times)) * 0.04 if ahead else max(times), frame, ticks=int(frame.width // 120)
    )
    corners = _corners(points, scale, frame)
    asked = _corners(record.asked, scale, frame)
    broken = _expected(points[-1], ahead, scale, frame) if ahead is not None else []
    return WeightPlot(
        frame=frame,
        line=_text(corners),
        area=_text([(corners[0][0], frame.bottom), *corners, (corners[-1][0], frame.bottom)]),
        ahead=_text(broken),
        asked=_text(asked) if asked != corners else "",
        observed=tuple(_served(one, scale, frame) for one in record.observed if min(times) <= one.until <= max(times)),
        now=scale.x(now) if ahead is not None else None,
        levels=_levels(corners, points, frame),
        xs=scale.ticks(),
        ys=tuple(Tick(_percent(percent, frame), f"{percent} %") for percent in (0, 50, 100)),
        stop=broken[-1][0] if broken and ahead is not None and ahead.until is not None else None,
        stop_y=broken[-1][1] if broken else frame.bottom,
    )


def _corners(points: Sequence[WeightPoint], scale: "_TimeScale", frame: ChartFrame) -> list[tuple[float, float]]:
    return _stairs([(scale.x(point.at), _percent(point.weight, frame)) for point in points])


def _expected(last: WeightPoint, ahead: Forecast, scale: "_TimeScale", frame: ChartFrame) -> list[tuple[float, float]]:
    """From the weight of now as far as the steps tell."""
    steps = [(scale.x(last.at), _percent(last.weight, frame))]
    steps += [(scale.x(one.at), _percent(one.weight, frame)) for one in ahead.ahead]
    end = scale.x(ahead.reached) if ahead.until is not None else frame.right
    return _stairs([*steps, (max(end, steps[-1][0]), steps[-1][1])])


def _served(one: ShareFinding, scale: "_TimeScale", frame: ChartFrame) -> ShareDot:
    low, high = one.configured - one.tolerated, one.configured + one.tolerated
    title = f"{one.served:g} % of {one.requests:.0f} requests, at weight {one.configured:g} %"
    x, y, top, bottom = scale.x(one.until), *(_percent(percent, frame) for percent in (one.served, high, low))
    return ShareDot(x, y, top, bottom, one.mismatch, title, one.until)


def _levels(corners: Sequence[tuple[float, float]], points: Sequence[WeightPoint], frame: ChartFrame) -> tuple[Level, ...]:
    """Labels of the stretches that have room for one."""
    found = []
    for point, (begin, y), (end, _) in zip(points, corners[::2], corners[1::2], strict=False):
        if point.weight and end - begin > ROOM:
            found.append(Level(round((begin + end) / 2, 1), round(max(y - 5, frame.top - 3), 1), f"{point.weight} %"))
    return tuple(found)


def _percent(weight: float, frame: ChartFrame) -> float:
    return round(frame.top + frame.height * (1 - min(max(weight, 0), 100) / 100), 1)


def _stairs(points: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    """A line that stays level until the next point: two corners a point, one for the last."""
    found: list[tuple[float, float]] = []
    for (x, y), (until, _) in pairwise(points):
        found += [(x, y), (until, y)]
    return [*found, points[-1]] if points else []


def metric_plot(series: MetricSeries, frame: ChartFrame = METRIC_FRAME) -> MetricPlot | None:
    """The chart of a metric; None when no measurement is a number."""
    numbers = [sample.number for sample in series.samples if sample.number is not None]
    if not numbers:
        return None
    low, high = _range([*numbers, *(limit.number for limit in series.limits)])

    def y(number: float) -> float:
        return round(frame.top + frame.height * (1 - (number - low) / (high - low)), 1)

    xs, ticks = _columns(series.samples, frame)
    dots = tuple(
        PlotDot(x, y(sample.number) if sample.number is not None else frame.bottom, sample.phase, _title(sample), sample.at)
        for x, sample in zip(xs, series.samples, strict=True)
    )
    line = _text([(dot.x, dot.y) for dot, sample in zip(dots, series.samples, strict=True) if sample.number is not None])
    return MetricPlot(
        frame=frame,
        line=line,
        dots=dots,
        limits=tuple(_limit(limit.number, limit.sign, limit.fails, y, frame) for limit in series.limits),
        xs=ticks,
        ys=tuple(Tick(y(number), _short(number)) for number in (low, high)),
    )


def _limit(number: float, sign: str, fails: bool, y: Callable[[float], float], frame: ChartFrame) -> PlotLimit:
    """Below a lower limit it is bad, above an upper one."""
    at = y(number)
    good_above = sign.startswith(">") != fails
    top = at if good_above else frame.top
    return PlotLimit(at, f"{sign} {_short(number)}", top, round((frame.bottom if good_above else at) - top, 1))


def _range(numbers: Sequence[float]) -> tuple[float, float]:
    """Round numbers around these, with a little room; zero where it is near."""
    low, high = min(numbers), max(numbers)
    room = (high - low) * 0.12 or abs(high) * 0.1 or 1.0
    bottom = 0.0 if 0 <= low < room * 2 else low - room
    span = high + room - bottom
    step = 10.0 ** floor(log10(span))
    step = step if span > 4 * step else step / 4
    return floor(bottom / step) * step, ceil((high + room) / step) * step


def _columns(samples: Sequence[MeasuredPoint], frame: ChartFrame) -> tuple[list[float], tuple[Tick, ...]]:
    """Where measurements stand: by time where all have one, else one after another."""
    times = [sample.at for sample in samples if sample.at is not None]
    if len(times) == len(samples) and min(times) < max(times):
        scale = _TimeScale(min(times), max(times), frame, margin=8.0, ticks=3)
        return [scale.x(at) for at in times], scale.ticks()
    gap = (frame.width - 16) / max(len(samples) - 1, 1)
    return [round(frame.left + 8 + gap * place, 1) for place in range(len(samples))], ()


def _title(sample: MeasuredPoint) -> str:
    return f"{sample.text or 'no value'}{f', {sample.phase}' if sample.phase else ''}"


def _short(number: float) -> str:
    return f"{number:.4g}"


def _text(points: Iterable[tuple[float, float]]) -> str:
    return " ".join(f"{x},{y}" for x, y in points)


class _TimeScale:
    """Times from left to right."""

    def __init__(self, begin: datetime, end: datetime, frame: ChartFrame, *, margin: float = 0.0, ticks: int = TICKS) -> None:
        self._begin = begin
        self._seconds = (end - begin).total_seconds()
        self._frame = frame
        self._margin = margin
        self._most = ticks

    def x(self, at: datetime) -> float:
        share = (at - self._begin).total_seconds() / self._seconds
        return round(self._frame.left + self._margin + (self._frame.width - 2 * self._margin) * min(max(share, 0.0), 1.0), 1)

    def ticks(self) -> tuple[Tick, ...]:
        """Round times, in UTC; the day is said where the chart is longer than one."""
        distance = next((span for span in SPANS if self._seconds / span <= self._most), SPANS[-1] * 12)
        form = "seconds" if distance < 60 else "time" if self._seconds <= 86400 else "day" if distance >= 86400 else "both"
        first = -(-self._begin.timestamp() // distance) * distance
        moments = [datetime.fromtimestamp(first, UTC) + timedelta(seconds=distance * place) for place in range(self._most + 2)]
        end = self._begin + timedelta(seconds=self._seconds)
        return tuple(Tick(self.x(at), at.strftime(LAYOUTS[form]), at, form) for at in moments if self._begin <= at <= end)

"""Geometry of the page's charts: numbers in, SVG coordinates out; the template draws them. Pure."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from reconciler_sandbox.rehearsal.record import Measured, Requests, Weights

FAILED = ""
LIMIT = re.compile(r"result(?:\[0\])?\s*(?:>=|>|<=|<)\s*([0-9.]+)")
NUMBER = re.compile(r"-?\d+(?:\.\d+)?(?:e-?\d+)?")


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
        distance = next((step for step in (5, 10, 20, 30, 60, 120, 300, 600) if self.seconds / step <= 12), 1800)
        return [(self.x(second), f"{second} s") for second in range(0, int(self.seconds) + 1, distance)]


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


@dataclass(frozen=True, slots=True)
class Line:
    """The weight of one destination over time: a step line, its closed area, and labels at each level."""

    destination: str
    points: str
    area: str
    labels: tuple[tuple[float, float, str], ...]


def weight_lines(weights: Sequence[Weights], frame: Frame) -> list[Line]:
    """A line per destination that ever had less than everything, the one with the lowest share first."""
    destinations = sorted(
        {name for moment in weights for name in moment.shares}, key=lambda name: sum(m.shares.get(name, 0) for m in weights)
    )
    return [_line(name, weights, frame) for name in destinations[: max(1, len(destinations) - 1)]] if weights else []


def _line(destination: str, weights: Sequence[Weights], frame: Frame) -> Line:
    ends = [*(moment.at for moment in weights[1:]), frame.seconds]
    levels = [(moment.at, end, moment.shares.get(destination, 0)) for moment, end in zip(weights, ends, strict=True)]
    corners = [corner for begin, end, share in levels for corner in ((frame.x(begin), frame.y(share)), (frame.x(end), frame.y(share)))]
    points = " ".join(f"{x},{y}" for x, y in corners)
    area = f"{corners[0][0]},{frame.bottom} {points} {corners[-1][0]},{frame.bottom}"
    labels = [(frame.x((begin + end) / 2), frame.y(share) - 4, f"{share} %") for begin, end, share in levels if share and end - begin > 0.5]
    return Line(destination, points, area, tuple(labels))


def header_spans(weights: Sequence[Weights], frame: Frame) -> list[tuple[float, float]]:
    """When a header route was in force beside the weights: (x, width)."""
    ends = [*(moment.at for moment in weights[1:]), frame.seconds]
    return [(frame.x(m.at), round(frame.x(end) - frame.x(m.at), 1)) for m, end in zip(weights, ends, strict=True) if m.headers]


@dataclass(frozen=True, slots=True)
class Dot:
    """One measurement in a small chart 180 wide and 40 high."""

    x: float
    y: float
    phase: str
    value: str


@dataclass(frozen=True, slots=True)
class Spark:
    """The measurements of one metric as dots, with the line of the limit they were held against."""

    dots: tuple[Dot, ...]
    limit: float | None
    limit_text: str


def spark(measured: Measured, width: float = 180.0, height: float = 40.0) -> Spark:
    """A small chart of a metric; values that are no numbers are drawn in the middle."""
    numbers = [_number(value) for value in measured.values]
    match = LIMIT.search(measured.limits)
    limit = float(match[1]) if match else None
    known = [number for number in [*numbers, limit] if number is not None]
    low, high = min([0.0, *known]), max([1.0, *known])

    def y(number: float | None) -> float:
        return round(height / 2 if number is None else 4 + (height - 8) * (1 - (number - low) / (high - low)), 1)

    gap = (width - 16) / max(len(numbers) - 1, 1)
    dots = tuple(
        Dot(round(8 + gap * index, 1), y(number), phase, value)
        for index, (number, phase, value) in enumerate(zip(numbers, measured.phases, measured.values, strict=True))
    )
    return Spark(dots, None if limit is None else y(limit), "" if limit is None else f"{limit:g}")


def _number(value: str) -> float | None:
    match = NUMBER.search(value)
    return float(match[0]) if match else None


def colours(versions: Sequence[str], palette: Sequence[str]) -> Mapping[str, str]:
    """A colour for each version, the same everywhere on the page."""
    named = sorted({version for version in versions if version != FAILED})
    return {version: palette[index % len(palette)] for index, version in enumerate(named)}

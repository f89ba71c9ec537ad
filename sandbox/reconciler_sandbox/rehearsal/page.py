"""Renders the report as one HTML file that needs nothing else: inline SVG and CSS, everything escaped, no network."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files

from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined
from markdown_it import MarkdownIt
from markupsafe import Markup

from reconciler.views.measuring.plots import MetricPlot, WeightPlot
from reconciler_sandbox.rehearsal.charts import FAILED, Band, Frame, bands, colours, header_spans, measured_plot, weight_plots
from reconciler_sandbox.rehearsal.record import Entry, Measured, PullPage, Report
from reconciler_sandbox.rehearsal.shares import named

PALETTE = ("#4c78dd", "#1f9e89", "#e08a1e", "#8f5bd0", "#c2538f", "#6b7f2a")
FAILED_COLOUR = "#d13b3b"
WEIGHT_HEIGHT, REQUEST_HEIGHT = 80.0, 150.0
LABEL_WIDTH = 13.0
CONSOLE = "reconciler.app.console"
"""Its drawings (charts.html.j2, charts.css) are this page's, too."""
HIDDEN = re.compile(r"\A\s*<!--.*?-->\s*", re.DOTALL)
DIFF_KINDS: Mapping[str, str] = {"+++": "head", "---": "head", "diff": "head", "index": "head", "@@": "place", "+": "came", "-": "gone"}


@dataclass(frozen=True, slots=True)
class Route:
    """The chart of one weighted route."""

    name: str
    plots: list[tuple[str, WeightPlot]]
    headers: list[tuple[float, float]]


@dataclass(frozen=True, slots=True)
class Crowd:
    """The chart of one traffic's answers."""

    name: str
    bands: list[Band]
    total: int


@dataclass(frozen=True, slots=True)
class Mark:
    """Something that happened, as a numbered line through the charts; `label` is where its number has room."""

    number: int
    x: float
    label: float
    at: float
    text: str


@dataclass(frozen=True, slots=True)
class Section:
    """One lane of the rehearsal with everything that is known about it."""

    lane: str
    title: str
    say: str
    marks: list[Mark]
    routes: list[Route]
    crowds: list[Crowd]
    measured: list[tuple[Measured, MetricPlot | None]]
    pulls: list[tuple[PullPage, list[Markup]]]
    restores: list[list[tuple[str, str]]]
    entries: list[Entry]


def page(report: Report) -> str:
    """The whole page."""
    environment = Environment(
        loader=ChoiceLoader([PackageLoader("reconciler_sandbox.rehearsal"), PackageLoader(CONSOLE)]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    versions = [version for seconds in report.requests.values() for second in seconds for version in second.versions]
    frames = {"weights": Frame(report.seconds, height=WEIGHT_HEIGHT), "requests": Frame(report.seconds, height=REQUEST_HEIGHT)}
    return environment.get_template("page.html.j2").render(
        report=report,
        sections=sections(report, frames),
        frames=frames,
        colours={**colours(versions, PALETTE), FAILED: FAILED_COLOUR},
        named=named,
        drawings=Markup((files(CONSOLE) / "static" / "charts.css").read_text("utf-8")),  # our own file
    )


def sections(report: Report, frames: Mapping[str, Frame]) -> list[Section]:
    """One section per lane, in the order of their first entries; lanes inside a lane belong to it."""
    lanes = dict.fromkeys(entry.lane.partition("/")[0] for entry in report.entries)
    return [_section(report, lane, frames) for lane in lanes]


def _section(report: Report, lane: str, frames: Mapping[str, Frame]) -> Section:
    entries = [entry for entry in report.entries if entry.lane.partition("/")[0] == lane]
    return Section(
        lane=lane,
        title=next((entry.text for entry in entries if entry.kind == "title"), lane),
        say=next((entry.text for entry in entries if entry.kind == "say"), ""),
        marks=_marks(entries, frames["requests"]),
        routes=_routes(report, lane, frames["weights"]),
        crowds=[_crowd(name, report, frames["requests"]) for name in report.requests if _belongs(name, lane)],
        measured=[(measured, measured_plot(measured)) for measured in report.measured if _belongs(measured.run, lane)],
        pulls=[(pull, [markdown(comment) for comment in pull.comments]) for pull in report.pulls if _belongs(pull.title, lane)],
        restores=[diff_lines(restore) for restore in report.restores if _belongs(restore, lane)],
        entries=[entry for entry in entries if entry.kind != "title"],
    )


def _belongs(text: str, lane: str) -> bool:
    return re.search(rf"\b{re.escape(lane)}\b", text.partition("\n")[0]) is not None


def _marks(entries: Sequence[Entry], frame: Frame) -> list[Mark]:
    found: list[Mark] = []
    for entry in entries:
        if entry.kind == "step":
            x = frame.x(entry.at)
            label = max(x, found[-1].label + LABEL_WIDTH) if found else x
            found.append(Mark(len(found) + 1, x, label, entry.at, entry.text))
    return found


def _routes(report: Report, lane: str, frame: Frame) -> list[Route]:
    names = dict.fromkeys(moment.route for moment in report.weights if _belongs(moment.route, lane))
    found = []
    for name in names:
        moments = [moment for moment in report.weights if moment.route == name]
        found.append(Route(name, weight_plots(moments, frame), header_spans(moments, frame)))
    return found


def _crowd(name: str, report: Report, frame: Frame) -> Crowd:
    requests = report.requests[name]
    return Crowd(name, bands(requests, frame), sum(sum(second.versions.values()) for second in requests))


def markdown(text: str) -> Markup:
    """A comment as the forge shows it: its hidden marker left out, HTML shown as text, no images."""
    renderer = MarkdownIt("commonmark", {"html": False}).enable("table").disable("image")
    return Markup(renderer.render(HIDDEN.sub("", text)))


def diff_lines(text: str) -> list[tuple[str, str]]:
    """The lines of `git show`, each with what it is; above the first file there are only words."""
    lines = text.splitlines()
    first = next((index for index, line in enumerate(lines) if line.startswith("diff --git ")), len(lines))
    return [(_kind(line) if index >= first else "", line) for index, line in enumerate(lines)]


def _kind(line: str) -> str:
    return next((kind for start, kind in DIFF_KINDS.items() if line.startswith(start)), "")

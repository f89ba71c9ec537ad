"""Renders played releases as one HTML file that needs nothing else: no script, no network, everything escaped."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files

from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from reconciler.views.measuring.plots import MetricPlot
from reconciler_sandbox.rehearsal.charts import FAILED, Band, Frame, bands, colours, measured_plot
from reconciler_sandbox.rehearsal.chronicle import Moment, clock_words
from reconciler_sandbox.rehearsal.page import CONSOLE, FAILED_COLOUR, PALETTE, diff_lines
from reconciler_sandbox.rehearsal.played import GitCommit, Played
from reconciler_sandbox.rehearsal.record import Measured, Pods, Requests, Shares

USERS_HEIGHT, PODS_HEIGHT = 150.0, 90.0
NOBODY = "no pod"


@dataclass(frozen=True, slots=True)
class PodLine:
    """How many pods of a version were available: a line of steps, and the most there were."""

    version: str
    points: str
    most: int


@dataclass(frozen=True, slots=True)
class Law:
    """One law or expectation, and what was wrong with it; nothing if it held."""

    name: str
    wrong: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Sheet:
    """One played release with everything that is drawn of it; times count from its push."""

    anchor: str
    played: Played
    frame: Frame
    pods_frame: Frame
    users: list[Band]
    names: Mapping[str, str]
    pods: list[PodLine]
    most_pods: int
    measured: list[tuple[Measured, MetricPlot | None]]
    moments: list[tuple[str, Moment]]
    commits: list[tuple[GitCommit, list[tuple[str, str]]]]
    laws: list[Law]


def played_page(title: str, played: Sequence[Played]) -> str:
    """The whole page."""
    environment = Environment(
        loader=ChoiceLoader([PackageLoader("reconciler_sandbox.rehearsal"), PackageLoader(CONSOLE)]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    sheets = [_sheet(number, one) for number, one in enumerate(played, 1)]
    versions = [version for sheet in sheets for version in sheet.names]
    return environment.get_template("played.html.j2").render(
        title=title,
        sheets=sheets,
        failed=[sheet for sheet in sheets if sheet.played.wrong],
        colours={**colours(versions, PALETTE), FAILED: FAILED_COLOUR},
        clock_words=clock_words,
        drawings=Markup((files(CONSOLE) / "static" / "charts.css").read_text("utf-8")),  # our own file
    )


def _sheet(number: int, played: Played) -> Sheet:
    begun, seconds = played.begun, max(played.seconds, 1.0)
    frame, pods_frame = Frame(seconds, height=USERS_HEIGHT), Frame(seconds, height=PODS_HEIGHT)
    chronicle = played.chronicle
    own = {version for version, workload in chronicle.owners.items() if workload == played.workload}
    requests = _requests(_of_versions(played.shares, own | {FAILED}), begun, seconds)
    pods = [one for one in chronicle.pods if one.at <= begun + seconds and one.version in own]
    most = max((max(one.available, one.wanted) for one in pods), default=1) or 1
    seen = dict.fromkeys([*(version for second in requests for version in second.versions), *(one.version for one in pods)])
    return Sheet(
        anchor=f"release-{number}",
        played=played,
        frame=frame,
        pods_frame=pods_frame,
        users=bands(requests, frame),
        names={version: _named(version, chronicle.images) for version in seen},
        pods=_pod_lines(pods, begun, pods_frame, most),
        most_pods=most,
        measured=[(one, measured_plot(one)) for one in chronicle.measured],
        moments=[(_after(moment.at - begun), moment) for moment in chronicle.moments],
        commits=[(commit, diff_lines(commit.diff)) for commit in played.commits],
        laws=_laws(played),
    )


def _of_versions(shares: Sequence[Shares], versions: Collection[str]) -> list[Shares]:
    """Beside the workload that is released there may be others."""
    return [Shares(one.at, {version: rate for version, rate in one.rates.items() if version in versions}) for one in shares]


def _requests(shares: Sequence[Shares], begun: float, seconds: float) -> list[Requests]:
    """The rates from the push on, as counts in thousandths; what held before the push counts from it."""
    before = [one for one in shares if one.at <= begun][-1:]
    during = [one for one in shares if begun < one.at <= begun + seconds]
    moved = [Shares(begun, one.rates) for one in before] + during
    counted = [Requests(one.at - begun, {version: round(rate * 1000) for version, rate in one.rates.items()}) for one in moved]
    return [*counted, Requests(seconds, counted[-1].versions)] if counted else []


def _pod_lines(pods: Sequence[Pods], begun: float, frame: Frame, most: int) -> list[PodLine]:
    return [_pod_line(version, pods, begun, frame, most) for version in dict.fromkeys(one.version for one in pods)]


def _pod_line(version: str, pods: Sequence[Pods], begun: float, frame: Frame, most: int) -> PodLine:
    known = [one for one in pods if one.version == version]
    count = next((one.available for one in reversed(known) if one.at <= begun), 0)
    points = [f"{frame.left},{frame.y(100 * count / most)}"]
    for one in known:
        if one.at > begun:
            before, count = count, one.available
            points += [f"{frame.x(one.at - begun)},{frame.y(100 * level / most)}" for level in (before, count)]
    points.append(f"{frame.right},{frame.y(100 * count / most)}")
    return PodLine(version, " ".join(points), max(one.available for one in known))


def _named(version: str, images: Mapping[str, str]) -> str:
    """What people know a version by: the tag of its image, and its pod hash."""
    if not version:
        return NOBODY
    image = images.get(version, "")
    return f"{image.rpartition('/')[2]} ({version})" if image else version


def _after(seconds: float) -> str:
    """Before the push a moment has no time of its own: it belongs to the installation."""
    return clock_words(seconds) if seconds >= 0 else "before"


def _laws(played: Played) -> list[Law]:
    """Each law that was checked, then the expectation, then whatever else was wrong."""
    told = [Law(name, tuple(wrong.partition(": ")[2] for wrong in played.wrong if wrong.startswith(f"{name}:"))) for name in played.laws]
    verdict = [wrong for wrong in played.wrong if wrong.startswith("expected the verdict")]
    if played.expected != "any":
        told.append(Law(f"the verdict is {played.expected}", tuple(verdict)))
    known = [f"{name}:" for name in played.laws]
    others = [wrong for wrong in played.wrong if wrong not in verdict and not wrong.startswith(tuple(known))]
    return [*told, *(Law(wrong.partition(": ")[0], (wrong.partition(": ")[2],)) for wrong in others)]

"""A backtest as one page of HTML with a chart per release: plain markup and SVG, no script, nothing loaded from anywhere. Pure."""

from collections.abc import Iterator, Mapping
from html import escape

from reconciler.kernel.moment import parse_moment
from reconciler.views.measuring.analyses import TriedMeasurement, TriedMetric
from reconciler.views.measuring.backtests import Backtest, BacktestRow, Hindsight

WIDTH, LANE, LEFT = 720, 22, 150
MARKS: Mapping[str, str] = {"Successful": "ok", "Failed": "bad", "Inconclusive": "open", "Error": "none"}
"""The class of a measurement's mark, by its phase."""
WORTH: Mapping[Hindsight, str] = {
    Hindsight.CAUGHT: "ok",
    Hindsight.RIGHT: "ok",
    Hindsight.MISSED: "bad",
    Hindsight.FALSE_ALARM: "bad",
    Hindsight.NO_ANSWER: "open",
    Hindsight.UNKNOWN: "none",
}
LOOKS = """
:root{color-scheme:light dark;--ink:#1b1f24;--paper:#fff;--line:#c9d1d9;--ok:#1a7f37;--bad:#cf222e;--open:#9a6700;--none:#6e7781}
@media(prefers-color-scheme:dark){:root{--ink:#e6edf3;--paper:#0d1117;--line:#30363d;--ok:#3fb950;--bad:#f85149;--open:#d29922;--none:#8b949e}}
body{font:15px/1.5 system-ui,sans-serif;color:var(--ink);background:var(--paper);max-width:60rem;margin:2rem auto;padding:0 1rem}
table{border-collapse:collapse;width:100%}td,th{text-align:left;padding:.25rem .6rem;border-bottom:1px solid var(--line)}
svg{max-width:100%;height:auto}text{fill:var(--ink);font:12px system-ui,sans-serif}
.ok{fill:var(--ok);color:var(--ok)}.bad{fill:var(--bad);color:var(--bad)}.open{fill:var(--open);color:var(--open)}
.none{fill:var(--none);color:var(--none)}.lane{stroke:var(--line)}.end{stroke:var(--bad);stroke-width:2}
"""


def backtest_page(found: Backtest) -> str:
    """The whole page."""
    title = escape(f"Backtest of {found.template}")
    parts = [
        '<!doctype html><html lang="en"><head><meta charset="utf-8">',
        '<meta name="viewport" content="width=device-width,initial-scale=1">',
        f"<title>{title}</title><style>{LOOKS}</style></head><body><h1>{title}</h1>",
        f"<p>{escape(summary(found))}</p>",
        *_table(found),
        "<p>Marks: ● succeeded, ■ failed, ◆ inconclusive, ○ no measurement. The upright line is when the template had failed it.</p>",
        *(part for row in found.releases for part in _chart(row)),
        "</body></html>\n",
    ]
    return "\n".join(parts)


def summary(found: Backtest) -> str:
    """The sums in one sentence."""
    soon = "" if found.median_seconds_to_detect is None else f", after {duration(found.median_seconds_to_detect)} at the median"
    told = f"{found.caught} of {found.bad} bad releases caught{soon}; {found.false_alarms} of {found.good} good ones failed"
    return f"{told}; no answer about {found.no_answer}" if found.no_answer else told


def duration(seconds: float | None) -> str:
    """`4m30s`; nothing for nothing."""
    if seconds is None:
        return ""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return "".join(f"{number}{unit}" for number, unit in ((hours, "h"), (minutes, "m"), (rest, "s")) if number) or "0s"


def exposed(requests: float | None) -> str:
    """A count of requests for a table."""
    return "" if requests is None else f"{requests:,.0f}"


def _table(found: Backtest) -> Iterator[str]:
    heads = ("release", "began", "known", "said", "detected after", "requests until then", "hindsight")
    yield f"<table><thead><tr>{''.join(f'<th>{head}</th>' for head in heads)}</tr></thead><tbody>"
    for row in found.releases:
        cells = (row.release, row.start, row.outcome, row.said, duration(row.seconds_to_detect), exposed(row.requests_exposed))
        shown = "".join(f"<td>{escape(str(cell))}</td>" for cell in cells)
        yield f'<tr>{shown}<td class="{WORTH[row.hindsight]}">{row.hindsight}</td></tr>'
    yield "</tbody></table>"


def _chart(row: BacktestRow) -> Iterator[str]:
    """A lane for each metric, a mark for each measurement, on the time of the release."""
    height = LANE * (len(row.metrics) + 1)
    name = escape(f"{row.release}: {row.hindsight}", quote=True)
    yield f"<h2>{escape(row.release)}</h2><p>{escape(row.reason)}</p>"
    yield f'<svg viewBox="0 0 {LEFT + WIDTH + 10} {height}" role="img" aria-label="{name}">'
    for number, metric in enumerate(row.metrics):
        yield from _lane(row, metric, LANE * number + LANE / 2)
    if row.seconds_to_detect is not None:
        at = _place(row, row.seconds_to_detect)
        yield f'<line class="end" x1="{at:.1f}" x2="{at:.1f}" y1="0" y2="{height - LANE}"/>'
    yield f'<text x="{LEFT}" y="{height - 6}">0</text>'
    yield f'<text x="{LEFT + WIDTH}" y="{height - 6}" text-anchor="end">{duration(_length(row))}</text></svg>'


def _lane(row: BacktestRow, metric: TriedMetric, middle: float) -> Iterator[str]:
    yield f'<text x="0" y="{middle + 4:.1f}">{escape(metric.name[:22])}</text>'
    yield f'<line class="lane" x1="{LEFT}" x2="{LEFT + WIDTH}" y1="{middle:.1f}" y2="{middle:.1f}"/>'
    for measured in metric.measurements:
        yield _mark(measured, _place(row, _after(row, measured)), middle)


def _mark(measured: TriedMeasurement, at: float, middle: float) -> str:
    kind = MARKS.get(measured.phase, "none")
    said = escape(" ".join(filter(None, (measured.at, measured.phase, measured.value, measured.message)))[:300])
    shapes = {
        "ok": f'<circle class="ok" cx="{at:.1f}" cy="{middle:.1f}" r="4">',
        "bad": f'<rect class="bad" x="{at - 4:.1f}" y="{middle - 4:.1f}" width="8" height="8">',
        "open": f'<path class="open" d="M{at:.1f} {middle - 5:.1f}l5 5-5 5-5-5z">',
        "none": f'<circle class="none" cx="{at:.1f}" cy="{middle:.1f}" r="4" fill-opacity="0" stroke="currentColor">',
    }
    tag = shapes[kind].partition(" ")[0][1:]
    return f"{shapes[kind]}<title>{said}</title></{tag}>"


def _after(row: BacktestRow, measured: TriedMeasurement) -> float:
    return (parse_moment(measured.at) - parse_moment(row.start)).total_seconds()


def _length(row: BacktestRow) -> float:
    return max((parse_moment(row.end) - parse_moment(row.start)).total_seconds(), 1.0)


def _place(row: BacktestRow, seconds: float) -> float:
    return LEFT + WIDTH * min(max(seconds / _length(row), 0.0), 1.0)

"""The geometry of the page's charts."""

from pathlib import Path

from reconciler_sandbox.rehearsal import charts
from reconciler_sandbox.rehearsal.charts import Frame, bands, colours, header_spans, measured_plot, weight_plots
from reconciler_sandbox.rehearsal.record import Requests, Weights

from reconciler.app import console
from tests.kit.rehearsal import measured

FRAME = Frame(10.0, width=100, height=100, left=0, top=0)


def test_shares_are_stacked_to_a_hundred_percent_with_failures_on_top() -> None:
    found = bands([Requests(0, {"1.0": 5, "1.1": 4, "": 1})], FRAME)
    assert [(band.version, band.count) for band in found] == [("1.1", 4), ("1.0", 5), ("", 1)]
    assert found[0].points == "0.0,60.0 10.0,60.0 10.0,100.0 0.0,100.0"
    assert found[-1].points.startswith("0.0,0.0 10.0,0.0")


def test_a_second_without_requests_keeps_the_shares_before_it() -> None:
    (band,) = bands([Requests(0, {"1.0": 1}), Requests(5, {"1.0": 1})], FRAME)
    assert band.points.startswith("0.0,0.0 50.0,0.0 50.0,0.0 60.0,0.0")


def test_nothing_recorded_draws_nothing() -> None:
    assert bands([], FRAME) == [] and weight_plots([], FRAME) == []


def test_a_weight_is_a_step_line_until_the_end() -> None:
    moments = [Weights(0, "r", {"stable": 100, "canary": 0}), Weights(5, "r", {"stable": 60, "canary": 40}, ("testers",))]
    ((destination, plot),) = weight_plots(moments, FRAME)
    assert destination == "canary"
    assert plot.line == "0.0,100.0 50.0,100.0 50.0,60.0 100.0,60.0 100.0,60.0"
    assert [level.label for level in plot.levels] == ["40 %"]
    assert header_spans(moments, FRAME) == [(50.0, 50.0)]


def test_time_beyond_the_end_stays_inside_the_frame() -> None:
    assert FRAME.x(99) == 100 and FRAME.x(-1) == 0


def test_the_time_axis_has_at_most_a_dozen_marks() -> None:
    assert [label for _, label in Frame(60.0).ticks()][:3] == ["0 s", "5 s", "10 s"]
    assert len(Frame(3600.0).ticks()) <= 13


def test_measurements_stand_beside_their_limit() -> None:
    chart = measured_plot(measured())
    assert chart is not None
    (limit,) = chart.limits
    good, bad = chart.dots
    assert limit.label == ">= 0.95" and good.y < limit.y < bad.y


def test_measurements_without_a_number_are_not_drawn() -> None:
    assert measured_plot(measured(values=("",), phases=("Failed",), limits="")) is None


def test_both_pages_draw_with_the_same_templates() -> None:
    """The console's page of a release and the demo's page import charts.html.j2, and neither draws a line of its own."""
    folders = [Path(charts.__file__).parent / "templates", Path(console.__file__).parent / "templates"]
    for folder, pages in zip(folders, (("weights", "measured"), ("release", "metric")), strict=True):
        for name in pages:
            text = (folder / f"{name}.html.j2").read_text()
            assert 'import "charts.html.j2"' in text and "<polyline" not in text and "<polygon" not in text


def test_a_version_has_one_colour() -> None:
    assert colours(["1.1", "1.0", "1.1", ""], ["red", "blue"]) == {"1.0": "red", "1.1": "blue"}

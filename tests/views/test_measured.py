"""Measurements against limits, and where they are drawn."""

from datetime import UTC, datetime, timedelta

import pytest

from reconciler.releases.model import Evidence
from reconciler.releases.share.record import ShareFinding
from reconciler.views.measuring.measured import Limit, MeasuredPoint, MetricSeries, kept_series, limits_of, number_of, series_of
from reconciler.views.measuring.plots import NARROW_FRAME, WEIGHT_FRAME, ChartFrame, WeightRecord, metric_plot, weight_plot
from reconciler.views.track import Ahead, Forecast
from reconciler.views.weights import WeightPoint
from tests.kit.releases import run

NOW = datetime(2026, 11, 25, 3, 0, tzinfo=UTC)
EVIDENCE = Evidence(run="gone", metric="m", phase="Failed", values=("[0.4]", "[0.5]"), failed=2, condition="succeeds when result >= 0.95")


@pytest.mark.parametrize(
    ("value", "number"),
    [
        ("[0.4]", 0.4),
        ("0.4", 0.4),
        ("-3", -3.0),
        ("1e-3", 0.001),
        ("[1,2]", 1.0),
        ("NaN", None),
        ("[]", None),
        ("", None),
        ("x 3", None),
        ("1e99", None),
    ],
)
def test_a_value_is_a_number_or_it_is_not(value: str, number: float | None) -> None:
    assert number_of(value) == number


def test_limits_say_on_which_side_it_is_bad() -> None:
    assert limits_of("succeeds when result[0] >= 0.95; fails when result[0] < 0.9") == (Limit(0.95, False, ">="), Limit(0.9, True, "<"))
    assert limits_of("succeeds when all(result, # < 1.5)") == (Limit(1.5, False, "<"),)
    assert limits_of("succeeds when len(result) > 0 && float(result[0]) >= 0.95") == (Limit(0.95, False, ">="),), (
        "how many came is no value"
    )
    assert limits_of('succeeds when result.v >= "1.2.3"') == () and limits_of("") == ()


def test_a_run_that_is_still_there_is_shown_and_not_its_copy() -> None:
    here = run("Failed", values=("[0.4]", "[0.97]"), name="web-bad22-2")
    copied = Evidence(run="web-bad22-2", metric="success-rate", phase="Failed", values=("[0.4]",))
    (series,) = kept_series([copied], [here])
    assert [sample.number for sample in series.samples] == [0.4, 0.97] and series.samples[0].at is not None
    assert series.count == 2 and series.kind == "step"


def test_of_a_run_that_is_gone_its_evidence_is_drawn() -> None:
    (series,) = kept_series([EVIDENCE], [])
    assert [(sample.number, sample.phase, sample.at) for sample in series.samples] == [(0.4, "Failed", None), (0.5, "Failed", None)]


def test_which_of_mixed_values_failed_is_not_guessed() -> None:
    mixed = Evidence(run="gone", metric="m", phase="Failed", values=("[0.4]", "[0.99]"), failed=1, successful=1)
    (series,) = kept_series([mixed], [])
    assert {sample.phase for sample in series.samples} == {""}


def test_samples_are_within_the_chart_and_the_bad_side_is_below_a_lower_limit() -> None:
    (series,) = series_of([run("Failed", values=("[0.4]", "[0.97]"))])
    plot = metric_plot(series)
    assert plot is not None
    frame, (limit,) = plot.frame, plot.limits
    assert all(frame.left <= dot.x <= frame.right and frame.top <= dot.y <= frame.bottom for dot in plot.dots)
    low, high = plot.dots
    assert low.y > limit.y > high.y, "0.4 is below the line of 0.95, 0.97 above it"
    assert limit.band_top == limit.y and round(limit.band_top + limit.band_height, 1) == frame.bottom


@pytest.mark.parametrize("limit", [Limit(1.0, False, "<"), Limit(1.0, True, ">")])
def test_an_upper_limit_is_bad_above_whichever_way_it_is_written(limit: Limit) -> None:
    series = MetricSeries(
        run="r", kind="", metric="m", phase="", condition="", query="", message="", samples=(MeasuredPoint(NOW, 3.0, "3", "Failed"),),
        limits=(limit,), count=1, failed=1, inconclusive=0, unanswered=0, failure_limit="",
    )  # fmt: skip
    plot = metric_plot(series)
    assert plot is not None and plot.limits[0].band_top == plot.frame.top and plot.dots[0].y < plot.limits[0].y


def test_what_holds_no_number_has_no_chart() -> None:
    (series,) = series_of([run("Error", values=("NaN", "[]"))])
    assert metric_plot(series) is None and len(series.samples) == 2


@pytest.mark.parametrize("frame", [WEIGHT_FRAME, NARROW_FRAME])
def test_weights_are_stairs_and_the_forecast_goes_on_where_they_end(frame: ChartFrame) -> None:
    points = [WeightPoint(NOW, 0), WeightPoint(NOW + timedelta(minutes=5), 50), WeightPoint(NOW + timedelta(minutes=10), 50)]
    ahead = Forecast((Ahead(NOW + timedelta(minutes=15), 100, 3),), NOW + timedelta(minutes=15), None)
    plot = weight_plot(WeightRecord(points=points, ahead=ahead), NOW + timedelta(minutes=10), frame)
    assert plot is not None and plot.now is not None
    line = [tuple(map(float, corner.split(","))) for corner in plot.line.split()]
    broken = [tuple(map(float, corner.split(","))) for corner in plot.ahead.split()]
    assert line[0] == (plot.frame.left, plot.frame.bottom) and line[-1] == broken[0] == (plot.now, plot.frame.top + plot.frame.height / 2)
    assert broken[-1] == (plot.frame.right, plot.frame.top) and plot.stop is None
    assert all(x >= before for (x, _), (before, _) in zip(line[1:], line, strict=False))


def test_one_moment_is_no_chart() -> None:
    assert weight_plot(WeightRecord(points=[WeightPoint(NOW, 20)]), NOW, WEIGHT_FRAME) is None
    assert weight_plot(WeightRecord(points=[]), NOW, WEIGHT_FRAME) is None


def test_what_was_asked_for_is_drawn_where_it_is_not_what_was_in_force_and_what_was_served_where_it_was_found() -> None:
    def moment(minutes: float) -> datetime:
        return NOW + timedelta(minutes=minutes)

    asked = [WeightPoint(moment(0), 50), WeightPoint(moment(10), 50)]
    points = [WeightPoint(moment(0), 0), WeightPoint(moment(5), 50), WeightPoint(moment(10), 50)]
    found = [
        ShareFinding(configured=50, served=served, tolerated=3, requests=900, until=moment(minutes), mismatch=mismatch)
        for minutes, served, mismatch in ((7, 51, False), (9, 5, True), (70, 50, False))
    ]
    plot = weight_plot(WeightRecord(points=points, asked=asked, observed=found), moment(10), WEIGHT_FRAME)
    assert plot is not None
    middle = WEIGHT_FRAME.top + WEIGHT_FRAME.height / 2
    assert plot.asked == f"{WEIGHT_FRAME.left},{middle} {WEIGHT_FRAME.right},{middle} {WEIGHT_FRAME.right},{middle}"
    good, bad = plot.observed
    assert good.top < good.y < middle < good.bottom and not good.mismatch and "51 % of 900 requests" in good.title
    assert bad.mismatch and bad.y > bad.bottom, "far below what would be chance"
    same = weight_plot(WeightRecord(points=points, asked=points), moment(10), WEIGHT_FRAME)
    assert same is not None and same.asked == ""

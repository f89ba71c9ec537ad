"""The benchmarks run at tiny sizes and say what they measured; times are reported, never asserted."""

import asyncio
from collections.abc import Callable

import pytest

from benchmarks import __main__ as command
from benchmarks import analysis, git, objects, plan, rendered, route, source, start, verdict
from benchmarks.measure import Row


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        (lambda: plan.rows(rounds=3), ["plan, one rollout mid-canary", "plan, one rollout mid-canary, p99"]),
        (lambda: start.rows(rounds=1), ["CLI start (reconciler version)"]),
        (lambda: objects.rows(rounds=1), ["VirtualService of 200 routes, read and write", "HTTPRoute of 50 rules, read and write"]),
        (lambda: route.rows(rounds=1, patches=2), ["failed measurement → weights home"]),
        (
            lambda: git.rows(files=20, rounds=1),
            ["no-change poll of one repository", "one image changed in 20 files → change known"],
        ),
        (
            lambda: source.rows(objects=12, rollouts=3),
            [
                "first apply of 12 objects",
                "a pass without news, 12 objects",
                "push → first write, 12 objects",
                "processor of a pass without news, 3 rollouts",
            ],
        ),
        (
            lambda: asyncio.run(rendered.unrelated(4, 2)),
            ["an unrelated commit beside 4 apps in 2 sources"],
        ),
        (
            lambda: [asyncio.run(rendered.way_back("kustomize", 1))],
            ["restore through kustomize"],
        ),
    ],
    ids=["plan", "start", "objects", "route", "git", "source", "rendered", "restored"],
)
def test_a_bench_measures_what_it_names(rows: Callable[[], list[Row]], expected: list[str]) -> None:
    found = rows()
    assert [row.what for row in found] == expected
    assert all(row.measured != 0 and row.budget > 0 for row in found)


def test_every_metric_of_a_round_is_asked() -> None:
    conditions, metrics = analysis.rows(runs=2, rounds=3)
    assert (metrics.what, metrics.beside) == ("20 metrics each 10 s", "20 requests in the round")
    assert conditions.measured > 0 and metrics.measured > 0


def test_the_table_shows_measured_budget_and_ratio() -> None:
    head, line = command.table([Row("poll", 2.5, 5, "ms", "raw: 2 ms")])
    assert head.split() == ["what", "measured", "budget", "ratio", "beside,", "in", "the", "same", "run"]
    assert line.split() == ["poll", "2.5", "ms", "5", "ms", "0.50", "raw:", "2", "ms"]


def test_an_unknown_bench_is_a_usage_error(capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main(["nothing"]) == 2
    assert "there are plan, start, route, objects, git" in capsys.readouterr().err


def test_the_verdicts_are_counted_for_every_number_of_looks_and_every_weight() -> None:
    found = verdict.rows(releases=1)
    assert len([row for row in found if row.what.startswith("false failures")]) == len(verdict.LOOKS) * len(verdict.RATES)
    assert [row.measured for row in found if row.what.startswith("missed")] == [0.0] * len(verdict.WEIGHTS)
    assert all(row.measured > 0 for row in found if row.what.startswith("requests"))


def test_no_test_is_asked_for_what_none_can_do() -> None:
    """At 50 % the bound alone is above what was wished for; with less weight on the canary it falls, as the baseline tells more."""
    fewest = [verdict.fewest(weight) for weight in verdict.WEIGHTS]
    assert fewest == sorted(fewest) and fewest[0] < 200 and fewest[-1] > 600

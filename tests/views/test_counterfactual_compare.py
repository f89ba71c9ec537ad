"""What would have let a canary pass that failed beside its baseline, each held against the comparison's own arithmetic."""

import re

import pytest

from reconciler.analysis.statistics import START, Counts, Window, advance, e_value, exceeds
from reconciler.releases.comparison.record import ComparedCounts, Comparison, SideTally
from reconciler.views.why.counterfactual_compare import otherwise
from tests.kit.releases import NOW


def failed(canary: tuple[float, float], baseline: tuple[float, float], *, effect: float = 1.5, budget: float = 0.01) -> Comparison:
    """A comparison of one metric by requests and bad answers of both, in one window."""
    value = e_value(advance(START, Window(Counts(*canary), Counts(*baseline)), effect))
    counts = ComparedCounts(
        metric="errors",
        canary=SideTally(requests=canary[0], bad=canary[1]),
        baseline=SideTally(requests=baseline[0], bad=baseline[1]),
        e_value=value,
    )
    terms = {"digest": "d", "canary": "c", "baseline": "b", "budget": budget, "effect": effect, "until": NOW, "windows": 1}
    return Comparison(**terms, e_value=value, exceeded=exceeds(value, budget), metrics=(counts,))


def number(said: str, pattern: str) -> float:
    found = re.search(pattern, said)
    assert found is not None, said
    return float(found[1].replace(",", ""))


@pytest.mark.parametrize(
    "canary, baseline", [((1000, 60), (5000, 10)), ((3000, 40), (3000, 3)), ((500, 500), (5000, 0)), ((900, 200), (900, 50))]
)
def test_each_change_would_have_let_it_pass_and_a_little_less_would_not(canary: tuple[int, int], baseline: tuple[int, int]) -> None:
    known = failed(canary, baseline)
    assert known.exceeded
    told = {(kind, metric): said for kind, metric, said in otherwise(known)}
    fewest = int(number(told["value", "errors"], r"with ([\d,]+) bad"))
    assert not failed((canary[0], fewest), baseline).exceeded and failed((canary[0], fewest + 1), baseline).exceeded
    budget = number(told["limit", ""], r"budget of ([\d.e-]+) %") / 100
    assert not failed(canary, baseline, budget=budget).exceeded and failed(canary, baseline, budget=budget * 1.05).exceeded
    if ("limit", "errors") in told:
        effect = number(told["limit", "errors"], r"effect of ([\d.]+)x")
        assert not failed(canary, baseline, effect=effect).exceeded and failed(canary, baseline, effect=effect * 0.97).exceeded


def test_what_did_not_fail_has_no_other_way() -> None:
    assert not list(otherwise(None)) and not list(otherwise(failed((1000, 3), (1000, 3))))


def test_a_metric_that_does_not_speak_against_it_is_not_named() -> None:
    known = failed((1000, 60), (5000, 10))
    quiet = ComparedCounts(metric="slow", canary=SideTally(requests=1000, bad=1), baseline=SideTally(requests=5000, bad=5))
    both = Comparison(**{name: getattr(known, name) for name in known.__struct_fields__} | {"metrics": (*known.metrics, quiet)})
    assert {metric for _kind, metric, _said in otherwise(both)} == {"errors", ""}

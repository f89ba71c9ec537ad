"""Selectors, lookback, staleness, offsets, ranges, and refusals by name."""

import pytest
from reconciler_sandbox.metrics.promql.evaluate import instant, over_range
from reconciler_sandbox.metrics.promql.values import BadQuery, ExecutionFailed

from tests.kit.promql import MINUTE, ask, filled, same

CODES = {'r{code="200"}': "10", 'r{code="500"}': "2", 'r{code="503",host="a"}': "1"}


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ('r{code="200"}', {'r{code="200"}'}),
        ('r{code!="200"}', {'r{code="500"}', 'r{code="503",host="a"}'}),
        ('r{code=~"5.."}', {'r{code="500"}', 'r{code="503",host="a"}'}),
        ('r{code!~"5.*"}', {'r{code="200"}'}),
        ('r{code=~"5"}', set()),  # anchored
        ('r{host=""}', {'r{code="200"}', 'r{code="500"}'}),  # absent is empty
        ('{__name__=~"r",host!=""}', {'r{code="503",host="a"}'}),
        ('r{code="200" or host="a"}', {'r{code="200"}', 'r{code="503",host="a"}'}),
    ],
)
def test_matchers(query: str, found: set[str]) -> None:
    result = ask(filled(CODES), query)
    assert isinstance(result, dict)
    assert set(result) == found


def test_a_sample_is_seen_for_five_minutes() -> None:
    once = filled({"g": "7"})
    assert ask(once, "g", 5 * MINUTE - 1) == {"g": 7.0}
    assert ask(once, "g", 5 * MINUTE) == {}


def test_a_stale_series_is_gone_at_once() -> None:
    gone = filled({"g": "7 stale"})
    assert ask(gone, "g", MINUTE - 1) == {"g": 7.0}
    assert ask(gone, "g", MINUTE) == {}


def test_offset_and_at_move_the_time() -> None:
    moving = filled({"g": "0 1 2 3 4 5"})
    assert ask(moving, "g offset 2m", 5 * MINUTE) == {"g": 3.0}
    assert ask(moving, "g offset -1m", 2 * MINUTE) == {"g": 3.0}
    assert ask(moving, "g @ 60", 5 * MINUTE) == {"g": 1.0}
    assert ask(moving, "g @ 60 offset 1m", 5 * MINUTE) == {"g": 0.0}


def test_the_success_rate_of_istio() -> None:
    requests = filled(
        {
            'istio_requests_total{reporter="source",response_code="200"}': "0 54 108",
            'istio_requests_total{reporter="source",response_code="503"}': "0 6 12",
        }
    )
    good, every = ('istio_requests_total{reporter="source",response_code!~"5.*"}', 'istio_requests_total{reporter="source"}')
    query = f"sum(irate({good}[2m])) / sum(irate({every}[2m]))"
    assert same(ask(requests, query, 2 * MINUTE), {"{}": 0.9})
    assert ask(filled({}), query) == {}


def test_no_traffic_divided_by_no_traffic_is_not_a_number() -> None:
    still = filled({'c{code="200"}': "5 5 5", 'c{code="500"}': "1 1 1"})
    found = ask(still, 'sum(rate(c{code="200"}[5m])) / sum(rate(c[5m]))', 2 * MINUTE)
    assert isinstance(found, dict)
    assert found["{}"] != found["{}"]


def test_absent_knows_the_labels_that_the_selector_fixes() -> None:
    assert ask(filled(CODES), "absent(r)") == {}
    assert ask(filled(CODES), 'absent(nothing{job="a",code=~"5.."})') == {'{job="a"}': 1.0}
    assert ask(filled(CODES), "absent(sum(nothing))") == {"{}": 1.0}
    assert ask(filled(CODES), 'absent_over_time(nothing{job="a"}[5m])') == {'{job="a"}': 1.0}


def test_time_and_vector_and_scalar() -> None:
    assert ask(filled({}), "time()", 90_500) == 90.5
    assert ask(filled({}), "vector(3)") == {"{}": 3.0}
    assert ask(filled({"g": "4"}), "scalar(g)") == 4.0
    assert instant(filled({}), '"words"', 0) == "words"


def test_unary_minus_drops_the_name() -> None:
    assert ask(filled({"g": "4"}), "-g") == {"{}": -4.0}
    assert ask(filled({}), "-(2 ^ 2)") == -4.0


def test_a_range_query_evaluates_each_step() -> None:
    moving = filled({"g": "0 1 2 3 stale"})
    assert over_range(moving, "g", 0, 4 * MINUTE, MINUTE) == [
        ((("__name__", "g"),), [(0, 0.0), (60_000, 1.0), (120_000, 2.0), (180_000, 3.0)])
    ]
    assert over_range(moving, "g @ end()", 0, 2 * MINUTE, MINUTE)[0][1] == [(0, 2.0), (60_000, 2.0), (120_000, 2.0)]
    assert over_range(moving, "1 + 1", 0, MINUTE, MINUTE) == [((), [(0, 2.0), (60_000, 2.0)])]


@pytest.mark.parametrize(("start", "end", "step"), [(0, 10, 0), (10, 0, 1), (0, 11_000, 1)])
def test_an_endless_range_is_refused(start: int, end: int, step: int) -> None:
    with pytest.raises(BadQuery, match="step"):
        over_range(filled({}), "g", start, end, step)


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("holt_winters(g[5m], 1, 1)", 'unsupported function "holt_winters"'),
        ("predict_linear(g[5m], 1)", 'unsupported function "predict_linear"'),
        ("nothing(1)", 'unsupported function "nothing"'),
        ('label_join(g, "a", "-", "b")', 'unsupported function "label_join"'),
        ("topk(1, g)", 'unsupported aggregation "topk"'),
        ("max_over_time(g[5m:1m])", 'unsupported expression "SubqueryExpr"'),
        ("limitk(1, g)", 'unsupported aggregation "limitk"'),
        ("sum(", "parse error: unclosed left parenthesis"),
        ("1 > 2", "parse error: comparisons between scalars must use BOOL modifier"),
        ("rate(g)", "parse error: expected type matrix"),
    ],
)
def test_what_is_not_supported_is_refused_by_name_even_over_no_series(query: str, message: str) -> None:
    with pytest.raises(BadQuery) as refusal:
        instant(filled({}), query, 0)
    assert str(refusal.value).startswith(message)


def test_a_result_with_the_same_labels_twice_is_an_error() -> None:
    with pytest.raises(ExecutionFailed, match="same labelset"):
        ask(filled({"a": "1", "b": "2"}), '-{__name__=~"a|b"}')

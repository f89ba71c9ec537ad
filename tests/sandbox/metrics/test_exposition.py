"""Prometheus's text format."""

import math

import pytest
from reconciler_sandbox.metrics.exposition import Malformed, samples


def read(text: str) -> list[tuple[dict[str, str], float, int | None]]:
    return [(dict(labels), value, time) for labels, value, time in samples(text)]


def test_lines_become_samples_and_comments_do_not() -> None:
    text = '# HELP a what\n# TYPE a counter\n\na{x="1",y="two"} 3\na 4.5 1700000000000\n  b:c{ z = "q" , } 1e3\n'
    assert read(text) == [
        ({"__name__": "a", "x": "1", "y": "two"}, 3.0, None),
        ({"__name__": "a"}, 4.5, 1_700_000_000_000),
        ({"__name__": "b:c", "z": "q"}, 1000.0, None),
    ]


def test_values_may_be_escaped_or_hold_braces_and_commas() -> None:
    assert read('a{x="q\\"\\\\\\n",y="},{ 5"} 1')[0][0] == {"__name__": "a", "x": 'q"\\\n', "y": "},{ 5"}


def test_an_empty_label_is_none() -> None:
    assert read('a{x=""} 1')[0][0] == {"__name__": "a"}


def test_special_numbers() -> None:
    found = [value for _, value, _ in samples("a +Inf\na -Inf\na NaN\n")]
    assert found[:2] == [math.inf, -math.inf]
    assert math.isnan(found[2])


@pytest.mark.parametrize("line", ["a", "a one", '{x="1"} 1', "a{x=1} 1", 'a{x="1" 1', 'a{x="1"y="2"} 1', "a 1_0", "a 1 2 3", "<html>"])
def test_what_is_not_the_format_is_refused(line: str) -> None:
    with pytest.raises(Malformed):
        read(line)

"""Two conditions as one, and what Istio's admission refuses."""

from typing import Any

import pytest

from reconciler.routers.istio_matches import joined, refusal


@pytest.mark.parametrize(
    ("one", "other", "whole"),
    [
        ({"uri": {"prefix": "/api"}}, {"headers": {"x": {"exact": "y"}}}, {"uri": {"prefix": "/api"}, "headers": {"x": {"exact": "y"}}}),
        ({"uri": {"prefix": "/api"}}, {"uri": {"prefix": "/"}}, {"uri": {"prefix": "/api"}}),
        ({"uri": {"prefix": "/"}}, {"uri": {"regex": "/v[0-9]+"}}, {"uri": {"regex": "/v[0-9]+"}}),
        ({"uri": {"exact": "/api/a"}}, {"uri": {"prefix": "/api"}}, {"uri": {"exact": "/api/a"}}),
        ({"uri": {"exact": "/v1"}}, {"uri": {"regex": "/v[0-9]"}}, {"uri": {"exact": "/v1"}}),
        ({"uri": {"exact": "/v12"}}, {"uri": {"regex": "/v[0-9]"}}, None),
        ({"uri": {"prefix": "/a"}}, {"uri": {"prefix": "/b"}}, None),
        ({"method": {"exact": "GET"}}, {"method": {"exact": "PUT"}}, None),
        ({"headers": {"X": {}}}, {"headers": {"x": {"exact": "y"}}}, {"headers": {"X": {"exact": "y"}}}),
        ({"headers": {"x": {"exact": "a"}}}, {"headers": {"x": {"exact": "b"}}}, None),
        ({"headers": {"x": {"regex": "a.*"}}}, {"headers": {"x": {"regex": ".*b"}}}, None),
        ({"port": 80, "withoutHeaders": {"b": {}}}, {}, {"port": 80, "withoutHeaders": {"b": {}}}),
    ],
)
def test_what_both_match_is_one_block_or_nothing(one: dict[str, Any], other: dict[str, Any], whole: dict[str, Any] | None) -> None:
    assert joined(one, other) == whole


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ({"regex": "*"}, "repetition operator: *): use .* for any value"),
        ({"regex": "(?=a)b"}, "Istio refuses this regex"),
        ({"regex": "(?!a)b"}, "Istio refuses this regex"),
        ({"regex": r"(a)\1"}, "Istio refuses this regex"),
        ({"regex": "a" * 1025}, "more than 1024 bytes"),
        ({"prefix": ""}, "Istio refuses an empty prefix"),
        ({"regex": ""}, "Istio refuses an empty regex"),
    ],
)
def test_what_istio_refuses_is_known_beforehand(value: dict[str, str], words: str) -> None:
    ((_, _, reason),) = refusal(value)
    assert words in reason


@pytest.mark.parametrize("value", [{"exact": ""}, {"exact": "*"}, {"prefix": "a"}, {"regex": ".*"}, {"regex": "v[0-9]+"}])
def test_what_istio_accepts_is_not_refused(value: dict[str, str]) -> None:
    assert list(refusal(value)) == []

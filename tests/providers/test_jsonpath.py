"""The Kubernetes JSONPath of web metrics."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.kernel.errors import Terminal
from reconciler.providers.jsonpath import find

DOCUMENT = {
    "a": {"b": [1.0, 2.0, 3.0], "x y": "q", "c.d": 7.0},
    "items": [{"name": "one", "n": 1.0, "ready": True}, {"name": "two", "n": 2.0, "deep": {"name": "inner"}}],
}


@pytest.mark.parametrize(
    ("path", "values"),
    [
        ("{$}", [DOCUMENT]),
        ("{$.a.b}", [[1.0, 2.0, 3.0]]),
        ("{.a.b[0]}", [1.0]),
        ("a.b[-1]", [3.0]),
        ("$.a.b[*]", [1.0, 2.0, 3.0]),
        ("{$.a.b[0:2]}", [1.0, 2.0]),
        ("{$.a.b[::2]}", [1.0, 3.0]),
        ("{$.a.b[0,2]}", [1.0, 3.0]),
        ("{$.a.b[9]}", []),
        ("{$.a['x y']}", ["q"]),
        ("{$['a']['x y','c.d']}", ["q", 7.0]),
        ("{$.a.c\\.d}", [7.0]),
        ("{$.items[*].name}", ["one", "two"]),
        ('{$.items[?(@.name=="two")].n}', [2.0]),
        ("{$.items[?(@.n > 1)].name}", ["two"]),
        ("{$.items[?(@.n != 1)].name}", ["two"]),
        ("{$.items[?(@.ready==true)].name}", ["one"]),
        ("{$.items[?(@.deep.name)].name}", ["two"]),
        ("{$.items[?(@.name > 1)].name}", []),
        ("{$..name}", ["one", "two", "inner"]),
        ("{$.missing.x}", []),
        ("{$.a.*}", [[1.0, 2.0, 3.0], "q", 7.0]),
    ],
)
def test_paths(path: str, values: list[Any]) -> None:
    assert find(path, DOCUMENT) == values


@pytest.mark.parametrize(
    "path", ["{$.a[}", "{$.a[?(@.b ~ 1)]}", "{$.a b}", "{$.items[?(@.n == one)]}", "{$" + ".a" * 1000 + "}", "{$.a.b[1-2]}"]
)
def test_what_is_no_path_is_refused(path: str) -> None:
    with pytest.raises(Terminal, match="jsonPath"):
        find(path, DOCUMENT)


def test_matches_are_bounded() -> None:
    wide: Any = 1.0
    for _ in range(4):
        wide = [wide] * 20
    with pytest.raises(Terminal, match="more than 100000 matches"):
        find("{$..*}", wide)


@given(st.text("{}$.@[]?()*ab01='\": ,<>!\\-", max_size=30))
def test_random_paths_are_answered_or_refused(path: str) -> None:
    try:
        assert isinstance(find(path, DOCUMENT), list)
    except Terminal:
        return

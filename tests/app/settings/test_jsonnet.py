"""The words of `jsonnet:` in a source."""

from typing import Any

import pytest

from reconciler.app.settings.manifest import parse_settings
from reconciler.kernel.strict import FieldError
from reconciler.sources.settings import JsonnetSettings
from tests.app.settings.test_helm import SOURCE


def parsed(jsonnet: Any) -> JsonnetSettings:
    (source,) = parse_settings({"sources": [{**SOURCE, "jsonnet": jsonnet}]}).sources
    return source.jsonnet


def test_all_words() -> None:
    assert parse_settings({"sources": [SOURCE]}).sources[0].jsonnet == parsed({}) == JsonnetSettings()
    written = {"libs": ["vendor", "/lib"], "extVars": {"a": "b"}, "extCode": {"n": "1"}, "tlas": {"c": "d"}, "tlaCode": {"m": "[]"}}
    assert parsed(written) == JsonnetSettings(
        libraries=("vendor", "/lib"), variables={"a": "b"}, variable_code={"n": "1"}, arguments={"c": "d"}, argument_code={"m": "[]"}
    )


@pytest.mark.parametrize(
    "jsonnet, words",
    [
        ({"libs": ["../else"]}, "jsonnet.libs[0]: '../else' is no folder"),
        ({"libs": ["/"]}, "jsonnet.libs[0]: '/' is no folder"),
        ({"extVars": ["a"]}, "jsonnet.extVars: expected a mapping"),
        ({"extVars": {"a": 1}}, "jsonnet.extVars: a expects a text: put it in quotes, or write an expression in extCode"),
        ({"tlaCode": {"a": 1}}, "jsonnet.tlaCode: a expects a text: put it in quotes"),
        ({"tlas": {"a": "1"}, "tlaCode": {"a": "1"}}, "jsonnet.tlas: 'a' is said twice"),
        ({"library": []}, "library"),
    ],
)
def test_wrong_words_are_named(jsonnet: Any, words: str) -> None:
    with pytest.raises(FieldError) as caught:
        parsed(jsonnet)
    assert words in str(caught.value)

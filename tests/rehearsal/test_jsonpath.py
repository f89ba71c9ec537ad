"""JSONPath as far as stories need it."""

import pytest
from reconciler_sandbox.rehearsal.jsonpath import BadPath, find_all, parse_path

STABLE = {"destination": {"host": "stable"}, "weight": 60}
CANARY = {"destination": {"host": "canary"}, "weight": 40}
ROUTE = {
    "metadata": {"labels": {"a.b/c": "x"}},
    "spec": {"http": [{"name": "testers", "route": [{"destination": {"host": "canary"}}]}, {"name": "primary", "route": [STABLE, CANARY]}]},
    "status": {"conditions": [{"type": "Ready", "status": "True", "on": True}], "gone": None},
}


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("spec.http[0].name", ["testers"]),
        ("{.spec.http[-1].name}", ["primary"]),
        ("$.spec.http[*].name", ["testers", "primary"]),
        ('spec.http[?(@.name=="primary")].route[?(@.destination.host=="canary")].weight', [40]),
        ("spec.http[?(@.name == 'primary')].route[*].weight", [60, 40]),
        ("status.conditions[?(@.on==true)].type", ["Ready"]),
        ("metadata.labels['a.b/c']", ["x"]),
        ("metadata.labels.a\\.b/c", ["x"]),
        ("metadata.labels.*", ["x"]),
        ("status.nothing.there", []),
        ("status.gone", []),
        ("spec.http[9].name", []),
        ("spec[0]", []),
    ],
)
def test_a_path_leads_to_every_value_it_names(path: str, found: list[object]) -> None:
    assert find_all(ROUTE, path) == found


@pytest.mark.parametrize("path", ["", "a[", "a[?(@.b>1)]", "a b"])
def test_what_is_no_path_is_refused(path: str) -> None:
    with pytest.raises(BadPath):
        parse_path(path)

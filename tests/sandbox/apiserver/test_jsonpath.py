"""JSONPath as printer columns use it."""

from typing import Any

import pytest
from reconciler_sandbox.apiserver.jsonpath import find, with_number

VALUE = {
    "metadata": {"labels": {"app.kubernetes.io/name": "web"}},
    "spec": {"list": [{"n": 1}, {"n": 2}], "flag": True},
    "status": {"conditions": [{"type": "Ready", "status": "True"}, {"type": "Odd", "ok": True}]},
}


@pytest.mark.parametrize(
    ("path", "found"),
    [
        (".spec.flag", [True]),
        ("{.spec.list[0].n}", [1]),
        (".spec.list[-1].n", [2]),
        (".spec.list[*].n", [1, 2]),
        (".spec.list[0:1].n", [1]),
        ('.status.conditions[?(@.type=="Ready")].status', ["True"]),
        (".status.conditions[?(@.ok==true)].type", ["Odd"]),
        (r".metadata.labels.app\.kubernetes\.io/name", ["web"]),
        (".metadata.labels['app.kubernetes.io/name']", ["web"]),
        (".metadata.labels.*", ["web"]),
        (".spec.list[9].n", []),
        (".spec.flag.deeper", []),
        (".spec[?(@.a>1)]", []),
    ],
)
def test_a_path_finds_what_is_there(path: str, found: list[Any]) -> None:
    assert find(VALUE, path) == found


def test_a_number_is_set_on_a_copy() -> None:
    assert with_number(VALUE, ".spec.scale.replicas", 3)["spec"]["scale"] == {"replicas": 3}
    assert "scale" not in VALUE["spec"]

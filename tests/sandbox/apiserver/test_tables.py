"""Tables: columns per kind, rows that survive strange objects."""

from datetime import UTC, datetime

import pytest
from reconciler_sandbox.apiserver.customs import kinds_of
from reconciler_sandbox.apiserver.kinds import BUILT_IN, PODS, Kind
from reconciler_sandbox.apiserver.tables import table

from tests.kit.apiserver import definition

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
BARE = {"metadata": {"name": "x", "creationTimestamp": "2026-11-22T11:59:00Z"}, "spec": {}}
ODD = {"metadata": {"name": "x", "creationTimestamp": 5}, "spec": [], "status": "?", "data": 5, "subsets": 7, "involvedObject": 1}


@pytest.mark.parametrize("kind", BUILT_IN, ids=lambda kind: kind.plural)
def test_every_row_has_a_cell_per_column(kind: Kind) -> None:
    made = table(kind, [BARE, ODD], NOW)
    assert all(len(row["cells"]) == len(made["columnDefinitions"]) for row in made["rows"])


def test_a_pod_is_printed_as_kubectl_does() -> None:
    made = table(PODS, [{**BARE, "status": {"phase": "Pending"}}], NOW)
    assert [column["name"] for column in made["columnDefinitions"] if not column["priority"]] == [
        "Name",
        "Ready",
        "Status",
        "Restarts",
        "Age",
    ]
    assert made["rows"][0]["cells"][:5] == ["x", "0/0", "Pending", "0", "60s"]


def test_a_custom_resource_has_its_printer_columns() -> None:
    [kind] = kinds_of(definition())
    manifest = {**BARE, "spec": {"weight": 10}}
    made = table(kind, [manifest], NOW)
    assert [column["name"] for column in made["columnDefinitions"]] == ["Name", "Weight", "Phase"]
    assert made["columnDefinitions"][1]["description"] == "Custom resource definition column (in JSONPath format): .spec.weight"
    assert made["rows"][0]["cells"] == ["x", 10, None]


@pytest.mark.parametrize(
    ("kind", "value", "cell"),
    [
        ("integer", "text", None),
        ("boolean", True, True),
        ("date", "2026-11-22T11:59:00Z", "60s"),
        ("date", 5, "<unknown>"),
        ("string", 5, "5"),
        ("number", 1.5, 1.5),
    ],
)
def test_a_printer_column_has_its_type(kind: str, value: object, cell: object) -> None:
    made = definition()
    made["spec"]["versions"][0]["additionalPrinterColumns"] = [{"name": "C", "type": kind, "jsonPath": ".value"}]
    assert table(kinds_of(made)[0], [{**BARE, "value": value}], NOW)["rows"][0]["cells"][1] == cell


def test_without_columns_there_is_the_age() -> None:
    made = definition()
    del made["spec"]["versions"][0]["additionalPrinterColumns"]
    assert table(kinds_of(made)[0], [BARE], NOW)["rows"][0]["cells"] == ["x", "60s"]


@pytest.mark.parametrize(
    ("include", "keys"), [("None", None), ("Metadata", {"kind", "apiVersion", "metadata"}), ("Object", {"metadata", "spec"})]
)
def test_a_row_brings_as_much_of_its_object_as_asked(include: str, keys: set | None) -> None:
    [row] = table(PODS, [BARE], NOW, include=include)["rows"]
    assert (set(row["object"]) if "object" in row else None) == keys

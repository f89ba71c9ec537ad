"""Typing mistakes are told before any rule reads values."""

from pathlib import Path

from reconciler.app.lint.finding import Severity
from reconciler.app.lint.shapes import ROWS, SORTS, misshapen
from reconciler.providers.registry import PROVIDERS
from reconciler.routers.registry import ROUTERS
from tests.kit.lint import spoiled


def test_an_unknown_field_is_told_with_the_known_ones() -> None:
    finding = spoiled("rollout.yaml", "setWeight: 20", "setWeigth: 20")
    assert finding.field == "spec.strategy.canary.steps[0].setWeigth"
    assert "setWeight" in finding.message
    assert finding.line == 30


def test_an_object_where_a_list_belongs_is_told_and_nothing_breaks() -> None:
    finding = spoiled("rollout.yaml", "- {templateName: rate}", "templateName: rate")
    assert (finding.field, finding.message) == ("spec.strategy.canary.analysis.templates", "must be a list, is an object")


def test_a_number_where_a_text_belongs_asks_for_quotes() -> None:
    finding = spoiled("template.yaml", 'value: "0.95"', "value: 0.95")
    assert finding.message == "must be a string: write it in quotes, is 0.95"


def test_a_pod_field_that_nobody_knows_is_only_a_note() -> None:
    finding = spoiled("rollout.yaml", "          image: r", "          readynessProbe: {}\n          image: r")
    assert finding.severity is Severity.NOTE
    assert finding.field == "spec.template.spec.containers[0].readynessProbe"


def test_a_spec_that_is_no_object_is_told() -> None:
    assert [remark.field for remark in misshapen("Rollout", {"spec": 5})] == ["spec"]


def test_every_row_names_only_rows_that_exist() -> None:
    named = {sort.shape for sorts in SORTS.values() for sort in sorts.values()} - {"", "text"}
    assert not named - ROWS.keys()


def test_no_plug_in_says_a_row_again_that_another_one_or_lint_itself_says() -> None:
    brought = [name for plug_in in (*ROUTERS.values(), *(row.checks for row in PROVIDERS.values())) for name in plug_in.shapes]
    assert len(brought) == len(set(brought)) and set(ROUTERS) | set(PROVIDERS) <= set(brought)
    source = (Path(__file__).parents[3] / "reconciler" / "app" / "lint" / "shapes.py").read_text()
    assert [name for name in brought if f'"{name}": ' in source] == []

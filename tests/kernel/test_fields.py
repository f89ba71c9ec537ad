"""Reading manifests one member at a time."""

from datetime import UTC, datetime

import pytest

from reconciler.kernel.fields import Fields
from reconciler.kernel.problem import InvalidField

FIELDS = Fields("spec", {"n": 3.0, "t": "x", "none": None, "o": {"k": 1}, "l": [{"a": 1}], "f": True, "when": "2030-01-01T00:00:00Z"})


def test_members_are_read_as_what_they_are() -> None:
    assert (FIELDS.number("n"), FIELDS.text("t"), FIELDS.flag("f"), FIELDS.number_or("none", 7)) == (3, "x", True, 7)
    assert (FIELDS.under("o").path, FIELDS.each("l")[0].path, FIELDS.optional("none")) == ("spec.o", "spec.l[0]", None)
    assert FIELDS.moment("when") == datetime(2030, 1, 1, tzinfo=UTC) and FIELDS.moment("none") is None
    assert (FIELDS.amount("none"), Fields("s", {"a": "30%"}).amount("a"), Fields("s", {"a": 2}).amount("a")) == ("25%", "30%", 2)


@pytest.mark.parametrize("read", ["number", "flag", "under", "each", "moment", "amount"])
def test_a_member_of_another_type_is_named(read: str) -> None:
    with pytest.raises(InvalidField, match=r'spec\.t: Invalid value: "x": '):
        getattr(FIELDS, read)("t")


def test_less_than_no_pods_is_no_amount() -> None:
    with pytest.raises(InvalidField, match=r"spec\.n: Invalid value: -1: must be a number of pods"):
        Fields("spec", {"n": -1}).amount("n")


def test_an_absent_member_is_the_empty_one_of_its_type() -> None:
    assert (FIELDS.text("none"), FIELDS.flag("none"), FIELDS.number("none"), FIELDS.each("none")) == ("", False, None, [])
    assert FIELDS.under("none") == Fields("spec.none", {})
    assert FIELDS.flag("none", default=True) is True


@pytest.mark.parametrize("value", [{"a": {}}, "x", 1, ["x"], [{"a": 1}, None]])
def test_only_a_list_of_objects_is_one(value: object) -> None:
    with pytest.raises(InvalidField, match="must be a list of objects"):
        Fields("spec", {"l": value}).each("l")


def test_true_is_no_number_and_numbers_are_no_text() -> None:
    with pytest.raises(InvalidField):
        FIELDS.number("f")
    with pytest.raises(InvalidField):
        FIELDS.text("n")

"""The table of types is whole: what it names, it holds."""

from reconciler.rollouts.replicas.shapes import SHAPES


def test_every_named_type_has_a_row() -> None:
    named = {field.shape for fields in SHAPES.values() for field in fields} - {"", "Quantity", "Quantities"}
    assert named <= SHAPES.keys()


def test_no_type_names_a_field_twice() -> None:
    for fields in SHAPES.values():
        assert len({field.name for field in fields}) == len(fields)

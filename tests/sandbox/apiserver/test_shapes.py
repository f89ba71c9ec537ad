"""How server-side apply sees fields."""

from reconciler_sandbox.apiserver.schemas import Schema
from reconciler_sandbox.apiserver.shapes import NamedShape, SchemaShape, shape_of

from tests.kit.apiserver import CANARY_SCHEMA


def test_built_in_lists_go_by_their_names() -> None:
    spec = shape_of(None).field("spec")
    assert spec.field("containers").keys([]) == ("name",)
    assert spec.field("args").keys([]) == ()
    assert spec.field("ports").keys([{"containerPort": 1}]) == ("containerPort", "protocol")
    assert spec.field("ports").keys([{"port": 1}]) == ("port", "protocol")
    assert spec.field("secrets").keys([]) == ()
    assert shape_of(None).field("metadata").field("finalizers").is_set


def test_selectors_are_atoms_but_a_label_of_that_name_is_not() -> None:
    assert NamedShape("selector").atomic
    assert not NamedShape("labels").field("selector").atomic
    assert not NamedShape("containers").item().atomic


def test_custom_resources_go_by_their_schema() -> None:
    shape = shape_of(Schema(CANARY_SCHEMA))
    assert shape.field("spec").field("steps").keys([]) == ("name",)
    assert shape.field("spec").field("unknown").keys([]) == ()
    assert shape.field("metadata").field("finalizers").is_set
    assert not shape.atomic and not shape.is_set and shape.keys([]) == () and not shape.item().atomic


def test_a_schema_can_declare_atoms_and_sets() -> None:
    schema = Schema({"properties": {"m": {"x-kubernetes-map-type": "atomic"}, "s": {"x-kubernetes-list-type": "set", "items": {}}}})
    assert SchemaShape(schema).field("m").atomic
    assert SchemaShape(schema).field("s").is_set and not SchemaShape(schema).field("s").item().atomic

"""Where an object lives is the server's word."""

from reconciler.kernel.identity import Resource
from reconciler.sync.facts import located_in, place_of

WIDGETS = Resource("example.com", "v1", "widgets", "Widget", namespaced=False)
WIDGET = {"apiVersion": "example.com/v1", "kind": "Widget", "metadata": {"name": "w", "namespace": "shop"}}


def test_an_object_of_a_kind_without_namespaces_has_none() -> None:
    assert place_of(located_in(WIDGET, WIDGETS)) == ("example.com/v1", "Widget", "", "w")
    assert place_of(located_in(WIDGET, None)) == ("example.com/v1", "Widget", "shop", "w")

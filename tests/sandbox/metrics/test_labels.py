"""Label sets."""

from reconciler_sandbox.metrics.labels import drop, keep, labels, nameless, text, value_of


def test_an_empty_value_is_no_label_and_order_does_not_matter() -> None:
    assert labels({"b": "2", "a": "1", "c": ""}) == labels({"a": "1", "b": "2"}) == (("a", "1"), ("b", "2"))


def test_selections() -> None:
    both = labels({"a": "1", "b": "2", "__name__": "m"})
    assert keep(both, ["a", "z"]) == (("a", "1"),)
    assert drop(both, ["a", "z"]) == (("__name__", "m"), ("b", "2"))
    assert nameless(both) == (("a", "1"), ("b", "2"))
    assert (value_of(both, "b"), value_of(both, "z")) == ("2", "")
    assert text(nameless(both)) == '{a="1", b="2"}'

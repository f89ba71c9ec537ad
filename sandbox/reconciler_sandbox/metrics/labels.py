"""Label sets: sorted, hashable, without empty values, as Prometheus compares them."""

from collections.abc import Iterable, Mapping

Labels = tuple[tuple[str, str], ...]
NAME = "__name__"


def labels(values: Mapping[str, str]) -> Labels:
    """A label whose value is empty is a label that is not there."""
    return tuple(sorted((name, value) for name, value in values.items() if value))


def value_of(label_set: Labels, name: str) -> str:
    return next((value for known, value in label_set if known == name), "")


def keep(label_set: Labels, names: Iterable[str]) -> Labels:
    wanted = set(names)
    return tuple(pair for pair in label_set if pair[0] in wanted)


def drop(label_set: Labels, names: Iterable[str]) -> Labels:
    unwanted = set(names)
    return tuple(pair for pair in label_set if pair[0] not in unwanted)


def nameless(label_set: Labels) -> Labels:
    """Without the metric name: whatever changes a value is no longer that metric."""
    return drop(label_set, (NAME,))


def text(label_set: Labels) -> str:
    """As messages show it: `{code="200"}`."""
    return "{" + ", ".join(f'{name}="{value}"' for name, value in label_set) + "}"

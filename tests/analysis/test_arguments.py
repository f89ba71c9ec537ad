"""Arguments from rollout to metric (contract 6.2)."""

import pytest

from reconciler.analysis.arguments import Unresolved, literals, merge_arguments, substitute, with_placeholders
from reconciler.analysis.model import Argument, SecretKey
from reconciler.kernel.identity import Manifest

ROLLOUT: Manifest = {
    "metadata": {"name": "web", "namespace": "shop", "uid": "u-1", "labels": {"team": "blue", "a": 'q"'}, "annotations": {"x/y": "1"}},
    "spec": {"replicas": 3, "paused": True, "big": 1000000, "template": {"spec": {"containers": [{"image": "web:1"}]}}},
    "status": {"stableRS": "abc"},
}
HASHES = {"Latest": "new1", "Stable": "old1"}


def value(**source: object) -> str:
    return str(literals([{"name": "x", **source}], ROLLOUT, HASHES)[0]["value"])


def at(path: str) -> str:
    return value(valueFrom={"fieldRef": {"fieldPath": path}})


def test_literals_and_hashes() -> None:
    assert value(value="v") == "v"
    assert value() == ""
    assert value(valueFrom={"podTemplateHashValue": "Latest"}) == "new1"
    assert value(valueFrom={"podTemplateHashValue": "Stable"}) == "old1"


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("metadata.name", "web"),
        ("metadata.namespace", "shop"),
        ("metadata.uid", "u-1"),
        ("metadata.labels['team']", "blue"),
        ("metadata.labels['none']", ""),
        ("metadata.annotations['x/y']", "1"),
        ("metadata.labels", 'a="q\\""\nteam="blue"'),
        ("status.stableRS", "abc"),
        ("spec.template.spec.containers[0].image", "web:1"),
        ("spec.replicas", "3"),
        ("spec.paused", "true"),
        ("spec.big", "1e+06"),
    ],
)
def test_fields_of_the_rollout(path: str, text: str) -> None:
    assert at(path) == text


def test_other_metadata_is_refused() -> None:
    with pytest.raises(Unresolved, match=r"unsupported fieldPath: metadata\.generation"):
        at("metadata.generation")


def test_a_path_to_nowhere_complains_only_as_the_last() -> None:
    lost = {"name": "x", "valueFrom": {"fieldRef": {"fieldPath": "status.nothing"}}}
    with pytest.raises(Unresolved, match=r"invalid path status\.nothing"):
        literals([lost], ROLLOUT, HASHES)
    assert [a["value"] for a in literals([lost, {"name": "y", "value": "1"}], ROLLOUT, HASHES)] == ["", "1"]


def test_templates_declare_and_the_rollout_fills() -> None:
    declared = [{"name": "a"}, {"name": "b", "value": "default"}]
    merged = merge_arguments([{"name": "a", "value": "1"}, {"name": "extra", "value": "2"}], declared)
    assert merged == [{"name": "a", "value": "1"}, {"name": "b", "value": "default"}]


def test_an_argument_without_value_in_the_rollout_overrides_the_default_with_nothing() -> None:
    given = literals([{"name": "b"}], ROLLOUT, HASHES)
    assert merge_arguments(given, [{"name": "b", "value": "default"}]) == [{"name": "b", "value": ""}]


def test_an_open_argument_is_named() -> None:
    with pytest.raises(Unresolved, match=r"^args\.a was not resolved$"):
        merge_arguments([], [{"name": "a"}])


def test_a_secret_of_the_template_stays_beside_the_rollouts_value_and_wins() -> None:
    secret = {"secretKeyRef": {"name": "s", "key": "k"}}
    assert merge_arguments([{"name": "a", "value": "1"}], [{"name": "a", "valueFrom": secret}]) == [
        {"name": "a", "value": "1", "valueFrom": secret}
    ]
    assert with_placeholders([Argument("a", "1", SecretKey("s", "k"))]) == {"a": "dummy-value"}


def test_values_are_filled_in_everywhere() -> None:
    metric = {"name": "{{args.n}}", "count": "{{ args.c }}", "provider": {"job": {"spec": {"args": ["--x={{args.n}}", 3]}}}}
    filled = substitute([metric], {"n": 'q"\\', "c": "5"})[0]
    assert filled == {"name": 'q"\\', "count": "5", "provider": {"job": {"spec": {"args": ['--x=q"\\', 3]}}}}


def test_a_value_is_not_looked_into_again() -> None:
    assert substitute([{"name": "{{args.a}}"}], {"a": "{{args.b}}", "b": "x"})[0]["name"] == "{{args.b}}"


@pytest.mark.parametrize("tag", ["{{args.y}}", "{{ inputs.x }}", "{{x}}"])
def test_an_unknown_tag_is_refused(tag: str) -> None:
    with pytest.raises(Unresolved, match=r"failed to resolve \{\{"):
        substitute([{"name": tag}], {"x": "1"})


def test_every_argument_needs_a_value() -> None:
    with pytest.raises(Unresolved, match='argument "x" was not supplied'):
        substitute([{"name": "m"}], {"x": None})

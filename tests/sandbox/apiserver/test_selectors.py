"""Selectors: what they match, what they refuse."""

import pytest
from reconciler_sandbox.apiserver.failures import Failure
from reconciler_sandbox.apiserver.kinds import BUILT_IN, PODS
from reconciler_sandbox.apiserver.selectors import as_text, field_predicate, from_object, label_predicate, predicate

CONFIG_MAPS = next(kind for kind in BUILT_IN if kind.plural == "configmaps")


def labelled(**labels: str) -> dict:
    return {"metadata": {"name": "x", "labels": labels}}


@pytest.mark.parametrize(
    ("selector", "labels", "matches"),
    [
        ("app=web", {"app": "web"}, True),
        ("app==web", {"app": "api"}, False),
        ("app!=web", {}, True),
        ("app in (web, api),tier", {"app": "api", "tier": "1"}, True),
        ("app notin (web)", {}, True),
        ("app in ()", {"app": "web"}, False),
        ("!app", {"tier": "1"}, True),
        ("n>3", {"n": "4"}, True),
        ("n<3", {"n": "4"}, False),
        ("n>3", {"n": "many"}, False),
        ("example.com/app=web", {"example.com/app": "web"}, True),
    ],
)
def test_a_label_selector_matches_as_kubernetes_says(selector: str, labels: dict, matches: bool) -> None:
    matcher = label_predicate(selector)
    assert matcher is not None and matcher(labelled(**labels)) is matches


@pytest.mark.parametrize("selector", ["app in web", "a=b=c", "=x", "n>x", "a" * 20_000])
def test_a_broken_label_selector_is_a_bad_request(selector: str) -> None:
    with pytest.raises(Failure) as refused:
        label_predicate(selector)
    assert refused.value.code == 400


def test_an_empty_selector_asks_nothing() -> None:
    assert predicate(PODS, "", " ") is None


def test_fields_of_a_kind_can_be_selected() -> None:
    matcher = field_predicate(PODS, "spec.nodeName=n1,status.phase!=Failed")
    assert matcher is not None
    assert matcher({"metadata": {}, "spec": {"nodeName": "n1"}, "status": {"phase": "Running"}})
    assert not matcher({"metadata": {}, "spec": {"nodeName": "n1"}, "status": {"phase": "Failed"}})


@pytest.mark.parametrize(
    ("kind", "text"), [(CONFIG_MAPS, '"data.x" is not a known field selector'), (PODS, "field label not supported: data.x")]
)
def test_other_fields_cannot(kind: object, text: str) -> None:
    with pytest.raises(Failure, match=text):
        field_predicate(kind, "data.x=1")  # type: ignore[arg-type]


def test_both_selectors_must_match() -> None:
    matcher = predicate(PODS, "app=web", "metadata.name=x")
    assert matcher is not None
    assert matcher(labelled(app="web")) and not matcher(labelled(app="api"))


def test_a_selector_object_matches_and_has_a_text() -> None:
    selector = {"matchLabels": {"app": "web"}, "matchExpressions": [{"key": "tier", "operator": "NotIn", "values": ["db"]}]}
    assert from_object(selector)(labelled(app="web")) and not from_object(selector)(labelled(app="web", tier="db"))
    assert as_text(selector) == "app=web,tier notin (db)"


def test_no_selector_object_matches_nothing_and_an_empty_one_everything() -> None:
    assert not from_object(None)(labelled()) and from_object({})(labelled())

"""The words that several parts of a story share."""

import pytest
from reconciler_sandbox.rehearsal.parse_fields import (
    KINDS,
    comparison,
    mapping,
    named_object,
    object_name,
    optional_comparison,
    own_path,
    rate,
    seconds,
)

from reconciler.kernel.strict import FieldError, StrictFields


def test_every_kind_we_speak_to_has_a_name() -> None:
    assert {"Rollout", "Pod", "Release", "VirtualService", "Namespace"} <= KINDS.keys()


def test_an_object_without_a_namespace_is_named_alone() -> None:
    assert str(object_name(StrictFields({"object": "Namespace shop"}), "object")) == "Namespace shop"


def test_a_cluster_scoped_object_in_a_namespace_is_refused() -> None:
    with pytest.raises(FieldError, match="write Namespace name"):
        object_name(StrictFields({"object": "Namespace a/b"}), "object")


def test_an_object_can_be_named_by_a_key() -> None:
    assert str(named_object("Rollout shop/web", "metrics")) == "Rollout shop/web"
    with pytest.raises(FieldError, match="metrics: write Rollout namespace/name"):
        named_object("Rollout web", "metrics")


def test_durations_are_seconds() -> None:
    assert seconds(StrictFields({"within": "1m30s"}), "within") == 90


@pytest.mark.parametrize("value", [True, "half", -0.1, 1.5])
def test_a_rate_is_a_number_between_nothing_and_all(value: object) -> None:
    with pytest.raises(FieldError, match="between 0 and 1"):
        rate(StrictFields({"errorRate": value}), "errorRate")


def test_false_is_a_value_to_compare_with() -> None:
    assert comparison(StrictFields({"equals": False})).holds([False])


def test_no_comparison_at_all_may_be_allowed() -> None:
    assert optional_comparison(StrictFields({"title": "t"})) is None


def test_a_mapping_knows_its_own_path() -> None:
    assert own_path(StrictFields({}, "steps[0].push")) == "steps[0].push"


def test_keys_are_texts() -> None:
    with pytest.raises(FieldError, match=r"1\.1 is no text"):
        mapping(StrictFields({"of": {1.1: 2}}), "of")

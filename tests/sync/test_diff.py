"""Differences name fields; what the server writes its own way is not one."""

import pytest

from reconciler.sync.drift.diff import LiveDifference, differences, digest, quantity

DESIRED = {"kind": "Deployment", "spec": {"replicas": 2, "template": {"spec": {"containers": [{"name": "a", "image": "a:1"}]}}}}


def test_fields_that_git_does_not_set_are_no_difference() -> None:
    live = {"kind": "Deployment", "spec": {**DESIRED["spec"], "strategy": {"type": "RollingUpdate"}}, "status": {}}  # type: ignore[dict-item]
    assert differences(DESIRED, live) == ()


def test_a_difference_names_the_field_by_the_containers_name() -> None:
    live = {"kind": "Deployment", "spec": {"replicas": 2, "template": {"spec": {"containers": [{"name": "a", "image": "a:2"}]}}}}
    assert differences(DESIRED, live) == (LiveDifference("spec.template.spec.containers[a].image", "a:1", "a:2"),)


def test_a_list_of_another_length_is_one_difference() -> None:
    assert [d.field for d in differences({"spec": {"hosts": ["a"]}}, {"spec": {"hosts": ["a", "b"]}})] == ["spec.hosts"]


def test_labels_count_and_other_metadata_does_not() -> None:
    desired = {"metadata": {"name": "x", "labels": {"a": "1"}}}
    assert [d.field for d in differences(desired, {"metadata": {"name": "x", "uid": "u", "labels": {}}})] == ["metadata.labels.a"]


@pytest.mark.parametrize(("git", "live"), [("1024Mi", "1Gi"), ("1000m", "1"), ("0.5", "500m"), ({}, None), ("1", 1)])
def test_values_that_mean_the_same_are_equal(git: object, live: object) -> None:
    assert differences({"spec": {"x": git}}, {"spec": {"x": live}}) == ()


def test_the_digest_depends_on_content_not_on_order() -> None:
    assert digest({"a": 1, "b": 2}) == digest({"b": 2, "a": 1})
    assert digest({"a": 1}) != digest({"a": 2})


@pytest.mark.parametrize(("text", "value"), [("250m", 0.25), ("2Ki", 2048.0), (3, 3.0), ("abc", None), (True, None), ("5X", None)])
def test_quantities_are_read_as_kubernetes_reads_them(text: object, value: float | None) -> None:
    assert quantity(text) == value


def test_lists_whose_keys_are_objects_are_compared_in_order() -> None:
    servers = [{"port": {"number": 80}, "hosts": ["*"]}]
    assert differences({"spec": {"servers": servers}}, {"spec": {"servers": servers}}) == ()

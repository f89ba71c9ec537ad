"""Metadata: names, labels, owners, and what never changes."""

from dataclasses import replace
from typing import Any

import pytest
from reconciler_sandbox.apiserver.failures import Failure
from reconciler_sandbox.apiserver.kinds import BUILT_IN, NAMESPACES, PODS
from reconciler_sandbox.apiserver.metadata import addressed, of, require_name, restored, validate
from reconciler_sandbox.apiserver.paths import Target
from reconciler_sandbox.apiserver.schemas import Schema

ROLES = next(kind for kind in BUILT_IN if kind.plural == "roles")


def fields(**metadata: Any) -> list[str]:
    return [cause.field for cause in validate(PODS, {"metadata": {"name": "x", **metadata}})]


@pytest.mark.parametrize("name", ["UPPER", "a_b", "-a", "a.", "a" * 254, "", 5])
def test_a_bad_name_is_refused(name: Any) -> None:
    assert "metadata.name" in fields(name=name)


def test_some_kinds_have_shorter_or_freer_names() -> None:
    assert validate(NAMESPACES, {"metadata": {"name": "a" * 64}}) and validate(NAMESPACES, {"metadata": {"name": "a.b"}})
    assert not validate(ROLES, {"metadata": {"name": "system:Node"}}) and validate(ROLES, {"metadata": {"name": "a/b"}})


@pytest.mark.parametrize("labels", [{"a b": "x"}, {"a": "b c"}, {"-a": "x"}, {"x/y/z": "x"}, {"X/y": "x"}, "text"])
def test_bad_labels_are_refused(labels: Any) -> None:
    assert fields(labels=labels) == ["metadata.labels"]


@pytest.mark.parametrize("annotations", [["a"], {"a": "x" * 300_000}, {"a b": "x"}])
def test_bad_annotations_are_refused(annotations: Any) -> None:
    assert fields(annotations=annotations) == ["metadata.annotations"]


def test_finalizers_are_qualified() -> None:
    assert not fields(finalizers=["example.com/x", "orphan"])
    assert fields(finalizers=["x"]) == ["metadata.finalizers[0]"] and fields(finalizers="x") == ["metadata.finalizers"]
    assert fields(finalizers=["a b/c"]) == ["metadata.finalizers"]
    assert fields(finalizers=["orphan", "foregroundDeletion"]) == ["metadata.finalizers"]
    custom = replace(PODS, schema=Schema({}))
    assert not validate(custom, {"metadata": {"name": "x", "finalizers": ["x"]}})


def test_owners_are_complete_and_one_controls() -> None:
    owner = {"apiVersion": "v1", "kind": "Pod", "name": "p", "uid": "1"}
    assert not fields(ownerReferences=[{**owner, "controller": True}, owner])
    assert fields(ownerReferences=[{**owner, "controller": True}] * 2) == ["metadata.ownerReferences"]
    assert fields(ownerReferences=[{**owner, "uid": ""}]) == ["metadata.ownerReferences.uid"]
    assert fields(ownerReferences=["p"]) == ["metadata.ownerReferences"]


TARGET = Target(PODS, "default", "x")


def test_a_body_takes_what_it_lacks_from_its_url() -> None:
    manifest = addressed(TARGET, {"metadata": {"selfLink": "/x", "labels": None}})
    assert manifest == {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "x", "namespace": "default"}}


@pytest.mark.parametrize(
    "body", [{"kind": "Service"}, {"apiVersion": "v2"}, {"metadata": {"name": "y"}}, {"metadata": {"namespace": "z"}}, {"metadata": []}]
)
def test_a_body_that_contradicts_its_url_is_a_bad_request(body: dict[str, Any]) -> None:
    with pytest.raises(Failure) as refused:
        addressed(TARGET, body)
    assert refused.value.code == 400


def test_a_whole_object_has_a_name() -> None:
    require_name(TARGET, {"metadata": {"name": "x"}})
    with pytest.raises(Failure, match="name must be provided"):
        require_name(TARGET, {"metadata": {"labels": {}}})


def test_absent_metadata_is_empty() -> None:
    assert of({}) == {}


OLD = {"metadata": {"name": "x", "uid": "1", "generation": 3, "creationTimestamp": "t", "resourceVersion": "9"}}


def test_what_the_server_sets_is_restored() -> None:
    new = restored(PODS, {"metadata": {"name": "x", "generation": 7, "creationTimestamp": "now"}}, OLD)
    assert new == OLD


@pytest.mark.parametrize("field", ["uid", "deletionTimestamp"])
def test_another_uid_or_a_deletion_by_hand_is_invalid(field: str) -> None:
    with pytest.raises(Failure) as refused:
        restored(PODS, {"metadata": {"name": "x", field: "2"}}, OLD)
    assert refused.value.code == 422


def test_owned_fields_are_kept_unless_cleared() -> None:
    owned = {"metadata": {**OLD["metadata"], "managedFields": [{"manager": "a"}]}}
    assert restored(PODS, {"metadata": {"name": "x"}}, owned)["metadata"]["managedFields"] == [{"manager": "a"}]
    assert "managedFields" not in restored(PODS, {"metadata": {"name": "x", "managedFields": [{}]}}, owned)["metadata"]


def test_an_object_being_deleted_takes_no_new_finalizers() -> None:
    deleting = {"metadata": {**OLD["metadata"], "deletionTimestamp": "t", "finalizers": ["x/a"]}}
    assert restored(PODS, {"metadata": {"name": "x"}}, deleting)
    with pytest.raises(Failure) as refused:
        restored(PODS, {"metadata": {"name": "x", "finalizers": ["x/a", "x/b"]}}, deleting)
    assert refused.value.code == 422

"""What names a thing."""

from reconciler.kernel.identity import ObjectRef, annotations_of, controller_uid, labels_of, name_of, namespace_of, uid_of
from reconciler.kernel.resources import CONFIGMAPS, NAMESPACES, ROLLOUTS


def test_resources_know_their_path_and_api_version() -> None:
    assert (CONFIGMAPS.path, CONFIGMAPS.api_version) == ("/api/v1", "v1")
    assert (ROLLOUTS.path, ROLLOUTS.api_version) == ("/apis/argoproj.io/v1alpha1", "argoproj.io/v1alpha1")


def test_a_reference_reads_like_a_person_writes_it() -> None:
    assert str(ObjectRef(ROLLOUTS, "shop", "web")) == "Rollout shop/web"
    assert str(ObjectRef(NAMESPACES, "", "shop")) == "Namespace shop"


def test_absent_metadata_is_empty() -> None:
    manifest = {"metadata": {"labels": None}}
    assert (name_of(manifest), namespace_of(manifest), uid_of(manifest)) == ("", "", "")
    assert (labels_of(manifest), annotations_of(manifest)) == ({}, {})


def test_only_the_controlling_owner_counts() -> None:
    owners = [{"uid": "a"}, {"uid": "b", "controller": True}]
    assert controller_uid({"metadata": {"ownerReferences": owners}}) == "b"
    assert controller_uid({"metadata": {"ownerReferences": owners[:1]}}) is None
    assert controller_uid({"metadata": {}}) is None

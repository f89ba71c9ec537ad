"""The registry of kinds."""

import pytest
from reconciler_sandbox.apiserver.kinds import PODS, Kind, Registry, as_served, version_rank
from reconciler_sandbox.apiserver.schemas import Schema


def custom(version: str) -> Kind:
    return Kind("demo.example.com", version, "canaries", "Canary", schema=Schema({}), storage="v1")


def test_kinds_come_and_go_and_move_the_generation() -> None:
    registry = Registry()
    registry.replace("demo.example.com", "canaries", [custom("v1"), custom("v1beta1")])
    assert registry.find("demo.example.com", "v1beta1", "canaries") and registry.generation == 1
    registry.replace("demo.example.com", "canaries", ())
    assert registry.find("demo.example.com", "v1", "canaries") is None and registry.generation == 2
    assert registry.find("", "v1", "pods") is PODS


def test_a_reference_finds_its_kind_in_any_version_of_the_group() -> None:
    registry = Registry()
    assert registry.by_kind("apps/v1beta2", "Deployment") is registry.find("apps", "v1", "deployments")
    assert registry.by_kind("v1", "Pod") is PODS and registry.by_kind("v1", "Nothing") is None


def test_the_preferred_version_comes_first() -> None:
    registry = Registry()
    registry.replace("demo.example.com", "canaries", [custom(version) for version in ("v1alpha1", "v2beta1", "v1", "odd")])
    assert list(registry.groups()["demo.example.com"]) == ["v1", "v2beta1", "v1alpha1", "odd"]


@pytest.mark.parametrize("text", ["vX", "v1betaX", ""])
def test_odd_versions_rank_without_an_error(text: str) -> None:
    assert version_rank(text) < version_rank("v1")


def test_an_object_is_served_in_the_version_that_was_asked_for() -> None:
    stored = {"apiVersion": "demo.example.com/v1"}
    assert as_served(custom("v1"), stored) is stored
    assert as_served(custom("v2"), stored) == {"apiVersion": "demo.example.com/v2"}
    assert custom("v2").stored_version == "demo.example.com/v1" and custom("v2").list_name == "CanaryList"

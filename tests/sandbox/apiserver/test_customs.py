"""Custom resource definitions: served with the write that brings them, gone with their instances."""

from typing import Any

import pytest
from reconciler_sandbox.apiserver.customs import established, kinds_of, with_condition
from reconciler_sandbox.apiserver.server import ApiServer
from reconciler_sandbox.client import ApiClient, ApiError

from tests.kit.apiserver import CANARIES, DEFINITIONS, canary, definition, gone

NAME = "canaries.demo.example.com"


def conditions(manifest: dict[str, Any]) -> dict[str, str]:
    return {one["type"]: one["status"] for one in manifest["status"]["conditions"]}


async def test_a_definition_is_established_and_served_at_once(api: ApiClient) -> None:
    made = await api.create(DEFINITIONS, definition())
    assert conditions(made) == {"NamesAccepted": "True", "Established": "True"} and established(made)
    assert made["status"]["storedVersions"] == ["v1alpha1"] and made["status"]["acceptedNames"]["kind"] == "Canary"
    assert (await api.create(CANARIES, canary("c", weight=1)))["spec"] == {"weight": 1, "mode": "linear", "options": {"timeout": 30}}


async def test_an_invalid_instance_is_refused(api: ApiClient) -> None:
    await api.create(DEFINITIONS, definition())
    with pytest.raises(ApiError) as refused:
        await api.create(CANARIES, canary("c", weight=200))
    assert refused.value.message == (
        'Canary.demo.example.com "c" is invalid: spec.weight: Invalid value: 200: spec.weight in body should be less than or equal to 100'
    )


@pytest.mark.parametrize("missing", ["kind", "apiVersion"])
async def test_an_instance_says_what_it_is(api: ApiClient, missing: str) -> None:
    await api.create(DEFINITIONS, definition())
    with pytest.raises(ApiError) as refused:
        await api.create(CANARIES, {name: inner for name, inner in canary("c").items() if name != missing})
    assert refused.value.status == 400


async def test_applying_a_definition_again_changes_nothing_and_a_new_version_is_served(api: ApiClient) -> None:
    made = await api.create(DEFINITIONS, definition())
    again = await api.patch(f"{DEFINITIONS}/{NAME}", definition(), style="merge")
    assert again["metadata"]["resourceVersion"] == made["metadata"]["resourceVersion"]
    await api.patch(f"{DEFINITIONS}/{NAME}", definition(versions=("v1alpha1", "v1")))
    assert await api.list("/apis/demo.example.com/v1/canaries") == []


async def test_names_that_are_taken_are_not_accepted(api: ApiClient) -> None:
    await api.create(DEFINITIONS, definition())
    other = definition()
    other["metadata"]["name"] = "others.demo.example.com"
    other["spec"]["names"] = {"plural": "others", "kind": "Other", "singular": "canary"}
    made = await api.create(DEFINITIONS, other)
    assert conditions(made) == {"NamesAccepted": "False", "Established": "False"}
    assert made["status"]["conditions"][0]["reason"] == "SingularConflict"
    with pytest.raises(ApiError):
        await api.list("/apis/demo.example.com/v1alpha1/others")


async def test_deleting_a_definition_deletes_its_instances_first(api_server: ApiServer, api: ApiClient) -> None:
    await api.create(DEFINITIONS, definition())
    await api.create(CANARIES, canary("free"))
    held = canary("held")
    held["metadata"]["finalizers"] = ["example.com/x"]
    await api.create(CANARIES, held)
    await api.delete(f"{DEFINITIONS}/{NAME}")
    await gone(api_server, f"{CANARIES}/free")
    assert await api.get(f"{DEFINITIONS}/{NAME}") and await api.get(f"{CANARIES}/held")
    await api.patch(f"{CANARIES}/held", {"metadata": {"finalizers": None}})
    await gone(api_server, f"{DEFINITIONS}/{NAME}")
    with pytest.raises(ApiError) as refused:
        await api.list(CANARIES)
    assert refused.value.status == 404


def test_versions_that_are_not_served_are_no_kinds() -> None:
    made = definition(versions=("v1alpha1", "v1"))
    made["spec"]["versions"][1]["served"] = False
    assert [kind.version for kind in kinds_of(made)] == ["v1alpha1"]


def test_a_condition_keeps_its_time_until_its_status_changes() -> None:
    first = with_condition([], "Ready", ("True", "a", ""), "t1")
    assert with_condition(first, "Ready", ("True", "b", ""), "t2")[0]["lastTransitionTime"] == "t1"
    assert with_condition(first, "Ready", ("False", "b", ""), "t2")[0]["lastTransitionTime"] == "t2"


async def test_what_its_own_version_does_not_know_is_not_kept(api: ApiClient) -> None:
    made = definition(versions=("v1alpha1", "v1"))
    made["spec"]["versions"][1]["schema"] = {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}}
    await api.create(DEFINITIONS, made)
    path = "/apis/demo.example.com/v1/namespaces/default/canaries"
    kept = await api.create(path, {**canary("c"), "apiVersion": "demo.example.com/v1", "spec": {"weight": 5, "unheard": "of"}})
    assert kept["spec"]["weight"] == 5 and "unheard" not in kept["spec"]

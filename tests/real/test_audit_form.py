"""The one form in which built-in objects are kept: typed, without what says nothing, and who owned what before an apply."""

from typing import Any

import pytest

from tests.real.kit.api import Api, Json
from tests.real.kit.objects import APPS, config_map, deployment, lease


def applying(api: Api, manager: str, body: Json, **query: str) -> Any:
    return api.patch(api.ours("configmaps", body["metadata"]["name"]), body, "apply", fieldManager=manager, **query)


async def test_what_says_nothing_is_not_kept(api: Api) -> None:
    made = await api.made(
        api.ours("configmaps"), {**config_map("a", labels={}, annotations=None, finalizers=[]), "data": {}, "binaryData": None}
    )
    assert set(made) == {"apiVersion", "kind", "metadata"}
    assert not {"labels", "annotations", "finalizers"} & set(made["metadata"])
    again = await api.patch(api.ours("configmaps", "a"), {"metadata": {"labels": {}, "finalizers": [], "ownerReferences": []}, "data": {}})
    assert again.version == made["metadata"]["resourceVersion"]


async def test_zeros_go_and_pointers_to_them_stay(api: Api) -> None:
    body = deployment("web", paused=True, minReadySeconds=0, revisionHistoryLimit=0)
    container = body["spec"]["template"]["spec"]["containers"][0]
    container.update(env=[{"name": "A", "value": ""}], args=[], command=None, stdin=False, workingDir="")
    spec = (await api.made(api.ours("deployments", group=APPS), body))["spec"]
    assert "minReadySeconds" not in spec and (spec["replicas"], spec["revisionHistoryLimit"]) == (0, 0)
    [kept] = spec["template"]["spec"]["containers"]
    assert kept["env"] == [{"name": "A"}] and not {"args", "command", "stdin", "workingDir"} & set(kept)
    assert kept["resources"] == {}


async def test_null_in_a_map_of_text_is_empty_text(api: Api) -> None:
    body = {"metadata": {"name": "a"}, "data": {"x": None}}
    assert (await api.made(api.ours("configmaps"), body))["data"] == {"x": ""}


@pytest.mark.parametrize(
    "part",
    [{"data": {"x": 1}}, {"data": []}, {"metadata": {"name": 5}}, {"metadata": {"name": "a", "labels": {"x": 1}}}, {"metadata": "a"}],
)
async def test_a_field_of_the_wrong_type_is_a_bad_request(api: Api, part: Json) -> None:
    reply = await api("POST", api.ours("configmaps"), {**config_map("a"), **part})
    assert reply.refusal[:2] == (400, "BadRequest")
    assert reply.refusal[2].startswith('ConfigMap in version "v1" cannot be handled as a ConfigMap: ')


async def test_a_patch_to_the_wrong_type_is_invalid(api: Api) -> None:
    path = api.ours("deployments", "web", group=APPS)
    await api.made(api.ours("deployments", group=APPS), deployment("web", paused=True))
    for style in ("merge", "strategic"):
        for patch in ({"spec": {"replicas": "x"}}, {"spec": {"template": {"spec": {"containers": {}}}}}, {"status": {"replicas": "x"}}):
            reply = await api.patch(path + ("/status" if "status" in patch else ""), patch, style)
            assert reply.refusal[:2] == (422, "Invalid")
            assert reply.refusal[2].startswith(' "" is invalid: patch: Invalid value: ')


async def test_an_applied_field_must_be_one(api: Api) -> None:
    for part in ({"nope": 1}, {"data": {"x": 1}}, {"data": []}):
        reply = await applying(api, "one", {**config_map("a"), **part})
        assert reply.status == 500
        assert reply.document["message"].startswith("failed to create typed patch object")


async def test_quantities_are_written_in_one_way(api: Api) -> None:
    body = deployment("web", paused=True)
    limits = {"memory": "1024Mi", "cpu": "0.5", "example.com/things": "5000"}
    body["spec"]["template"]["spec"]["containers"][0]["resources"] = {"limits": limits}
    [container] = (await api.made(api.ours("deployments", group=APPS), body))["spec"]["template"]["spec"]["containers"]
    assert container["resources"]["limits"] == {"memory": "1Gi", "cpu": "500m", "example.com/things": "5k"}


async def test_what_was_created_belongs_to_its_creator(api: Api) -> None:
    await api.made(api.ours("configmaps"), config_map("a", {"x": "1", "y": "1"}), fieldManager="creator")
    assert (await applying(api, "one", config_map("a", {"x": "1"}))).status == 200
    refused = await applying(api, "two", config_map("a", {"y": "2"}))
    assert refused.refusal == (409, "Conflict", 'Apply failed with 1 conflict: conflict with "creator" using v1: .data.y')
    forced = await applying(api, "two", config_map("a", {"y": "2"}), force="true")
    assert forced.document["data"] == {"x": "1", "y": "2"}


async def test_a_default_belongs_to_the_creator_too(api: Api) -> None:
    path = api.ours("deployments", "web", group=APPS)
    body = deployment("web", paused=True)
    await api.made(api.ours("deployments", group=APPS), body, fieldManager="creator")
    wanted: Json = {"apiVersion": APPS, "kind": "Deployment", "metadata": {"name": "web"}, "spec": {"progressDeadlineSeconds": 5}}
    refused = await api.patch(path, wanted, "apply", fieldManager="one")
    assert refused.refusal[2] == 'Apply failed with 1 conflict: conflict with "creator" using apps/v1: .spec.progressDeadlineSeconds'


async def test_who_wrote_last_owns_it(api: Api) -> None:
    await api.made(api.ours("configmaps"), config_map("a", {"x": "1", "y": "1"}), fieldManager="creator")
    await api.patch(api.ours("configmaps", "a"), {"data": {"x": "2", "z": "1"}}, fieldManager="editor")
    refused = await applying(api, "one", config_map("a", {"x": "3", "z": "2"}))
    words = 'Apply failed with 2 conflicts: conflicts with "editor" using v1:\n- .data.x\n- .data.z'
    assert refused.refusal == (409, "Conflict", words)
    assert {cause["message"] for cause in refused.document["details"]["causes"]} == {'conflict with "editor" using v1'}


async def test_conflicts_are_told_owner_by_owner(api: Api) -> None:
    await applying(api, "one", config_map("a", {"x": "1"}, labels={"l": "1"}))
    await applying(api, "two", config_map("a", {"x": "1"}))
    refused = await applying(api, "three", config_map("a", {"x": "2"}, labels={"l": "2"}))
    words = 'conflicts with "one":\n- .data.x\n- .metadata.labels.l\nconflicts with "two":\n- .data.x'
    assert refused.refusal[2] == f"Apply failed with 3 conflicts: {words}"


async def test_without_managed_fields_it_was_somebody_before(api: Api) -> None:
    await applying(api, "one", config_map("a", {"x": "1"}))
    await api.patch(api.ours("configmaps", "a"), {"metadata": {"managedFields": [{}]}})
    refused = await applying(api, "one", config_map("a", {"x": "2"}))
    assert refused.refusal[2] == 'Apply failed with 1 conflict: conflict with "before-first-apply" using v1: .data.x'


async def test_who_applies_nothing_owns_nothing(api: Api) -> None:
    await applying(api, "one", config_map("a", {"x": "1"}))
    emptied = await applying(api, "one", {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}})
    assert "data" not in emptied.document and not emptied.metadata.get("managedFields")


async def test_an_apply_is_of_the_object_at_its_url(api: Api) -> None:
    path = api.ours("configmaps", "a")
    for body, words in (
        (config_map("b"), "the name of the object (b) does not match the name on the URL (a)"),
        (config_map("a", namespace="zz"), "the namespace of the provided object does not match the namespace sent on the request"),
        (config_map("a", managedFields=[]), "metadata.managedFields must be nil"),
    ):
        assert (
            await applying(api, "one", {**body})
            if body["metadata"]["name"] == "a"
            else await api.patch(path, body, "apply", fieldManager="one")
        ).refusal == (
            400,
            "BadRequest",
            words,
        )


async def test_a_whole_object_says_its_name(api: Api) -> None:
    await api.made(api.ours("configmaps"), config_map("a"))
    reply = await api("PUT", api.ours("configmaps", "a"), {"metadata": {}, "data": {"x": "1"}})
    assert reply.refusal == (400, "BadRequest", "the name of the object (a based on URL) was undeterminable: name must be provided")
    assert (await api.patch(api.ours("configmaps", "a"), {"metadata": {"name": None}})).refusal == reply.refusal


async def test_a_version_of_zero_is_none(api: Api) -> None:
    await api.made(api.ours("configmaps"), config_map("a"))
    assert (await api("PUT", api.ours("configmaps", "a"), config_map("a", {"x": "1"}, resourceVersion="0"))).status == 200
    group = "coordination.k8s.io/v1"
    await api.made(api.ours("leases", group=group), lease("l", "one"))
    reply = await api("PUT", api.ours("leases", "l", group=group), lease("l", "two"))
    words = 'leases.coordination.k8s.io "l" is invalid: metadata.resourceVersion: Invalid value: 0: must be specified for an update'
    assert reply.refusal == (422, "Invalid", words)


@pytest.mark.parametrize(
    ("metadata", "words"),
    [
        ({"labels": {"-a": "1"}}, 'metadata.labels: Invalid value: "-a": name part must consist of alphanumeric characters'),
        ({"labels": {"a": "-"}}, 'metadata.labels: Invalid value: "-": a valid label must be an empty string or consist of'),
        ({"labels": {"X.y/z": "1"}}, 'metadata.labels: Invalid value: "X.y/z": prefix part a lowercase RFC 1123 subdomain must consist of'),
        ({"labels": {"a" * 64: "1"}}, f'metadata.labels: Invalid value: "{"a" * 64}": name part must be no more than 63 characters'),
        ({"annotations": {"/x": "1"}}, 'metadata.annotations: Invalid value: "/x": prefix part must be non-empty'),
        ({"finalizers": ["x"]}, 'metadata.finalizers[0]: Invalid value: "x": name is neither a standard finalizer name nor is it fully'),
        ({"finalizers": ["x/y/z"]}, 'metadata.finalizers: Invalid value: "x/y/z": a qualified name must consist of'),
    ],
)
async def test_metadata_is_valid_or_says_what_is_not(api: Api, metadata: Json, words: str) -> None:
    reply = await api("POST", api.ours("configmaps"), config_map("a", **metadata))
    assert reply.refusal[:2] == (422, "Invalid")
    assert reply.refusal[2].startswith(f'ConfigMap "a" is invalid: {words}')

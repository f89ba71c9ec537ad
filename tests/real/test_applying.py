"""Server-side apply: who owns what, and what happens when two want different things (reference 3.4)."""

from typing import Any

from tests.real.kit.api import Api, Json, Reply
from tests.real.kit.objects import APPS, config_map, deployment


async def applied(api: Api, manager: str, body: Json, **query: str) -> Reply:
    plural, group = ("configmaps", "") if body["kind"] == "ConfigMap" else ("deployments", APPS)
    return await api.patch(api.ours(plural, body["metadata"]["name"], group=group), body, "apply", fieldManager=manager, **query)


def owners(reply: Reply, operation: str = "Apply") -> dict[str, Any]:
    return {entry["manager"]: entry["fieldsV1"] for entry in reply.metadata["managedFields"] if entry["operation"] == operation}


async def test_what_is_not_there_is_made(api: Api) -> None:
    reply = await applied(api, "one", config_map("a", {"x": "1"}))
    assert reply.status == 201
    assert owners(reply) == {"one": {"f:data": {"f:x": {}}}}
    assert (await applied(api, "one", config_map("a", {"x": "1"}))).version == reply.version


async def test_another_owner_is_a_conflict_until_it_is_forced(api: Api) -> None:
    await applied(api, "one", config_map("a", {"x": "1"}))
    refused = await applied(api, "two", config_map("a", {"x": "2"}))
    assert refused.refusal == (409, "Conflict", 'Apply failed with 1 conflict: conflict with "one": .data.x')
    assert refused.document["details"]["causes"] == [
        {"reason": "FieldManagerConflict", "message": 'conflict with "one"', "field": ".data.x"}
    ]
    forced = await applied(api, "two", config_map("a", {"x": "2"}), force="true")
    assert forced.document["data"] == {"x": "2"}
    assert owners(forced)["two"] == {"f:data": {"f:x": {}}}


async def test_the_same_value_is_shared(api: Api) -> None:
    await applied(api, "one", config_map("a", {"x": "1"}))
    shared = await applied(api, "two", config_map("a", {"x": "1"}))
    assert set(owners(shared)) == {"one", "two"}
    assert (await applied(api, "one", config_map("a", {"y": "2"}))).document["data"] == {"x": "1", "y": "2"}


async def test_an_empty_map_takes_nothing_from_others(api: Api) -> None:
    await applied(api, "one", config_map("a", {"x": "1"}))
    assert (await applied(api, "two", config_map("a"))).document["data"] == {"x": "1"}


async def test_what_its_only_owner_drops_goes(api: Api) -> None:
    await applied(api, "one", config_map("a", {"x": "1", "y": "2"}))
    assert (await applied(api, "one", config_map("a", {"x": "1"}))).document["data"] == {"x": "1"}


async def test_what_nobody_applied_stays(api: Api) -> None:
    await api.made(api.ours("configmaps"), config_map("a", {"x": "1"}), fieldManager="creator")
    assert (await applied(api, "one", config_map("a", {"y": "2"}))).document["data"] == {"x": "1", "y": "2"}


async def test_lists_are_merged_by_their_keys(api: Api) -> None:
    body = deployment("web", paused=True)
    body["spec"]["template"]["spec"]["containers"][0]["env"] = [{"name": "A", "value": "1"}]
    await applied(api, "one", body)
    other: Json = {"apiVersion": APPS, "kind": "Deployment", "metadata": {"name": "web"}}
    other["spec"] = {"template": {"spec": {"containers": [{"name": "main", "env": [{"name": "B", "value": "2"}]}]}}}
    [container] = (await applied(api, "two", other)).document["spec"]["template"]["spec"]["containers"]
    assert [entry["name"] for entry in container["env"]] == ["A", "B"]
    assert container["image"] == "registry.example/web:1.0"


async def test_an_apply_needs_a_manager_and_no_managed_fields(api: Api) -> None:
    path = api.ours("configmaps", "a")
    assert (await api.patch(path, config_map("a"), "apply")).refusal[:2] == (422, "Invalid")
    reply = await api.patch(path, config_map("a", managedFields=[{"manager": "x"}]), "apply", fieldManager="one")
    assert reply.refusal == (400, "BadRequest", "metadata.managedFields must be nil")


async def test_an_applied_version_is_a_precondition(api: Api) -> None:
    made = await applied(api, "one", config_map("a", {"x": "1"}))
    await api.patch(api.ours("configmaps", "a"), {"metadata": {"labels": {"a": "b"}}})
    stale = await applied(api, "one", config_map("a", {"x": "2"}, resourceVersion=made.version))
    assert stale.refusal[:2] == (409, "Conflict")


async def test_a_dry_run_of_an_apply_stores_nothing(api: Api) -> None:
    assert (await applied(api, "one", config_map("a", {"x": "1"}), dryRun="All")).document["data"] == {"x": "1"}
    assert (await api("GET", api.ours("configmaps", "a"))).status == 404


async def test_managed_fields_can_be_cleared(api: Api) -> None:
    await applied(api, "one", config_map("a", {"x": "1"}))
    cleared = await api.patch(api.ours("configmaps", "a"), {"metadata": {"managedFields": [{}]}})
    assert not cleared.metadata.get("managedFields")


async def test_a_status_is_owned_apart(api: Api) -> None:
    await applied(api, "one", deployment("web", paused=True))
    status: Json = {"apiVersion": APPS, "kind": "Deployment", "metadata": {"name": "web"}, "status": {"collisionCount": 7}}
    reply = await api.patch(api.ours("deployments", "web", group=APPS) + "/status", status, "apply", fieldManager="two")
    assert reply.status == 200 and reply.document["status"]["collisionCount"] == 7


async def test_an_update_takes_over_what_it_changes(api: Api) -> None:
    await applied(api, "one", config_map("a", {"x": "1", "y": "1"}))
    place = api.ours("configmaps", "a")
    await api.patch(place, {"data": {"x": "2", "z": "3"}}, "merge", fieldManager="editor")
    refused = await applied(api, "one", config_map("a", {"x": "1", "y": "1"}))
    [cause] = refused.document["details"]["causes"]
    assert refused.status == 409 and cause["field"] == ".data.x"
    assert cause["message"].startswith('conflict with "editor" using v1')
    forced = await applied(api, "one", config_map("a", {"x": "1"}), force="true")
    assert forced.document["data"] == {"x": "1", "z": "3"}
    assert owners(forced) == {"one": {"f:data": {"f:x": {}}}}


async def test_what_an_update_removes_belongs_to_nobody(api: Api) -> None:
    await applied(api, "one", config_map("a", {"x": "1", "y": "1"}))
    removed = await api.patch(api.ours("configmaps", "a"), {"data": {"x": None}}, "merge", fieldManager="editor")
    assert owners(removed) == {"one": {"f:data": {"f:y": {}}}}
    assert (await applied(api, "two", config_map("a", {"x": "5"}))).document["data"] == {"x": "5", "y": "1"}

"""The four kinds of patches and their directives (reference 3.3)."""

from tests.real.kit.api import Api, Json
from tests.real.kit.objects import APPS, config_map, deployment


def containers(manifest: Json) -> list[Json]:
    return list(manifest["spec"]["template"]["spec"]["containers"])


async def web(api: Api, **container: object) -> str:
    """A paused Deployment with one container, and where it is."""
    body = deployment("web", paused=True)
    containers(body)[0].update(container)
    await api.made(api.ours("deployments", group=APPS), body)
    return api.ours("deployments", "web", group=APPS)


async def test_a_merge_patch_replaces_lists_and_null_deletes(api: Api) -> None:
    await api.made(api.ours("configmaps"), config_map("a", {"x": "1", "y": "2"}, finalizers=["example.com/one"]))
    patch = {"data": {"x": None, "z": "3"}, "metadata": {"finalizers": ["example.com/two"]}}
    found = (await api.patch(api.ours("configmaps", "a"), patch)).document
    assert (found["data"], found["metadata"]["finalizers"]) == ({"y": "2", "z": "3"}, ["example.com/two"])
    await api.patch(api.ours("configmaps", "a"), {"metadata": {"finalizers": None}})


async def test_a_json_patch_is_carried_out_in_order(api: Api) -> None:
    await api.made(api.ours("configmaps"), config_map("a", {"x": "1"}))
    patch = [
        {"op": "test", "path": "/data/x", "value": "1"},
        {"op": "add", "path": "/data/y", "value": "2"},
        {"op": "copy", "from": "/data/y", "path": "/data/z"},
        {"op": "remove", "path": "/data/x"},
        {"op": "add", "path": "/metadata/annotations", "value": {"a~b/c": "d"}},
        {"op": "replace", "path": "/metadata/annotations/a~0b~1c", "value": "e"},
    ]
    reply = await api.patch(api.ours("configmaps", "a"), patch[:4], "json")
    assert reply.document["data"] == {"y": "2", "z": "2"}
    patch = [
        {"op": "add", "path": "/metadata/annotations", "value": {"a/c": "d"}},
        {"op": "replace", "path": "/metadata/annotations/a~1c", "value": "e"},
    ]
    assert (await api.patch(api.ours("configmaps", "a"), patch, "json")).metadata["annotations"] == {"a/c": "e"}


async def test_a_strategic_patch_merges_lists_by_their_key(api: Api) -> None:
    path = await web(api, env=[{"name": "A", "value": "1"}])
    patch = {"spec": {"template": {"spec": {"containers": [{"name": "main", "env": [{"name": "B", "value": "2"}]}]}}}}
    [container] = containers((await api.patch(path, patch, "strategic")).document)
    assert container["env"] == [{"name": "B", "value": "2"}, {"name": "A", "value": "1"}]
    assert container["image"] == "registry.example/web:1.0"


async def test_a_strategic_patch_orders_what_it_is_told_to(api: Api) -> None:
    path = await web(api, env=[{"name": "A", "value": "1"}])
    inner = {"name": "main", "env": [{"name": "B", "value": "2"}], "$setElementOrder/env": [{"name": "A"}, {"name": "B"}]}
    patch = {"spec": {"template": {"spec": {"containers": [inner]}}}}
    [container] = containers((await api.patch(path, patch, "strategic")).document)
    assert [entry["name"] for entry in container["env"]] == ["A", "B"]


async def test_a_strategic_patch_deletes_and_replaces_by_directive(api: Api) -> None:
    path = await web(api, env=[{"name": "A", "value": "1"}, {"name": "B", "value": "2"}])
    inner: Json = {"name": "main", "env": [{"name": "A", "$patch": "delete"}]}
    [container] = containers((await api.patch(path, {"spec": {"template": {"spec": {"containers": [inner]}}}}, "strategic")).document)
    assert [entry["name"] for entry in container["env"]] == ["B"]
    inner = {"name": "main", "env": [{"name": "C", "value": "3"}, {"$patch": "replace"}]}
    [container] = containers((await api.patch(path, {"spec": {"template": {"spec": {"containers": [inner]}}}}, "strategic")).document)
    assert [entry["name"] for entry in container["env"]] == ["C"]


async def test_a_strategic_patch_keeps_only_the_keys_it_is_told_to(api: Api) -> None:
    path = await web(api)
    patch = {"spec": {"strategy": {"$retainKeys": ["type"], "type": "Recreate"}}}
    assert (await api.patch(path, patch, "strategic")).document["spec"]["strategy"] == {"type": "Recreate"}


async def test_a_strategic_patch_takes_values_out_of_plain_lists(api: Api) -> None:
    await api.made(api.ours("configmaps"), config_map("a", finalizers=["example.com/one", "example.com/two"]))
    patch = {"metadata": {"$deleteFromPrimitiveList/finalizers": ["example.com/one"]}}
    assert (await api.patch(api.ours("configmaps", "a"), patch, "strategic")).metadata["finalizers"] == ["example.com/two"]
    await api.patch(api.ours("configmaps", "a"), {"metadata": {"finalizers": None}})


async def test_atomic_lists_are_replaced_by_a_strategic_patch(api: Api) -> None:
    path = await web(api, args=["a", "b"])
    patch = {"spec": {"template": {"spec": {"containers": [{"name": "main", "args": ["c"]}]}}}}
    [container] = containers((await api.patch(path, patch, "strategic")).document)
    assert container["args"] == ["c"]


async def test_conditions_are_merged_by_type(api: Api) -> None:
    path = await web(api) + "/status"
    for name in ("One", "Two"):
        await api.patch(path, {"status": {"conditions": [{"type": name, "status": "True"}]}}, "strategic")
    found = (await api.patch(path, {"status": {"conditions": [{"type": "One", "status": "False"}]}}, "strategic")).document
    told = {one["type"]: one["status"] for one in found["status"]["conditions"]}
    assert (told["One"], told["Two"]) == ("False", "True")


async def test_what_is_not_there_cannot_be_patched(api: Api) -> None:
    for style, patch in (("merge", {}), ("strategic", {}), ("json", [])):
        assert (await api.patch(api.ours("configmaps", "nope"), patch, style)).refusal[:2] == (404, "NotFound")

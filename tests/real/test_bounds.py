"""What a real server bounds, too: the size of an object, and how many of its writers it remembers."""

from tests.real.kit.api import Api, Json
from tests.real.kit.objects import config_map

KINDS = "bigs.bounds.example.com"


def definition() -> Json:
    schema = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    version = {"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": schema}}
    spec = {"group": "bounds.example.com", "scope": "Namespaced", "names": {"plural": "bigs", "kind": "Big"}, "versions": [version]}
    return {"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition", "metadata": {"name": KINDS}, "spec": spec}


def big(name: str, size: int) -> Json:
    return {"apiVersion": "bounds.example.com/v1", "kind": "Big", "metadata": {"name": name}, "text": "x" * size}


async def test_the_oldest_updaters_become_one(api: Api) -> None:
    path = api.ours("configmaps", "a")
    await api.patch(path, {**config_map("a"), "data": {"x": "1"}}, "apply", fieldManager="me")
    for number in range(14):
        reply = await api.patch(path, {"data": {f"k{number:02}": "v"}}, fieldManager=f"m{number:02}")
    entries = {entry["manager"]: sorted(entry["fieldsV1"]["f:data"]) for entry in reply.metadata["managedFields"]}
    assert [name for name in entries if name not in ("me", "ancient-changes")] == [f"m{number:02}" for number in range(5, 14)]
    assert [name for name in entries["ancient-changes"] if name != "."] == [f"f:k{number:02}" for number in range(5)]


async def test_those_who_apply_are_all_remembered(api: Api) -> None:
    for number in range(14):
        applied = {**config_map("a"), "data": {f"k{number}": "v"}}
        reply = await api.patch(api.ours("configmaps", "a"), applied, "apply", fieldManager=f"m{number}")
    assert len(reply.metadata["managedFields"]) == 14


async def test_an_object_has_room_for_a_mebibyte_and_a_half(api: Api) -> None:
    await api.made("/apis/apiextensions.k8s.io/v1/customresourcedefinitions", definition())
    bigs = api.ours("bigs", group="bounds.example.com/v1")
    try:
        await api.until(bigs, lambda listed: True)
        await api.made(bigs, big("a", 1_400_000))
        for reply in (await api("POST", bigs, big("b", 1_600_000)), await api.patch(f"{bigs}/a", {"more": "x" * 400_000})):
            assert (reply.status, reply.document["message"]) == (500, "etcdserver: request is too large")
        assert "more" not in (await api("GET", f"{bigs}/a")).document
        assert (await api("POST", bigs, big("b", 3_200_000))).refusal[:2] == (413, "RequestEntityTooLarge")
    finally:
        await api("DELETE", f"/apis/apiextensions.k8s.io/v1/customresourcedefinitions/{KINDS}")


async def test_a_watch_of_a_kind_that_is_gone_is_over(api: Api) -> None:
    await api.made("/apis/apiextensions.k8s.io/v1/customresourcedefinitions", definition())
    bigs = api.ours("bigs", group="bounds.example.com/v1")
    await api.until(bigs, lambda listed: True)
    async with api.watch(bigs) as watch:
        await api.made(bigs, big("a", 1))
        await api("DELETE", f"/apis/apiextensions.k8s.io/v1/customresourcedefinitions/{KINDS}")
        assert [await watch.next() for _ in range(2)][1][0] == "DELETED"
        assert await watch.over()

"""How objects go: finalizers, propagation, collections (reference 3.2, 3.8)."""

from tests.real.kit.api import Api
from tests.real.kit.objects import config_map, owned

FINALIZER = "example.com/mine"


async def test_a_deletion_says_what_is_gone(api: Api) -> None:
    made = await api.made(api.ours("configmaps"), config_map("a"))
    document = (await api("DELETE", api.ours("configmaps", "a"))).document
    assert (document["kind"], document["status"]) == ("Status", "Success")
    assert document["details"] == {"name": "a", "kind": "configmaps", "uid": made["metadata"]["uid"]}
    assert (await api("DELETE", api.ours("configmaps", "a"))).refusal[:2] == (404, "NotFound")


async def test_a_finalizer_keeps_an_object_until_it_is_taken_off(api: Api) -> None:
    path = api.ours("configmaps", "a")
    await api.made(api.ours("configmaps"), config_map("a", finalizers=[FINALIZER]))
    first = (await api("DELETE", path)).document
    assert first["kind"] == "ConfigMap" and first["metadata"]["deletionTimestamp"]
    assert first["metadata"]["deletionGracePeriodSeconds"] == 0
    assert (await api("DELETE", path)).version == first["metadata"]["resourceVersion"]
    assert (await api.patch(path, {"data": {"x": "1"}})).status == 200
    assert (await api.patch(path, {"metadata": {"finalizers": [FINALIZER, "example.com/new"]}})).refusal[:2] == (422, "Invalid")
    reply = await api("POST", api.ours("configmaps"), config_map("a"))
    assert reply.refusal == (409, "AlreadyExists", 'object is being deleted: configmaps "a" already exists')
    assert (await api.patch(path, {"metadata": {"finalizers": []}})).status == 200
    assert (await api("GET", path)).status == 404


async def test_a_finalizer_needs_a_domain(api: Api) -> None:
    reply = await api("POST", api.ours("configmaps"), config_map("a", finalizers=["mine"]))
    assert reply.refusal[:2] == (422, "Invalid")
    assert "metadata.finalizers" in reply.refusal[2]


async def test_a_collection_is_deleted_by_selector(api: Api) -> None:
    for name, labels in (("a", {"x": "1"}), ("b", {"x": "1"}), ("c", {"x": "2"})):
        await api.made(api.ours("configmaps"), config_map(name, labels=labels))
    reply = await api("DELETE", api.ours("configmaps"), labelSelector="x=1")
    assert reply.status == 200
    assert (await api("GET", api.ours("configmaps"), labelSelector="x")).names == ["c"]


async def test_dependents_follow_their_owner(api: Api) -> None:
    owner = await api.made(api.ours("configmaps"), config_map("owner"))
    await api.made(api.ours("configmaps"), owned(config_map("dependent"), owner))
    await api("DELETE", api.ours("configmaps", "owner"), {"propagationPolicy": "Background"})
    await api.gone(api.ours("configmaps", "dependent"))


async def test_in_the_foreground_dependents_go_first(api: Api) -> None:
    owner = await api.made(api.ours("configmaps"), config_map("owner"))
    dependent = owned(config_map("dependent", finalizers=[FINALIZER]), owner, blockOwnerDeletion=True)
    dependent["metadata"]["finalizers"] = [FINALIZER]
    await api.made(api.ours("configmaps"), dependent)
    kept = (await api("DELETE", api.ours("configmaps", "owner"), {"propagationPolicy": "Foreground"})).document
    assert kept["metadata"]["finalizers"] == ["foregroundDeletion"]
    await api.until(api.ours("configmaps", "dependent"), lambda found: found["metadata"].get("deletionTimestamp"))
    assert (await api("GET", api.ours("configmaps", "owner"))).status == 200
    await api.patch(api.ours("configmaps", "dependent"), {"metadata": {"finalizers": None}})
    await api.gone(api.ours("configmaps", "owner"))


async def test_orphans_lose_their_owner_and_stay(api: Api) -> None:
    owner = await api.made(api.ours("configmaps"), config_map("owner"))
    await api.made(api.ours("configmaps"), owned(config_map("dependent"), owner))
    await api("DELETE", api.ours("configmaps", "owner"), {"propagationPolicy": "Orphan"})
    await api.gone(api.ours("configmaps", "owner"))
    assert not (await api("GET", api.ours("configmaps", "dependent"))).metadata.get("ownerReferences")


async def test_of_two_owners_one_is_enough(api: Api) -> None:
    first, second = [await api.made(api.ours("configmaps"), config_map(name)) for name in ("first", "second")]
    both = owned(config_map("dependent"), first)
    both["metadata"]["ownerReferences"] += owned(config_map("x"), second)["metadata"]["ownerReferences"]
    await api.made(api.ours("configmaps"), both)
    await api("DELETE", api.ours("configmaps", "first"))
    found = await api.until(api.ours("configmaps", "dependent"), lambda found: len(found["metadata"]["ownerReferences"]) == 1)
    assert found["metadata"]["ownerReferences"][0]["name"] == "second"


async def test_an_owner_that_never_was_takes_its_dependents_along(api: Api) -> None:
    ghost = config_map("ghost", uid="00000000-0000-4000-8000-000000000000")
    await api.made(api.ours("configmaps"), owned(config_map("dependent"), ghost))
    await api.gone(api.ours("configmaps", "dependent"))


async def test_there_is_one_controller(api: Api) -> None:
    owner = await api.made(api.ours("configmaps"), config_map("owner"))
    both = owned(config_map("dependent"), owner, controller=True)
    both["metadata"]["ownerReferences"] += owned(config_map("x"), {**owner, "metadata": {"name": "z", "uid": "z"}}, controller=True)[
        "metadata"
    ]["ownerReferences"]
    assert (await api("POST", api.ours("configmaps"), both)).refusal[:2] == (422, "Invalid")


async def test_a_namespace_that_goes_lets_nothing_in_and_takes_all_along(api: Api) -> None:
    name = f"{api.namespace}-b"
    await api.made("/api/v1/namespaces", {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
    await api.made(f"/api/v1/namespaces/{name}/configmaps", config_map("a", finalizers=[FINALIZER]))
    going = (await api("DELETE", f"/api/v1/namespaces/{name}")).document
    assert (going["kind"], going["status"]["phase"]) == ("Namespace", "Terminating")
    reply = await api("POST", f"/api/v1/namespaces/{name}/configmaps", config_map("b"))
    assert reply.refusal[:2] == (403, "Forbidden")
    assert [cause["reason"] for cause in reply.document["details"]["causes"]] == ["NamespaceTerminating"]
    await api.until(f"/api/v1/namespaces/{name}/configmaps/a", lambda found: found["metadata"].get("deletionTimestamp"))
    await api.patch(f"/api/v1/namespaces/{name}/configmaps/a", {"metadata": {"finalizers": None}})
    await api.gone(f"/api/v1/namespaces/{name}")

"""Garbage collection and namespaces, awaited by a deadline."""

from typing import Any

import pytest
from reconciler_sandbox.apiserver.server import ApiServer
from reconciler_sandbox.client import ApiClient

from tests.kit.apiserver import CONFIG_MAPS, config_map, gone, owned_by, until

NAMESPACES = "/api/v1/namespaces"


def at(*names: str) -> list[str]:
    return [f"{CONFIG_MAPS}/{name}" for name in names]


async def dependent(api: ApiClient, name: str, *owners: dict[str, Any], **extra: Any) -> dict[str, Any]:
    references = [reference for owner in owners for reference in owned_by(owner, **extra)["ownerReferences"]]
    return await api.create(CONFIG_MAPS, {**config_map(name), "metadata": {"name": name, "ownerReferences": references}})


async def test_dependents_go_after_their_owner_down_the_line(api_server: ApiServer, api: ApiClient) -> None:
    owner = await api.create(CONFIG_MAPS, config_map("owner"))
    child = await dependent(api, "child", owner)
    await dependent(api, "grandchild", child)
    await api.delete(f"{CONFIG_MAPS}/owner")
    assert await api.get(f"{CONFIG_MAPS}/owner") is None
    await gone(api_server, *at("child", "grandchild"))


async def test_a_dependent_of_nobody_is_collected(api_server: ApiServer, api: ApiClient) -> None:
    owner = await api.create(CONFIG_MAPS, config_map("owner"))
    await api.delete(f"{CONFIG_MAPS}/owner")
    await dependent(api, "late", owner)
    await gone(api_server, *at("late"))


async def test_with_another_owner_only_the_dead_reference_goes(api_server: ApiServer, api: ApiClient) -> None:
    owners = [await api.create(CONFIG_MAPS, config_map(name)) for name in ("one", "two")]
    await dependent(api, "child", *owners)
    await api.delete(f"{CONFIG_MAPS}/one")

    async def disowned() -> bool:
        child = await api.get(f"{CONFIG_MAPS}/child")
        assert child is not None
        return [one["name"] for one in child["metadata"]["ownerReferences"]] == ["two"]

    await until(api_server, disowned)


async def test_foreground_waits_for_the_dependents_that_block(api_server: ApiServer, api: ApiClient) -> None:
    owner = await api.create(CONFIG_MAPS, config_map("owner"))
    await dependent(api, "free", owner)
    await dependent(api, "blocking", owner, blockOwnerDeletion=True)
    await api.patch(f"{CONFIG_MAPS}/blocking", {"metadata": {"finalizers": ["example.com/x"]}})
    await api.delete(f"{CONFIG_MAPS}/owner", propagationPolicy="Foreground")
    await gone(api_server, *at("free"))
    waiting = await api.get(f"{CONFIG_MAPS}/owner")
    assert waiting is not None and waiting["metadata"]["finalizers"] == ["foregroundDeletion"]
    await api.patch(f"{CONFIG_MAPS}/blocking", {"metadata": {"finalizers": None}})
    await gone(api_server, *at("owner", "blocking"))


async def test_orphans_stay_and_forget_their_owner(api_server: ApiServer, api: ApiClient) -> None:
    owner = await api.create(CONFIG_MAPS, config_map("owner"))
    await dependent(api, "child", owner)
    await api.delete(f"{CONFIG_MAPS}/owner", propagationPolicy="Orphan")
    await gone(api_server, *at("owner"))
    child = await api.get(f"{CONFIG_MAPS}/child")
    assert child is not None and "ownerReferences" not in child["metadata"]


@pytest.mark.parametrize("held", [False, True])
async def test_a_namespace_goes_after_its_contents(api_server: ApiServer, api: ApiClient, held: bool) -> None:
    await api.create(NAMESPACES, {"metadata": {"name": "n"}})
    finalizers = {"finalizers": ["example.com/x"]} if held else {}
    await api.create(f"{NAMESPACES}/n/configmaps", {"metadata": {"name": "x", **finalizers}})
    await api.create(f"{NAMESPACES}/n/secrets", {"metadata": {"name": "y"}})
    await api.delete(f"{NAMESPACES}/n")

    await gone(api_server, f"{NAMESPACES}/n/secrets/y")
    if held:
        waiting = await api.get(f"{NAMESPACES}/n")
        assert waiting is not None and waiting["status"]["phase"] == "Terminating"
        await api.patch(f"{NAMESPACES}/n/configmaps/x", {"metadata": {"finalizers": None}})

    await gone(api_server, f"{NAMESPACES}/n")


async def test_an_empty_namespace_goes_too(api_server: ApiServer, api: ApiClient) -> None:
    await api.create(NAMESPACES, {"metadata": {"name": "n"}})
    await api.delete(f"{NAMESPACES}/n")

    await gone(api_server, f"{NAMESPACES}/n")

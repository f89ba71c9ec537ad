"""What a real server bounds, too: the size of an object, and how many of its writers it remembers."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from secrets import token_hex

import pytest

from tests.real.kit.api import Api, Json
from tests.real.kit.objects import config_map

DEFINITIONS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"


@dataclass(frozen=True)
class Bigs:
    """A kind of its own for one test: a definition that is being deleted keeps its name for a while."""

    api: Api
    group: str

    @property
    def definition(self) -> str:
        return f"{DEFINITIONS}/bigs.{self.group}"

    @property
    def path(self) -> str:
        return self.api.ours("bigs", group=f"{self.group}/v1")

    def big(self, name: str, size: int) -> Json:
        return {"apiVersion": f"{self.group}/v1", "kind": "Big", "metadata": {"name": name}, "text": "x" * size}


@pytest.fixture
async def bigs(api: Api) -> AsyncIterator[Bigs]:
    """The kind, served; it goes with the test."""
    made = Bigs(api, f"g{token_hex(4)}.example.com")
    schema = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    version = {"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": schema}}
    spec = {"group": made.group, "scope": "Namespaced", "names": {"plural": "bigs", "kind": "Big"}, "versions": [version]}
    body = {"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition", "spec": spec}
    await api.made(DEFINITIONS, {**body, "metadata": {"name": f"bigs.{made.group}"}})
    await api.until(made.path, lambda _: True)
    yield made
    await api("DELETE", made.definition)


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


async def test_an_object_has_room_for_a_mebibyte_and_a_half(api: Api, bigs: Bigs) -> None:
    await api.made(bigs.path, bigs.big("a", 1_400_000))
    too_big = await api("POST", bigs.path, bigs.big("b", 1_600_000)), await api.patch(f"{bigs.path}/a", {"more": "x" * 400_000})
    for reply in too_big:
        assert (reply.status, reply.document["message"]) == (500, "etcdserver: request is too large")
    assert "more" not in (await api("GET", f"{bigs.path}/a")).document
    assert (await api("POST", bigs.path, bigs.big("b", 3_200_000))).refusal[:2] == (413, "RequestEntityTooLarge")


async def test_a_watch_of_a_kind_that_is_gone_is_over(api: Api, bigs: Bigs) -> None:
    async with api.watch(bigs.path) as watch:
        await api.made(bigs.path, bigs.big("a", 1))
        await api("DELETE", bigs.definition)
        assert [await watch.next() for _ in range(2)][1][0] == "DELETED"
        assert await watch.over()

"""Verbs on manifests against a real API server in process."""

from collections.abc import AsyncIterator

import orjson
import pytest
from reconciler_sandbox.client import Answer, Call

from reconciler.kernel.errors import Transient
from reconciler.kernel.identity import ObjectRef
from reconciler.kernel.plan import PatchStyle
from reconciler.kernel.resources import CONFIGMAPS, NAMESPACES, PODS, ROLLOUTS
from reconciler.kube.client import Event, path_of
from reconciler.kube.errors import AlreadyExists, Busy, Conflict, Gone, NotFound, NotServed, Refused
from reconciler.kube.fence import Fence, Fenced, Gate
from tests.kit.clusters import NAMESPACE, Api, api, config_map

PLACE = ObjectRef(CONFIGMAPS, NAMESPACE, "web")


@pytest.fixture
async def cluster() -> AsyncIterator[Api]:
    async with api() as found:
        yield found


def pod(name: str) -> dict[str, object]:
    labels = {"app": "web"}
    spec = {"containers": [{"name": "app", "image": "web:1"}]}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "namespace": NAMESPACE, "labels": labels}, "spec": spec}


async def test_what_was_created_is_read_back_without_managed_fields(cluster: Api) -> None:
    made = await cluster.client.create(CONFIGMAPS, config_map("web", {"a": "1"}))
    read = await cluster.client.get(CONFIGMAPS, NAMESPACE, "web")
    assert read["data"] == {"a": "1"}
    assert "managedFields" not in made["metadata"] and "managedFields" not in read["metadata"]


async def test_owners_are_read_on_request(cluster: Api) -> None:
    await cluster.client.patch(PLACE, config_map("web", {"a": "1"}), style=PatchStyle.APPLY)
    (owner,) = (await cluster.client.with_owners(PLACE))["metadata"]["managedFields"]
    assert (owner["manager"], owner["operation"]) == ("reconciler", "Apply")


async def test_absent_is_not_found_or_none(cluster: Api) -> None:
    with pytest.raises(NotFound):
        await cluster.client.get(CONFIGMAPS, NAMESPACE, "web")
    assert await cluster.client.find(CONFIGMAPS, NAMESPACE, "web") is None


async def test_what_is_not_served_is_neither_absent_nor_deleted(cluster: Api) -> None:
    async def not_yet(_: Call) -> Answer | None:
        return Answer(404, {"content-type": "text/plain"}, b"404 page not found\n")

    await cluster.client.create(CONFIGMAPS, config_map("web"))
    cluster.server.faults = not_yet
    with pytest.raises(NotServed, match="is its CustomResourceDefinition installed"):
        await cluster.client.find(CONFIGMAPS, NAMESPACE, "web")
    with pytest.raises(NotServed):
        await cluster.client.delete(PLACE)


async def test_a_name_that_is_taken_already_exists(cluster: Api) -> None:
    await cluster.client.create(CONFIGMAPS, config_map("web"))
    with pytest.raises(AlreadyExists):
        await cluster.client.create(CONFIGMAPS, config_map("web"))


async def test_a_list_is_read_page_by_page_to_its_end(cluster: Api) -> None:
    for number in range(1101):
        await cluster.client.create(CONFIGMAPS, config_map(f"c{number:04}"))
    cluster.transport.calls.clear()
    listing = await cluster.client.listing(CONFIGMAPS, NAMESPACE)
    assert [m["metadata"]["name"] for m in listing.items] == [f"c{number:04}" for number in range(1101)]
    assert all(m["kind"] == "ConfigMap" and m["apiVersion"] == "v1" for m in listing.items)
    assert [call.query["limit"] for call in cluster.transport.calls] == ["500"] * 3
    assert listing.version.isdigit()


async def test_lists_select_by_label_and_field(cluster: Api) -> None:
    await cluster.client.create(CONFIGMAPS, config_map("a", labels={"app": "x"}))
    await cluster.client.create(CONFIGMAPS, config_map("b"))
    assert [m["metadata"]["name"] for m in await cluster.client.list(CONFIGMAPS, labels="app=x")] == ["a"]
    assert [m["metadata"]["name"] for m in await cluster.client.list(CONFIGMAPS, fields="metadata.name=b")] == ["b"]


async def test_whoever_replaces_from_an_old_version_is_in_conflict(cluster: Api) -> None:
    first = await cluster.client.create(CONFIGMAPS, config_map("web"))
    await cluster.client.replace(CONFIGMAPS, {**first, "data": {"a": "1"}})
    with pytest.raises(Conflict) as caught:
        await cluster.client.replace(CONFIGMAPS, {**first, "data": {"a": "2"}})
    assert isinstance(caught.value, Transient)
    assert (await cluster.client.get(CONFIGMAPS, NAMESPACE, "web"))["data"] == {"a": "1"}


async def test_a_merge_patch_changes_one_member_and_null_removes(cluster: Api) -> None:
    await cluster.client.create(CONFIGMAPS, config_map("web", {"a": "1", "b": "2"}))
    answer = await cluster.client.patch(PLACE, {"data": {"a": None, "c": "3"}})
    assert answer["data"] == {"b": "2", "c": "3"}


async def test_apply_with_a_version_refuses_what_was_changed_meanwhile(cluster: Api) -> None:
    first = await cluster.client.create(CONFIGMAPS, config_map("web"))
    await cluster.client.patch(PLACE, {"data": {"a": "1"}})
    body = config_map("web", {"b": "2"}, resourceVersion=first["metadata"]["resourceVersion"])
    with pytest.raises(Conflict):
        await cluster.client.patch(PLACE, body, style=PatchStyle.APPLY, query={"force": "true"})


async def test_the_status_of_a_custom_object_is_written_apart(cluster: Api) -> None:
    spec = {"replicas": 1}
    metadata = {"name": "web", "namespace": NAMESPACE}
    await cluster.client.create(ROLLOUTS, {"apiVersion": "argoproj.io/v1alpha1", "kind": "Rollout", "metadata": metadata, "spec": spec})
    place = ObjectRef(ROLLOUTS, NAMESPACE, "web")
    await cluster.client.patch(place, {"spec": {"replicas": 9}, "status": {"phase": "Healthy"}}, subresource="status")
    found = await cluster.client.get(ROLLOUTS, NAMESPACE, "web")
    assert (found["spec"], found["status"]) == ({"replicas": 1}, {"phase": "Healthy"})


async def test_deleting_what_is_gone_or_another_of_its_name_is_success(cluster: Api) -> None:
    await cluster.client.create(CONFIGMAPS, config_map("web"))
    await cluster.client.delete(PLACE, uid="somebody-else")
    assert await cluster.client.find(CONFIGMAPS, NAMESPACE, "web") is not None
    await cluster.client.delete(PLACE)
    await cluster.client.delete(PLACE)
    assert await cluster.client.find(CONFIGMAPS, NAMESPACE, "web") is None


async def test_a_deletion_that_was_refused_is_not_taken_for_done(cluster: Api) -> None:
    made = await cluster.client.create(CONFIGMAPS, config_map("web"))

    async def refuse(call: Call) -> Answer | None:
        body = orjson.dumps({"kind": "Status", "code": 409, "reason": "Conflict", "message": "not now"})
        return Answer(409, {}, body) if call.method == "DELETE" else None

    cluster.server.faults = refuse
    for uid in ("", made["metadata"]["uid"]):
        with pytest.raises(Conflict, match="not now"):
            await cluster.client.delete(PLACE, uid=uid)
    await cluster.client.delete(PLACE, uid="somebody-else")


async def test_a_server_that_knows_only_the_older_eviction_is_asked_for_that(cluster: Api) -> None:
    await cluster.client.create(PODS, pod("web-1"))

    async def older(call: Call) -> Answer | None:
        body = orjson.dumps({"kind": "Status", "code": 400, "reason": "BadRequest", "message": 'no kind "Eviction" is registered'})
        return Answer(400, {}, body) if call.path.endswith("/eviction") and b'"policy/v1"' in call.body else None

    cluster.server.faults = older
    assert await cluster.client.evict(ObjectRef(PODS, NAMESPACE, "web-1"))
    found = await cluster.client.find(PODS, NAMESPACE, "web-1")
    assert found is None or "deletionTimestamp" in found["metadata"]


async def test_an_eviction_that_makes_no_sense_to_any_server_is_refused(cluster: Api) -> None:
    async def refuse(call: Call) -> Answer | None:
        return Answer(400, {}, b"{}") if call.path.endswith("/eviction") else None

    cluster.server.faults = refuse
    with pytest.raises(Refused):
        await cluster.client.evict(ObjectRef(PODS, NAMESPACE, "web-1"))


async def test_an_eviction_that_a_budget_refuses_is_an_answer(cluster: Api) -> None:
    await cluster.client.create(PODS, pod("web-1"))

    async def refuse(call: Call) -> Answer | None:
        body = orjson.dumps({"kind": "Status", "code": 429, "reason": "TooManyRequests", "message": "budget"})
        return Answer(429, {}, body) if call.path.endswith("/eviction") else None

    cluster.server.faults = refuse
    assert not await cluster.client.evict(ObjectRef(PODS, NAMESPACE, "web-1"))


async def test_an_eviction_of_a_pod_that_is_gone_is_done(cluster: Api) -> None:
    assert await cluster.client.evict(ObjectRef(PODS, NAMESPACE, "web-1"))


async def test_a_watch_goes_on_from_a_version(cluster: Api) -> None:
    await cluster.client.create(CONFIGMAPS, config_map("old"))
    version = (await cluster.client.listing(CONFIGMAPS)).version
    await cluster.client.create(CONFIGMAPS, config_map("new"))
    await cluster.client.patch(ObjectRef(CONFIGMAPS, NAMESPACE, "new"), {"data": {"a": "1"}})
    await cluster.client.delete(ObjectRef(CONFIGMAPS, NAMESPACE, "old"))
    seen: list[Event] = []
    async for event in cluster.client.watch(CONFIGMAPS, version):
        seen.append(event)
        if len(seen) == 3:
            break
    assert [(e.type, e.object["metadata"]["name"]) for e in seen] == [("ADDED", "new"), ("MODIFIED", "new"), ("DELETED", "old")]
    assert not any("managedFields" in event.object["metadata"] for event in seen)


async def test_a_watch_from_forgotten_history_is_gone(cluster: Api) -> None:
    version = (await cluster.client.listing(CONFIGMAPS)).version
    await cluster.client.create(CONFIGMAPS, config_map("new"))
    cluster.server.forget_history()
    with pytest.raises(Gone):
        async for _ in cluster.client.watch(CONFIGMAPS, version):
            raise AssertionError("no event was expected")


async def test_a_shut_fence_withholds_every_write_and_no_read(cluster: Api) -> None:
    await cluster.client.create(CONFIGMAPS, config_map("web"))
    fenced = cluster.fenced(Fence(Gate(lambda: "closed")))
    cluster.transport.calls.clear()
    writes = (
        lambda: fenced.create(CONFIGMAPS, config_map("other")),
        lambda: fenced.replace(CONFIGMAPS, config_map("web")),
        lambda: fenced.patch(PLACE, {"data": {}}),
        lambda: fenced.delete(PLACE),
        lambda: fenced.evict(ObjectRef(PODS, NAMESPACE, "web-1")),
    )
    for write in writes:
        with pytest.raises(Fenced, match="withheld: closed"):
            await write()
    assert cluster.transport.calls == []
    assert await fenced.find(CONFIGMAPS, NAMESPACE, "web") is not None
    assert len(await fenced.list(CONFIGMAPS, NAMESPACE)) == 1


async def test_a_busy_server_says_when_to_come_back(cluster: Api) -> None:
    async def busy(_: Call) -> Answer | None:
        return Answer(429, {"retry-after": "7"}, b'{"kind": "Status", "code": 429, "message": "slow down"}')

    cluster.server.faults = busy
    with pytest.raises(Busy, match="slow down") as caught:
        await cluster.client.list(CONFIGMAPS)
    assert caught.value.retry_after == 7


async def test_a_broken_connection_is_no_answer(cluster: Api) -> None:
    async def broken(_: Call) -> Answer | None:
        raise ConnectionResetError

    cluster.server.faults = broken
    with pytest.raises(Transient, match="no answer"):
        await cluster.client.get(CONFIGMAPS, NAMESPACE, "web")


@pytest.mark.parametrize("body", [b"<html>sign in</html>", b"[1]", b""])
async def test_an_answer_that_is_no_object_is_not_believed(cluster: Api, body: bytes) -> None:
    async def proxy(_: Call) -> Answer | None:
        return Answer(200, {}, body)

    cluster.server.faults = proxy
    with pytest.raises(Transient, match="address of a Kubernetes API server"):
        await cluster.client.get(CONFIGMAPS, NAMESPACE, "web")


async def test_what_the_server_finds_invalid_waits_for_another_request(cluster: Api) -> None:
    with pytest.raises(Refused):
        await cluster.client.create(CONFIGMAPS, config_map("Not A Name"))


async def test_the_server_names_what_it_serves(cluster: Api) -> None:
    kinds = {r["kind"] for r in await cluster.client.resources("argoproj.io", "v1alpha1")}
    assert {"Rollout", "AnalysisRun"} <= kinds
    assert "ConfigMap" in {r["kind"] for r in await cluster.client.resources("", "v1")}


def test_paths_are_those_of_the_api() -> None:
    assert path_of(NAMESPACES, "", "shop") == "/api/v1/namespaces/shop"
    assert path_of(CONFIGMAPS, "shop") == "/api/v1/namespaces/shop/configmaps"
    assert path_of(ROLLOUTS, "") == "/apis/argoproj.io/v1alpha1/rollouts"
    assert path_of(ROLLOUTS, "shop", "web", "status") == "/apis/argoproj.io/v1alpha1/namespaces/shop/rollouts/web/status"

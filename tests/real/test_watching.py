"""Lists and watches: versions, selectors, pages, expired history (reference 3.1, 3.5)."""

import pytest

from tests.real.kit.api import Api
from tests.real.kit.objects import config_map, pod
from tests.real.kit.servers import Server


async def test_an_empty_list_has_a_version_and_items(api: Api) -> None:
    document = (await api("GET", api.ours("podtemplates"))).document
    assert (document["kind"], document["apiVersion"], document["items"]) == ("PodTemplateList", "v1", [])
    assert int(document["metadata"]["resourceVersion"]) > 0


async def test_the_items_of_a_list_do_not_repeat_their_kind(api: Api) -> None:
    await api.made(api.ours("configmaps"), config_map("a"))
    [item] = (await api("GET", api.ours("configmaps"), fieldSelector="metadata.name=a")).document["items"]
    assert "kind" not in item and "apiVersion" not in item


async def test_lists_are_ordered_by_namespace_and_name(api: Api) -> None:
    for name in ("b", "a", "c"):
        await api.made(api.ours("secrets"), {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name, "labels": {"x": "y"}}})
    assert (await api("GET", api.ours("secrets"), labelSelector="x=y")).names == ["a", "b", "c"]


async def test_a_watch_from_a_version_replays_what_came_after(api: Api) -> None:
    made = await api.made(api.ours("configmaps"), config_map("a"))
    await api.patch(api.ours("configmaps", "a"), {"data": {"x": "1"}})
    await api("DELETE", api.ours("configmaps", "a"))
    async with api.watch(api.ours("configmaps"), resourceVersion=made["metadata"]["resourceVersion"]) as watch:
        kind, changed = await watch.next()
        assert (kind, changed["data"]) == ("MODIFIED", {"x": "1"})
        kind, gone = await watch.next()
        assert (kind, gone["data"]) == ("DELETED", {"x": "1"})
        assert int(gone["metadata"]["resourceVersion"]) > int(changed["metadata"]["resourceVersion"])


@pytest.mark.parametrize("query", [{}, {"resourceVersion": "0"}])
async def test_a_watch_without_a_version_begins_with_what_is_there(api: Api, query: dict[str, str]) -> None:
    await api.made(
        api.ours("services"), {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "a"}, "spec": {"ports": [{"port": 1}]}}
    )
    async with api.watch(api.ours("services"), **query) as watch:
        assert await watch.names(1) == [("ADDED", "a")]


async def test_a_selector_sees_objects_come_and_go(api: Api) -> None:
    start = (await api("GET", api.ours("configmaps"))).version
    async with api.watch(api.ours("configmaps"), resourceVersion=start, labelSelector="app=web") as watch:
        await api.made(api.ours("configmaps"), config_map("a"))
        for labels in ({"app": "web"}, {"app": "web", "x": "y"}, {"app": "api"}, {"app": "web"}):
            await api.patch(api.ours("configmaps", "a"), {"metadata": {"labels": labels}})
        await api("DELETE", api.ours("configmaps", "a"))
        kinds = [kind for kind, _ in await watch.names(5)]
        assert kinds == ["ADDED", "MODIFIED", "DELETED", "ADDED", "DELETED"]


async def test_a_watch_of_one_name_sees_only_that(api: Api) -> None:
    start = (await api("GET", api.ours("configmaps"))).version
    async with api.watch(api.ours("configmaps"), resourceVersion=start, fieldSelector="metadata.name=b") as watch:
        for name in ("a", "b"):
            await api.made(api.ours("configmaps"), config_map(name))
        assert await watch.names(1) == [("ADDED", "b")]


async def test_an_unchanged_object_is_no_event(api: Api) -> None:
    made = await api.made(api.ours("configmaps"), config_map("a", {"x": "1"}))
    async with api.watch(api.ours("configmaps"), resourceVersion=made["metadata"]["resourceVersion"]) as watch:
        await api.patch(api.ours("configmaps", "a"), {"data": {"x": "1"}})
        await api.patch(api.ours("configmaps", "a"), {"data": {"x": "2"}})
        _, changed = await watch.next()
        assert changed["data"] == {"x": "2"}


async def test_a_watch_ends_in_good_order_when_its_time_is_up(api: Api) -> None:
    async with api.watch(api.ours("configmaps"), resourceVersion="0", timeoutSeconds="1") as watch:
        assert await watch.over()


async def test_a_removal_shows_the_version_it_happened_at(api: Api) -> None:
    path = api.ours("configmaps", "a")
    made = await api.made(api.ours("configmaps"), config_map("a", finalizers=["example.com/mine"]))
    async with api.watch(api.ours("configmaps"), resourceVersion=made["metadata"]["resourceVersion"]) as watch:
        await api("DELETE", path)
        await api.patch(path, {"metadata": {"finalizers": None}})
        first, marked = await watch.next()
        second, gone = await watch.next()
        assert (first, second) == ("MODIFIED", "DELETED")
        assert marked["metadata"]["deletionTimestamp"] and int(gone["metadata"]["resourceVersion"]) > int(
            marked["metadata"]["resourceVersion"]
        )


async def test_pages_are_of_one_moment(api: Api) -> None:
    for name in "abcde":
        await api.made(api.ours("secrets"), {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": f"page-{name}"}})
    first = await api("GET", api.ours("secrets"), limit="2")
    total = len((await api("GET", api.ours("secrets"))).names)
    assert len(first.names) == 2 and first.metadata["remainingItemCount"] == total - 2
    await api("DELETE", api.ours("secrets", "page-e"))
    names, metadata = first.names, first.metadata
    while metadata.get("continue"):
        page = await api("GET", api.ours("secrets"), **{"limit": "2", "continue": metadata["continue"]})
        assert page.version == first.version
        names, metadata = names + page.names, page.metadata
    assert len(names) == total and "page-e" in names
    assert "remainingItemCount" not in metadata


async def test_a_list_of_the_cache_is_never_paged(api: Api) -> None:
    for name in "abc":
        await api.made(
            api.ours("services"), {"apiVersion": "v1", "kind": "Service", "metadata": {"name": name}, "spec": {"ports": [{"port": 1}]}}
        )
    reply = await api("GET", api.ours("services"), limit="1", resourceVersion="0")
    assert "continue" not in reply.metadata


async def test_selectors_choose(api: Api) -> None:
    for name, labels in (("a", {"app": "web", "n": "1"}), ("b", {"app": "api"}), ("c", {})):
        await api.made(api.ours("pods"), pod(name, labels=labels))
    expected = {
        "app=web": "a",
        "app==web": "a",
        "app!=web": "bc",
        "app": "ab",
        "!app": "c",
        "app in (web, api)": "ab",
        "app notin (web)": "bc",
        "app,n": "a",
        "n>0": "a",
        "n<1": "",
    }
    found = {selector: "".join((await api("GET", api.ours("pods"), labelSelector=selector)).names) for selector in expected}
    assert found == expected
    fields = {
        "metadata.name=a": "a",
        "metadata.name!=a": "bc",
        "status.phase=Pending": "abc",
        "spec.nodeName=nope": "",
        "spec.restartPolicy=Always": "abc",
    }
    found = {selector: "".join((await api("GET", api.ours("pods"), fieldSelector=selector)).names) for selector in fields}
    assert found == fields


async def test_expired_history_is_said_in_the_stream(api: Api, server: Server) -> None:
    await api.made(api.ours("configmaps"), config_map("a"))
    server.forget_history()
    async with api.watch(api.ours("configmaps"), resourceVersion="1") as watch:
        kind, status = await watch.next()
        assert watch.status == 200
        assert (kind, status["kind"], status["code"], status["reason"]) == ("ERROR", "Status", 410, "Expired")
        assert status["message"].startswith("too old resource version: 1 (")


async def test_pages_of_expired_history_can_be_continued_from_now(api: Api, server: Server) -> None:
    for name in "abc":
        await api.made(api.ours("secrets"), {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": f"page-{name}"}})
    first = await api("GET", api.ours("secrets"), limit="1")
    await api.patch(api.ours("secrets", "page-a"), {"metadata": {"labels": {"a": "b"}}})
    server.forget_history()
    reply = await api("GET", api.ours("secrets"), **{"limit": "1", "continue": first.metadata["continue"]})
    assert reply.refusal[:2] == (410, "Expired")
    assert reply.document["metadata"]["continue"]


async def test_a_version_of_the_future_is_not_listed(api: Api) -> None:
    version = int((await api("GET", api.ours("configmaps"))).version) + 1_000_000
    reply = await api("GET", api.ours("configmaps"), resourceVersion=str(version))
    assert reply.refusal[:2] == (504, "Timeout")
    assert [cause["reason"] for cause in reply.document["details"]["causes"]] == ["ResourceVersionTooLarge"]


async def test_a_watch_can_begin_with_a_list(api: Api) -> None:
    await api.made(api.ours("configmaps"), config_map("a"))
    options = {"sendInitialEvents": "true", "resourceVersionMatch": "NotOlderThan", "allowWatchBookmarks": "true"}
    async with api.watch(api.ours("configmaps"), fieldSelector="metadata.name=a", **options) as watch:
        assert (await watch.next())[0] == "ADDED"
        kind, bookmark = await watch.next()
        assert (kind, bookmark["metadata"]["annotations"]) == ("BOOKMARK", {"k8s.io/initial-events-end": "true"})

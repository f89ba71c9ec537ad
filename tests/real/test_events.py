"""One Event, two faces: core/v1 and events.k8s.io/v1 (reference 3.9); every text here was measured on a real server."""

from typing import Any

import pytest

from tests.real.kit.api import Api, Json

NEWER = "events.k8s.io/v1"
MOMENT = "2026-11-25T08:00:00.000000Z"
NO_NAME = (
    "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character "
    "(e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')"
)


def core(api: Api, name: str = "") -> str:
    return api.ours("events", name)


def newer(api: Api, name: str = "") -> str:
    return api.ours("events", name, group=NEWER)


def pod_of(api: Api, **fields: Any) -> Json:
    return {"kind": "Pod", "apiVersion": "v1", "namespace": api.namespace, "name": "p", "uid": "u", **fields}


def new_event(api: Api, name: str, **fields: Any) -> Json:
    told = {"eventTime": MOMENT, "reportingController": "example.com/c", "reportingInstance": "c-1", "action": "Doing"}
    said = {"reason": "Because", "type": "Normal", "regarding": pod_of(api), "note": "hello"}
    return {"apiVersion": NEWER, "kind": "Event", "metadata": {"name": name}, **told, **said, **fields}


def old_event(api: Api, name: str, **fields: Any) -> Json:
    seen = {"count": 1, "firstTimestamp": "2026-11-25T08:00:00Z", "lastTimestamp": "2026-11-25T08:00:00Z"}
    said = {"reason": "Started", "type": "Normal", "message": "hi", "source": {"component": "kubelet", "host": "h"}}
    return {"apiVersion": "v1", "kind": "Event", "metadata": {"name": name}, "involvedObject": pod_of(api), **seen, **said, **fields}


def without_metadata(event: Json) -> Json:
    return {name: value for name, value in event.items() if name != "metadata"}


async def test_an_event_of_the_newer_face_is_seen_in_the_older(api: Api) -> None:
    made = await api.made(newer(api), new_event(api, "a", related={"kind": "Node", "name": "n"}))
    blank = {"deprecatedSource": {}, "deprecatedFirstTimestamp": None, "deprecatedLastTimestamp": None}
    sent = without_metadata(new_event(api, "a", related={"kind": "Node", "name": "n"}))
    assert without_metadata(made) == {**sent, **blank}
    seen = (await api("GET", core(api, "a"))).document
    assert without_metadata(seen) == {
        "apiVersion": "v1",
        "kind": "Event",
        "involvedObject": pod_of(api),
        "reason": "Because",
        "message": "hello",
        "source": {},
        "firstTimestamp": None,
        "lastTimestamp": None,
        "type": "Normal",
        "eventTime": MOMENT,
        "action": "Doing",
        "related": {"kind": "Node", "name": "n"},
        "reportingComponent": "example.com/c",
        "reportingInstance": "c-1",
    }
    for field in ("uid", "resourceVersion", "creationTimestamp"):
        assert seen["metadata"][field] == made["metadata"][field]


async def test_an_event_of_the_older_face_is_seen_in_the_newer(api: Api) -> None:
    await api.made(core(api), old_event(api, "a"))
    seen = (await api("GET", newer(api, "a"))).document
    assert without_metadata(seen) == {
        "apiVersion": NEWER,
        "kind": "Event",
        "eventTime": None,
        "reason": "Started",
        "regarding": pod_of(api),
        "note": "hi",
        "type": "Normal",
        "deprecatedSource": {"component": "kubelet", "host": "h"},
        "deprecatedFirstTimestamp": "2026-11-25T08:00:00Z",
        "deprecatedLastTimestamp": "2026-11-25T08:00:00Z",
        "deprecatedCount": 1,
    }


async def test_an_older_event_has_what_nobody_wrote(api: Api) -> None:
    made = await api.made(core(api), {"metadata": {"name": "a"}, "involvedObject": pod_of(api), "reason": "", "type": None})
    blank = {"source": {}, "firstTimestamp": None, "lastTimestamp": None, "eventTime": None}
    expected = {"apiVersion": "v1", "kind": "Event", "involvedObject": pod_of(api), "reportingComponent": "", "reportingInstance": ""}
    assert without_metadata(made) == {**expected, **blank}


async def test_a_name_is_taken_in_both_faces(api: Api) -> None:
    await api.made(newer(api), new_event(api, "a"))
    again = await api("POST", newer(api), new_event(api, "a"))
    assert again.refusal == (409, "AlreadyExists", 'events.events.k8s.io "a" already exists')
    assert (await api("POST", core(api), old_event(api, "a"))).refusal == (409, "AlreadyExists", 'events "a" already exists')
    missing = await api("GET", newer(api, "b"))
    assert missing.refusal == (404, "NotFound", 'events.events.k8s.io "b" not found')
    assert missing.document["details"] == {"name": "b", "group": "events.k8s.io", "kind": "events"}


async def test_the_body_is_of_the_face_of_its_path(api: Api) -> None:
    for path, body in ((newer(api), old_event(api, "a")), (core(api), new_event(api, "a"))):
        code, reason, message = (await api("POST", path, body)).refusal
        assert (code, reason) == (400, "BadRequest") and "does not match the expected" in message


REQUIRED: dict[str, tuple[Json, list[str]]] = {
    "eventTime": ({"eventTime": None}, ["eventTime: Required value"]),
    "reportingController": (
        {"reportingController": ""},
        [
            "reportingController: Required value",
            'reportingController: Invalid value: "": name part must be non-empty',
            f'reportingController: Invalid value: "": {NO_NAME}',
        ],
    ),
    "a controller that is no name": ({"reportingController": "a b"}, [f'reportingController: Invalid value: "a b": {NO_NAME}']),
    "reportingInstance": ({"reportingInstance": ""}, ["reportingInstance: Required value"]),
    "a long instance": (
        {"reportingInstance": "x" * 129},
        ['reportingInstance: Invalid value: "": can have at most 128 characters'],
    ),
    "action": ({"action": ""}, ["action: Required value"]),
    "a long action": ({"action": "x" * 129}, ['action: Invalid value: "": can have at most 128 characters']),
    "reason": ({"reason": ""}, ["reason: Required value"]),
    "a long reason": ({"reason": "x" * 129}, ['reason: Invalid value: "": can have at most 128 characters']),
    "type": ({"type": ""}, ['type: Invalid value: "": has invalid value: ']),
    "an unknown type": ({"type": "Odd"}, ['type: Invalid value: "": has invalid value: Odd']),
    "a long note": ({"note": "x" * 1025}, ['message: Invalid value: "": can have at most 1024 characters']),
    "a source": ({"deprecatedSource": {"component": "x"}}, ['source: Invalid value: "": needs to be unset']),
    "a count": ({"deprecatedCount": 3}, ['count: Invalid value: "": needs to be unset']),
    "a first time": ({"deprecatedFirstTimestamp": "2026-11-25T08:00:00Z"}, ['firstTimestamp: Invalid value: "": needs to be unset']),
    "a last time": ({"deprecatedLastTimestamp": "2026-11-25T08:00:00Z"}, ['lastTimestamp: Invalid value: "": needs to be unset']),
    "a series of one": (
        {"series": {"count": 1, "lastObservedTime": MOMENT}},
        ['series.count: Invalid value: "": should be at least 2'],
    ),
    "a series without time": ({"series": {"count": 2, "lastObservedTime": None}}, ["series.lastObservedTime: Required value"]),
    "nothing it is about": ({"regarding": None}, ['involvedObject.namespace: Invalid value: "": does not match event.namespace']),
    "a node": (
        {"regarding": {"kind": "Node", "name": "n"}},
        ['involvedObject.namespace: Invalid value: "": does not match event.namespace'],
    ),
}


@pytest.mark.parametrize("case", REQUIRED)
async def test_the_newer_face_is_strict(api: Api, case: str) -> None:
    fields, causes = REQUIRED[case]
    reply = await api("POST", newer(api), new_event(api, "a", **fields))
    text = causes[0] if len(causes) == 1 else f"[{', '.join(causes)}]"
    assert reply.refusal == (422, "Invalid", f'Event "a" is invalid: {text}')
    details = reply.document["details"]
    assert (details["kind"], details.get("group", ""), len(details["causes"])) == ("Event", "", len(causes))


async def test_an_empty_newer_event_says_all_that_is_missing(api: Api) -> None:
    reply = await api("POST", newer(api), {"metadata": {"name": "e"}})
    about = 'involvedObject.namespace: Invalid value: "": does not match event.namespace'
    texts = f'{about}, eventTime: Required value, type: Invalid value: "": has invalid value: '
    assert reply.refusal == (422, "Invalid", f'Event "e" is invalid: [{texts}]')


async def test_the_older_face_asks_for_little(api: Api) -> None:
    for number, fields in enumerate(({"reason": ""}, {"type": "Odd"}, {"type": ""}, {"message": "x" * 1025})):
        await api.made(core(api), old_event(api, f"a{number}", **fields))
    elsewhere = await api("POST", core(api), old_event(api, "b", involvedObject=pod_of(api, namespace="default")))
    text = 'involvedObject.namespace: Invalid value: "default": does not match event.namespace'
    assert elsewhere.refusal == (422, "Invalid", f'Event "b" is invalid: {text}')


async def test_an_older_event_with_a_micro_time_is_complete(api: Api) -> None:
    told = {"eventTime": MOMENT, "reportingComponent": "example.com/c", "reportingInstance": "i", "action": "A"}
    await api.made(core(api), old_event(api, "a", **told))
    assert (await api("POST", core(api), old_event(api, "b", eventTime=MOMENT))).refusal[:2] == (422, "Invalid")


async def test_a_newer_event_may_be_about_another_namespace(api: Api) -> None:
    await api.made(newer(api), new_event(api, "a", regarding=pod_of(api, namespace="default")))


async def test_a_time_that_is_none_is_refused(api: Api) -> None:
    code, reason, message = (await api("POST", newer(api), new_event(api, "a", eventTime="nonsense"))).refusal
    assert (code, reason) == (400, "BadRequest")
    assert message.startswith('Event in version "v1" cannot be handled as a Event: ')
    assert 'parsing time "nonsense"' in message


async def test_each_face_selects_by_its_own_fields(api: Api) -> None:
    await api.made(newer(api), new_event(api, "new"))
    await api.made(core(api), old_event(api, "old", involvedObject=pod_of(api, fieldPath="spec.containers{main}", resourceVersion="7")))
    expected = {
        newer(api): {
            "regarding.kind=Pod": ["new", "old"],
            f"regarding.namespace={api.namespace}": ["new", "old"],
            "regarding.name=p": ["new", "old"],
            "regarding.uid=u": ["new", "old"],
            "regarding.apiVersion=v1": ["new", "old"],
            "regarding.resourceVersion=7": ["old"],
            "regarding.fieldPath=spec.containers{main}": ["old"],
            "reason=Because": ["new"],
            "type!=Normal": [],
            "reportingController=example.com/c": ["new"],
            "metadata.name=new": ["new"],
        },
        core(api): {
            "involvedObject.name=p,involvedObject.uid=u": ["new", "old"],
            "involvedObject.fieldPath=": ["new"],
            "reason=Started": ["old"],
            "source=kubelet": ["old"],
            "source=example.com/c": ["new"],
            "reportingComponent=example.com/c": ["new"],
        },
    }
    found = {
        path: {selector: (await api("GET", path, fieldSelector=selector)).names for selector in selectors}
        for path, selectors in expected.items()
    }
    assert found == expected


@pytest.mark.parametrize(
    ("face", "names"),
    [
        (newer, ["involvedObject.name", "source", "reportingComponent", "reportingInstance", "note", "action", "deprecatedSource"]),
        (core, ["regarding.name", "reportingController", "message", "action"]),
    ],
)
async def test_fields_of_the_other_face_select_nothing(api: Api, face: Any, names: list[str]) -> None:
    for name in names:
        reply = await api("GET", face(api), fieldSelector=f"{name}=x")
        assert reply.refusal == (400, "BadRequest", f"field label not supported: {name}")


async def test_watches_of_both_faces_see_each_change_once(api: Api) -> None:
    start = (await api("GET", newer(api))).version
    async with api.watch(core(api), resourceVersion=start) as older, api.watch(newer(api), resourceVersion=start) as fresh:
        await api.made(newer(api), new_event(api, "a"))
        await api.made(core(api), old_event(api, "b"))
        await api.patch(core(api, "b"), {"count": 2})
        await api("DELETE", newer(api, "b"))
        seen = [(await older.next(), await fresh.next()) for _ in range(4)]
    for (kind, old), (same, new) in seen:
        assert kind == same and old["metadata"] == new["metadata"]
        assert (old["apiVersion"], new["apiVersion"]) == ("v1", NEWER)
        assert (old["message"], old.get("count")) == (new["note"], new.get("deprecatedCount"))
    assert [(kind, old["metadata"]["name"]) for (kind, old), _ in seen] == [
        ("ADDED", "a"),
        ("ADDED", "b"),
        ("MODIFIED", "b"),
        ("DELETED", "b"),
    ]


async def test_a_watch_of_the_newer_face_follows_one_object(api: Api) -> None:
    start = (await api("GET", core(api))).version
    async with api.watch(newer(api), resourceVersion=start, fieldSelector="regarding.name=q") as watch:
        await api.made(core(api), old_event(api, "a"))
        await api.made(core(api), old_event(api, "b", involvedObject=pod_of(api, name="q")))
        assert await watch.names(1) == [("ADDED", "b")]


async def test_lists_of_the_newer_face(api: Api) -> None:
    for name in ("b", "a"):
        await api.made(core(api), old_event(api, name))
    reply = await api("GET", newer(api))
    assert (reply.document["kind"], reply.document["apiVersion"], reply.names) == ("EventList", NEWER, ["a", "b"])
    assert {item["note"] for item in reply.document["items"]} == {"hi"} and "kind" not in reply.document["items"][0]
    first = await api("GET", newer(api), limit="1")
    rest = await api("GET", newer(api), **{"continue": first.metadata["continue"]})
    assert (first.names, rest.names) == (["a"], ["b"])


async def test_a_series_goes_on(api: Api) -> None:
    await api.made(newer(api), new_event(api, "a"))
    for style, count in (("merge", 2), ("strategic", 3)):
        reply = await api.patch(newer(api, "a"), {"series": {"count": count, "lastObservedTime": MOMENT}}, style)
        assert (reply.status, reply.document["series"]) == (200, {"count": count, "lastObservedTime": MOMENT})
    assert (await api("GET", core(api, "a"))).document["series"]["count"] == 3


async def test_the_older_face_changes_what_it_likes(api: Api) -> None:
    await api.made(newer(api), new_event(api, "a"))
    reply = await api.patch(core(api, "a"), {"message": "more", "reason": "Other", "count": 4})
    assert (reply.status, reply.document["message"]) == (200, "more")
    seen = (await api("GET", newer(api, "a"))).document
    assert (seen["note"], seen["reason"], seen["deprecatedCount"]) == ("more", "Other", 4)
    refused = await api.patch(core(api, "a"), {"action": ""})
    assert refused.refusal == (422, "Invalid", 'Event "a" is invalid: action: Required value')


@pytest.mark.parametrize(
    ("fields", "cause"),
    [
        ({"note": "x"}, 'message: Invalid value: "x": field is immutable'),
        ({"reportingController": "d"}, 'reportingController: Invalid value: "d": field is immutable'),
        ({"series": {"count": 1, "lastObservedTime": MOMENT}}, 'series.count: Invalid value: "": should be at least 2'),
    ],
)
async def test_the_newer_face_changes_only_the_series(api: Api, fields: Json, cause: str) -> None:
    await api.made(newer(api), new_event(api, "a"))
    assert (await api.patch(newer(api, "a"), fields)).refusal == (422, "Invalid", f'Event "a" is invalid: {cause}')
    assert (await api.patch(newer(api, "a"), {"metadata": {"labels": {"x": "y"}}})).status == 200


async def test_a_replacement_makes_an_event_that_is_not_there(api: Api) -> None:
    assert (await api("PUT", newer(api, "a"), new_event(api, "a"))).status == 201
    assert (await api("PUT", core(api, "b"), old_event(api, "b"))).status == 201
    assert (await api.patch(newer(api, "c"), {"note": "x"})).refusal[:2] == (404, "NotFound")
    seen = (await api("GET", newer(api, "a"))).document
    again = await api("PUT", newer(api, "a"), seen)
    assert (again.status, again.version) == (200, seen["metadata"]["resourceVersion"])


async def test_an_applied_event_is_owned_in_the_words_of_its_face(api: Api) -> None:
    reply = await api.patch(newer(api, "a"), new_event(api, "a"), "apply", fieldManager="me")
    assert reply.status == 201
    [entry] = reply.metadata["managedFields"]
    assert (entry["manager"], entry["apiVersion"]) == ("me", NEWER)
    assert {"f:note", "f:regarding", "f:reportingController"} <= set(entry["fieldsV1"])
    conflict = await api.patch(newer(api, "a"), new_event(api, "a", note="mine"), "apply", fieldManager="other")
    assert conflict.refusal[:2] == (409, "Conflict") and ".note" in conflict.refusal[2]


async def test_a_dry_run_answers_in_its_face(api: Api) -> None:
    reply = await api("POST", newer(api), new_event(api, "a"), dryRun="All")
    assert (reply.status, reply.document["apiVersion"], reply.document["note"]) == (201, NEWER, "hello")
    assert (await api("GET", core(api, "a"))).status == 404


async def test_deletions_through_the_newer_face(api: Api) -> None:
    for name in ("a", "b", "c"):
        await api.made(core(api), old_event(api, name, reason="Go" if name != "c" else "Stay"))
    gone = (await api("DELETE", newer(api, "a"))).document
    assert (gone["status"], gone["details"]["group"], gone["details"]["kind"]) == ("Success", "events.k8s.io", "events")
    listed = (await api("DELETE", newer(api), fieldSelector="reason=Go")).document
    assert (listed["kind"], listed["apiVersion"], [one["note"] for one in listed["items"]]) == ("EventList", NEWER, ["hi"])
    assert (await api("GET", core(api))).names == ["c"]


async def test_an_event_that_is_kept_is_answered_in_its_face(api: Api) -> None:
    await api.made(newer(api), {**new_event(api, "a"), "metadata": {"name": "a", "finalizers": ["example.com/mine"]}})
    marked = (await api("DELETE", newer(api, "a"))).document
    assert (marked["apiVersion"], marked["note"]) == (NEWER, "hello") and marked["metadata"]["deletionTimestamp"]
    assert (await api.patch(newer(api, "a"), {"metadata": {"finalizers": None}})).status == 200
    await api.gone(core(api, "a"))


async def test_the_group_is_told_of(api: Api) -> None:
    group = (await api("GET", "/apis/events.k8s.io")).document
    assert group["preferredVersion"] == {"groupVersion": NEWER, "version": "v1"}
    [resource] = (await api("GET", "/apis/events.k8s.io/v1")).document["resources"]
    assert (resource["name"], resource["kind"], resource["namespaced"], resource["shortNames"]) == ("events", "Event", True, ["ev"])
    assert "events.k8s.io" in [one["name"] for one in (await api("GET", "/apis")).document["groups"]]

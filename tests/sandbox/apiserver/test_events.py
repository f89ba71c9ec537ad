"""Events beyond the contract of tests/real/test_events.py: names, times, protobuf bodies, tables, kubectl."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson
import pytest
from reconciler_sandbox.apiserver import events
from reconciler_sandbox.apiserver.bodies import PROTOBUF
from reconciler_sandbox.apiserver.server import ApiServer
from reconciler_sandbox.client import ApiClient, ApiError, Call

from tests.kit.apiserver import Json
from tests.kit.kubectl import Kubectl, binary
from tests.kit.protobuf import envelope, message

CORE = "/api/v1/namespaces/default/events"
NEWER = "/apis/events.k8s.io/v1/namespaces/default/events"
MOMENT = "2026-11-25T08:00:00.000000Z"
ABOUT = {"apiVersion": "v1", "kind": "Pod", "namespace": "default", "name": "p"}


def newer(name: str, **fields: Any) -> Json:
    told = {"eventTime": MOMENT, "reportingController": "example.com/c", "reportingInstance": "c-1", "action": "Doing"}
    return {"metadata": {"name": name}, **told, "reason": "Because", "type": "Normal", "regarding": ABOUT, "note": "hello", **fields}


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("kubelet", ""),
        ("example.com/Kubelet_1", ""),
        ("/x", "prefix part must be non-empty"),
        ("Example/x", "prefix part a lowercase RFC 1123 subdomain must consist of"),
        ("a" * 64, "name part must be no more than 63 characters"),
        ("a." * 127 + "a/x", "prefix part must be no more than 253 characters"),
        ("a/", "name part must be non-empty"),
        ("a/b/c", "a qualified name must consist of"),
        ("-a", "name part must consist of"),
    ],
)
async def test_a_controller_has_a_qualified_name(api: ApiClient, name: str, why: str) -> None:
    if not why:
        await api.create(NEWER, newer("a", reportingController=name))
        return
    with pytest.raises(ApiError) as refused:
        await api.create(NEWER, newer("a", reportingController=name))
    assert f'reportingController: Invalid value: "{name}": {why}' in refused.value.message


@pytest.mark.parametrize(
    "fields", [{"series": 3}, {"series": []}, {"regarding": "text"}, {"deprecatedSource": 1}, {"note": {"a": 1}}, {"eventTime": 5}]
)
async def test_fields_of_the_wrong_type_are_refused(api: ApiClient, fields: Json) -> None:
    with pytest.raises(ApiError) as refused:
        await api.create(NEWER, newer("a", **fields))
    assert refused.value.status in (400, 422)
    assert await api.get(f"{CORE}/a") is None


@pytest.mark.parametrize(
    ("namespace", "timed", "allowed"),
    [
        ("default", False, True),
        ("kube-system", False, False),
        ("default", True, True),
        ("kube-system", True, True),
        ("kube-public", True, False),
    ],
)
async def test_what_is_in_no_namespace_is_told_of_in_a_few(api: ApiClient, namespace: str, timed: bool, allowed: bool) -> None:
    node = {"apiVersion": "v1", "kind": "Node", "name": "n"}
    told = {"eventTime": MOMENT, "reportingComponent": "c", "reportingInstance": "i", "action": "a", "reason": "R"} if timed else {}
    body = {"metadata": {"name": "a"}, "involvedObject": node, **told}
    if allowed:
        await api.create(f"/api/v1/namespaces/{namespace}/events", body)
        return
    with pytest.raises(ApiError, match=r"does not match event.namespace"):
        await api.create(f"/api/v1/namespaces/{namespace}/events", body)


async def test_times_with_offsets_are_told_in_utc(api: ApiClient) -> None:
    made = await api.create(CORE, {"metadata": {"name": "a"}, "involvedObject": ABOUT, "firstTimestamp": "2026-11-25T09:00:00+01:00"})
    assert made["firstTimestamp"] == "2026-11-25T08:00:00Z"
    await api.patch(f"{NEWER}/b", {**newer("b"), "apiVersion": "events.k8s.io/v1", "kind": "Event"}, style="apply")
    with pytest.raises(ApiError):
        await api.patch(f"{NEWER}/b", {"deprecatedLastTimestamp": "2026-11-25T09:30:00.5+01:00"})
    seen = await api.patch(f"{CORE}/a", {"lastTimestamp": "2026-11-25T09:30:00.5+01:00"})
    assert seen["lastTimestamp"] == "2026-11-25T08:30:00Z"


async def test_an_unknown_field_is_none_of_either_face(api_server: ApiServer) -> None:
    for path, field in ((NEWER, "message"), (CORE, "note")):
        body = {**(newer("a") if path == NEWER else {"metadata": {"name": "a"}, "involvedObject": ABOUT}), field: "x"}
        answer = await api_server.call(Call("POST", path, {"fieldValidation": "Strict"}, {}, orjson.dumps(body)))
        assert answer.status == 400 and f'unknown field \\"{field}\\"'.encode() in answer.body  # type: ignore[operator]


async def test_a_go_client_may_send_protobuf_through_the_newer_face(api_server: ApiServer, api: ApiClient) -> None:
    moment = message((1, 1_795_593_600), (2, 0))
    told = ((2, moment), (4, "example.com/c"), (5, "c-1"), (6, "Doing"), (7, "Because"), (10, "hello"), (11, "Normal"))
    about = message((1, "Pod"), (2, "default"), (3, "p"), (5, "v1"))
    body = message((1, message((1, "a"))), (3, message((1, 2), (2, moment))), (8, about), *told, (12, b""), (13, b""), (14, b""), (15, 0))
    answer = await api_server.call(Call("POST", NEWER, {}, {"content-type": PROTOBUF}, envelope("events.k8s.io/v1", "Event", body)))
    assert answer.status == 201
    seen = await api.get(f"{CORE}/a")
    assert seen is not None
    assert (seen["message"], seen["involvedObject"], seen["series"], seen["eventTime"]) == (
        "hello",
        ABOUT,
        {"count": 2, "lastObservedTime": MOMENT},
        MOMENT,
    )


async def test_both_faces_print_the_same_table(api_server: ApiServer, api: ApiClient) -> None:
    await api.create(NEWER, newer("a", series={"count": 5, "lastObservedTime": MOMENT}))
    source = {"component": "kubelet", "host": "h"}
    await api.create(CORE, {"metadata": {"name": "b"}, "involvedObject": ABOUT, "source": source, "count": 3, "message": "m"})
    rows = []
    for path in (NEWER, CORE):
        answer = await api_server.call(
            Call("GET", path, {"includeObject": "Object"}, {"accept": "application/json;as=Table;v=v1;g=meta.k8s.io"})
        )
        table = orjson.loads(answer.body)  # type: ignore[arg-type]
        rows.append([row["cells"] for row in table["rows"]])
        assert [row["object"].get("note", row["object"].get("message")) for row in table["rows"]] == ["hello", "m"]
    assert rows[0] == rows[1]
    assert [cells[1:7] + cells[8:] for cells in rows[0]] == [
        ["Normal", "Because", "pod/p", "", "example.com/c, c-1", "hello", 5, "a"],
        ["", "", "pod/p", "", "kubelet, h", "m", 3, "b"],
    ]


async def test_an_owner_by_one_face_owns_by_the_other(api: ApiClient) -> None:
    applied = {"apiVersion": "events.k8s.io/v1", "kind": "Event", **newer("a")}
    await api.patch(f"{NEWER}/a", applied, style="apply")
    await api.patch(f"{CORE}/a", {"message": "changed"})
    seen = await api.get(f"{NEWER}/a")
    assert seen is not None
    owned = {(entry["operation"], entry["apiVersion"]): set(entry["fieldsV1"]) for entry in seen["metadata"]["managedFields"]}
    assert owned[("Update", "events.k8s.io/v1")] == {"f:note"}
    assert "f:note" not in owned[("Apply", "events.k8s.io/v1")] and "f:regarding" in owned[("Apply", "events.k8s.io/v1")]


@pytest.mark.parametrize(
    ("fields", "moment"),
    [
        ({"series": {"lastObservedTime": "2026-11-25T11:00:00.000000Z"}, "lastTimestamp": "2026-11-25T10:00:00Z"}, 11),
        ({"lastTimestamp": "2026-11-25T10:00:00Z", "eventTime": MOMENT}, 10),
        ({"lastTimestamp": None, "eventTime": MOMENT}, 8),
        ({"lastTimestamp": "nonsense"}, 7),
    ],
)
def test_when_an_event_was_last_seen(fields: Json, moment: int) -> None:
    manifest = {"metadata": {"creationTimestamp": "2026-11-25T07:00:00Z"}, **fields}
    assert events.seen_at(manifest) == datetime(2026, 11, 25, moment, tzinfo=UTC)


def test_an_event_without_any_time_was_never_seen() -> None:
    assert events.seen_at({"metadata": {}}) is None


@pytest.mark.skipif(not binary(), reason="no kubectl on this machine")
async def test_kubectl_reads_both_faces(api_server: ApiServer, api: ApiClient, tmp_path: Path) -> None:
    (tmp_path / "config").write_text(api_server.kubeconfig())
    kubectl = Kubectl(tmp_path)
    await api.create(NEWER, newer("a"))
    for command in ("events", "get events", "get events.events.k8s.io", "get events.v1.events.k8s.io a", "events --for=pod/p"):
        lines = (await kubectl(command)).splitlines()
        assert lines[0].split()[:2] == ["LAST", "SEEN"] and lines[1].split()[1:3] == ["Normal", "Because"], command
    assert await kubectl("get events.events.k8s.io -o jsonpath={.items[*].note}") == "hello"
    assert await kubectl("get event -o name") == "event/a"
    assert await kubectl("get events.events.k8s.io --field-selector=regarding.name=p -o name") == "event.events.k8s.io/a"
    assert await kubectl("label events.events.k8s.io a x=y") == "event.events.k8s.io/a labeled"
    assert "events.k8s.io/v1" in await kubectl("api-versions")
    described = await kubectl("describe event a")
    assert "hello" in described and "example.com/c" in described
    assert await kubectl("delete events.events.k8s.io a") == 'event.events.k8s.io "a" deleted from default namespace'

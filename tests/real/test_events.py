"""Events of core/v1: what everybody has, what they are selected by; every text here was measured on a real server."""

from typing import Any

from tests.real.kit.api import Api, Json


def events(api: Api, name: str = "") -> str:
    return api.ours("events", name)


def pod_of(api: Api, **fields: Any) -> Json:
    return {"kind": "Pod", "apiVersion": "v1", "namespace": api.namespace, "name": "p", "uid": "u", **fields}


def event(api: Api, name: str, **fields: Any) -> Json:
    seen = {"count": 1, "firstTimestamp": "2026-11-25T08:00:00Z", "lastTimestamp": "2026-11-25T08:00:00Z"}
    said = {"reason": "Started", "type": "Normal", "message": "hi", "source": {"component": "kubelet", "host": "h"}}
    return {"apiVersion": "v1", "kind": "Event", "metadata": {"name": name}, "involvedObject": pod_of(api), **seen, **said, **fields}


async def test_an_event_has_what_nobody_wrote(api: Api) -> None:
    made = await api.made(events(api), {"metadata": {"name": "a"}, "involvedObject": pod_of(api), "reason": "", "type": None})
    blank = {"source": {}, "firstTimestamp": None, "lastTimestamp": None, "eventTime": None}
    expected = {"apiVersion": "v1", "kind": "Event", "involvedObject": pod_of(api), "reportingComponent": "", "reportingInstance": ""}
    assert {name: value for name, value in made.items() if name != "metadata"} == {**expected, **blank}


async def test_little_is_asked_of_an_event_but_its_namespace(api: Api) -> None:
    for number, fields in enumerate(({"reason": ""}, {"type": "Odd"}, {"type": ""}, {"message": "x" * 1025})):
        await api.made(events(api), event(api, f"a{number}", **fields))
    elsewhere = await api("POST", events(api), event(api, "b", involvedObject=pod_of(api, namespace="default")))
    text = 'involvedObject.namespace: Invalid value: "default": does not match event.namespace'
    assert elsewhere.refusal == (422, "Invalid", f'Event "b" is invalid: {text}')


async def test_a_time_that_is_none_is_refused(api: Api) -> None:
    code, reason, message = (await api("POST", events(api), event(api, "a", firstTimestamp="nonsense"))).refusal
    assert (code, reason) == (400, "BadRequest")
    assert message.startswith('Event in version "v1" cannot be handled as a Event: ') and 'parsing time "nonsense"' in message


async def test_events_are_selected_by_what_they_are_about(api: Api) -> None:
    await api.made(events(api), event(api, "one"))
    await api.made(events(api), event(api, "two", involvedObject=pod_of(api, name="q", uid="v"), reason="Killing", type="Warning"))
    expected = {
        "involvedObject.name=p,involvedObject.uid=u": ["one"],
        "involvedObject.kind=Pod": ["one", "two"],
        "reason=Started": ["one"],
        "type!=Normal": ["two"],
        "source=kubelet": ["one", "two"],
    }
    assert {selector: (await api("GET", events(api), fieldSelector=selector)).names for selector in expected} == expected
    reply = await api("GET", events(api), fieldSelector="message=x")
    assert reply.refusal == (400, "BadRequest", "field label not supported: message")


async def test_a_replacement_makes_an_event_that_is_not_there(api: Api) -> None:
    assert (await api("PUT", events(api, "b"), event(api, "b"))).status == 201
    assert (await api.patch(events(api, "c"), {"message": "x"})).refusal[:2] == (404, "NotFound")
    assert (await api.patch(events(api, "b"), {"message": "more", "count": 4})).document["count"] == 4

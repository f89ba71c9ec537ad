"""Events tell what was done."""

import json

from reconciler_sandbox.client import Answer, ApiClient, Call
from reconciler_sandbox.controllers.events import Recorder, Subject

from tests.kit.workloads import pod


async def test_an_event_names_its_object_and_component_and_never_the_same_name_twice() -> None:
    written = []

    async def accept(call: Call) -> Answer:
        written.append(json.loads(call.body))
        return Answer(201, {}, call.body)

    recorder = Recorder(ApiClient(accept), "tester")
    for number in range(3):
        await recorder.warning(Subject("v1", "Pod", pod()), "Failed", f"it failed {number}")
    assert len({event["metadata"]["name"] for event in written}) == 3
    assert written[0]["involvedObject"] | {"resourceVersion": ""} == {
        "apiVersion": "v1",
        "kind": "Pod",
        "name": "web-1",
        "namespace": "shop",
        "uid": "uid-web-1",
        "resourceVersion": "",
    }
    assert (written[0]["type"], written[0]["reason"], written[0]["source"]) == ("Warning", "Failed", {"component": "tester"})


async def test_what_was_told_before_is_counted_until_its_event_is_gone() -> None:
    calls, gone = [], False

    async def accept(call: Call) -> Answer:
        calls.append((call.method, json.loads(call.body).get("count")))
        return Answer(404 if gone and call.method == "PATCH" else 200, {}, call.body)

    recorder, subject = Recorder(ApiClient(accept), "tester"), Subject("v1", "Pod", pod())
    for _ in range(3):
        await recorder.warning(subject, "Failed", "it failed")
    gone = True
    await recorder.warning(subject, "Failed", "it failed")
    assert calls == [("POST", 1), ("PATCH", 2), ("PATCH", 3), ("PATCH", 4), ("POST", 1)]


async def test_a_refused_event_does_not_stop_the_work() -> None:
    asked = []

    async def refuse(call: Call) -> Answer:
        asked.append(call.path)
        return Answer(403, {}, b'{"reason":"Forbidden","code":403}')

    await Recorder(ApiClient(refuse), "tester").normal(Subject("v1", "Pod", pod()), "Done", "done")
    assert asked == ["/api/v1/namespaces/shop/events"]

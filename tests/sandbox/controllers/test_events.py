"""Events tell what was done."""

import json

from reconciler.sandbox.client import Answer, ApiClient, Call
from reconciler.sandbox.controllers.events import Recorder, Subject
from tests.kit.workloads import pod


async def test_an_event_names_its_object_and_component_and_never_the_same_name_twice() -> None:
    written = []

    async def accept(call: Call) -> Answer:
        written.append(json.loads(call.body))
        return Answer(201, {}, call.body)

    recorder = Recorder(ApiClient(accept), "tester")
    for _ in range(3):
        await recorder.warning(Subject("v1", "Pod", pod()), "Failed", "it failed")
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


async def test_a_refused_event_does_not_stop_the_work() -> None:
    asked = []

    async def refuse(call: Call) -> Answer:
        asked.append(call.path)
        return Answer(403, {}, b'{"reason":"Forbidden","code":403}')

    await Recorder(ApiClient(refuse), "tester").normal(Subject("v1", "Pod", pod()), "Done", "done")
    assert asked == ["/api/v1/namespaces/shop/events"]

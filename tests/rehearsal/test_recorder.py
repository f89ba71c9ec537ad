"""The recorder remembers weights when they change, and measurements with their limits."""

from reconciler_sandbox.client import Answer, ApiClient, Call
from reconciler_sandbox.rehearsal.recorder import Recorder, measured_in


async def nothing(_: Call) -> Answer:
    return Answer(404)


def route(canary: int, *, header: bool = False) -> dict[str, object]:
    targets = [{"destination": {"host": "web"}, "weight": 100 - canary}, {"destination": {"host": "web-canary"}, "weight": canary}]
    testers = [{"name": "testers", "match": [{}], "route": [{"destination": {"host": "web-canary"}}]}] if header else []
    return {"metadata": {"name": "web", "namespace": "shop"}, "spec": {"http": [*testers, {"name": "primary", "route": targets}]}}


def test_weights_are_remembered_when_they_change() -> None:
    recorder = Recorder(ApiClient(nothing), began=0.0)
    for at, canary, header in ((1.0, 0, False), (2.0, 0, False), (3.0, 0, True), (4.0, 40, True)):
        recorder.note_routes(route(canary, header=header), at)
    assert [(w.at, w.shares["web-canary"], w.headers) for w in recorder.weights] == [
        (1.0, 0, ()),
        (3.0, 0, ("testers",)),
        (4.0, 40, ("testers",)),
    ]


def test_a_route_without_weights_is_no_chart() -> None:
    recorder = Recorder(ApiClient(nothing), began=0.0)
    recorder.note_routes(
        {"metadata": {"name": "w", "namespace": "shop"}, "spec": {"http": [{"route": [{"destination": {"host": "w"}}]}]}}, 1.0
    )
    assert recorder.weights == []


def test_measurements_come_with_their_limits_filled_in() -> None:
    run = {
        "metadata": {"name": "web-1"},
        "spec": {
            "metrics": [{"name": "rate", "successCondition": "result[0] >= {{args.threshold}}", "failureLimit": 1}],
            "args": [{"name": "threshold", "value": "0.95"}, {"name": "key", "valueFrom": {"secretKeyRef": {}}}],
        },
        "status": {
            "metricResults": [
                {
                    "name": "rate",
                    "phase": "Failed",
                    "failed": 2,
                    "measurements": [{"phase": "Failed", "value": "[0.5]"}, {"phase": "Failed", "message": "no answer"}],
                }
            ]
        },
    }
    (found,) = measured_in(run)
    assert found.limits == "passes when: result[0] >= 0.95; failures allowed: 1"
    assert (found.values, found.failed, found.message) == (("[0.5]", ""), 2, "no answer")


def test_a_run_without_results_measured_nothing() -> None:
    assert measured_in({"metadata": {"name": "web-1"}, "spec": {"metrics": []}}) == []


def test_the_weights_of_a_canary_ingress_are_remembered_as_they_change() -> None:
    recorder = Recorder(ApiClient(nothing), began=0.0)
    for at, weight in ((1.0, None), (2.0, "0"), (3.0, "0"), (4.0, "40")):
        notes = {} if weight is None else {"nginx.ingress.kubernetes.io/canary-weight": weight}
        recorder.note_ingress({"metadata": {"name": "w", "namespace": "shop", "annotations": notes}}, at)
    assert [(w.at, w.route, dict(w.shares)) for w in recorder.weights] == [
        (2.0, "shop/w", {"stable": 100, "canary": 0}),
        (4.0, "shop/w", {"stable": 60, "canary": 40}),
    ]

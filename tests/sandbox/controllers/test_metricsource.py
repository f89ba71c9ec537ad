"""Metrics as they are read from the aggregated APIs."""

import orjson
import pytest
from reconciler_sandbox.client import Answer, ApiClient, Call
from reconciler_sandbox.controllers.metricsource import MetricSource, seconds

from tests.kit.autoscaling import cpu

MOMENT = "2026-01-01T12:00:00Z"
POD = {
    "metadata": {"name": "a"},
    "timestamp": MOMENT,
    "window": "1m30s",
    "containers": [{"name": "app", "usage": {"cpu": "250m"}}, {"name": "proxy", "usage": {"cpu": "1500000n"}}],
}


def answering(**items: object) -> tuple[MetricSource, list[Call]]:
    """A source whose API answers every path that ends so with these items, and all calls it was asked."""
    calls: list[Call] = []

    async def call(request: Call) -> Answer:
        calls.append(request)
        found = items.get(request.path.rpartition("/")[2])
        if found is None:
            return Answer(404, {}, b"404 page not found\n")
        return Answer(200, {}, orjson.dumps({"kind": "List", "apiVersion": "v1", "metadata": {}, "items": found}))

    return MetricSource(ApiClient(call)), calls


async def test_a_pod_is_the_sum_of_its_containers() -> None:
    source, calls = answering(pods=[POD])
    reading = await source.read(cpu(50), "shop", "app=web")
    assert reading.samples is not None and (reading.samples["a"].value, reading.samples["a"].window) == (252, 90.0)
    assert (calls[0].path, calls[0].query["labelSelector"]) == ("/apis/metrics.k8s.io/v1beta1/namespaces/shop/pods", "app=web")


async def test_one_container_is_asked_for_by_name() -> None:
    metric = {"type": "ContainerResource", "containerResource": {"name": "cpu", "container": "proxy", "target": {}}}
    reading = await answering(pods=[POD])[0].read(metric, "shop", "app=web")
    assert reading.samples is not None and reading.samples["a"].value == 2


async def test_a_pod_that_does_not_say_it_of_every_container_has_no_sample() -> None:
    reading = await answering(pods=[POD])[0].read({"type": "Resource", "resource": {"name": "memory"}}, "shop", "app=web")
    assert reading.samples == {} and not reading.failure


async def test_pods_have_metrics_of_their_own() -> None:
    item = {"describedObject": {"kind": "Pod", "name": "a"}, "metricName": "rps", "timestamp": MOMENT, "value": "12500m"}
    source, calls = answering(rps=[item])
    chosen = {"name": "rps", "selector": {"matchLabels": {"path": "x"}}}
    reading = await source.read({"type": "Pods", "pods": {"metric": chosen}}, "shop", "app=web")
    assert reading.samples is not None and (reading.samples["a"].value, reading.samples["a"].window) == (12_500, 60.0)
    assert calls[0].path.endswith("/namespaces/shop/pods/*/rps")
    assert calls[0].query == {"labelSelector": "app=web", "metricLabelSelector": "path=x"}


async def test_the_outside_has_values() -> None:
    source, calls = answering(queue=[{"value": "10"}, {"value": "2500m"}])
    metric = {"type": "External", "external": {"metric": {"name": "queue", "selector": {"matchLabels": {"q": "x"}}}}}
    assert (await source.read(metric, "shop", "")).values == (10_000, 2_500)
    assert calls[0].query == {"labelSelector": "q=x"}


@pytest.mark.parametrize(
    ("metric", "items", "words"),
    [
        (cpu(50), {}, "resource metrics API: the server could not find the requested resource (get pods.metrics.k8s.io)"),
        (cpu(50), {"pods": []}, "no metrics returned from resource metrics API"),
        ({"type": "Pods", "pods": {"metric": {"name": "rps"}}}, {}, "no custom metrics API (custom.metrics.k8s.io) registered"),
        ({"type": "Pods", "pods": {"metric": {"name": "rps"}}}, {"rps": []}, "no metrics returned from custom metrics API"),
        (
            {"type": "External", "external": {"metric": {"name": "q"}}},
            {},
            "external metrics API: the server could not find the requested resource (get q.external.metrics.k8s.io)",
        ),
        ({"type": "External", "external": {"metric": {"name": "q"}}}, {"q": []}, "no metrics returned from external metrics API"),
        (
            {"type": "Object", "object": {"metric": {"name": "x"}, "describedObject": {"kind": "Nope", "name": "a"}}},
            {},
            'no matches for kind "Nope" in group ""',
        ),
    ],
)
async def test_what_cannot_be_read_says_why(metric: dict[str, object], items: dict[str, object], words: str) -> None:
    assert words in (await answering(**items)[0].read(metric, "shop", "app=web")).failure


@pytest.mark.parametrize(("text", "wanted"), [("1s", 1), ("1m30s", 90), ("1h0m0s", 3600), ("500ms", 0.5), ("15.5s", 15.5), ("?", 0)])
def test_windows_are_durations_of_go(text: str, wanted: float) -> None:
    assert seconds(text) == wanted

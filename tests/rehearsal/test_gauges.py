"""The metrics of a stage are what its stories say."""

import pytest
from reconciler_sandbox.apiserver.server import ApiServer
from reconciler_sandbox.client import ApiClient
from reconciler_sandbox.metrics.readings import amount
from reconciler_sandbox.rehearsal.gauges import Gauges, subject_of
from reconciler_sandbox.rehearsal.parse_fields import KINDS
from reconciler_sandbox.rehearsal.story import MetricsChange, ObjectName

from reconciler.kernel.errors import Terminal
from tests.kit.apiserver import DEPLOYMENTS, PODS, deployment, pod

WEB = ObjectName(KINDS["Deployment"], "default", "web")
METRICS = "/apis/metrics.k8s.io/v1beta1/namespaces/default/pods"


async def usage(api: ApiClient) -> dict[str, str]:
    return (await api.list(METRICS))[0]["containers"][0]["usage"]


async def test_what_is_said_last_is_read_and_the_rest_stays() -> None:
    server = ApiServer()
    api, gauges = ApiClient(server.call), Gauges(server)
    await api.create(DEPLOYMENTS, deployment("web"))
    await api.create(PODS, pod("web-a", labels={"app": "web"}))
    await api.patch(f"{PODS}/web-a/status", {"status": {"phase": "Running"}})
    gauges.say(MetricsChange({WEB: {"cpu": amount("250m"), "memory": amount("1Mi")}}))
    assert await usage(api) == {"cpu": "250m", "memory": "1Mi"}
    gauges.say(MetricsChange({WEB: {"cpu": amount("1")}}, {"queue": 3000}))
    assert await usage(api) == {"cpu": "1", "memory": "1Mi"}
    [queue] = await api.list("/apis/external.metrics.k8s.io/v1beta1/namespaces/default/queue")
    assert queue["value"] == "3"


async def test_a_story_that_says_nothing_leaves_a_cluster_without_metrics() -> None:
    server = ApiServer()
    Gauges(server).say(MetricsChange())
    assert server.aggregation.find(METRICS) is None


def test_the_metrics_of_somebody_elses_cluster_cannot_be_said() -> None:
    Gauges(None).say(MetricsChange())
    with pytest.raises(Terminal, match="not ours to say"):
        Gauges(None).say(MetricsChange({WEB: {"cpu": amount("1")}}))


def test_an_object_of_a_story_is_one_of_the_sandbox() -> None:
    subject = subject_of(ObjectName(KINDS["Rollout"], "shop", "web"))
    assert subject.path == "/apis/argoproj.io/v1alpha1/namespaces/shop/rollouts/web"

"""Groups that somebody else answers."""

import pytest
from reconciler_sandbox.apiserver.aggregation import Aggregation, asked_there
from reconciler_sandbox.apiserver.gate import Access
from reconciler_sandbox.apiserver.identity import User
from reconciler_sandbox.apiserver.kinds import Kind, Registry
from reconciler_sandbox.apiserver.rights import Asked
from reconciler_sandbox.apiserver.server import ApiServer
from reconciler_sandbox.client import Answer, Call

PODS = Kind("metrics.k8s.io", "v1beta1", "pods", "PodMetrics", stored=False)


async def answer(call: Call) -> Answer:
    return Answer(200, {}, b"elsewhere " + call.path.encode())


def test_a_group_is_there_while_it_has_kinds() -> None:
    registry = Registry()
    aggregation, before = Aggregation(registry), registry.generation
    aggregation.serve("metrics.k8s.io", [PODS], answer)
    assert registry.find("metrics.k8s.io", "v1beta1", "pods") is PODS and registry.generation > before
    assert aggregation.find("/apis/metrics.k8s.io/v1beta1/pods") is answer
    assert aggregation.find("/apis/metrics.k8s.io/v1beta1") is None, "that is discovery"
    assert aggregation.find("/api/v1/pods") is None and aggregation.find("/apis/apps/v1/deployments") is None
    aggregation.serve("metrics.k8s.io", [], answer)
    assert registry.find("metrics.k8s.io", "v1beta1", "pods") is None and aggregation.find("/apis/metrics.k8s.io/v1beta1/pods") is None


async def test_what_is_asked_is_passed_on() -> None:
    server = ApiServer()
    server.aggregation.serve("metrics.k8s.io", [PODS], answer)
    found = await server.call(Call("GET", "/apis/metrics.k8s.io/v1beta1/namespaces/shop/pods/a"))
    assert (found.status, found.body) == (200, b"elsewhere /apis/metrics.k8s.io/v1beta1/namespaces/shop/pods/a")


async def test_who_has_no_right_is_not_passed_on() -> None:
    server = ApiServer()
    server.aggregation.serve("metrics.k8s.io", [PODS], answer)
    server.guard(Access({"t": User("ann")}))
    refused = await server.call(Call("GET", "/apis/metrics.k8s.io/v1beta1/namespaces/shop/pods", {}, {"authorization": "Bearer t"}))
    assert refused.status == 403
    unknown = await server.call(Call("GET", "/apis/metrics.k8s.io/v1beta1/pods", {}, {"authorization": "Bearer nobody"}))
    assert unknown.status == 401


@pytest.mark.parametrize(
    ("path", "wanted"),
    [
        ("/apis/metrics.k8s.io/v1beta1/pods", Asked("list", "metrics.k8s.io", "pods")),
        ("/apis/metrics.k8s.io/v1beta1/namespaces/shop/pods", Asked("list", "metrics.k8s.io", "pods", "", "shop")),
        ("/apis/metrics.k8s.io/v1beta1/namespaces/shop/pods/a", Asked("get", "metrics.k8s.io", "pods", "", "shop", "a")),
        ("/apis/metrics.k8s.io/v1beta1/nodes/one", Asked("get", "metrics.k8s.io", "nodes", "", "", "one")),
        (
            "/apis/custom.metrics.k8s.io/v1beta1/namespaces/shop/pods/*/rps",
            Asked("get", "custom.metrics.k8s.io", "pods", "rps", "shop", "*"),
        ),
        ("/apis/metrics.k8s.io/v1beta1/namespaces", Asked("list", "metrics.k8s.io", "namespaces")),
    ],
)
def test_a_path_says_what_is_asked(path: str, wanted: Asked) -> None:
    assert asked_there(Call("GET", path)) == wanted

"""HTTPRoutes and GRPCRoutes of the Gateway API, asked of the real Envoy."""

from typing import Any

import pytest

from tests.kit.mesh import back, http_route, kubernetes_gateway, until

TESTERS = {"headers": [{"name": "x-tester", "value": "yes"}]}


def weighted(canary: int) -> Any:
    return {"backendRefs": [back("web", 100 - canary), back("web-canary", canary)]}


async def test_tagged_requests_go_one_way_and_the_others_by_weight(stage: Any) -> None:
    route = http_route("web", {"matches": [TESTERS], "backendRefs": [back("web-canary")]}, weighted(0))
    await stage.serve(kubernetes_gateway(), route)
    assert await stage.visitor.shares(200) == {"v1": 200}
    assert await stage.visitor.shares(200, x_tester="yes") == {"v2": 200}
    await stage.serve(http_route("web", {"matches": [TESTERS], "backendRefs": [back("web-canary")]}, weighted(40)))
    shares = await stage.visitor.shares(2000)
    assert set(shares) == {"v1", "v2"} and abs(shares["v2"] - 800) < 4 * (2000 * 0.4 * 0.6) ** 0.5
    assert stage.mesh.problems == {}


async def test_the_most_exact_match_is_first_whatever_its_place(stage: Any) -> None:
    def leads(where: str, service: str, kind: str = "PathPrefix", **more: Any) -> Any:
        return {"matches": [{"path": {"type": kind, "value": where}, **more}], "backendRefs": [back(service)]}

    await stage.serve(
        kubernetes_gateway(),
        http_route("web", leads("/", "web"), leads("/shop", "web-canary"), leads("/shop/a", "web", "Exact")),
        http_route("more", leads("/shop/[0-9]+", "web", "RegularExpression"), leads("/post", "web-canary", method="POST")),
    )
    found = {where: (await stage.visitor.visit(path=where))[1] for where in ("/", "/shop", "/shopping", "/shop/a", "/shop/77", "/post")}
    assert found == {"/": "v1", "/shop": "v2", "/shopping": "v1", "/shop/a": "v1", "/shop/77": "v1", "/post": "v1"}


async def test_a_grpc_route_tells_calls_by_service_and_method(stage: Any) -> None:
    one = {"matches": [{"method": {"service": "shop.Web", "method": "Get"}}], "backendRefs": [back("web-canary")]}
    service = {"matches": [{"method": {"service": "shop.Web"}}], "backendRefs": [back("web")]}
    await stage.serve(kubernetes_gateway(), http_route("web", service, one, kind="GRPCRoute"))
    found = {where: (await stage.visitor.visit(path=where))[1] for where in ("/shop.Web/Get", "/shop.Web/List")}
    assert found == {"/shop.Web/Get": "v2", "/shop.Web/List": "v1"}
    assert (await stage.visitor.visit(path="/shop.Other/Get"))[0] == 404


async def test_filters_change_what_the_backend_sees_and_a_mirror_gets_a_copy(stage: Any) -> None:
    filters = [
        {"type": "RequestHeaderModifier", "requestHeaderModifier": {"set": [{"name": "x-seen", "value": "1"}], "remove": ["x-gone"]}},
        {"type": "URLRewrite", "urlRewrite": {"path": {"type": "ReplacePrefixMatch", "replacePrefixMatch": "/inside"}}},
        {"type": "RequestMirror", "requestMirror": {"backendRef": back("web-canary")}},
    ]
    rule = {"matches": [{"path": {"type": "PathPrefix", "value": "/shop"}}], "filters": filters, "backendRefs": [back("web")]}
    redirect = {
        "matches": [{"path": {"type": "Exact", "value": "/old"}}],
        "filters": [{"type": "RequestRedirect", "requestRedirect": {"statusCode": 301, "path": {"replaceFullPath": "/new"}}}],
    }
    await stage.serve(kubernetes_gateway(), http_route("web", rule, redirect))
    assert (await stage.visitor.visit(path="/shop/a", x_gone="y"))[1] == "v1"
    (seen,) = stage.backends["v1"].requests
    assert seen["path"] == "/inside/a" and seen["headers"]["x-seen"] == "1" and "x-gone" not in seen["headers"]
    assert (await stage.visitor.visit(path="/old"))[0] == 301
    await until(lambda: len(stage.backends["v2"].requests) == 1)


@pytest.mark.parametrize(
    ("gateway", "route"),
    [
        (
            kubernetes_gateway(namespace="elsewhere"),
            http_route("web", weighted(0), parents=({"name": "public", "namespace": "elsewhere"},)),
        ),
        (kubernetes_gateway(hostname="*.example.org"), http_route("web", weighted(0))),
        (kubernetes_gateway(), http_route("web", weighted(0), parents=({"name": "public", "sectionName": "other"},))),
        (kubernetes_gateway(), http_route("web", weighted(0), parents=({"name": "web", "kind": "Service", "group": ""},))),
        (kubernetes_gateway(port=81), http_route("web", weighted(0))),
    ],
    ids=["namespace", "host", "section", "service", "port"],
)
async def test_a_route_is_served_only_where_a_listener_takes_it(stage: Any, gateway: Any, route: Any) -> None:
    await stage.serve(gateway, route)
    assert (await stage.visitor.visit())[0] == 404
    await stage.serve(kubernetes_gateway("open"), http_route("web", weighted(0), parents=({"name": "open"},)))
    assert (await stage.visitor.visit())[1] == "v1"


async def test_a_route_that_envoy_refuses_never_freezes_the_others(stage: Any) -> None:
    bad = http_route("bad", {"matches": [{"headers": [{"name": "x y\n", "value": "1"}]}], "backendRefs": [back("web")]})
    await stage.serve(kubernetes_gateway(), http_route("web", weighted(0)), bad)
    assert set(stage.mesh.problems) == {"HTTPRoute default/bad"}
    await stage.serve(http_route("web", weighted(100)))
    assert await stage.visitor.shares(40) == {"v2": 40}

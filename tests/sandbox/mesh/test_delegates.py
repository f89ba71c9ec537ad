"""VirtualServices that delegate, asked of the real Envoy."""

from typing import Any

from tests.kit.mesh import endpoints, manifest, pod, service, to, virtual_service

ROOT = virtual_service(
    "root",
    {"match": [{"uri": {"prefix": "/shop"}}], "delegate": {"name": "shop", "namespace": "team"}, "timeout": "1s"},
    {"match": [{"uri": {"prefix": "/nobody"}}], "delegate": {"name": "gone"}},
    {"route": [to("web")]},
)


def delegate(*http: Any, name: str = "shop", namespace: str = "team") -> Any:
    return manifest("VirtualService", name, namespace=namespace, spec={"http": list(http)})


async def test_a_delegate_s_routes_hold_below_the_path_that_leads_to_it_and_its_hosts_are_of_its_namespace(stage: Any) -> None:
    port = stage.backends["v2"].port
    team = [service("shop", namespace="team"), endpoints("shop", {"shop-1": port}, namespace="team"), pod("shop-1", namespace="team")]
    leaf = delegate(
        {"match": [{"uri": {"prefix": "/shop/new"}}], "route": [to("shop")]},
        {"match": [{"uri": {"prefix": "/elsewhere"}}], "route": [to("shop")]},
        {"match": [{"headers": {"x-tester": {"exact": "yes"}}}], "route": [to("shop")]},
        {"route": [to("web.default.svc.cluster.local", 60), to("shop", 40)]},
    )
    await stage.serve(ROOT, leaf, *team)
    assert stage.mesh.problems == {}
    visit = stage.visitor.visit
    answers = {where: (await visit(path=where))[1] for where in ("/", "/shop/new/1", "/elsewhere")}
    assert answers == {"/": "v1", "/shop/new/1": "v2", "/elsewhere": "v1"}
    assert [(await visit(path="/shop", x_tester="yes"))[1] for _ in range(20)] == ["v2"] * 20
    shares = [(await visit(path="/shop/old"))[1] for _ in range(400)]
    assert abs(shares.count("v2") - 160) < 4 * (400 * 0.4 * 0.6) ** 0.5
    assert (await visit(path="/nobody"))[1] == "v1"
    stage.api.remove(leaf)
    await stage.mesh.settled()
    assert (await visit(path="/shop"))[1] == "v1"


async def test_a_delegate_that_envoy_refuses_takes_only_its_own_routes_along(stage: Any) -> None:
    bad = delegate({"route": [to("web")], "headers": {"request": {"set": {"bad name\n": "x"}}}})
    await stage.serve(ROOT, bad)
    assert set(stage.mesh.problems) == {"VirtualService team/shop"}
    assert (await stage.visitor.visit())[1] == "v1"

"""Who is called in real time: routes, and the Services that no route and no release hides."""

from typing import Any

from reconciler_sandbox.rehearsal.callers import MESH_PORT, flows_of, missing_gateways

Manifest = dict[str, Any]


def manifest(kind: str, name: str, **spec: Any) -> Manifest:
    return {"kind": kind, "metadata": {"name": name, "namespace": "shop"}, "spec": spec}


def service(name: str, port: int = 80) -> Manifest:
    return manifest("Service", name, selector={"app": name}, ports=[{"port": port}])


def route(name: str, *gateways: str, hosts: tuple[str, ...] = ("web.example.com",), uri: str = "") -> Manifest:
    testers = {"match": [{"headers": {"x-tester": {"exact": "me"}}}], "route": [{"destination": {"host": "web-canary"}}]}
    users = {"route": [{"destination": {"host": "web"}}], **({"match": [{"uri": {"prefix": uri}}]} if uri else {})}
    return manifest("VirtualService", name, hosts=list(hosts), gateways=list(gateways), http=[testers, users])


def called(*manifests: Manifest) -> dict[str, tuple[str, int, str]]:
    return {name: (flow.host, flow.port, flow.path) for name, flow in flows_of(manifests, 20.0, (80, 8080)).items()}


def test_a_route_of_the_mesh_is_called_in_the_mesh_and_the_services_behind_it_are_not_called_beside_it() -> None:
    found = called(service("web"), service("web-canary"), service("cart", 8080), route("web", "mesh", uri="/api"))
    assert found == {"shop/web": ("web.example.com", MESH_PORT, "/api"), "shop/cart": ("cart.shop.svc.cluster.local:8080", MESH_PORT, "/")}


def test_a_route_of_a_gateway_is_called_at_the_port_that_its_gateway_declares() -> None:
    gateway = manifest("Gateway", "door", servers=[{"port": {"number": 443}}, {"port": {"number": 8080}}])
    assert called(gateway, route("web", "door", hosts=("*.example.com",))) == {"shop/web": ("any.example.com", 8080, "/")}


def test_a_route_that_no_port_here_leads_to_is_not_called() -> None:
    assert called(manifest("Gateway", "door", servers=[{"port": {"number": 443}}]), route("web", "door")) == {}


def test_a_gateway_that_somebody_else_keeps_is_stood_in_for() -> None:
    [gateway] = missing_gateways([route("web", "istio-ingress/public", "mesh")])
    assert (gateway["metadata"], gateway["spec"]["servers"][0]["hosts"]) == ({"name": "public", "namespace": "istio-ingress"}, ["*"])
    assert missing_gateways([manifest("Gateway", "door"), route("web", "door")]) == []


def test_services_of_the_new_version_have_no_users() -> None:
    strategy = {"blueGreen": {"activeService": "web", "previewService": "web-preview"}}
    assert set(called(service("web"), service("web-preview"), manifest("Rollout", "web", strategy=strategy))) == {"shop/web"}

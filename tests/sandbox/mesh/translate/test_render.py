"""Rendering is total: what cannot be rendered is reported, the rest is served."""

import pytest
from reconciler_sandbox.mesh.translate.render import render

from tests.kit.mesh import (
    LAYOUT,
    back,
    canary_ingress,
    destination_rule,
    endpoints,
    gateway,
    http_route,
    ingress,
    kubernetes_gateway,
    manifest,
    path,
    service,
    to,
    virtual_service,
)

GOOD = [gateway(), service("web"), virtual_service("good", {"route": [to("web")]}), ingress("good", path("web"), host="good.example.com")]
NO_HOST = {"route": [{"destination": {}}]}


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        (virtual_service("bad", {"match": [{"headers": {"x": {"regex": "("}}}], "route": [to("web")]}), "does not compile"),
        (virtual_service("bad", NO_HOST), "malformed: KeyError 'host'"),
        (virtual_service("bad", {}), "neither route"),
        (virtual_service("bad", {"delegate": {"name": "web"}, "route": [to("web")]}), "delegates and says where to go as well"),
        (virtual_service("bad", {"delegate": {"name": "web"}}, hosts=()), "a delegate delegates again"),
        (virtual_service("bad", {"delegate": {}}), "neither route"),
        (virtual_service("bad", {"delegate": {"namespace": "a"}}), "delegates to nobody"),
        (http_route("bad", {"filters": [{"type": "ExtensionRef"}]}), "a filter of type ExtensionRef is not served"),
        (http_route("bad", {"backendRefs": [{"name": "web"}]}), "malformed: KeyError 'port'"),
        (http_route("bad", {"backendRefs": [{"name": "web", "port": 80, "namespace": "elsewhere"}]}), "needs a ReferenceGrant"),
        (http_route("bad", {"backendRefs": [{"name": "web", "port": 80, "kind": "Lambda"}]}), "is a Lambda"),
        (http_route("bad", {"backendRefs": [back("web", -1)]}), "a weight is negative"),
        (http_route("bad", {"matches": [{"headers": [{"type": "RegularExpression", "name": "a", "value": "("}]}]}), "does not compile"),
        (http_route("bad", parents=(5,)), "malformed"),
        (http_route("bad", hostnames=(5,)), "hostname 5 is no text"),
        (kubernetes_gateway("bad", namespace="default", hostname=[1]), "hostname [1] is no text"),
        (manifest("HTTPRoute", "bad", spec="text"), "malformed"),
        (manifest("HTTPRoute", "bad", spec={"rules": ["x"]}), "malformed"),
        (virtual_service("bad", {"delegate": "web"}), "malformed"),
        (kubernetes_gateway("bad", namespace="default", protocol="TLS"), "speaks TLS"),
        (manifest("VirtualService", "bad", spec={"hosts": ["a"], "http": "text"}), "malformed"),
        (manifest("VirtualService", "bad"), "malformed: KeyError 'spec'"),
        (manifest("VirtualService", "bad", spec={"hosts": ["a"], "tls": [{}]}), "tcp and tls"),
        (destination_rule("bad", "web", trafficPolicy={"outlierDetection": {"interval": "x"}}), "not a duration"),
        (manifest("DestinationRule", "bad", spec={"subsets": []}), "malformed: KeyError 'host'"),
        (gateway("bad", namespace="default", port=443), "port 443 is not opened by this mesh; opened: 80"),
        (manifest("Service", "bad", spec={"ports": [{}]}), "malformed: KeyError 'port'"),
        (ingress("bad", path("web", "web")), "path web of type Prefix is not served by this mesh"),
        (ingress("bad", path("web", "/", "Regex")), "path / of type Regex is not served by this mesh"),
        (ingress("bad"), "neither a path nor a defaultBackend"),
        (ingress("bad", {"path": "/", "pathType": "Exact", "backend": {"resource": {}}}), "malformed: KeyError 'service'"),
        (canary_ingress("bad", canary_weight="many"), "malformed: ValueError"),
        (canary_ingress("bad", canary_weight="101"), "canary-weight 101 is not between 0 and 100"),
        (canary_ingress("bad", canary_weight="0", canary_weight_total="0"), "canary-weight 0 is not between 0 and 0"),
        (canary_ingress("bad", canary_by_header="x", canary_by_header_pattern="("), "does not compile"),
        (manifest("Endpoints", "bad", subsets=[{"addresses": [{}], "ports": [{"port": 1}]}]), "malformed: KeyError 'ip'"),
    ],
)
def test_a_bad_object_is_reported_and_the_others_are_served(bad: dict, reason: str) -> None:
    config = render([*GOOD, bad], LAYOUT)
    assert list(config.problems) == [f"{bad['kind']} default/bad"]
    assert reason in next(iter(config.problems.values()))
    assert (config.clusters, config.tables) == (render(GOOD, LAYOUT).clusters, render(GOOD, LAYOUT).tables)


def test_the_same_objects_in_any_order_give_the_same_configuration() -> None:
    objects = [*GOOD, endpoints("web", {"a": 1, "b": 2}), destination_rule("web", "web", "v1")]
    assert render(objects, LAYOUT) == render(objects[::-1], LAYOUT)


def test_nothing_is_a_configuration_too() -> None:
    config = render((), LAYOUT)
    assert (config.clusters, config.problems, set(config.tables)) == ((), {}, {"http.80", "mesh"})

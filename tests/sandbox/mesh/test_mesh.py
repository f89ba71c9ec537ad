"""Istio's behaviour, asked of the real Envoy: where requests go, what a failure looks like, and what survives."""

import asyncio
import os
import signal

import pytest
from reconciler_sandbox.load import Load
from reconciler_sandbox.mesh.errors import EnvoyFailed
from reconciler_sandbox.mesh.mesh import Mesh
from reconciler_sandbox.metrics.metrics import Metrics

from tests.kit.mesh import destination_rule, endpoints, gateway, pod, service, to, until, virtual_service

TESTER = {"match": [{"headers": {"x-release-tester": {"regex": ".*"}}}], "route": [to("web-canary")]}


def weights(canary: int) -> dict:
    return {"route": [to("web", 100 - canary), to("web-canary", canary)]}


@pytest.mark.parametrize("canary", [30, 60])
async def test_weights_share_requests_within_four_sigma(stage, canary: int) -> None:
    await stage.serve(virtual_service("web", weights(canary)))
    shares = await stage.visitor.shares(2000)
    expected = 2000 * canary / 100
    assert set(shares) == {"v1", "v2"}
    assert abs(shares["v2"] - expected) < 4 * (expected * (100 - canary) / 100) ** 0.5


async def test_weight_zero_gets_nothing_and_hundred_gets_everything(stage) -> None:
    await stage.serve(virtual_service("web", weights(0)))
    assert await stage.visitor.shares(100) == {"v1": 100}
    await stage.serve(virtual_service("web", weights(100)))
    assert await stage.visitor.shares(100) == {"v2": 100}


async def test_no_request_is_lost_by_fifty_weight_changes(stage) -> None:
    await stage.serve(virtual_service("web", weights(0)))
    load = Load(stage.mesh.gateway_address(), host="web.example.com", rate=400)
    await load.start()
    for change in range(50):
        await stage.serve(virtual_service("web", weights(change * 2)))
        await load.burst(4)
    await load.stop()
    assert not load.failures
    counts = load.counts_since(0)
    assert counts.total() >= 200
    assert set(counts) == {"v1", "v2"}


async def test_no_request_is_lost_when_the_service_behind_a_route_is_exchanged(stage) -> None:
    await stage.serve(virtual_service("web", {"route": [to("web")]}))
    load = Load(stage.mesh.gateway_address(), host="web.example.com", rate=400)
    await load.start()
    backend = stage.backends["v1"]
    for round_number in range(10):
        name = f"web-{round_number}"
        stage.api.put(service(name), endpoints(name, {"web-v1hash-x": backend.port}))
        await stage.serve(virtual_service("web", {"route": [to(name)]}))
        await load.burst(10)
        if round_number:
            stage.api.remove(service(f"web-{round_number - 1}"))
    await load.stop()
    assert not load.failures
    assert load.counts_since(0).total() >= 100


async def test_a_header_expression_matches_any_value_even_an_empty_one(stage) -> None:
    await stage.serve(virtual_service("web", TESTER, {"route": [to("web")]}))
    assert (await stage.visitor.visit())[1] == "v1"
    assert (await stage.visitor.visit(x_release_tester="yes"))[1] == "v2"
    assert (await stage.visitor.visit(X_Release_Tester="yes"))[1] == "v2"
    assert (await stage.visitor.visit(x_release_tester=""))[1] == "v2"


async def test_a_header_expression_matches_the_whole_value(stage) -> None:
    rule = {"match": [{"headers": {"x-version": {"regex": "v[0-9]+"}}}], "route": [to("web-canary")]}
    await stage.serve(virtual_service("web", rule, {"route": [to("web")]}))
    assert (await stage.visitor.visit(x_version="v12"))[1] == "v2"
    assert (await stage.visitor.visit(x_version="v12x"))[1] == "v1"


async def test_a_mirror_gets_a_copy_and_the_client_never_sees_it(stage) -> None:
    mirrored = {"route": [to("web")], "mirror": {"host": "web-canary"}, "mirrorPercentage": {"value": 100}}
    await stage.serve(virtual_service("web", mirrored))
    assert await stage.visitor.shares(100) == {"v1": 100}
    await until(lambda: len(stage.backends["v2"].requests) == 100)
    assert {request["host"] for request in stage.backends["v2"].requests} == {"web.example.com"}


async def test_a_timeout_is_a_504(stage) -> None:
    stage.backends["v1"].delay = 1.0
    await stage.serve(virtual_service("web", {"route": [to("web")], "timeout": "100ms"}))
    assert (await stage.visitor.visit())[0] == 504
    assert 'response_code="504",response_flags="UT"' in await stage.metrics()


async def test_a_service_without_endpoints_is_a_503_that_only_the_source_reports(stage) -> None:
    stage.api.put(endpoints("web", {}))
    await stage.serve(virtual_service("web", {"route": [to("web")]}))
    assert await stage.visitor.visit() == (503, "no healthy upstream")
    counted = [line for line in (await stage.metrics()).splitlines() if line.startswith("istio_requests_total")]
    assert len(counted) == 1
    for label in ('reporter="source"', 'response_flags="UH"', 'destination_service_name="web"', 'destination_workload="unknown"'):
        assert label in counted[0]


async def test_a_missing_service_is_a_503_on_its_own_route(stage) -> None:
    rule = {"match": [{"uri": {"exact": "/lost"}}], "route": [to("nowhere")]}
    await stage.serve(virtual_service("web", rule, {"route": [to("web")]}))
    assert (await stage.visitor.visit(path="/lost"))[0] == 503
    assert (await stage.visitor.visit(path="/lost/not"))[0] == 200
    assert stage.mesh.problems == {}


async def test_a_503_that_a_server_answers_is_tried_again_only_where_the_route_asks_for_it(stage) -> None:
    stage.backends["v1"].status = 503
    await stage.serve(virtual_service("web", {"route": [to("web")]}))
    assert (await stage.visitor.visit())[0] == 503
    assert len(stage.backends["v1"].requests) == 1
    await stage.serve(virtual_service("web", {"route": [to("web")], "retries": {"attempts": 2, "retryOn": "503"}}))
    assert (await stage.visitor.visit())[0] == 503
    assert len(stage.backends["v1"].requests) == 4


async def test_all_weights_zero_is_a_503(stage) -> None:
    await stage.serve(virtual_service("web", {"route": [to("web", 0), to("web-canary", 0)]}))
    assert (await stage.visitor.visit())[0] == 503


async def test_a_fault_aborts_before_the_backend(stage) -> None:
    abort = {"abort": {"httpStatus": 500, "percentage": {"value": 100}}}
    await stage.serve(virtual_service("web", {"route": [to("web")], "fault": abort}))
    assert await stage.visitor.visit() == (500, "fault filter abort")
    assert stage.backends["v1"].requests == []


async def test_a_virtual_service_of_another_namespace_uses_its_own_short_names(stage) -> None:
    port = stage.backends["v2"].port
    other = [service("web", namespace="team"), endpoints("web", {"p": port}, namespace="team"), pod("p", namespace="team")]
    await stage.serve(*other, virtual_service("web", {"route": [to("web")]}, hosts=("team.example.com",), namespace="team"))
    assert await stage.visitor.visit("team.example.com") == (200, "v2")
    assert (await stage.visitor.visit("web.example.com"))[0] == 404


async def test_a_gateway_without_namespace_is_the_one_next_to_the_virtual_service(stage) -> None:
    await stage.serve(virtual_service("web", {"route": [to("web")]}, gateways=("gateway",)))
    assert (await stage.visitor.visit())[0] == 404
    await stage.serve(gateway(namespace="default"))
    assert await stage.visitor.visit() == (200, "v1")


async def test_host_star_takes_every_name_and_an_exact_name_wins(stage) -> None:
    await stage.serve(
        virtual_service("any", {"route": [to("web")]}, hosts=("*",)),
        virtual_service("one", {"route": [to("web-canary")]}, hosts=("one.example.com",)),
    )
    assert await stage.visitor.visit("whatever.test") == (200, "v1")
    assert await stage.visitor.visit("one.example.com") == (200, "v2")
    assert await stage.visitor.visit("one.example.com:80") == (200, "v2")


async def test_clients_inside_the_mesh_name_the_service(stage) -> None:
    inside = virtual_service("web", weights(100), hosts=("web",), gateways=("mesh",))
    await stage.serve(inside)
    visitor = type(stage.visitor)(stage.session, stage.mesh.mesh_address)
    for name in ("web", "web.default", "web.default.svc.cluster.local", "web.default.svc.cluster.local:80"):
        assert await visitor.visit(name) == (200, "v2")
    assert await visitor.visit("web-canary.default") == (200, "v2")
    assert (await stage.visitor.visit("web"))[0] == 404


async def test_subsets_are_pods_by_label(stage) -> None:
    ports = {version: backend.port for version, backend in stage.backends.items()}
    both = endpoints("all", {"a": ports["v1"], "b": ports["v2"]})
    stage.api.put(service("all"), both, pod("a", version="v1"), pod("b", version="v2"), destination_rule("all", "all", "v1", "v2"))
    await stage.serve(virtual_service("web", {"route": [to("all", subset="v2")]}))
    assert await stage.visitor.shares(40) == {"v2": 40}


async def test_both_reporters_count_each_request_with_istios_labels(stage) -> None:
    await stage.serve(virtual_service("web", weights(100)))
    await stage.visitor.shares(40)
    counted = [line for line in (await stage.metrics()).splitlines() if line.startswith("istio_requests_total")]
    assert sorted(line.rpartition(" ")[2] for line in counted) == ["40", "40"]
    assert {'reporter="source"' in line for line in counted} == {True, False}
    labels = (
        'source_workload="istio-ingressgateway"',
        'destination_service="web-canary.default.svc.cluster.local"',
        'destination_workload="web-canary"',
        'destination_workload_namespace="default"',
        'destination_version="v2"',
        'destination_canonical_revision="v2hash"',
        'response_code="200"',
        'request_protocol="http"',
    )
    assert [label for line in counted for label in labels if label not in line] == []


async def test_a_refused_object_is_reported_and_the_others_are_served(stage) -> None:
    bad = {"match": [{"headers": {"x": {"regex": "("}}}], "route": [to("web")]}
    await stage.serve(virtual_service("bad", bad, hosts=("bad.example.com",)), virtual_service("good", {"route": [to("web")]}))
    assert "does not compile" in stage.mesh.problems["VirtualService default/bad"]
    assert await stage.visitor.visit() == (200, "v1")
    await stage.serve(virtual_service("bad", {"route": [to("web")]}, hosts=("bad.example.com",)))
    assert stage.mesh.problems == {}
    assert await stage.visitor.visit("bad.example.com") == (200, "v1")


async def test_what_only_envoy_refuses_is_found_and_dropped_and_changes_go_on(stage) -> None:
    abort = {"abort": {"httpStatus": 1, "percentage": {"value": 100}}}
    good = [virtual_service(f"good-{number}", weights(0), hosts=(f"{number}.example.com",)) for number in range(4)]
    await stage.serve(*good, virtual_service("bad", {"route": [to("web")], "fault": abort}, hosts=("bad.example.com",)))
    assert list(stage.mesh.problems) == ["VirtualService default/bad"]
    assert "HttpStatus" in stage.mesh.problems["VirtualService default/bad"]
    await stage.serve(virtual_service("good-3", weights(100), hosts=("3.example.com",)))
    assert await stage.visitor.visit("2.example.com") == (200, "v1")
    assert await stage.visitor.visit("3.example.com") == (200, "v2")
    assert (await stage.visitor.visit("bad.example.com"))[0] == 404


async def test_a_kind_whose_definition_comes_later_is_served_then(stage) -> None:
    stage.api.missing.add("VirtualService")
    await stage.mesh.settled()
    stage.api.missing.clear()
    await stage.serve(virtual_service("web", {"route": [to("web")]}))
    assert await stage.visitor.visit() == (200, "v1")


async def test_a_killed_envoy_comes_back_on_the_same_port_with_what_it_served(stage) -> None:
    await stage.serve(virtual_service("web", {"route": [to("web")]}))
    os.kill(stage.mesh.envoy_pid, signal.SIGKILL)
    await until(lambda: stage.mesh.restarts == 1)
    await stage.serve(virtual_service("web", weights(100)))
    assert await stage.visitor.visit() == (200, "v2")


async def test_removing_a_virtual_service_ends_its_routes(stage) -> None:
    routes = virtual_service("web", {"route": [to("web")]})
    await stage.serve(routes)
    assert (await stage.visitor.visit())[0] == 200
    stage.api.remove(routes)
    await stage.mesh.settled()
    assert (await stage.visitor.visit())[0] == 404


async def test_a_port_that_is_taken_fails_the_start_and_leaves_nothing_behind(stage, tmp_path) -> None:
    taken = stage.mesh.gateway_address()[1]
    second = Mesh(stage.api, folder=tmp_path / "second", gateway_ports={80: taken})
    with pytest.raises(EnvoyFailed, match="in use"):
        await second.start()
    assert second.envoy_pid is None


async def test_a_failing_canary_shows_in_the_success_rate(stage) -> None:
    stage.backends["v2"].status = 500
    await stage.serve(virtual_service("web", weights(50)))
    metrics = Metrics([stage.mesh.stats_url], interval=0.05)
    await metrics.start()
    load = Load(stage.mesh.gateway_address(), host="web.example.com", rate=200)
    await load.start()
    good, every = (f'istio_requests_total{{reporter="source"{further}}}' for further in (',response_code!~"5.*"', ""))
    query = " / ".join(f"sum by (destination_workload) (irate({selector}[1m]))" for selector in (good, every))
    try:
        shown: dict[str, float] = {}
        async with asyncio.timeout(10):
            while not shown.get("web"):
                await load.burst(20)
                async with stage.session.post(f"{metrics.url}/api/v1/query", data={"query": query}) as response:
                    found = (await response.json())["data"]["result"]
                shown = {series["metric"]["destination_workload"]: float(series["value"][1]) for series in found}
    finally:
        await load.stop()
        await metrics.stop()
    assert shown["web"] == 1.0
    assert shown.get("web-canary", 0.0) == 0.0

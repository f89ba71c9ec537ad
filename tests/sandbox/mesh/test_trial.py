"""Envoy's own verdict on objects that the translator believes in."""

from collections.abc import Sequence

from reconciler_sandbox.mesh.translate.render import render
from reconciler_sandbox.mesh.translate.terms import Config
from reconciler_sandbox.mesh.trial import bisect, objection, offenders

from tests.kit.mesh import LAYOUT, destination_rule, endpoints, gateway, pod, service, to, virtual_service

SOUND = [gateway(), service("web"), endpoints("web", {"a": 8080}), pod("a"), virtual_service("web", {"route": [to("web")]})]


async def test_envoy_has_nothing_against_what_we_render() -> None:
    assert await objection(render(SOUND, LAYOUT)) == ""


async def test_the_reason_is_envoys_own() -> None:
    unknown = {"name": "broken", "virtual_hosts": [{"name": "x", "domains": []}]}
    assert "Domains" in await objection(Config(tables={"http.80": unknown}))


async def test_offenders_of_each_kind_are_found_among_sound_objects() -> None:
    ejection = {"outlierDetection": {"maxEjectionPercent": 101}}
    bad_rule = destination_rule("bad", "web", trafficPolicy=ejection)
    bad_address = endpoints("odd", {"a": 8080})
    bad_address["subsets"][0]["addresses"][0]["ip"] = "not-an-address"
    fault = {"abort": {"httpStatus": 7, "percentage": {"value": 1}}}
    bad_route = virtual_service("bad", {"route": [to("web")], "fault": fault})
    found = await offenders([*SOUND, service("odd"), bad_rule, bad_address, bad_route], LAYOUT)
    assert set(found) == {"DestinationRule default/bad", "Endpoints default/odd", "VirtualService default/bad"}
    assert "MaxEjectionPercent" in found["DestinationRule default/bad"]
    assert "not-an-address" in found["Endpoints default/odd"]


async def test_bisection_asks_about_groups_and_names_every_bad_one() -> None:
    suspects = [service(f"s{number}") for number in range(16)]
    asked: list[int] = []

    async def against(group: Sequence[dict]) -> str:
        asked.append(len(group))
        return "bad" if any(item["metadata"]["name"] in ("s3", "s11") for item in group) else ""

    assert set(await bisect(suspects, against)) == {"Service default/s3", "Service default/s11"}
    assert len(asked) < 20
    assert await bisect([], against) == {}

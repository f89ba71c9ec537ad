"""How testers reach a new version: said while it can be reached, and not a moment longer."""

from typing import Any

import pytest

from reconciler.kernel.identity import Manifest
from reconciler.kernel.well_known import PREVIEW_ADDRESS
from reconciler.releases.announce.apply_announcements import step_words
from reconciler.rollouts.preview import OpenPreview, preview_words, previews
from tests.kit.rollouts import canary, pause, rollout, weight

BESIDE = {"currentPodHash": "h2", "stableRS": "h1", "updatedReplicas": 1, "currentStepIndex": 1}


def header(name: str = "testers", *matches: Manifest) -> Manifest:
    return {"setHeaderRoute": {"name": name, **({"match": list(matches)} if matches else {})}}


def match(name: str, **value: str) -> Manifest:
    return {"headerName": name, "headerValue": value}


def live(*steps: Manifest, address: str = "", routing: Manifest | None = None, **status: Any) -> Manifest:
    found = rollout(canary=canary(*steps, trafficRouting=routing or {"istio": {}}))
    found["metadata"]["annotations"] = {PREVIEW_ADDRESS: address} if address else {}
    return {**found, "status": {**BESIDE, **status}}


STEPS = (header("testers", match("X-Tester", exact="yes"), match("X-Team", prefix="web-")), pause(), weight(20))


def test_a_header_route_that_was_reached_is_a_preview() -> None:
    found = live(*STEPS, address="https://web.example.com/shop")
    ways = ("header X-Tester: yes", "header X-Team beginning with web-")
    assert previews(found) == (OpenPreview("testers", ways, "https://web.example.com/shop", ("X-Tester", "yes")),)
    words = "testers reach it by testers: header X-Tester: yes or header X-Team beginning with web-, at https://web.example.com/shop"
    assert preview_words(found) == words and words in step_words(found)


@pytest.mark.parametrize(
    "status",
    [
        {"abort": True},
        {"promoteFull": True},
        {"stableRS": "h2"},
        {"stableRS": ""},
        {"updatedReplicas": 0},
        {"updatedReplicas": "1"},
    ],
)
def test_it_ends_with_promotion_abort_and_the_last_pod(status: dict[str, Any]) -> None:
    assert previews(live(*STEPS)) and previews(live(*STEPS, **status)) == ()


def test_a_step_that_was_not_reached_opens_nothing() -> None:
    steps = (weight(5), pause(), *STEPS)
    assert previews(live(*steps)) == () and previews(live(*steps, currentStepIndex=2))


def test_a_later_step_of_the_name_takes_its_place_and_one_without_a_match_ends_it() -> None:
    again = header("testers", match("X-Other", regex="a.*"))
    [found] = previews(live(*STEPS, again, currentStepIndex=3))
    assert found.conditions == ("header X-Other matching a.*",)
    assert previews(live(*STEPS, header("testers"), currentStepIndex=3)) == ()


@pytest.mark.parametrize(
    ("notes", "ways"),
    [
        ({"canary-by-header": "X-Tester"}, ("header X-Tester: always",)),
        ({"canary-by-header": "X-Tester", "canary-by-header-value": "yes"}, ("header X-Tester: yes",)),
        ({"nginx.ingress.kubernetes.io/canary-by-cookie": "tester"}, ("cookie tester=always",)),
        ({"canary-by-cookie": "tester", "canary-by-header-value": "yes"}, ("cookie tester=always",)),
        ({"canary-by-cookie": "tester", "canary-by-header-pattern": "y.*"}, ("cookie tester=always",)),
    ],
)
def test_nginx_tells_by_annotation(notes: dict[str, str], ways: tuple[str, ...]) -> None:
    [found] = previews(live(pause(), routing={"nginx": {"stableIngress": "web", "additionalIngressAnnotations": notes}}))
    assert found.conditions == ways


@pytest.mark.parametrize("address", ["javascript:alert(1)", "https://a b", "https://web.example.com/)[x](https://evil"])
def test_an_address_that_is_none_is_not_shown(address: str) -> None:
    [found] = previews(live(*STEPS, address=address))
    assert found.address == ""


@pytest.mark.parametrize("steps", [None, "x", [3], [{"setHeaderRoute": 5}], [{"setHeaderRoute": {"name": "a", "match": [7]}}]])
def test_a_rollout_of_any_shape_is_no_exception(steps: Any) -> None:
    assert isinstance(preview_words({"metadata": {}, "spec": {"strategy": {"canary": {"steps": steps}}}, "status": BESIDE}), str)

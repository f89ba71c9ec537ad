"""Router plug-ins at the seam: whatever one does, it costs only the Rollouts that name it."""

from copy import deepcopy
from typing import Any

import pytest

from reconciler.app.router_plugins import installed, router_plugins
from reconciler.kernel.identity import Manifest
from reconciler.kernel.resources import SERVICES
from reconciler.rollouts.traffic.model import Traffic
from reconciler.rollouts.traffic.router import Needs, RoutesAsked
from reconciler.routers.plugins import PluggedInRouter
from reconciler.routers.registry import ROUTERS
from tests.kit.rollouts import canary, pause, rollout, service, weight
from tests.kit.routerplugins import BROKEN, Answering, point
from tests.kit.routers import OWNER, SERVED, WHOSE, istio, toy
from tests.kit.world import World, deployed

NAME = "example.com/toy"
KEY = f"plugins.{NAME}"
LIVE = toy().live
ASKED = RoutesAsked("web-canary", "web-stable")


def plugin(value: str) -> PluggedInRouter:
    return router_plugins([point(NAME, value)])[KEY]


def at(share: int) -> Traffic:
    return Traffic(weight=share, canary_hash="h2", stable_hash="h1")


def test_ours_are_installed_and_are_nobody_else_s() -> None:
    assert dict(installed()) == dict(ROUTERS)


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ("Absent", "cannot be made from tests.kit.routerplugins:Absent: AttributeError"),
        ("NUMBER", "cannot be made from tests.kit.routerplugins:NUMBER: TypeError"),
        ("Nothing", "is no router: it has no needs, route, release, problems, in_force, carry"),
        ("Ruling", "may not write Secret"),
    ],
)
def test_one_that_cannot_be_used_says_why_and_watches_nothing(value: str, reason: str) -> None:
    broken = plugin(value)
    [problem] = broken.problems({}, ASKED)
    assert reason in problem.detail and broken.kinds == ()
    assert broken.needs({}, WHOSE) == Needs() and broken.route({}, WHOSE, at(20), LIVE).problem and broken.release(OWNER, LIVE) == ()


def test_one_that_two_packages_bring_is_nobody_s() -> None:
    [found] = router_plugins([point(NAME, "Restless"), point(NAME, "Lying")]).values()
    assert "is installed more than once" in found.reason


def test_what_it_raises_is_a_problem_and_no_exception() -> None:
    raising = plugin("Raising")
    assert raising.needs({}, WHOSE) == Needs()
    assert raising.route({}, WHOSE, at(20), LIVE).problem == f"router plug-in \"{NAME}\": KeyError: 'weights'"
    assert "KeyError" in str(raising.in_force({}, WHOSE, LIVE).problem)
    assert raising.release(OWNER, LIVE) == ()
    [problem] = raising.problems({}, ASKED)
    assert "cannot check its configuration: KeyError" in problem.detail


@pytest.mark.parametrize(("words", "answer"), BROKEN.items())
def test_a_write_against_the_contract_is_not_made(words: str, answer: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Answering, "answer", answer)
    told = plugin("Answering").route({"split": "web"}, WHOSE, at(20), LIVE)
    assert told.actions == () and words in str(told.problem)


def test_the_same_router_within_the_contract_is_believed() -> None:
    assert len(PluggedInRouter(NAME, toy().router).route({"split": "web"}, WHOSE, at(20), LIVE).actions) == 1


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ("Restless", "it wants to write again what it has just written"),
        ("Lying", "it wrote weight 20 and reads 100"),
    ],
)
def test_one_that_would_write_for_ever_or_something_else_writes_nothing(value: str, words: str) -> None:
    told = plugin(value).route({"split": "web"}, WHOSE, at(20), LIVE)
    assert told.actions == () and words in str(told.problem)


def test_it_is_called_with_copies() -> None:
    before, config = deepcopy(dict(LIVE)), {"split": "web"}
    plugin("Scribbling").route(config, WHOSE, at(20), LIVE)
    assert (dict(LIVE), config) == (before, {"split": "web"})


def test_it_asks_for_its_own_kinds_only() -> None:
    assert plugin("Greedy").needs({}, WHOSE) == Needs()


def test_a_push_moves_no_traffic_though_it_cannot_carry_over() -> None:
    class Careless(type(toy().router)):  # type: ignore[misc]
        def carry(self, *asked: Any) -> Any:
            return {"kind": "Secret", "metadata": {"name": "x", "namespace": "y"}}

    case = toy()
    [(ref, pushed)] = case.objects.items()
    live = {**pushed, "spec": {**pushed["spec"], "weights": {"web-canary": 30, "web-stable": 70}}}
    carried = PluggedInRouter(NAME, Careless()).carry({"split": "web"}, WHOSE, pushed, live)
    assert carried["spec"] == live["spec"] and carried["metadata"]["name"] == ref.name


# ---- under the controller ----


def world(value: str, **routing: Any) -> World:
    routers = {**ROUTERS, **router_plugins([point(NAME, value)])}
    named: Manifest = {"plugins": {NAME: {"split": "web"}}, **routing}
    others = [(SERVICES, service(name)) for name in ("web-canary", "web-stable")]
    spec = canary(weight(50), pause(), **SERVED, trafficRouting=named)
    mesh = [(ref.resource, manifest) for ref, manifest in {**istio().objects, **toy().objects}.items()]
    return World(rollout(canary=spec), *others, *mesh, routers=routers).settle()


@pytest.mark.parametrize("value", ["Unwilling", "Nothing", "Raising"])
def test_a_rollout_that_names_one_is_invalid_and_says_the_reason(value: str) -> None:
    assert "InvalidSpec" in world(value).phase and NAME in str(world(value).rollout["status"]["message"])


def test_other_rollouts_know_nothing_of_it() -> None:
    routers = {**ROUTERS, **router_plugins([point(NAME, "Raising")])}
    case = istio()
    spec = canary(weight(50), pause(), **SERVED, trafficRouting={"istio": case.config})
    others = [(SERVICES, service(name)) for name in ("web-canary", "web-stable")]
    objects = [(ref.resource, manifest) for ref, manifest in case.objects.items()]
    found = deployed(rollout(canary=spec), *others, *objects, routers=routers).push("web:2").settle()
    assert found.phase == "Paused CanaryPauseStep"

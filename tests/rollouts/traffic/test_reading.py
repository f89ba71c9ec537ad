"""A router that stumbles over a live object costs the Rollouts that name it a problem, and no pass."""

from typing import Any

import pytest

from reconciler.kernel.identity import ObjectRef
from reconciler.kernel.resources import VIRTUAL_SERVICES
from reconciler.rollouts.traffic.model import Traffic
from reconciler.rollouts.traffic.reading import in_force, returned, routing
from reconciler.rollouts.traffic.router import ConfiguredRouter, Owner, Routed, Services

REF = ObjectRef(VIRTUAL_SERVICES, "shop", "web")
WORDS = "does not have the shape of its kind (KeyError 'spec'): correct it"


class Stumbling:
    """Takes every object for what it should be."""

    def in_force(self, *_: Any) -> None:
        raise KeyError("spec")

    route = release = in_force


def test_each_question_about_an_object_of_another_shape_has_an_answer() -> None:
    router: Any = Stumbling()
    live = {REF: {"kind": "VirtualService"}}
    asked = Routed(ConfiguredRouter("istio", router, {}), live)
    services = Services(canary="web-canary", stable="web-stable")
    now, way = in_force(asked, services), routing(asked, services, Traffic(weight=10, stable_hash="old", canary_hash="new"))
    assert (now.subject, now.problem) == (str(REF), WORDS)
    assert (way.actions, way.problem) == ((), f"{REF}: {WORDS}")
    assert returned(router, Owner("shop", "web"), live) == ()


def test_a_fault_of_ours_is_not_taken_for_one_of_the_object() -> None:
    class Broken(Stumbling):
        def in_force(self, *_: Any) -> None:
            raise AssertionError("ours")

    router: Any = Broken()
    with pytest.raises(AssertionError):
        in_force(Routed(ConfiguredRouter("istio", router, {}), {}), Services(canary="web-canary", stable="web-stable"))

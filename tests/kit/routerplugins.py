"""Router plug-ins as other people write them: a good one, and ones that break the contract in each way that the seam knows."""

from dataclasses import replace
from importlib.metadata import EntryPoint
from typing import Any

from reconciler.app.router_plugins import GROUP
from reconciler.kernel.identity import Manifest, ObjectRef
from reconciler.kernel.plan import Action, Create, Emit, Remove, Replace
from reconciler.kernel.problem import Problem
from reconciler.kernel.resources import SECRETS
from reconciler.rollouts.traffic.model import Traffic
from reconciler.rollouts.traffic.router import InForce, Live, Needs, Owner, Routing, Services
from tests.kit.toyrouter import SPLITS, Toy


def point(name: str, value: str) -> EntryPoint:
    """An entry point that leads into this module."""
    return EntryPoint(name, f"tests.kit.routerplugins:{value}", GROUP)


class Raising(Toy):
    """Fails at whatever it is asked."""

    def needs(self, config: Manifest, services: Services) -> Needs:
        raise SystemExit(3)

    def route(self, config: Manifest, services: Services, traffic: Traffic, live: Live) -> Routing:
        raise KeyError("weights")

    def release(self, owner: Owner, live: Live) -> tuple[Action, ...]:
        raise KeyError("weights")

    def problems(self, config: Manifest, asked: Any) -> Any:
        raise KeyError("weights")

    def in_force(self, config: Manifest, services: Services, live: Live) -> InForce:
        raise KeyError("weights")


class Greedy(Toy):
    """Asks for what is of none of its kinds."""

    def needs(self, config: Manifest, services: Services) -> Needs:
        return Needs((ObjectRef(SECRETS, "kube-system", "token"),))


class Answering(Toy):
    """Routes with whatever it is told to answer."""

    answer: Any = None

    def route(self, config: Manifest, services: Services, traffic: Traffic, live: Live) -> Any:
        return type(self).answer


class Restless(Toy):
    """Writes another thing each time it is asked."""

    def route(self, config: Manifest, services: Services, traffic: Traffic, live: Live) -> Routing:
        ((_, found),) = live.items()
        assert found is not None
        spec = {**found["spec"], "count": found["spec"].get("count", 0) + 1}
        return Routing((Replace(SPLITS, {**found, "spec": spec}),))


class Lying(Toy):
    """Writes another weight than it was told."""

    def route(self, config: Manifest, services: Services, traffic: Traffic, live: Live) -> Routing:
        return super().route(config, services, replace(traffic, weight=100), live)


class Scribbling(Toy):
    """Changes what it was given to look at."""

    def route(self, config: Manifest, services: Services, traffic: Traffic, live: Live) -> Routing:
        for found in live.values():
            if found is not None:
                found["spec"]["weights"] = {"web-canary": 100}
        config.clear()
        return Routing()


class Unwilling(Toy):
    """Has something to say about every configuration."""

    def problems(self, config: Manifest, asked: Any) -> Any:
        yield Problem("anything", "name a split")


class Ruling(Toy):
    """Wants to write Secrets."""

    kinds = (replace(SECRETS, optional=True),)


class Nothing:
    """No router at all."""


NUMBER = 7
FOREIGN = {"kind": "Split", "metadata": {"name": "other", "namespace": "shop"}}
BROKEN: dict[str, Any] = {
    "it answered NoneType, and no Routing": None,
    "it writes Split shop/other, which it did not ask for": Routing((Replace(SPLITS, FOREIGN),)),
    "it answered Emit: a router creates, replaces and removes": Routing((Emit(FOREIGN, "A", "b"),)),
    "which is there": Routing((Create(SPLITS, {**FOREIGN, "metadata": {"name": "web", "namespace": "shop"}}),)),
    "from another version than it was given": Routing((Remove(ObjectRef(SPLITS, "shop", "web"), "stranger"),)),
}

"""Routers asked about objects as they live: one that does not have the shape of its kind is a problem of the Rollouts that name it."""

from collections.abc import Mapping

from reconciler.kernel.errors import MISSHAPEN
from reconciler.kernel.identity import Manifest, ObjectRef
from reconciler.kernel.plan import Action
from reconciler.rollouts.traffic.model import Traffic
from reconciler.rollouts.traffic.router import InForce, Live, Owner, Routed, Router, Routing, Services


def in_force(asked: Routed, services: Services) -> InForce:
    """What is in force; a problem that names the objects where one of them cannot be read."""
    try:
        return asked.configured.router.in_force(asked.configured.config, services, asked.live)
    except MISSHAPEN as error:
        return InForce(subject=_names(asked.live), problem=_words(error))


def routing(asked: Routed, services: Services, traffic: Traffic) -> Routing:
    """What to write; nothing and a problem where an object cannot be read."""
    try:
        return asked.configured.router.route(asked.configured.config, services, traffic, asked.live)
    except MISSHAPEN as error:
        return Routing(problem=f"{_names(asked.live)}: {_words(error)}")


def returned(router: Router, owner: Owner, live: Mapping[ObjectRef, Manifest]) -> tuple[Action, ...]:
    """How to give back what these objects hold; one that cannot be read stays as it is."""
    try:
        return router.release(owner, live)
    except MISSHAPEN:
        return ()


def _names(live: Live) -> str:
    return ", ".join(str(ref) for ref, found in live.items() if found is not None)


def _words(error: Exception) -> str:
    return f"does not have the shape of its kind ({type(error).__name__} {error}): correct it"

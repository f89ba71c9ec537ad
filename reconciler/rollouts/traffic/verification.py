"""Weights that are in force only when a load balancer says so: compared, recorded, and waited for (contract 9.1 item 7)."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any, Protocol, runtime_checkable

from reconciler.aws.balancers import LoadBalancer
from reconciler.kernel.identity import Manifest
from reconciler.rollouts.passes import Pass
from reconciler.rollouts.traffic.model import Traffic
from reconciler.rollouts.traffic.named import services_of
from reconciler.rollouts.traffic.router import Live, Services

VERIFY_AGAIN = timedelta(seconds=10)
ERROR, UNVERIFIED = "WeightVerifyError", "end of rollout, desired weight {weight} not yet verified"


@dataclass(frozen=True, slots=True)
class Verification:
    """True when the weights wanted are those in force; and what was found, in the words of `status.albs`."""

    verified: bool
    balancers: tuple[Manifest, ...] = ()


@runtime_checkable
class Verifying(Protocol):
    """A router whose weights can be asked of a load balancer."""

    def hostnames(self, config: Manifest, services: Services, live: Live) -> tuple[str, ...]:
        """The load balancers that carry its objects out, by DNS name."""
        ...

    def verify(self, config: Manifest, services: Services, traffic: Traffic, live: Live, found: Mapping[str, LoadBalancer]) -> Verification:
        """What these say of the traffic."""
        ...


def verified(pass_: Pass, traffic: Traffic) -> Pass:
    """The weights with what was found of them. Unverified ones are asked for again; at the end nothing goes on without them.

    Nothing was asked (`found.balancers` is None) where it is switched off, and but at a setWeight step and at the end.
    """
    asked = pass_.facts.found.balancers
    if asked is None or pass_.weights is None:
        return pass_
    if asked.unread:
        return _unverified(pass_.tell(ERROR, f"Failed to verify weight: {asked.unread}", warning=True), traffic)
    services, answers = services_of(pass_.facts.rollout), []
    for each in pass_.facts.found.routes:
        router: Any = each.configured.router
        if isinstance(router, Verifying):
            answers.append(router.verify(each.configured.config, services, traffic, each.live, asked.found))
    pass_ = replace(pass_, balancers=tuple(found for answer in answers for found in answer.balancers))
    if not all(answer.verified for answer in answers):
        return _unverified(pass_, traffic)
    return replace(pass_, weights=replace(pass_.weights, verified=True)) if pass_.weights is not None else pass_


def _unverified(pass_: Pass, traffic: Traffic) -> Pass:
    pass_ = pass_.wake(pass_.now + VERIFY_AGAIN)
    if pass_.weights is not None:
        pass_ = replace(pass_, weights=replace(pass_.weights, verified=False))
    return pass_.fail(UNVERIFIED.format(weight=traffic.weight)) if traffic.weight == traffic.maximum else pass_

"""Pods that a load balancer has to know before old ones may go: addresses of a Service against those of its target groups (contract 5.9).

Until all are registered nothing is promoted or measured after promotion, and behind an ALB no old ReplicaSet is wound down.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from reconciler.kernel.identity import Manifest, name_of
from reconciler.rollouts.facts import RolloutFacts, Targets
from reconciler.rollouts.passes import Pass, selected_hash
from reconciler.rollouts.traffic.named import services_of

AGAIN = timedelta(seconds=10)
UNVERIFIED, ERROR = "TargetGroupUnverified", "TargetGroupVerifyError"
MOST_NAMED = 3


@dataclass(frozen=True, slots=True)
class Binding:
    """One target group of a Service, and the addresses (`ip:port`) that belong into it."""

    arn: str
    addresses: frozenset[str]


def watched_service(facts: RolloutFacts) -> str:
    """The Service whose pods have to be known now; empty where nothing depends on it."""
    blue_green, canary = facts.spec.blue_green, facts.spec.canary
    if blue_green is not None:
        service = facts.found.services.get(blue_green.active_service)
        switched = service is not None and selected_hash(service) == facts.new_hash
        begun = facts.status.promoted or facts.status.abort or facts.status.blue_green.post_run is not None
        return blue_green.active_service if switched and facts.stable is not None and not begun else ""
    behind = canary is not None and canary.routing is not None and "alb" in canary.routing.routers
    winding = facts.status.promoted and any(old.spec > 0 for old in facts.others)
    return services_of(facts.rollout).pair[1] if behind and winding else ""


def bindings(service: Manifest, found: Sequence[Manifest], endpoints: Manifest | None) -> tuple[Binding, ...]:
    """What binds this Service by the addresses of its pods; those that bind instances register nodes, and say nothing of pods."""
    specs = [_object(one.get("spec")) for one in found if not one["metadata"].get("deletionTimestamp")]
    ours = [spec for spec in specs if _object(spec.get("serviceRef")).get("name") == name_of(service) and spec.get("targetType") == "ip"]
    return tuple(
        Binding(str(spec.get("targetGroupARN") or ""), frozenset(_addresses(service, _object(spec["serviceRef"]).get("port"), endpoints)))
        for spec in ours
    )


def compared(service: str, bound: Sequence[Binding], registered: Mapping[str, frozenset[str]]) -> Targets:
    """What is missing. A Service without any ready pod is not known to its load balancer, whatever is registered."""
    missing = sorted({address for one in bound for address in one.addresses - registered.get(one.arn, frozenset())})
    empty = any(not one.addresses for one in bound)
    return Targets(service, tuple(missing), "no pod of it is ready" if empty else "")


def unregistered(pass_: Pass) -> bool:
    """True while a load balancer does not know the pods that users are sent to. Nothing was asked before the switch was seen."""
    targets = pass_.facts.found.targets
    return targets is not None and not targets.registered


def told(pass_: Pass) -> Pass:
    """Say what is waited for, and look again."""
    targets = pass_.facts.found.targets
    if targets is None or targets.registered:
        return pass_
    rest = f" and {len(targets.missing) - MOST_NAMED} more" if len(targets.missing) > MOST_NAMED else ""
    named = f"{', '.join(targets.missing[:MOST_NAMED])}{rest} not registered yet" if targets.missing else targets.problem
    reason = ERROR if targets.problem and not targets.missing else UNVERIFIED
    return pass_.tell(reason, f"Service {targets.service}: {named}", warning=True).wake(pass_.now + AGAIN)


def _addresses(service: Manifest, port: Any, endpoints: Manifest | None) -> Iterator[str]:
    ports = [one for one in _objects(_object(service.get("spec")).get("ports")) if port in (one.get("port"), one.get("name"))]
    names = {str(one.get("name") or "") for one in ports}
    for subset in _objects((endpoints or {}).get("subsets")):
        numbers = [one.get("port") for one in _objects(subset.get("ports")) if str(one.get("name") or "") in names]
        yield from (f"{address.get('ip')}:{number}" for address in _objects(subset.get("addresses")) for number in numbers)


def _object(value: Any) -> Manifest:
    return value if isinstance(value, dict) else {}


def _objects(value: Any) -> list[Manifest]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []

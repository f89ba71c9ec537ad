"""What AWS says of an ALB's weights, compared with those wanted (contract 9.5)."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from reconciler.aws.balancers import LoadBalancer, TargetGroup
from reconciler.kernel.identity import Manifest
from reconciler.rollouts.traffic.verification import Verification


def hostnames(ingress: Manifest) -> Iterator[str]:
    """The load balancers of an Ingress by DNS name, as the AWS Load Balancer Controller says in its status."""
    status = ingress.get("status")
    balancer = status.get("loadBalancer") if isinstance(status, dict) else None
    listed = balancer.get("ingress") if isinstance(balancer, dict) else None
    for one in listed if isinstance(listed, list) else ():
        name = one.get("hostname") if isinstance(one, dict) else None
        if isinstance(name, str) and name:
            yield name.lower()


def compared(
    ingresses: Sequence[Manifest], shares: Mapping[str, int], sides: tuple[str, str], found: Mapping[str, LoadBalancer]
) -> Verification:
    """Verified when behind every Ingress each of the Services (canary and experiments) has exactly its weight.

    `shares` are the weights by the resource that a group is made for, less the Ingress: `<service>:<port>`; `sides` the two of the canary
    and of stable among them.
    """
    told, right = [], bool(ingresses)
    for ingress in ingresses:
        prefix = f"{ingress['metadata']['namespace']}/{ingress['metadata']['name']}-"
        names = list(hostnames(ingress))
        balancers = [found[name] for name in names if name in found]
        right = right and bool(names) and len(balancers) == len(names)
        for balancer in balancers:
            groups = {group.resource.removeprefix(prefix): group for group in balancer.groups if group.resource.startswith(prefix)}
            right = right and all(_has(groups.get(resource), share) for resource, share in shares.items())
            told.append(_status(ingress, balancer, groups.get(sides[0]), groups.get(sides[1])))
    return Verification(right, tuple(told))


def _has(group: TargetGroup | None, share: int) -> bool:
    """True for a group that has this weight by some rule: a rule for tagged requests gives it another."""
    return group is not None and share in group.weights


def _status(ingress: Manifest, balancer: LoadBalancer, canary: TargetGroup | None, stable: TargetGroup | None) -> Manifest:
    told: dict[str, Any] = {
        "ingress": ingress["metadata"]["name"],
        "loadBalancer": {"name": balancer.name, "arn": balancer.arn, "fullName": _after(balancer.arn, 2)},
    }
    for field, group in (("canaryTargetGroup", canary), ("stableTargetGroup", stable)):
        if group is not None:
            told[field] = {"name": group.name, "arn": group.arn, "fullName": _after(group.arn, 1)}
    return told


def _after(arn: str, slashes: int) -> str:
    return "/".join(arn.split("/")[slashes:])

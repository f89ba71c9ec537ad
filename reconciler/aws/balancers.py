"""What AWS says of load balancers: plain data, and why it could not be read."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class TargetGroup:
    """One target group behind a load balancer.

    `resource` is the value of the tag by which the AWS Load Balancer Controller says what it made the group for; `weights` are those
    that rules of the load balancer give it.
    """

    name: str
    arn: str
    resource: str
    weights: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class LoadBalancer:
    """One load balancer by its DNS name."""

    name: str
    arn: str
    hostname: str
    groups: tuple[TargetGroup, ...] = ()


@dataclass(frozen=True, slots=True)
class Balancers:
    """What was found by host name; `unread` is why nothing was."""

    found: Mapping[str, LoadBalancer]
    unread: str = ""


@dataclass(frozen=True, slots=True)
class Registered:
    """The addresses (`ip:port`) that target groups know, in any state, by ARN; `unread` is why nothing was found."""

    found: Mapping[str, frozenset[str]]
    unread: str = ""


class BalancerReader(Protocol):
    """Reads load balancers; never raises: what cannot be read says why."""

    async def read(self, hostnames: Collection[str]) -> Balancers: ...

    async def registered(self, arns: Collection[str]) -> Registered: ...

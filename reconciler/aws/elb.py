"""Elastic Load Balancing v2: one load balancer with the weights and tags of its target groups.

Shapes: "Elastic Load Balancing API Reference", version 2015-12-01 (docs.aws.amazon.com).
"""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Collection, Mapping
from dataclasses import dataclass
from itertools import islice
from xml.etree.ElementTree import Element

from reconciler.aws.balancers import Balancers, LoadBalancer, Registered, TargetGroup
from reconciler.aws.credentials import Aws
from reconciler.aws.query import QueryService, Send, query, text_of
from reconciler.kernel.clock import Clock
from reconciler.kernel.errors import Terminal, Transient

TAGS_AT_ONCE = 20
"""Of so many resources DescribeTags tells the tags at once."""
MOST_PAGES = 100
"""Of up to 400 members each: AWS lets an account have fewer."""
NAME, VERSION, VARIABLE = "elasticloadbalancing", "2015-12-01", "ELASTIC_LOAD_BALANCING_V2"
RESOURCE = "ingress.k8s.aws/resource"


@dataclass(frozen=True, slots=True)
class AwsTerms:
    """Where AWS is asked: `region` and `endpoint` empty are those of the environment; `tag` names what a target group was made for."""

    region: str = ""
    endpoint: str = ""
    tag: str = RESOURCE


class ElasticLoadBalancing:
    """Asks one region with the credentials of the daemon."""

    def __init__(self, terms: AwsTerms, aws: Aws, send: Send, clock: Clock) -> None:
        self._terms = terms
        self._aws = aws
        self._send = send
        self._clock = clock
        self._arns: dict[str, tuple[str, str]] = {}
        self._asking = asyncio.Lock()

    async def read(self, hostnames: Collection[str]) -> Balancers:
        """The load balancers that have these DNS names. One question at a time: AWS counts requests per account."""
        async with self._asking:
            try:
                return Balancers(await self._read(frozenset(hostnames)))
            except (Terminal, Transient) as error:
                self._arns = {}
                return Balancers({}, str(error)[:300])

    async def registered(self, arns: Collection[str]) -> Registered:
        """The addresses in these target groups, whatever their health."""
        async with self._asking:
            try:
                return Registered({arn: await self._targets(arn) for arn in sorted(set(arns))})
            except (Terminal, Transient) as error:
                return Registered({}, str(error)[:300])

    async def _targets(self, arn: str) -> frozenset[str]:
        answer = await self._ask({"Action": "DescribeTargetHealth", "TargetGroupArn": arn})
        told = answer.iterfind("TargetHealthDescriptions/member/Target")
        return frozenset(f"{_needed(one, 'Id')}:{text_of(one, 'Port')}" for one in told)

    async def _read(self, hostnames: frozenset[str]) -> dict[str, LoadBalancer]:
        if not hostnames <= self._arns.keys():
            self._arns = {
                text_of(one, "DNSName").lower(): (_needed(one, "LoadBalancerName"), _needed(one, "LoadBalancerArn"))
                async for one in self._pages("DescribeLoadBalancers", "LoadBalancers")
                if text_of(one, "DNSName")
            }
        known = {name: self._arns[name] for name in sorted(hostnames) if name in self._arns}
        return {name: LoadBalancer(called, arn, name, await self._groups(arn)) for name, (called, arn) in known.items()}

    async def _groups(self, arn: str) -> tuple[TargetGroup, ...]:
        listed = [one async for one in self._pages("DescribeTargetGroups", "TargetGroups", LoadBalancerArn=arn)]
        named = {_needed(one, "TargetGroupArn"): _needed(one, "TargetGroupName") for one in listed}
        resources = await self._resources(named)
        weights = await self._weights(arn)
        return tuple(TargetGroup(name, own, resources.get(own, ""), tuple(weights[own])) for own, name in named.items())

    async def _resources(self, arns: Collection[str]) -> dict[str, str]:
        """What each target group was made for, by its tag."""
        found: dict[str, str] = {}
        rest = iter(arns)
        while some := list(islice(rest, TAGS_AT_ONCE)):
            asked = {f"ResourceArns.member.{number}": arn for number, arn in enumerate(some, 1)}
            for told in (await self._ask({"Action": "DescribeTags", **asked})).iterfind("TagDescriptions/member"):
                found[_needed(told, "ResourceArn")] = _tagged(told, self._terms.tag)
        return found

    async def _weights(self, arn: str) -> Mapping[str, list[int]]:
        """The weights that the rules of every listener give to target groups."""
        found: dict[str, list[int]] = defaultdict(list)
        async for listener in self._pages("DescribeListeners", "Listeners", LoadBalancerArn=arn):
            async for rule in self._pages("DescribeRules", "Rules", ListenerArn=_needed(listener, "ListenerArn")):
                for group in rule.iterfind("Actions/member/ForwardConfig/TargetGroups/member"):
                    found[_needed(group, "TargetGroupArn")].append(_weight(group))
        return found

    async def _pages(self, action: str, members: str, **asked: str) -> AsyncIterator[Element]:
        marker: dict[str, str] = {}
        for _ in range(MOST_PAGES):
            answer = await self._ask({"Action": action, **asked, **marker})
            for member in answer.iterfind(f"{members}/member"):
                yield member
            more = text_of(answer, "NextMarker")
            if not more:
                return
            marker = {"Marker": more}
        raise Terminal(f"aws: {action} answered more than {MOST_PAGES} pages")

    async def _ask(self, asked: Mapping[str, str]) -> Element:
        now = self._clock.now()
        region = self._aws.region(self._terms.region)
        address = self._terms.endpoint or self._aws.endpoint(NAME, VARIABLE, region)
        keys = await self._aws.keys(region, "", now)
        return await query(self._send, QueryService(NAME, VERSION, address, region), asked, keys, now)


def _tagged(told: Element, key: str) -> str:
    return next((text_of(tag, "Value") for tag in told.iterfind("Tags/member") if text_of(tag, "Key") == key), "")


def _weight(group: Element) -> int:
    """One that is not written is 1."""
    text = text_of(group, "Weight") or "1"
    if not text.isascii() or not text.isdigit() or len(text) > 4:
        raise Terminal(f"aws: a weight of a target group is no number: {text[:20]!r}")
    return int(text)


def _needed(element: Element, name: str) -> str:
    found = text_of(element, name)
    if not found:
        raise Terminal(f"aws: an answer of elasticloadbalancing has no {name} where there has to be one")
    return found

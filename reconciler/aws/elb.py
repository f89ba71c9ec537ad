"""Elastic Load Balancing v2, read through botocore: one load balancer with the weights and tags of its target groups.

botocore waits in a thread, with short timeouts; credentials come by its own chain (environment, web identity of the pod, instance).
"""

import asyncio
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from importlib import import_module
from itertools import islice
from typing import Any

from reconciler.aws.balancers import Balancers, LoadBalancer, TargetGroup
from reconciler.kernel.errors import Terminal

TAGS_AT_ONCE = 20
"""Of so many resources DescribeTags tells the tags at once."""
TIMEOUT = 10
RESOURCE = "ingress.k8s.aws/resource"
MISSING = "aws: needs botocore: install reconciler[aws], or take the section out"


@dataclass(frozen=True, slots=True)
class AwsTerms:
    """Where AWS is asked: `region` and `endpoint` empty are found by botocore; `tag` names what a target group was made for."""

    region: str = ""
    endpoint: str = ""
    tag: str = RESOURCE


class ElasticLoadBalancing:
    """Asks one region. Raises Terminal when botocore is not installed."""

    def __init__(self, terms: AwsTerms) -> None:
        self._terms = terms
        self._client: Any = None
        self._arns: dict[str, tuple[str, str]] = {}
        self._asking = asyncio.Lock()
        try:
            known = import_module("botocore.exceptions")
        except ImportError as error:
            raise Terminal(MISSING) from error
        self._errors: tuple[type[Exception], ...] = (known.BotoCoreError, known.ClientError)

    async def read(self, hostnames: Collection[str]) -> Balancers:
        """The load balancers that have these DNS names. One question at a time: AWS counts requests per account."""
        async with self._asking:
            try:
                return Balancers(await asyncio.to_thread(self._read, frozenset(hostnames)))
            except self._errors as error:
                self._arns = {}
                return Balancers({}, f"{type(error).__name__}: {error}"[:300])

    def _read(self, hostnames: frozenset[str]) -> dict[str, LoadBalancer]:
        if not hostnames <= self._arns.keys():
            listed = self._pages("describe_load_balancers", "LoadBalancers")
            self._arns = {one["DNSName"].lower(): (one["LoadBalancerName"], one["LoadBalancerArn"]) for one in listed if "DNSName" in one}
        known = {name: self._arns[name] for name in hostnames if name in self._arns}
        return {name: LoadBalancer(called, arn, name, tuple(self._groups(arn))) for name, (called, arn) in known.items()}

    def _groups(self, arn: str) -> Iterator[TargetGroup]:
        groups = list(self._pages("describe_target_groups", "TargetGroups", LoadBalancerArn=arn))
        resources = self._resources([group["TargetGroupArn"] for group in groups])
        weights = self._weights(arn)
        for group in groups:
            own = group["TargetGroupArn"]
            yield TargetGroup(group["TargetGroupName"], own, resources.get(own, ""), tuple(weights[own]))

    def _resources(self, arns: list[str]) -> dict[str, str]:
        """What each target group was made for, by its tag."""
        found: dict[str, str] = {}
        rest = iter(arns)
        while some := list(islice(rest, TAGS_AT_ONCE)):
            for told in self._ask().describe_tags(ResourceArns=some)["TagDescriptions"]:
                found[told["ResourceArn"]] = _tagged(told.get("Tags", ()), self._terms.tag)
        return found

    def _weights(self, arn: str) -> dict[str, list[int]]:
        """The weights that the rules of every listener give to target groups."""
        found: dict[str, list[int]] = defaultdict(list)
        for listener in self._pages("describe_listeners", "Listeners", LoadBalancerArn=arn):
            for rule in self._pages("describe_rules", "Rules", ListenerArn=listener["ListenerArn"]):
                for action in rule.get("Actions", ()):
                    for group in action.get("ForwardConfig", {}).get("TargetGroups", ()):
                        found[group["TargetGroupArn"]].append(group.get("Weight", 1))
        return found

    def _pages(self, operation: str, field: str, **asked: str) -> Iterator[dict[str, Any]]:
        marker: dict[str, str] = {}
        while True:
            answer = getattr(self._ask(), operation)(**asked, **marker)
            yield from answer.get(field, ())
            if not answer.get("NextMarker"):
                return
            marker = {"Marker": answer["NextMarker"]}

    def _ask(self) -> Any:
        if self._client is None:
            config = import_module("botocore.config").Config(
                connect_timeout=TIMEOUT, read_timeout=TIMEOUT, retries={"total_max_attempts": 2}
            )
            session = import_module("botocore.session").Session()
            where = {"region_name": self._terms.region or None, "endpoint_url": self._terms.endpoint or None}
            self._client = session.create_client("elbv2", config=config, **where)
        return self._client


def _tagged(tags: Iterable[dict[str, str]], key: str) -> str:
    return next((tag["Value"] for tag in tags if tag["Key"] == key), "")

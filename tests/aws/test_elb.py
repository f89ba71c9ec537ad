"""Load balancers as AWS tells of them, over the real client against a stand-in on loopback: contract 9.5."""

import sys
from collections.abc import Iterator

import pytest

from reconciler.aws.balancers import Balancers, LoadBalancer, TargetGroup
from reconciler.aws.elb import AwsTerms, ElasticLoadBalancing
from reconciler.kernel.errors import Terminal
from tests.kit.elb import BALANCER, HOSTNAME, Elb, group_arn, serving

CANARY, STABLE = "shop/web-web-canary:80", "shop/web-web-stable:80"


@pytest.fixture
def elb() -> Elb:
    return Elb({"k8s-canary": CANARY, "k8s-stable": STABLE}, {"k8s-canary": 20, "k8s-stable": 80})


@pytest.fixture
def asking(elb: Elb, monkeypatch: pytest.MonkeyPatch) -> Iterator[ElasticLoadBalancing]:
    pytest.importorskip("botocore")
    for name, value in {"AWS_ACCESS_KEY_ID": "AKIA", "AWS_SECRET_ACCESS_KEY": "s", "AWS_EC2_METADATA_DISABLED": "true"}.items():
        monkeypatch.setenv(name, value)
    with serving(elb) as address:
        yield ElasticLoadBalancing(AwsTerms("eu-west-1", address))


async def test_a_load_balancer_is_found_by_its_name_with_weights_and_what_its_groups_are_for(asking: ElasticLoadBalancing) -> None:
    groups = (
        TargetGroup("k8s-canary", group_arn("k8s-canary"), CANARY, (20,)),
        TargetGroup("k8s-stable", group_arn("k8s-stable"), STABLE, (80,)),
    )
    assert await asking.read([HOSTNAME]) == Balancers({HOSTNAME: LoadBalancer("shop", BALANCER, HOSTNAME, groups)})


async def test_one_that_is_not_there_is_not_found(asking: ElasticLoadBalancing) -> None:
    assert await asking.read(["gone.elb.amazonaws.com"]) == Balancers({})


async def test_more_groups_than_tags_are_told_at_once_are_asked_for_in_parts(elb: Elb, asking: ElasticLoadBalancing) -> None:
    elb.resources = {f"k8s-{number}": f"shop/web-{number}:80" for number in range(45)}
    found = (await asking.read([HOSTNAME])).found[HOSTNAME]
    assert [group.resource for group in found.groups] == list(elb.resources.values())
    assert [asked["Action"] for asked in elb.asked].count("DescribeTags") == 3


async def test_load_balancers_are_listed_once(elb: Elb, asking: ElasticLoadBalancing) -> None:
    for _ in range(3):
        await asking.read([HOSTNAME])
    assert [asked["Action"] for asked in elb.asked].count("DescribeLoadBalancers") == 2  # two pages


@pytest.mark.parametrize("code", ["AccessDenied", "Throttling", "LoadBalancerNotFound"])
async def test_a_refusal_says_so_and_the_next_question_begins_afresh(elb: Elb, asking: ElasticLoadBalancing, code: str) -> None:
    await asking.read([HOSTNAME])
    elb.refusing = code
    answer = await asking.read([HOSTNAME])
    assert not answer.found and code in answer.unread
    elb.refusing, elb.asked[:] = "", []
    assert HOSTNAME in (await asking.read([HOSTNAME])).found
    assert elb.asked[0]["Action"] == "DescribeLoadBalancers"


async def test_no_answer_is_no_exception(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("botocore")
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "x")
    with serving(Elb()) as address:
        pass
    answer = await ElasticLoadBalancing(AwsTerms("eu-west-1", address)).read([HOSTNAME])
    assert not answer.found and "Could not connect" in answer.unread


async def test_without_a_region_it_says_so(asking: ElasticLoadBalancing, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_REGION", raising=False)
    monkeypatch.delenv("AWS_DEFAULT_REGION", raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", "/nonexistent")
    answer = await ElasticLoadBalancing(AwsTerms()).read([HOSTNAME])
    assert "region" in answer.unread


def test_without_botocore_the_daemon_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "botocore", None)
    monkeypatch.setitem(sys.modules, "botocore.exceptions", None)
    with pytest.raises(Terminal, match=r"install reconciler\[aws\]"):
        ElasticLoadBalancing(AwsTerms())

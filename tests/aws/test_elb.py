"""Load balancers as AWS tells of them, over the real client against a stand-in on loopback: contract 9.5."""

from collections.abc import AsyncIterator, Mapping
from functools import partial

import httpx
import pytest

from reconciler.aws.balancers import Balancers, LoadBalancer, Registered, TargetGroup
from reconciler.aws.credentials import Aws
from reconciler.aws.elb import MOST_PAGES, AwsTerms, ElasticLoadBalancing
from reconciler.kernel.clock import SystemClock
from reconciler.web.client import ask, open_client
from tests.kit.elb import BALANCER, HOSTNAME, KEYS, REGION, Elb, group_arn, serving

CANARY, STABLE = "shop/web-web-canary:80", "shop/web-web-stable:80"
ACCOUNT = {"AWS_ACCESS_KEY_ID": KEYS.identity, "AWS_SECRET_ACCESS_KEY": KEYS.secret, "AWS_SESSION_TOKEN": KEYS.token}


@pytest.fixture
def elb() -> Elb:
    return Elb({"k8s-canary": CANARY, "k8s-stable": STABLE}, {"k8s-canary": 20, "k8s-stable": 80})


@pytest.fixture
async def http() -> AsyncIterator[httpx.AsyncClient]:
    async with open_client() as client:
        yield client


def client_of(http: httpx.AsyncClient, terms: AwsTerms, variables: Mapping[str, str] = ACCOUNT) -> ElasticLoadBalancing:
    send = partial(ask, http)
    return ElasticLoadBalancing(terms, Aws(send, variables), send, SystemClock())


@pytest.fixture
async def asking(elb: Elb, http: httpx.AsyncClient) -> AsyncIterator[ElasticLoadBalancing]:
    with serving(elb) as address:
        yield client_of(http, AwsTerms(REGION, address))


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
    elb.refusing, elb.saying = code, "you may\nnot"
    answer = await asking.read([HOSTNAME])
    assert not answer.found and answer.unread.endswith(f": {code}: you may not")
    elb.refusing, elb.asked[:] = "", []
    assert HOSTNAME in (await asking.read([HOSTNAME])).found
    assert elb.asked[0]["Action"] == "DescribeLoadBalancers"


async def test_what_a_refusal_repeats_of_the_request_is_masked(elb: Elb, asking: ElasticLoadBalancing) -> None:
    elb.refusing, elb.saying = "SignatureDoesNotMatch", f"the canonical string is 'POST / x-amz-security-token:{KEYS.token}'"
    answer = await asking.read([HOSTNAME])
    assert "SignatureDoesNotMatch" in answer.unread and "hunter2" not in answer.unread


@pytest.mark.parametrize(
    ("variables", "words"),
    [
        ({**ACCOUNT, "AWS_SECRET_ACCESS_KEY": "another"}, "SignatureDoesNotMatch"),
        ({**ACCOUNT, "AWS_SESSION_TOKEN": ""}, "SignatureDoesNotMatch"),
        ({}, "no credentials"),
    ],
)
async def test_the_signature_of_another_account_finds_nothing(
    elb: Elb, http: httpx.AsyncClient, variables: Mapping[str, str], words: str
) -> None:
    with serving(elb) as address:
        answer = await client_of(http, AwsTerms(REGION, address), variables).read([HOSTNAME])
    assert not answer.found and words in answer.unread and elb.asked == []


async def test_the_endpoint_may_come_from_the_environment(elb: Elb, http: httpx.AsyncClient) -> None:
    with serving(elb) as address:
        told = {
            **ACCOUNT,
            "AWS_REGION": REGION,
            "AWS_ENDPOINT_URL_ELASTIC_LOAD_BALANCING_V2": address,
            "AWS_ENDPOINT_URL": "http://[::1]:1",
        }
        assert HOSTNAME in (await client_of(http, AwsTerms(), told).read([HOSTNAME])).found


async def test_no_answer_is_no_exception(http: httpx.AsyncClient) -> None:
    with serving(Elb()) as address:
        pass
    answer = await client_of(http, AwsTerms(REGION, address)).read([HOSTNAME])
    assert not answer.found and "no answer" in answer.unread


async def test_without_a_region_it_says_so(http: httpx.AsyncClient) -> None:
    answer = await client_of(http, AwsTerms()).read([HOSTNAME])
    assert "no region" in answer.unread


def result(action: str, body: str) -> bytes:
    return f"<{action}Response><{action}Result>{body}</{action}Result></{action}Response>".encode()


LISTED = "DescribeLoadBalancers"
ENDLESS = result(LISTED, "<NextMarker>again</NextMarker>")


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (b"<html><p>", "cannot be read"),
        (result(LISTED, "").decode().encode("utf-16"), "cannot be read"),
        (b'<!DOCTYPE a [<!ENTITY b "c">]>' + result(LISTED, "&b;"), "document type"),
        (b'<!DOCTYPE a SYSTEM "file:///etc/passwd">' + result(LISTED, ""), "document type"),
        (b"<a>" * 100_000, "too deep"),
        (b"<a>" + b"<b/>" * 300_000, "too large"),
        (b"<a>" + b"x" * (5 << 20), "larger than"),
        (result("DescribeTags", ""), "without a result"),
        (result(LISTED, "<LoadBalancers><member><DNSName>a</DNSName></member></LoadBalancers>"), "has no LoadBalancerName"),
        (ENDLESS, f"more than {MOST_PAGES} pages"),
    ],
    ids=lambda value: str(value)[:30],
)
async def test_an_answer_that_cannot_be_believed_confirms_nothing(
    elb: Elb, asking: ElasticLoadBalancing, answer: bytes, words: str
) -> None:
    elb.instead = answer
    found = await asking.read([HOSTNAME])
    assert not found.found and words in found.unread


async def test_a_weight_that_is_no_number_confirms_nothing(elb: Elb, asking: ElasticLoadBalancing) -> None:
    elb.weights["k8s-canary"] = -20
    answer = await asking.read([HOSTNAME])
    assert not answer.found and "no number" in answer.unread


async def test_the_targets_of_a_group_are_known_in_any_state(elb: Elb, asking: ElasticLoadBalancing) -> None:
    elb.targets = {"k8s-canary": ("10.0.0.1:8080", "10.0.0.2:8080"), "k8s-stable": ()}
    canary, stable = group_arn("k8s-canary"), group_arn("k8s-stable")
    found = await asking.registered([canary, stable, canary])
    assert found == Registered({canary: frozenset({"10.0.0.1:8080", "10.0.0.2:8080"}), stable: frozenset()})
    elb.refusing = "AccessDenied"
    refused = await asking.registered([canary])
    assert not refused.found and "AccessDenied" in refused.unread

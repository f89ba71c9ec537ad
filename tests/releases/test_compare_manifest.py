"""`compare` of a policy, field by field."""

from datetime import timedelta
from typing import Any

import pytest

from reconciler.kernel.strict import FieldError
from reconciler.releases.comparison.manifest import either_bound
from reconciler.releases.comparison.terms import Compare, ComparedMetric
from reconciler.releases.policies.manifest import parse_policy

ALL = 'requests_total{v="{{args.hash}}"}'
BAD = 'requests_total{v="{{ args.hash }}",code=~"5.{2}",ns="{{args.namespace}}",w="{{args.workload}}"}'
ERRORS = {"name": "errors", "requests": ALL, "bad": BAD}


def parsed(**compare: Any) -> Compare:
    found = parse_policy({"metadata": {"name": "p"}, "spec": {"compare": {"metrics": [ERRORS], **compare}}}).compare
    assert found is not None
    return found


def test_a_policy_compares_nothing_by_itself() -> None:
    assert parse_policy({"metadata": {"name": "p"}}).compare is None


def test_metrics_are_all_that_has_to_be_said() -> None:
    assert parsed() == Compare(metrics=(ComparedMetric(name="errors", requests=ALL, bad=BAD),))


def test_every_field_is_read() -> None:
    slow = {"name": "slow", "requests": ALL, "good": 'seconds_bucket{v="{{args.hash}}",le="0.5"}'}
    words: dict[str, Any] = {
        "baseline": "previous",
        "budget": "0.5%",
        "effect": "2x",
        "every": "30s",
        "warmUp": "0s",
    }
    found = parsed(metrics=[ERRORS, slow], address="http://prometheus:9090", minimumRequests=90, **words)
    assert found.metrics[1] == ComparedMetric(name="slow", requests=ALL, good=slow["good"])
    assert (found.baseline, found.budget, found.effect, found.minimum_requests) == ("previous", 0.005, 2.0, 90)
    assert (found.every, found.warm_up, found.address) == (timedelta(seconds=30), timedelta(), "http://prometheus:9090")


@pytest.mark.parametrize(
    ("compare", "words"),
    [
        ({"metrics": []}, r"spec\.compare\.metrics: expected 1 to 8"),
        ({"metrics": [{**ERRORS, "name": f"m{i}"} for i in range(9)]}, "expected 1 to 8"),
        ({"metrics": [ERRORS, ERRORS]}, "two metrics have the same name 'errors'"),
        ({"metrics": [{**ERRORS, "good": ALL}]}, r"metrics\[0\]\.bad: write either bad"),
        ({"metrics": [{"name": "e", "requests": ALL}]}, r"metrics\[0\]\.bad: write either bad"),
        ({"metrics": [{**ERRORS, "requests": ""}]}, r"metrics\[0\]\.requests: is required"),
        ({"metrics": [{**ERRORS, "name": "a b"}]}, r"metrics\[0\]\.name"),
        ({"metrics": [{**ERRORS, "bad": f"increase({ALL}[1m])"}]}, "expected the selector of one counter"),
        ({"metrics": [{**ERRORS, "bad": f"sum({ALL})"}]}, "expected the selector of one counter"),
        ({"metrics": [{**ERRORS, "bad": f"{ALL} or vector(0)"}]}, "expected the selector of one counter"),
        ({"metrics": [{**ERRORS, "bad": "requests_total"}]}, "expected the selector of one counter"),
        ({"metrics": [{**ERRORS, "bad": 'requests_total{code="500"}'}]}, "both sides would be the same"),
        ({"metrics": [{**ERRORS, "bad": 'requests_total{v="{{args.hash}}",x="{{args.version}}"}'}]}, "there is no {{args.version}}"),
        ({"metrics": [{**ERRORS, "rate": 1}]}, "unknown field"),
        ({"baseline": "pair"}, "'pair' is not one of stable, previous, experiment"),
        ({"budget": "0%"}, "more than 0%"),
        ({"budget": "21%"}, "at most 20%"),
        ({"budget": "0.01"}, "write for example 1%"),
        ({"budget": 0.01}, "expected a text"),
        ({"effect": "0.9x"}, "expected 1x to 100x"),
        ({"effect": "1.5"}, "write for example 1.5x"),
        ({"effect": "nanx"}, "write for example 1.5x"),
        ({"every": "9s"}, "expected 10s to 30m"),
        ({"every": "31m"}, "expected 10s to 30m"),
        ({"address": "prometheus:9090"}, r"spec\.compare\.address: expected the address"),
        ({"address": "http://ann:hunter2@prometheus"}, r"spec\.compare\.address: expected the address"),
        ({"minimumRequests": 0}, "at least 1"),
        ({"power": "95%"}, "unknown field"),
    ],
)
def test_what_cannot_be_meant_is_refused_with_its_field(compare: dict[str, Any], words: str) -> None:
    with pytest.raises(FieldError, match=words):
        parsed(**compare)


def test_a_pair_is_told_apart_by_its_hash_or_by_its_pods() -> None:
    by_pods = {"name": "errors", "requests": 'requests{pod=~"{{args.replicaSet}}-.+"}', "bad": 'errors{pod=~"{{args.replicaSet}}-.+"}'}
    found = parsed(baseline="experiment", metrics=[by_pods])
    assert found.paired and found.metrics[0].bad == by_pods["bad"]
    assert not parsed().paired


@pytest.mark.parametrize(
    ("written", "asked"),
    [
        ('{le="500"}', '{le=~"500([.]0)?"}'),
        ("{a=\"b\", le = '500.0'}", '{a="b", le=~"500([.]0)?"}'),
        ('{le="0.5"}', '{le="0.5"}'),
        ('{le="+Inf"}', '{le="+Inf"}'),
        ('{le=~"500|1000"}', '{le=~"500|1000"}'),
        ('{able="500"}', '{able="500"}'),
        ('{le!="500"}', '{le!="500"}'),
    ],
)
def test_a_bound_of_a_bucket_is_asked_for_as_every_prometheus_writes_it(written: str, asked: str) -> None:
    assert either_bound(written) == asked


def test_other_questions_have_another_digest_and_another_minimum_has_not() -> None:
    one = parsed()
    assert parsed(minimumRequests=9).digest == one.digest
    others = [
        parsed(**changed) for changed in ({"budget": "2%"}, {"effect": "2x"}, {"every": "2m"}, {"warmUp": "2m"}, {"address": "http://a"})
    ]
    assert len({one.digest, *(other.digest for other in others)}) == 6

"""ReleasePolicy, field by field."""

from datetime import timedelta
from typing import Any

import pytest

from reconciler.kernel.strict import FieldError
from reconciler.releases.policies.manifest import parse_policy
from reconciler.releases.policies.policy import AfterPromotion, ReleasePolicy, WorkloadName

ANALYSIS = {"templates": [{"templateName": "success-rate"}]}


def parsed(**spec: Any) -> ReleasePolicy:
    return parse_policy({"kind": "ReleasePolicy", "metadata": {"name": "p", "namespace": "shop"}, "spec": spec})


def test_an_empty_policy_restores_failures_and_proposes_for_people() -> None:
    assert parsed() == ReleasePolicy(name="p", namespace="shop")
    assert (parsed().on_failure, parsed().on_abort, parsed().on_stuck) == ("restore", "propose", "abort")
    assert parse_policy({"metadata": {"name": "c"}}).namespace == ""


def test_every_field_is_read() -> None:
    strategy = {"canary": {"steps": [{"setWeight": 20}]}}
    assert parsed(
        workloads=[{"kind": "Deployment", "name": "web"}],
        onFailure="none",
        onAbort="restore",
        onStuck="wait",
        requireAnalysis=True,
        minimumSample=3,
        minimumRequests=500,
        volumeMetric="calls",
        keepRejected="10m",
        historyLimit=4,
        afterPromotion={"window": "5m", "analysis": ANALYSIS},
        rollout={"strategy": strategy, "progressDeadlineSeconds": 60},
    ) == ReleasePolicy(
        name="p",
        namespace="shop",
        workloads=(WorkloadName("Deployment", "web"),),
        on_failure="none",
        on_abort="restore",
        on_stuck="wait",
        require_analysis=True,
        minimum_sample=3,
        minimum_requests=500,
        volume_metric="calls",
        keep_rejected=timedelta(minutes=10),
        history_limit=4,
        after_promotion=AfterPromotion(timedelta(minutes=5), ANALYSIS),
        rollout={"strategy": strategy, "progressDeadlineSeconds": 60},
    )


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        ({"onfailure": "none"}, "spec.onfailure: unknown field"),
        ({"onFailure": "revert"}, "spec.onFailure: 'revert' is not one of restore, propose, none"),
        ({"historyLimit": 0}, "spec.historyLimit: expected a whole number of at least 1"),
        ({"keepRejected": "10 minutes"}, "spec.keepRejected: '10 minutes' is not a duration"),
        ({"workloads": [{"kind": "DaemonSet", "name": "x"}]}, "spec.workloads[0].kind: 'DaemonSet' is not one of Rollout, Deployment"),
        ({"workloads": [{"kind": "Rollout"}]}, "spec.workloads[0].name: is required"),
        ({"afterPromotion": {"window": "5m"}}, "spec.afterPromotion.analysis: is required: name at least one template"),
        ({"afterPromotion": {"window": "5m", "analysis": {}}}, "spec.afterPromotion.analysis: is required"),
        ({"afterPromotion": {"window": "5m", "analysis": "success-rate"}}, "spec.afterPromotion.analysis: is required"),
        ({"rollout": {"progressDeadlineSeconds": 60}}, "spec.rollout: needs a strategy"),
        ({"rollout": "canary"}, "spec.rollout: needs a strategy"),
        ({"afterPromotion": {"analysis": ANALYSIS}}, "spec.afterPromotion.window: is required"),
        ({"afterPromotion": {"window": "5m", "analysis": ANALYSIS, "keep": 1}}, "spec.afterPromotion.keep: unknown field"),
        ({"rollout": {}}, "spec.rollout: needs a strategy"),
        ({"rollout": {"strategy": {"canary": {}}, "replicas": 3}}, "spec.rollout.replicas: is taken from the Deployment"),
    ],
)
def test_what_is_wrong_is_named(spec: dict[str, Any], words: str) -> None:
    with pytest.raises(FieldError) as caught:
        parsed(**spec)
    assert str(caught.value).startswith(words)


def test_a_spec_that_is_no_mapping_is_refused() -> None:
    with pytest.raises(FieldError, match="spec: expected a mapping"):
        parse_policy({"metadata": {"name": "p"}, "spec": ["x"]})

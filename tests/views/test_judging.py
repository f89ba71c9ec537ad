"""Which policy judges which workload: nearest wins, equals and what cannot be read are said, and nothing costs another line."""

from typing import Any

import pytest

from reconciler.kernel.identity import Manifest
from reconciler.views.why.judging import RulesInForce, judged_workload

SUCCESS = {"templates": [{"templateName": "success-rate"}, {"templateName": "latency", "clusterScope": True}]}
STEPS = [{"setWeight": 20}, {"analysis": SUCCESS}, {"experiment": {"analyses": [{"name": "a", "templateName": "gone"}]}}]


def rollout(**spec: Any) -> Manifest:
    return {"metadata": {"name": "web", "namespace": "shop"}, "spec": {"strategy": {"canary": {"steps": STEPS}}, **spec}}


def policy(name: str, *workloads: str, kind: str = "ReleasePolicy", **spec: Any) -> Manifest:
    namespace = {"namespace": "shop"} if kind == "ReleasePolicy" else {}
    named = [dict(zip(("kind", "name"), one.split("/"), strict=True)) for one in workloads]
    body = {"workloads": named} if named else {}
    return {"apiVersion": "reconciler.dev/v1alpha1", "kind": kind, "metadata": {"name": name, **namespace}, "spec": {**body, **spec}}


def rules(*policies: Manifest) -> RulesInForce:
    kinds = {one["kind"]: [p for p in policies if p["kind"] == one["kind"]] for one in policies}
    return RulesInForce(kinds, frozenset({("AnalysisTemplate", "shop", "success-rate"), ("ClusterAnalysisTemplate", "", "latency")}))


EVERYBODY = policy("everybody", kind="ClusterReleasePolicy")


def test_the_nearest_wins_and_says_why_and_what_it_goes_before() -> None:
    found = judged_workload(rollout(), rules(policy("ours", "Rollout/web"), policy("shop"), EVERYBODY))
    assert (found.policy_kind, found.policy, found.reason) == ("ReleasePolicy", "ours", "it names this workload")
    assert found.beaten == ("ReleasePolicy shop", "ClusterReleasePolicy everybody")
    found = judged_workload(rollout(), rules(policy("other", "Rollout/api"), policy("shop"), EVERYBODY))
    assert (found.policy, found.reason) == ("shop", "it speaks for every workload of namespace shop")
    found = judged_workload(rollout(), rules(policy("other", "Rollout/api"), EVERYBODY))
    assert (found.policy_kind, found.policy, found.reason) == ("ClusterReleasePolicy", "everybody", "it speaks for every workload")
    found = judged_workload(rollout(), rules())
    assert (found.policy_kind, found.beaten) == ("", ()) and "defaults" in found.reason


def test_a_borrowed_template_may_be_named_by_its_deployment() -> None:
    borrowed = rollout(workloadRef={"apiVersion": "apps/v1", "kind": "Deployment", "name": "web-app"})
    assert judged_workload(borrowed, rules(policy("ours", "Deployment/web-app"))).reason == "it names this workload"
    assert judged_workload(rollout(), rules(policy("ours", "Deployment/web-app"))).policy_kind == ""


def test_two_equals_judge_nothing_and_both_are_named() -> None:
    found = judged_workload(rollout(), rules(policy("one"), policy("two")))
    assert found.policy == "" and "one and two both claim Rollout shop/web" in found.problem


def test_a_policy_that_cannot_be_read_is_not_guessed_at() -> None:
    found = judged_workload(rollout(), rules(policy("odd", onFailure="explode"), EVERYBODY))
    assert found.policy == "" and "ReleasePolicy odd cannot be read" in found.problem and "onFailure" in found.problem


def test_what_a_policy_promises_and_the_rollout_makes_impossible_is_said() -> None:
    watched = {"window": "10m", "analysis": {"templates": [{"templateName": "success-rate"}]}}
    dynamic = rollout(strategy={"canary": {"steps": [], "dynamicStableScale": True}})
    found = judged_workload(dynamic, rules(policy("shop", afterPromotion=watched)))
    assert found.policy == "shop" and "dynamicStableScale" in found.problem
    assert [(one.name, one.place) for one in found.templates] == [("success-rate", "after promotion, by the policy")]


def test_templates_are_named_with_their_place_and_missing_ones_as_such() -> None:
    found = judged_workload(rollout(), rules()).templates
    assert [(one.name, one.place, one.missing) for one in found] == [
        ("success-rate", "step 2", False),
        ("latency", "step 2", False),
        ("gone", "step 3, experiment", True),
    ]


@pytest.mark.parametrize("spec", [{"strategy": "x"}, {"strategy": {"canary": {"steps": [3]}}}, {"strategy": {"canary": {"analysis": [1]}}}])
def test_a_rollout_that_nobody_can_read_costs_only_its_templates(spec: Any) -> None:
    found = judged_workload(rollout(**spec), rules(EVERYBODY))
    assert found.policy == "everybody" and found.templates == ()

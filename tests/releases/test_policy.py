"""Whom a policy speaks of."""

from reconciler.releases.policies.policy import DEFAULT, ReleasePolicy, WorkloadName


def test_the_default_speaks_of_everything() -> None:
    assert DEFAULT.concerns("shop", "Rollout", "web")


def test_a_policy_speaks_of_its_namespace_and_its_workloads() -> None:
    policy = ReleasePolicy(name="p", namespace="shop", workloads=(WorkloadName("Rollout", "web"),))
    assert policy.concerns("shop", "Rollout", "web")
    assert not policy.concerns("other", "Rollout", "web")
    assert not policy.concerns("shop", "Deployment", "web")
    assert not policy.concerns("shop", "Rollout", "api")
    assert ReleasePolicy(name="p", namespace="shop").concerns("shop", "Deployment", "api")

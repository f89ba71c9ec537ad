"""Nearest policy wins; equals are an error that names both."""

from typing import Any

import pytest

from reconciler.app.indexes import INDEXES
from reconciler.kernel.errors import Terminal
from reconciler.kernel.resources import CLUSTER_RELEASE_POLICIES, RELEASE_POLICIES
from reconciler.kube.cache import Cache
from reconciler.releases.policies.observe import LocalPolicies, Policies
from reconciler.releases.policies.policy import DEFAULT, ReleasePolicy, WorkloadName

WEB = [{"kind": "Rollout", "name": "web"}]


def policies(*manifests: dict[str, Any], local: LocalPolicies | None = None) -> Policies:
    cache = Cache((RELEASE_POLICIES, CLUSTER_RELEASE_POLICIES), INDEXES)
    for manifest in manifests:
        cache.put(RELEASE_POLICIES if manifest["kind"] == "ReleasePolicy" else CLUSTER_RELEASE_POLICIES, manifest)
    return Policies(cache, local or LocalPolicies())


def policy(name: str, *, namespace: str = "shop", **spec: Any) -> dict[str, Any]:
    return {"kind": "ReleasePolicy", "metadata": {"name": name, "namespace": namespace}, "spec": spec}


def cluster_policy(name: str, **spec: Any) -> dict[str, Any]:
    return {"kind": "ClusterReleasePolicy", "metadata": {"name": name}, "spec": spec}


def chosen(*manifests: dict[str, Any]) -> str:
    return policies(*manifests).of("shop", "Rollout", "web").name


def test_without_any_the_shipped_default_speaks() -> None:
    assert policies().of("shop", "Rollout", "web") is DEFAULT


def test_nearest_wins() -> None:
    assert chosen(cluster_policy("far"), policy("near")) == "near"
    assert chosen(cluster_policy("far"), policy("elsewhere", namespace="other")) == "far"
    assert chosen(cluster_policy("far"), policy("for-others", workloads=[{"kind": "Rollout", "name": "api"}])) == "far"


def test_a_policy_that_names_the_workload_is_nearer_than_one_for_all() -> None:
    assert chosen(policy("all"), policy("named", workloads=WEB)) == "named"


def test_two_of_equal_rank_are_an_error_that_names_both() -> None:
    for pair in (
        (policy("a"), policy("b")),
        (policy("a", workloads=WEB), policy("b", workloads=WEB)),
        (cluster_policy("a"), cluster_policy("b")),
    ):
        with pytest.raises(Terminal, match="a and b both claim Rollout shop/web: name the workload in only one"):
            chosen(*pair)


def test_a_release_is_judged_by_whoever_names_its_rollout_or_its_deployment() -> None:
    deployment = policy("d", workloads=[{"kind": "Deployment", "name": "web"}])
    template = WorkloadName("Deployment", "web")
    assert policies(deployment, cluster_policy("far")).judging("shop", "web", template).name == "d"
    assert policies(policy("r", workloads=WEB)).judging("shop", "web", template).name == "r"
    assert policies(deployment).judging("shop", "web", WorkloadName("Rollout", "web")) is DEFAULT
    with pytest.raises(Terminal, match="d and r both claim Rollout shop/web"):
        policies(deployment, policy("r", workloads=WEB)).judging("shop", "web", template)


def test_a_policy_that_cannot_be_read_is_named_with_its_field() -> None:
    with pytest.raises(Terminal, match=r"ReleasePolicy odd: spec.onFailure: 'explode' is not one of"):
        chosen(policy("odd", onFailure="explode"))


def near(*found: ReleasePolicy, unread: tuple[str, ...] = ()) -> LocalPolicies:
    local = LocalPolicies()
    local.policies, local.unread = found, unread
    return local


def test_local_files_rank_after_the_cluster_and_before_the_default() -> None:
    one, every = ReleasePolicy(name="local", namespace="shop"), ReleasePolicy(name="everywhere", namespace="")
    assert policies(cluster_policy("far"), local=near(one)).of("shop", "Rollout", "web").name == "far"
    assert policies(local=near(every, one)).of("shop", "Rollout", "web").name == "local"
    assert policies(local=near(every, one)).of("other", "Rollout", "web").name == "everywhere"
    with pytest.raises(Terminal, match="local ReleasePolicy objects local and second both claim Rollout shop/web"):
        policies(local=near(one, ReleasePolicy(name="second", namespace="shop"))).of("shop", "Rollout", "web")


def test_what_a_file_nobody_could_read_may_say_is_not_guessed_at() -> None:
    local = near(ReleasePolicy(name="local", namespace="shop"), unread=("a.yaml:3: wrong",))
    assert policies(policy("near"), local=local).of("shop", "Rollout", "web").name == "near"
    with pytest.raises(Terminal, match=r"local policies cannot be read: a\.yaml:3: wrong"):
        policies(local=local).of("shop", "Rollout", "web")

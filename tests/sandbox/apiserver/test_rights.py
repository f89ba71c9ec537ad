"""RBAC: which rule covers what, whom a binding means, and what every cluster starts with."""

from typing import Any

import pytest
from reconciler_sandbox.apiserver.identity import ADMIN, User, service_account
from reconciler_sandbox.apiserver.rights import Asked, Rights, bootstrap, covers, is_meant
from reconciler_sandbox.client import ApiClient

from tests.kit.access import ANN, allow, guarded, rule

GET_POD = Asked("get", resource="pods", namespace="default", name="p")


@pytest.mark.parametrize(
    ("given", "asked", "expected"),
    [
        (rule("get", "pods"), GET_POD, True),
        (rule("list", "pods"), GET_POD, False),
        (rule("*", "*", "*"), GET_POD, True),
        (rule("get", "pods", "apps"), GET_POD, False),
        (rule("get", "pods", resourceNames=["p"]), GET_POD, True),
        (rule("get", "pods", resourceNames=["q"]), GET_POD, False),
        (rule("list", "pods", resourceNames=["p"]), Asked("list", resource="pods", namespace="default"), False),
        (rule("get", "pods"), Asked("get", resource="pods", subresource="log"), False),
        (rule("get", "pods/log"), Asked("get", resource="pods", subresource="log"), True),
        (rule("get", "*/log"), Asked("get", resource="pods", subresource="log"), True),
        (rule("get", "*"), Asked("get", resource="pods", subresource="log"), True),
        (rule("get", "pods/*"), Asked("get", resource="pods", subresource="log"), False),
        ({"verbs": ["get"], "nonResourceURLs": ["/logs/*"]}, Asked("get", path="/logs/x"), True),
        ({"verbs": ["get"], "nonResourceURLs": ["/logs"]}, Asked("get", path="/logs/x"), False),
        (rule("*", "*", "*"), Asked("get", path="/logs"), False),
        ({}, GET_POD, False),
    ],
)
def test_a_rule_covers(given: dict[str, Any], asked: Asked, expected: bool) -> None:
    assert covers(given, asked) is expected


@pytest.mark.parametrize(
    ("subject", "user", "expected"),
    [
        ({"kind": "User", "name": "ann"}, ANN, True),
        ({"kind": "User", "name": "dev"}, ANN, False),
        ({"kind": "Group", "name": "dev"}, ANN, True),
        ({"kind": "Group", "name": "ann"}, ANN, False),
        ({"kind": "ServiceAccount", "name": "bot", "namespace": "n"}, service_account("n", "bot"), True),
        ({"kind": "ServiceAccount", "name": "bot"}, service_account("here", "bot"), True),
        ({"kind": "ServiceAccount", "name": "bot", "namespace": "m"}, service_account("n", "bot"), False),
        ({"kind": "Robot", "name": "ann"}, ANN, False),
    ],
)
def test_a_subject_is_a_user(subject: dict[str, Any], user: User, expected: bool) -> None:
    assert is_meant(subject, user, "here") is expected


async def test_a_role_counts_in_its_namespace_and_a_cluster_role_everywhere() -> None:
    server, _ = guarded()
    api, rights = ApiClient(server.caller()), Rights(server.store)
    await allow(api, "reader", rule("get", "pods"))
    await allow(api, "lister", rule("list", "pods"), namespace="")
    assert rights.find(ANN, GET_POD) is not None
    assert rights.find(ANN, Asked("get", resource="pods", namespace="kube-system")) is None
    assert rights.find(ANN, Asked("list", resource="pods")) is not None
    found = rights.find(ANN, GET_POD)
    assert found is not None and found.reason == 'RBAC: allowed by RoleBinding "reader/default" of Role "reader" to User "ann"'


async def test_a_binding_to_a_role_that_is_gone_allows_nothing() -> None:
    server, _ = guarded()
    api, rights = ApiClient(server.caller()), Rights(server.store)
    await allow(api, "reader", rule("get", "pods"))
    await api.delete("/apis/rbac.authorization.k8s.io/v1/namespaces/default/roles/reader")
    assert rights.find(ANN, GET_POD) is None


def test_masters_may_everything_even_without_a_role() -> None:
    server, _ = guarded()
    assert Rights(server.store).find(ADMIN, Asked("delete", path="/everything")) is not None


def test_every_authenticated_user_finds_out_what_is_served() -> None:
    server, _ = guarded()
    rights = Rights(server.store)
    assert rights.find(ANN, Asked("get", path="/apis/apps/v1")) is not None
    assert rights.find(ANN, Asked("create", "authorization.k8s.io", "selfsubjectaccessreviews")) is not None
    assert rights.find(ANN, GET_POD) is None
    assert {plural for plural, _ in bootstrap()} == {"clusterroles", "clusterrolebindings"}


async def test_an_aggregated_role_holds_what_others_add_to_it() -> None:
    server, _ = guarded()
    api, roles = ApiClient(server.caller()), "/apis/rbac.authorization.k8s.io/v1/clusterroles"
    view = await api.get(f"{roles}/view")
    assert view is not None
    [selector] = view["aggregationRule"]["clusterRoleSelectors"]
    added = {"metadata": {"name": "canaries", "labels": selector["matchLabels"]}, "rules": [rule("get", "canaries", "demo.example.com")]}
    await api.create(roles, added)
    held = server.gate.rights.rules("clusterroles", "", "view")
    assert rule("get", "canaries", "demo.example.com") in held and all(one in held for one in view["rules"])
    assert server.gate.rights.rules("clusterroles", "", "nobody") == []

"""Self reviews: the answers of the gate, which without access lets the one user do everything."""

from typing import Any

import pytest
from reconciler_sandbox.client import ApiClient, ApiError

from tests.kit.access import ANN, allow, guarded, rule


async def test_access_is_allowed(api: ApiClient) -> None:
    spec = {"resourceAttributes": {"verb": "create", "resource": "pods"}}
    made = await api.create("/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", {"spec": spec})
    assert made["status"]["allowed"] is True and made["spec"] == spec and made["kind"] == "SelfSubjectAccessReview"


async def test_the_rules_are_everything(api: ApiClient) -> None:
    made = await api.create("/apis/authorization.k8s.io/v1/selfsubjectrulesreviews", {"spec": {"namespace": "default"}})
    assert made["status"]["resourceRules"] == [{"verbs": ["*"], "apiGroups": ["*"], "resources": ["*"]}]


async def test_the_user_has_a_name(api: ApiClient) -> None:
    made = await api.create("/apis/authentication.k8s.io/v1/selfsubjectreviews", {})
    assert made["status"]["userInfo"]["username"]


async def test_with_access_the_answers_are_of_the_roles() -> None:
    server, _ = guarded()
    api, ann = ApiClient(server.caller()), ApiClient(server.caller(ANN))
    await allow(api, "reader", rule("get", "pods", resourceNames=["p"]))

    async def may(**attributes: Any) -> dict[str, Any]:
        spec = {"resourceAttributes": {"namespace": "default", "verb": "get", "resource": "pods", **attributes}}
        return (await ann.create("/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", {"spec": spec}))["status"]

    assert (await may(name="p"))["reason"].startswith("RBAC: allowed by RoleBinding")
    assert await may(name="q") == {"allowed": False} and await may(name="p", namespace="other") == {"allowed": False}
    path = {"spec": {"nonResourceAttributes": {"path": "/api/v1", "verb": "get"}}}
    assert (await ann.create("/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", path))["status"]["allowed"] is True
    made = await ann.create("/apis/authorization.k8s.io/v1/selfsubjectrulesreviews", {"spec": {"namespace": "default"}})
    assert rule("get", "pods", resourceNames=["p"]) in made["status"]["resourceRules"]
    assert {"verbs": ["*"], "nonResourceURLs": ["*"]} not in made["status"]["nonResourceRules"]
    who = await ann.create("/apis/authentication.k8s.io/v1/selfsubjectreviews", {})
    assert who["status"]["userInfo"] == {"username": "ann", "groups": ["dev", "system:authenticated"]}


async def test_a_review_that_asks_nothing_is_invalid(api: ApiClient) -> None:
    with pytest.raises(ApiError, match="exactly one of") as refused:
        await api.create("/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", {"spec": {}})
    assert refused.value.status == 422


async def test_others_are_asked_about_by_name_or_group() -> None:
    server, _ = guarded()
    api = ApiClient(server.caller())
    await allow(api, "reader", rule("get", "pods"))
    path, attributes = "/apis/authorization.k8s.io/v1/subjectaccessreviews", {"namespace": "default", "verb": "get", "resource": "pods"}

    async def may(**who: Any) -> bool:
        return bool((await api.create(path, {"spec": {**who, "resourceAttributes": attributes}}))["status"]["allowed"])

    assert await may(user=ANN.name, groups=["dev"]) and not await may(user="bob")
    with pytest.raises(ApiError, match="at least one of user or group"):
        await may()


async def test_a_token_tells_whose_it_is() -> None:
    server, _ = guarded()
    api, path = ApiClient(server.caller()), "/apis/authentication.k8s.io/v1/tokenreviews"
    known = (await api.create(path, {"spec": {"token": "ann-token"}}))["status"]
    assert known["authenticated"] is True and known["user"]["username"] == "ann"
    assert (await api.create(path, {"spec": {"token": "nobody's"}}))["status"].get("authenticated") is None
    with pytest.raises(ApiError, match="token is required"):
        await api.create(path, {"spec": {}})


async def test_rules_are_asked_for_of_a_namespace(api: ApiClient) -> None:
    with pytest.raises(ApiError, match="no namespace on request"):
        await api.create("/apis/authorization.k8s.io/v1/selfsubjectrulesreviews", {"spec": {}})

"""Self reviews: the sandbox's one user may do everything."""

from reconciler.sandbox.client import ApiClient


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

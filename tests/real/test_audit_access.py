"""Who is asked for, who may, and in which words the others are refused."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from reconciler_sandbox.apiserver.gate import Access
from reconciler_sandbox.apiserver.identity import ADMIN

from tests.real.kit.account import NAME, RIGHTS, allow, requests_of, rule, token_of
from tests.real.kit.api import Api, Json
from tests.real.kit.objects import APPS, config_map, deployment
from tests.real.kit.servers import Server, sandbox_server

REVIEWS = "/apis/authorization.k8s.io/v1"


@pytest.fixture(params=["sandbox", pytest.param("real", marks=pytest.mark.real)])
async def server(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Server]:
    """As everywhere, but the sandbox asks for tokens and rights, too."""
    if request.param == "real":
        yield request.getfixturevalue("real_server")
        return
    async with sandbox_server(tmp_path) as started:
        assert started.sandbox is not None
        started.sandbox.guard(Access({"admin-token": ADMIN}))
        started.kubeconfig.write_text(started.sandbox.kubeconfig("admin-token"), encoding="utf-8")
        yield started


@pytest.fixture
async def robot(server: Server, api: Api) -> AsyncIterator[Api]:
    """The namespace as a ServiceAccount without any rights sees it."""
    async with requests_of(server, api, await token_of(api)) as made:
        yield made


def who(api: Api) -> str:
    return f"system:serviceaccount:{api.namespace}:{NAME}"


async def test_an_unknown_token_is_unauthorized_everywhere(server: Server, api: Api) -> None:
    async with requests_of(server, api, "garbage") as stranger:
        for path in (api.ours("configmaps"), "/version", "/apis", "/healthz", "/nowhere"):
            assert (await stranger("GET", path)).refusal == (401, "Unauthorized", "Unauthorized")


async def test_nobody_may_little(server: Server, api: Api) -> None:
    async with requests_of(server, api, None) as nobody:
        words = 'configmaps is forbidden: User "system:anonymous" cannot list resource "configmaps" in API group "" in the namespace '
        words += f'"{api.namespace}"'
        assert (await nobody("GET", api.ours("configmaps"))).refusal == (403, "Forbidden", words)
        assert [(await nobody("GET", path)).status for path in ("/version", "/healthz")] == [200, 200]
        assert (await nobody("GET", "/apis")).refusal[2] == 'forbidden: User "system:anonymous" cannot get path "/apis"'


async def test_a_refusal_says_what_was_asked_for(api: Api, robot: Api) -> None:
    here, there = f'in the namespace "{api.namespace}"', "at the cluster scope"
    web = api.ours("deployments", "web", group=APPS)
    asked = (
        ("GET", api.ours("configmaps"), f'configmaps is forbidden: User "{{}}" cannot list resource "configmaps" in API group "" {here}'),
        (
            "GET",
            api.ours("configmaps", "x"),
            f'configmaps "x" is forbidden: User "{{}}" cannot get resource "configmaps" in API group "" {here}',
        ),
        (
            "DELETE",
            api.ours("configmaps"),
            f'configmaps is forbidden: User "{{}}" cannot deletecollection resource "configmaps" in API group "" {here}',
        ),
        ("GET", "/api/v1/nodes", f'nodes is forbidden: User "{{}}" cannot list resource "nodes" in API group "" {there}'),
        (
            "GET",
            f"{web}/scale",
            f'deployments.apps "web" is forbidden: User "{{}}" cannot get resource "deployments/scale" in API group "apps" {here}',
        ),
        ("GET", "/metrics", 'forbidden: User "{}" cannot get path "/metrics"'),
    )
    for method, path, words in asked:
        assert (await robot(method, path)).refusal == (403, "Forbidden", words.format(who(api)))
    reply = await robot("GET", api.ours("configmaps", "x"))
    assert reply.document["details"] == {"name": "x", "kind": "configmaps"}
    assert (
        (await robot("GET", api.ours("configmaps"), watch="true"))
        .refusal[2]
        .startswith(f'configmaps is forbidden: User "{who(api)}" cannot watch')
    )


async def test_rights_are_those_of_the_roles(api: Api, robot: Api) -> None:
    await allow(api, "reader", rule("get,list", "configmaps"), rule("get", "deployments/scale", "apps", resourceNames=["web"]))
    await api.made(api.ours("deployments", group=APPS), deployment("web", paused=True))
    assert (await robot("GET", api.ours("configmaps"))).status == 200
    assert (await robot("GET", api.ours("deployments", "web", group=APPS) + "/scale")).status == 200
    assert (await robot("GET", api.ours("deployments", "other", group=APPS) + "/scale")).status == 403
    assert (await robot("POST", api.ours("configmaps"), config_map("a"))).status == 403
    assert (await robot("GET", "/api/v1/configmaps")).status == 403


async def test_an_apply_that_creates_needs_the_right_to_create(api: Api, robot: Api) -> None:
    await allow(api, "patcher", rule("get,patch", "configmaps"))
    reply = await robot.patch(api.ours("configmaps", "a"), config_map("a"), "apply", fieldManager="robot")
    assert reply.refusal[:2] == (403, "Forbidden")


async def test_a_user_can_ask_what_he_may(api: Api, robot: Api) -> None:
    await allow(api, "reader", rule("get,list", "configmaps"))
    spec: Json = {"resourceAttributes": {"verb": "list", "resource": "configmaps", "namespace": api.namespace}}
    status = (await robot.made(f"{REVIEWS}/selfsubjectaccessreviews", {"spec": spec}))["status"]
    reason = f'RBAC: allowed by RoleBinding "reader/{api.namespace}" of Role "reader" to ServiceAccount "{NAME}/{api.namespace}"'
    assert status == {"allowed": True, "reason": reason}
    spec["resourceAttributes"]["verb"] = "delete"
    assert (await robot.made(f"{REVIEWS}/selfsubjectaccessreviews", {"spec": spec}))["status"] == {"allowed": False}
    rules = (await robot.made(f"{REVIEWS}/selfsubjectrulesreviews", {"spec": {"namespace": api.namespace}}))["status"]
    assert rule("get,list", "configmaps") in rules["resourceRules"] and rules["incomplete"] is False
    assert (await robot("POST", f"{REVIEWS}/selfsubjectrulesreviews", {"spec": {}})).refusal == (
        400,
        "BadRequest",
        "no namespace on request",
    )


async def test_others_can_be_asked_about_by_who_may(api: Api, robot: Api) -> None:
    await allow(api, "reader", rule("get,list", "configmaps"))
    attributes = {"verb": "list", "resource": "configmaps", "namespace": api.namespace}
    spec = {"user": who(api), "resourceAttributes": attributes}
    assert (await api.made(f"{REVIEWS}/subjectaccessreviews", {"spec": spec}))["status"]["allowed"] is True
    local = f"{REVIEWS}/namespaces/{api.namespace}/localsubjectaccessreviews"
    assert (await api.made(local, {"metadata": {"namespace": api.namespace}, "spec": spec}))["status"]["allowed"] is True
    stranger = {"spec": {"user": "jane", "resourceAttributes": attributes}}
    assert (await api.made(f"{REVIEWS}/subjectaccessreviews", stranger))["status"] == {"allowed": False}
    reply = await api("POST", f"{REVIEWS}/subjectaccessreviews", {"spec": {"resourceAttributes": attributes}})
    assert reply.refusal[0] == 422 and "at least one of user or group must be specified" in reply.refusal[2]
    assert (await robot("POST", f"{REVIEWS}/subjectaccessreviews", stranger)).refusal[:2] == (403, "Forbidden")


async def test_a_token_tells_whose_it_is(api: Api) -> None:
    path, token = "/apis/authentication.k8s.io/v1/tokenreviews", await token_of(api)
    status = (await api.made(path, {"spec": {"token": token}}))["status"]
    assert status["authenticated"] is True and status["user"]["username"] == who(api)
    assert {"system:serviceaccounts", f"system:serviceaccounts:{api.namespace}", "system:authenticated"} <= set(status["user"]["groups"])
    refused = (await api.made(path, {"spec": {"token": "garbage"}}))["status"]
    assert not refused.get("authenticated") and refused["error"]
    assert (await api("POST", path, {"spec": {}})).refusal[:2] == (400, "BadRequest")


async def test_nobody_gives_away_rights_that_he_does_not_have(api: Api, robot: Api) -> None:
    await allow(api, "roles", rule("create,update,patch", "roles,rolebindings", "rbac.authorization.k8s.io"))
    await allow(api, "reader", rule("get,list", "configmaps"))
    secrets = {"metadata": {"name": "more"}, "rules": [rule("get", "secrets")]}
    reply = await robot("POST", api.ours("roles", group=RIGHTS), secrets)
    words = f'roles.rbac.authorization.k8s.io "more" is forbidden: user "{who(api)}" (groups=["system:serviceaccounts" '
    assert reply.refusal[:2] == (403, "Forbidden") and reply.refusal[2].startswith(words)
    lacking = 'is attempting to grant RBAC permissions not currently held:\n{APIGroups:[""], Resources:["secrets"], Verbs:["get"]}'
    assert reply.refusal[2].endswith(lacking)
    assert (await robot("POST", api.ours("roles", group=RIGHTS), {**secrets, "rules": [rule("get", "configmaps")]})).status == 201
    everything = {
        "metadata": {"name": "all"},
        "roleRef": {"apiGroup": RIGHTS.partition("/")[0], "kind": "ClusterRole", "name": "cluster-admin"},
    }
    assert (await robot("POST", api.ours("rolebindings", group=RIGHTS), everything)).refusal[:2] == (403, "Forbidden")
    own = {"metadata": {"name": "own"}, "roleRef": {"apiGroup": RIGHTS.partition("/")[0], "kind": "Role", "name": "reader"}}
    assert (await robot("POST", api.ours("rolebindings", group=RIGHTS), own)).status == 201


async def test_who_may_acts_as_somebody_else(api: Api, robot: Api) -> None:
    path = api.ours("configmaps")
    assert (
        (await api("GET", path, headers={"Impersonate-User": "jane"}))
        .refusal[2]
        .startswith('configmaps is forbidden: User "jane" cannot list')
    )
    await allow(api, "reader", rule("get,list", "configmaps"))
    assert (await api("GET", path, headers={"Impersonate-User": who(api)})).status == 200
    assert (await api("GET", api.ours("secrets"), headers={"Impersonate-User": who(api)})).status == 403
    reply = await robot("GET", path, headers={"Impersonate-User": "jane"})
    assert reply.refusal == (
        403,
        "Forbidden",
        f'users "jane" is forbidden: User "{who(api)}" cannot impersonate resource "users" in API group "" at the cluster scope',
    )


@pytest.mark.parametrize("role", ["view", "edit", "admin"])
async def test_roles_for_people_are_there_and_grow(api: Api, role: str) -> None:
    found = (await api("GET", f"/apis/{RIGHTS}/clusterroles/{role}")).document
    assert found["aggregationRule"] and found["rules"]

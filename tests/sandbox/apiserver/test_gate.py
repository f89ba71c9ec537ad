"""The gate: who is it, may they, and the record of both."""

from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
import pytest
from reconciler_sandbox.apiserver.failures import Failure
from reconciler_sandbox.apiserver.gate import RECORDS, Access, Gate, asked_of, path_asked, refusal
from reconciler_sandbox.apiserver.identity import ADMIN, ANONYMOUS, User
from reconciler_sandbox.apiserver.kinds import Registry
from reconciler_sandbox.apiserver.paths import parse
from reconciler_sandbox.apiserver.rights import Asked
from reconciler_sandbox.apiserver.store import Store
from reconciler_sandbox.client import Answer, ApiClient, ApiError, Call

from tests.kit.access import ANN, TOKENS, allow, guarded, rule
from tests.kit.apiserver import CONFIG_MAPS, DEPLOYMENTS, PODS, config_map, deployment, pod

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


def bearer(token: str) -> dict[str, str]:
    return {"authorization": f"Bearer {token}"}


def asked(method: str, path: str, **query: str) -> Asked:
    return asked_of(parse(Registry(), path), Call(method, path, query))


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (asked("GET", PODS), Asked("list", resource="pods", namespace="default")),
        (asked("GET", f"{PODS}/p"), Asked("get", resource="pods", namespace="default", name="p")),
        (asked("GET", PODS, watch="1"), Asked("watch", resource="pods", namespace="default")),
        (asked("GET", PODS, fieldSelector="metadata.name=p"), Asked("list", resource="pods", namespace="default", name="p")),
        (asked("GET", f"{PODS}/p/log"), Asked("get", resource="pods", subresource="log", namespace="default", name="p")),
        (asked("POST", DEPLOYMENTS), Asked("create", "apps", "deployments", namespace="default")),
        (asked("PUT", f"{PODS}/p"), Asked("update", resource="pods", namespace="default", name="p")),
        (asked("PATCH", f"{PODS}/p"), Asked("patch", resource="pods", namespace="default", name="p")),
        (asked("DELETE", f"{PODS}/p"), Asked("delete", resource="pods", namespace="default", name="p")),
        (asked("DELETE", PODS), Asked("deletecollection", resource="pods", namespace="default")),
        (asked("GET", "/api/v1/namespaces/n"), Asked("get", resource="namespaces", namespace="n", name="n")),
        (asked("POST", "/api/v1/namespaces"), Asked("create", resource="namespaces")),
        (path_asked(Call("GET", "/metrics")), Asked("get", path="/metrics")),
    ],
)
def test_a_call_asks_for_a_verb_on_a_resource(found: Asked, expected: Asked) -> None:
    assert found == expected


@pytest.mark.parametrize(
    ("what", "message", "details"),
    [
        (
            Asked("list", resource="configmaps", namespace="sem"),
            'configmaps is forbidden: User "u" cannot list resource "configmaps" in API group "" in the namespace "sem"',
            {"kind": "configmaps"},
        ),
        (
            Asked("get", "apps", "deployments", "scale", "", "w"),
            'deployments.apps "w" is forbidden: User "u" cannot get resource "deployments/scale" in API group "apps" at the cluster scope',
            {"name": "w", "group": "apps", "kind": "deployments"},
        ),
        (
            Asked("list", resource="nodes"),
            'nodes is forbidden: User "u" cannot list resource "nodes" in API group "" at the cluster scope',
            {"kind": "nodes"},
        ),
        (Asked("get", path="/metrics"), 'forbidden: User "u" cannot get path "/metrics"', {}),
    ],
)
def test_a_refusal_has_the_words_of_a_real_server(what: Asked, message: str, details: dict[str, Any]) -> None:
    failure = refusal(User("u"), what)
    assert (failure.code, failure.reason, failure.message, failure.details) == (403, "Forbidden", message, details)


def test_without_access_everybody_is_the_one_user() -> None:
    gate = Gate(Store(), lambda: NOON)
    assert gate.identify({}) == ADMIN and gate.may(ANONYMOUS, Asked("delete", path="/"))[0]
    gate.admit(ANONYMOUS, Asked("delete", path="/"))


def test_a_token_is_a_user_and_another_one_is_nobody() -> None:
    gate = Gate(Store(), lambda: NOON)
    gate.access = Access(TOKENS)
    assert gate.identify(bearer("ann-token")) == ANN and gate.identify({}) == ANONYMOUS
    for headers in (bearer("wrong"), {"authorization": "Basic ann-token"}):
        with pytest.raises(Failure) as refused:
            gate.identify(headers)
        assert refused.value.code == 401


def test_without_rbac_a_token_is_needed_and_enough() -> None:
    gate = Gate(Store(), lambda: NOON)
    gate.access = Access(TOKENS, rbac=False)
    gate.admit(ANN, Asked("delete", resource="nodes"))
    with pytest.raises(Failure, match="Unauthorized"):
        gate.identify({})


def test_an_issued_token_ends() -> None:
    now = [NOON]
    gate = Gate(Store(), lambda: now[0])
    gate.access = Access({})
    gate.issue("t", ANN, 60)
    assert gate.identify(bearer("t")) == ANN
    now[0] += timedelta(seconds=60)
    with pytest.raises(Failure, match="Unauthorized"):
        gate.identify(bearer("t"))


async def test_a_user_may_what_their_roles_say_and_all_of_it_is_on_record() -> None:
    server, access = guarded()
    api, ann = ApiClient(server.caller()), ApiClient(server.caller(ANN))
    await api.create(CONFIG_MAPS, config_map("c"))
    with pytest.raises(ApiError, match='User "ann" cannot get resource "configmaps"') as refused:
        await ann.get(f"{CONFIG_MAPS}/c")
    assert refused.value.status == 403
    await allow(api, "reader", rule("get", "configmaps"))
    assert await ann.get(f"{CONFIG_MAPS}/c")
    what = Asked("get", resource="configmaps", namespace="default", name="c")
    assert [(one.asked, one.allowed) for one in access.records if one.user == "ann"] == [(what, False), (what, True)]
    assert access.records.maxlen == RECORDS


async def test_an_apply_that_creates_needs_the_right_to_create() -> None:
    server, _ = guarded()
    api, ann = ApiClient(server.caller()), ApiClient(server.caller(ANN))
    await allow(api, "patcher", rule("patch,update", "configmaps,leases", ",coordination.k8s.io"))
    config = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "c"}}
    with pytest.raises(ApiError, match='cannot create resource "configmaps"'):
        await ann.patch(f"{CONFIG_MAPS}/c", config, style="apply")
    with pytest.raises(ApiError, match='cannot create resource "leases"'):
        await ann.replace("/apis/coordination.k8s.io/v1/namespaces/default/leases/l", {})
    await api.create(CONFIG_MAPS, config_map("c"))
    assert await ann.patch(f"{CONFIG_MAPS}/c", config, style="apply")


async def test_subresources_are_rights_of_their_own() -> None:
    server, _ = guarded()
    api, ann = ApiClient(server.caller()), ApiClient(server.caller(ANN))
    await api.create(DEPLOYMENTS, deployment("web"))
    await api.create(PODS, pod("p"))
    await allow(api, "half", rule("*", "deployments,pods", "apps,"))
    for call in (
        ann.patch(f"{DEPLOYMENTS}/web/status", {"status": {}}),
        ann.patch(f"{DEPLOYMENTS}/web/scale", {"spec": {"replicas": 1}}),
        ann.create(f"{PODS}/p/eviction", {}),
        ann.get(f"{PODS}/p/log"),
    ):
        with pytest.raises(ApiError, match="is forbidden"):
            await call
    assert await ann.get(f"{PODS}/p")


async def test_what_does_not_exist_is_told_only_to_those_who_may_ask() -> None:
    server, _ = guarded()

    async def code(user: User, path: str) -> int:
        answer: Answer = await server.call(Call("GET", path), user=user)
        assert isinstance(answer.body, bytes) and answer.status == orjson.loads(answer.body)["code"]
        return answer.status

    assert await code(ANN, "/apis/apps/v1/foos") == 404  # a path of discovery, which everybody may read
    assert await code(ANN, "/metrics") == 403
    assert await code(ADMIN, "/metrics") == 404

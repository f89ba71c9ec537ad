"""What is done for one object of Git, whatever it is: written, refused with words, or waited for; never the end of the pass."""

import base64
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from itertools import pairwise
from pathlib import Path

import pytest
from reconciler_sandbox.client import Answer, Call

from reconciler.kernel.identity import ObjectRef
from reconciler.kernel.plan import PatchStyle
from reconciler.kernel.resources import CONFIGMAPS, NAMESPACES, RELEASES, ROLLOUTS, SECRETS
from reconciler.sources.problem import Mender, Reason, RecordedProblem
from tests.kit.clusters import CUSTOM_RESOURCES, NAMESPACE, config_map
from tests.kit.desk import SETTINGS, Desk, config, desk, rollout

ALLOW = replace(
    SETTINGS.allow,
    namespaces=(NAMESPACE, "fresh"),
    kinds=(
        *SETTINGS.allow.kinds,
        "Namespace",
        "Secret",
        "CustomResourceDefinition.apiextensions.k8s.io",
        "Widget.example.com",
        "Rollout.rollouts.kruise.io",
    ),
)
NEW_NAMESPACE = "apiVersion: v1\nkind: Namespace\nmetadata: {name: fresh}\n"
WIDGET = "apiVersion: example.com/v1\nkind: Widget\nmetadata: {name: w}\nspec: {size: 1}\n"
DEFINITION = """\
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: widgets.example.com}
spec:
  group: example.com
  scope: Cluster
  names: {plural: widgets, kind: Widget, singular: widget}
  versions:
    - {name: v1, served: true, storage: true, schema: {openAPIV3Schema: {type: object, x-kubernetes-preserve-unknown-fields: true}}}
"""
SECRET = "apiVersion: v1\nkind: Secret\nmetadata: {{name: s, namespace: shop}}\nstringData: {{{values}}}\n"


@pytest.fixture
async def shop(tmp_path: Path) -> AsyncIterator[Desk]:
    async with desk(tmp_path, allow=ALLOW) as found:
        yield found


async def recorded(shop: Desk) -> list[RecordedProblem]:
    return [problem for problem in (await shop.inventory()).problems if isinstance(problem, RecordedProblem)]


async def test_a_namespace_and_a_rollout_in_it_in_one_push_work(shop: Desk) -> None:
    shop.push({"b.yaml": NEW_NAMESPACE, "a.yaml": rollout().replace("namespace: shop", "namespace: fresh")})
    await shop.look()
    assert await shop.api.client.find(ROLLOUTS, "fresh", "web") is not None
    assert len(await shop.api.client.list(RELEASES, "fresh")) == 1
    assert await shop.problems() == ""


async def test_a_namespace_that_nobody_makes_is_a_problem_and_the_rest_is_applied(shop: Desk) -> None:
    shop.push({"a.yaml": rollout().replace("namespace: shop", "namespace: fresh"), "b.yaml": config("b")})
    wake_at = await shop.look()
    assert await shop.live(CONFIGMAPS, "b") is not None
    (problem,) = await recorded(shop)
    assert (problem.reason, problem.file, problem.object) == (Reason.NAMESPACE_MISSING, "a.yaml", "Rollout fresh/web")
    assert wake_at is not None and wake_at <= shop.clock.now() + timedelta(seconds=15)
    await shop.api.client.create(NAMESPACES, {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "fresh"}})
    shop.cache.put(NAMESPACES, await shop.api.client.get(NAMESPACES, "", "fresh"))
    await shop.look()
    assert await shop.problems() == "" and await shop.api.client.find(ROLLOUTS, "fresh", "web") is not None


@pytest.mark.parametrize("status", [400, 403, 404, 409, 422, 500, 503])
async def test_what_the_server_says_of_one_object_is_that_objects_problem(shop: Desk, status: int) -> None:
    async def refusing(call: Call) -> Answer | None:
        if call.method == "PATCH" and call.path.endswith("/configmaps/bad"):
            body = b'{"kind":"Status","reason":"Odd","message":"the words of the server","details":{"name":"bad"}}'
            return Answer(status, {"content-type": "application/json"}, body)
        return None

    shop.api.server.faults = refusing
    shop.push({"bad.yaml": config("bad"), "good.yaml": config("good"), "web.yaml": rollout()})
    for _ in range(3):
        wake_at = await shop.look()
        assert wake_at is not None
        shop.clock.time = wake_at
    assert await shop.live(CONFIGMAPS, "good") is not None and await shop.live(ROLLOUTS, "web") is not None
    (problem,) = await recorded(shop)
    assert (problem.file, problem.line, problem.object) == ("bad.yaml", 1, "ConfigMap shop/bad")
    assert "the words of the server" in problem.message and problem.remedy and problem.retried
    assert (await shop.events()).count("SourceProblem") == 1


async def test_what_was_refused_is_tried_again_after_longer_and_longer_pauses_and_at_once_when_git_changes(shop: Desk) -> None:
    tries: list[float] = []

    async def refusing(call: Call) -> Answer | None:
        if call.method == "PATCH" and call.path.endswith("/configmaps/bad"):
            tries.append(shop.clock.monotonic())
            return Answer(500)
        return None

    shop.api.server.faults = refusing
    shop.push({"bad.yaml": config("bad")})
    for _ in range(7):
        wake_at = await shop.look()
        await shop.look()
        assert wake_at is not None
        shop.clock.time = wake_at
    pauses = [later - earlier for earlier, later in pairwise(tries)]
    assert [round(pause) for pause in pauses] == [1, 2, 4, 8, 16, 32]
    shop.push({"bad.yaml": config("bad", "2")})
    await shop.look()
    await shop.look()
    assert len(tries) == 8
    shop.api.server.faults = lambda _: _nothing()
    shop.push({"bad.yaml": config("bad", "3")})
    await shop.look()
    assert await shop.problems() == ""


async def _nothing() -> None:
    return None


async def test_a_value_that_is_no_text_costs_only_its_object_and_pruning_goes_on(shop: Desk) -> None:
    shop.push({f"{name}.yaml": config(name) for name in "abcdefgh"})
    await shop.look()
    shop.push({"bad.yaml": config("bad").replace("'1'", "8080"), "a.yaml": None})
    await shop.look()
    (problem,) = await recorded(shop)
    assert problem.object == "ConfigMap shop/bad" and problem.message
    assert await shop.live(CONFIGMAPS, "a") is None


async def test_nothing_is_removed_beside_a_workload_that_could_not_be_written(shop: Desk) -> None:
    shop.push({**{f"{name}.yaml": config(name) for name in "abcdefgh"}, "web.yaml": rollout()})
    await shop.look()

    async def refusing(call: Call) -> Answer | None:
        return Answer(422) if call.method == "PATCH" and "/rollouts/web" in call.path else None

    shop.api.server.faults = refusing
    shop.push({"a.yaml": None, "web.yaml": rollout(spec="  minReadySeconds: 3\n")})
    await shop.look()
    assert await shop.live(CONFIGMAPS, "a") is not None
    shop.api.server.faults = lambda _: _nothing()
    shop.clock.time += timedelta(minutes=1)
    await shop.look()
    assert await shop.live(CONFIGMAPS, "a") is None


@pytest.mark.parametrize("name", ["a/b", "..", "a%2Fb"])
async def test_a_name_that_no_path_can_hold_is_that_objects_problem(shop: Desk, name: str) -> None:
    shop.push({"bad.yaml": config(name), "good.yaml": config("good")})
    await shop.look()
    (problem,) = await recorded(shop)
    assert (problem.reason, problem.mender) == (Reason.MISNAMED, Mender.AUTHOR)
    assert await shop.live(CONFIGMAPS, "good") is not None


async def test_a_kind_and_its_objects_in_one_push_are_written_and_the_server_says_its_scope(shop: Desk) -> None:
    shop.push({"a.yaml": WIDGET, "z.yaml": DEFINITION, "b.yaml": config("b")})
    for _ in range(3):
        wake_at = await shop.look()
        assert wake_at is not None
        shop.clock.time = wake_at
    assert await shop.problems() == ""
    found = await shop.api.client.list(replace(CUSTOM_RESOURCES, group="example.com", version="v1", plural="widgets", kind="Widget"))
    assert [one["metadata"]["name"] for one in found] == ["w"]
    shop.api.transport.calls.clear()
    await shop.look()
    assert shop.api.writes() == []


async def test_a_kind_that_is_not_served_is_that_objects_problem_until_it_is(shop: Desk) -> None:
    shop.push({"a.yaml": WIDGET, "b.yaml": config("b")})
    await shop.look()
    (problem,) = await recorded(shop)
    assert problem.reason is Reason.NOT_SERVED and "no Widget in example.com/v1" in problem.message
    assert await shop.live(CONFIGMAPS, "b") is not None
    shop.push({"z.yaml": DEFINITION})
    await shop.look()
    await shop.look()
    assert await shop.problems() == ""


async def test_a_namespace_of_the_source_is_that_of_objects_without_one(tmp_path: Path) -> None:
    async with desk(tmp_path, namespace=NAMESPACE) as shop:
        shop.push({"a.yaml": config("a").replace(f", namespace: {NAMESPACE}", ""), "w.yaml": rollout().replace("  namespace: shop\n", "")})
        await shop.look()
        assert await shop.problems() == ""
        assert await shop.live(CONFIGMAPS, "a") is not None and len(await shop.releases()) == 1


async def test_a_key_that_leaves_string_data_leaves_the_secret(shop: Desk) -> None:
    shop.push({"s.yaml": SECRET.format(values="a: one, b: two")})
    await shop.look()
    shop.push({"s.yaml": SECRET.format(values="a: one")})
    await shop.look()
    assert (await shop.found(SECRETS, "s"))["data"] == {"a": base64.b64encode(b"one").decode()}


async def test_finalizers_in_git_are_written(shop: Desk) -> None:
    shop.push({"a.yaml": config("a").replace("namespace: shop", "namespace: shop, finalizers: [example.com/keep]")})
    await shop.look()
    assert (await shop.found(CONFIGMAPS, "a"))["metadata"]["finalizers"] == ["example.com/keep"]


@pytest.mark.parametrize("manager", ["argocd-controller", "argocd-application-controller"])
async def test_an_object_that_argo_cds_manager_wrote_is_refused_by_name(shop: Desk, manager: str) -> None:
    labels = {"app.kubernetes.io/instance": "shop"}
    await shop.api.client.create(CONFIGMAPS, config_map("a", {"a": "theirs"}, labels=labels))
    entry = {"manager": manager, "operation": "Apply", "apiVersion": "v1", "fieldsType": "FieldsV1", "fieldsV1": {"f:data": {}}}
    body = [{"op": "add", "path": "/metadata/managedFields", "value": [entry]}]
    await shop.api.client.patch(ObjectRef(CONFIGMAPS, NAMESPACE, "a"), body, style=PatchStyle.JSON)
    shop.push({"a.yaml": config("a", "ours"), "b.yaml": config("b")})
    await shop.look()
    (problem,) = await recorded(shop)
    assert problem.reason is Reason.OTHER_DRIVER and "ConfigMap a is applied by Argo CD already" in problem.message
    assert (await shop.found(CONFIGMAPS, "a"))["data"] == {"a": "theirs"}
    taken = {"metadata": {"annotations": {"reconciler.dev/source": "shop"}}}
    await shop.api.client.patch(ObjectRef(CONFIGMAPS, NAMESPACE, "a"), taken)
    await shop.look()
    assert await shop.problems() == "" and (await shop.found(CONFIGMAPS, "a"))["data"] == {"a": "ours"}


async def test_a_rollout_of_another_group_is_no_release(shop: Desk) -> None:
    kruise = "apiVersion: rollouts.kruise.io/v1beta1\nkind: Rollout\nmetadata: {name: web, namespace: shop}\n"
    shop.push({"k.yaml": kruise + "spec: {workloadRef: {apiVersion: apps/v1, kind: Deployment, name: web}}\n", "b.yaml": config("b")})
    await shop.look()
    assert await shop.releases() == []
    assert "no Rollout in rollouts.kruise.io/v1beta1" in await shop.problems()
    assert (await shop.inventory()).workloads == {}


async def test_a_rollout_that_borrows_from_a_pod_template_is_a_release(tmp_path: Path) -> None:
    allow = replace(SETTINGS.allow, kinds=(*SETTINGS.allow.kinds, "PodTemplate"))
    text = (
        "apiVersion: argoproj.io/v1alpha1\nkind: Rollout\nmetadata: {name: web, namespace: shop}\n"
        "spec: {workloadRef: {apiVersion: v1, kind: PodTemplate, name: web}, strategy: {canary: {}}}\n---\n"
        "apiVersion: v1\nkind: PodTemplate\nmetadata: {name: web, namespace: shop}\n"
        "template: {metadata: {labels: {app: web}}, spec: {containers: [{name: web, image: 'web:1'}]}}\n"
    )
    async with desk(tmp_path, allow=allow) as shop:
        shop.push({"web.yaml": text})
        await shop.look()
        (release,) = await shop.releases()
        assert release["spec"]["images"] == {"web": "web:1"} and release["spec"]["template"]["kind"] == "PodTemplate"


async def test_while_releases_cannot_be_opened_no_template_changes_and_the_rest_flows(shop: Desk) -> None:
    async def refusing(call: Call) -> Answer | None:
        return Answer(500) if call.method == "POST" and call.path.endswith("/releases") else None

    shop.api.server.faults = refusing
    shop.push({"web.yaml": rollout(), "b.yaml": config("b")})
    wake_at = await shop.look()
    assert await shop.live(ROLLOUTS, "web") is None and await shop.live(CONFIGMAPS, "b") is not None
    assert "releases could not be opened" in await shop.problems()
    assert wake_at is not None and wake_at <= shop.clock.now() + timedelta(seconds=5)
    shop.api.server.faults = lambda _: _nothing()
    await shop.look()
    assert await shop.live(ROLLOUTS, "web") is not None and len(await shop.releases()) == 1

"""Drift from a real repository into a real API: told with field, manager and moment, healed where the source says so, and never a fight."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
from reconciler_sandbox.client import Answer, Call

from reconciler.app.settings.drift import drift_settings
from reconciler.kernel.identity import ObjectRef, Resource, annotations_of
from reconciler.kernel.plan import PatchStyle
from reconciler.kernel.resources import AUTOSCALERS, CONFIGMAPS, DEPLOYMENTS, RELEASE_POLICIES, ROLLOUTS, SERVICES
from reconciler.kernel.strict import StrictFields
from reconciler.releases.override import OVERRIDE
from reconciler.sources.drift import DriftPolicy, DriftSettings, IgnoreRule
from reconciler.sources.problem import Reason
from reconciler.sync.drift.drifting import PAUSES, QUIET
from tests.kit.clusters import NAMESPACE
from tests.kit.desk import Desk, config, desk, policy, rollout

HEAL = DriftSettings(policy=DriftPolicy.HEAL)
WEB = (
    f"apiVersion: apps/v1\nkind: Deployment\nmetadata: {{name: web, namespace: {NAMESPACE}}}\nspec:\n  replicas: 2\n"
    "  selector: {matchLabels: {app: web}}\n  template:\n    metadata: {labels: {app: web}}\n"
    "    spec: {containers: [{name: web, image: 'registry.example.com/web:1.0', args: [a]}, {name: log, image: 'log:1'}]}\n"
)


@pytest.fixture
async def shop(tmp_path: Path) -> AsyncIterator[Desk]:
    async with desk(tmp_path) as found:
        yield found


@pytest.fixture
async def healing(tmp_path: Path) -> AsyncIterator[Desk]:
    async with desk(tmp_path, drift=HEAL) as found:
        yield found


async def edit(shop: Desk, known: tuple[Resource, str], change: Any, *, strategic: bool = False, by: str = "kubectl-edit") -> None:
    """What another client changes."""
    style = PatchStyle.STRATEGIC if strategic else PatchStyle.MERGE
    await shop.api.client.patch(ObjectRef(known[0], NAMESPACE, known[1]), change, style=style, query={"fieldManager": by})


async def test_a_changed_field_is_told_once_with_who_and_since_and_is_left_as_it_is(shop: Desk) -> None:
    shop.push({"a.yaml": config("a")})
    await shop.look()
    await edit(shop, (CONFIGMAPS, "a"), {"data": {"a": "2", "theirs": "x"}})
    await shop.look()
    inventory = await shop.inventory()
    (drift,) = inventory.drifts
    (field,) = drift.fields
    assert (drift.object, field.field, field.pointer, field.manager) == (f"ConfigMap {NAMESPACE}/a", "data.a", "/data/a", "kubectl-edit")
    assert inventory.drifted == 1
    (problem,) = inventory.problems
    assert getattr(problem, "reason", "") == Reason.DRIFTED
    assert f"data.a (by kubectl-edit, since {field.since})" in str(problem) and "a.yaml:1" in str(problem)
    await edit(shop, (CONFIGMAPS, "a"), {"data": {"more": "x"}})
    shop.api.transport.calls.clear()
    await shop.look()
    assert shop.api.writes() == []
    assert (await shop.found(CONFIGMAPS, "a"))["data"]["a"] == "2"
    assert (await shop.events()).count("SourceProblem") == 1


async def test_a_look_without_drift_asks_nothing_more(shop: Desk) -> None:
    shop.push({f"{name}.yaml": config(name) for name in "abc"} | {"web.yaml": WEB})
    await shop.look()
    shop.api.transport.calls.clear()
    await shop.look()
    before = [call.path for call in shop.api.transport.calls]
    await edit(shop, (CONFIGMAPS, "a"), {"data": {"a": "2"}})
    shop.api.transport.calls.clear()
    await shop.look()
    asked = [call.path for call in shop.api.transport.calls if call.method == "GET"]
    assert asked == before


async def test_the_value_is_on_no_record(shop: Desk) -> None:
    shop.push({"a.yaml": config("a")})
    await shop.look()
    await edit(shop, (CONFIGMAPS, "a"), {"data": {"a": "hunter2"}})
    await shop.look()
    assert (await shop.inventory()).drifted == 1
    assert b"hunter2" not in msgspec.json.encode(await shop.inventory())
    assert "hunter2" not in str(await shop.posted())


async def test_drift_that_is_over_is_a_problem_no_more(shop: Desk) -> None:
    shop.push({"a.yaml": config("a")})
    await shop.look()
    await edit(shop, (CONFIGMAPS, "a"), {"data": {"a": "2"}})
    await shop.look()
    await edit(shop, (CONFIGMAPS, "a"), {"data": {"a": "1"}})
    await shop.look()
    inventory = await shop.inventory()
    assert (inventory.drifts, inventory.drifted, inventory.problems) == ((), 0, ())


async def test_drift_keeps_no_removal_waiting(shop: Desk) -> None:
    shop.push({f"{name}.yaml": config(name) for name in "abcdefgh"} | {"web.yaml": WEB})
    await shop.look()
    await edit(shop, (DEPLOYMENTS, "web"), {"spec": {"replicas": 5}})
    shop.push({"a.yaml": None})
    await shop.look()
    assert (await shop.inventory()).drifted == 1
    assert await shop.live(CONFIGMAPS, "a") is None


async def test_a_healed_object_is_written_once_and_told(healing: Desk) -> None:
    healing.push({"a.yaml": config("a"), "b.yaml": config("b")})
    await healing.look()
    await edit(healing, (CONFIGMAPS, "a"), {"data": {"a": "2", "theirs": "x"}})
    healing.api.transport.calls.clear()
    await healing.look()
    assert [write for write in healing.api.writes() if f"/namespaces/{NAMESPACE}/" in write] == [
        f"PATCH /api/v1/namespaces/{NAMESPACE}/configmaps/a"
    ]
    assert (await healing.found(CONFIGMAPS, "a"))["data"] == {"a": "1", "theirs": "x"}
    assert (await healing.inventory()).problems == ()
    assert "DriftHealed" in await healing.events()
    healing.api.transport.calls.clear()
    await healing.look()
    assert healing.api.writes() == []


async def test_a_removed_container_comes_back_and_an_injected_one_stays(healing: Desk) -> None:
    healing.push({"web.yaml": WEB})
    await healing.look()
    containers = [{"$patch": "delete", "name": "log"}, {"name": "proxy", "image": "proxy:1"}]
    change = {"spec": {"template": {"spec": {"containers": containers}}}}
    await edit(healing, (DEPLOYMENTS, "web"), change, strategic=True)
    await healing.look()
    live = await healing.found(DEPLOYMENTS, "web")
    assert sorted(one["name"] for one in live["spec"]["template"]["spec"]["containers"]) == ["log", "proxy", "web"]
    assert (await healing.inventory()).problems == ()


async def test_a_fight_ends_after_a_few_rounds_and_names_the_rule(healing: Desk) -> None:
    healing.push({"a.yaml": config("a")})
    await healing.look()
    rounds = 0
    for number in range(30):
        await edit(healing, (CONFIGMAPS, "a"), {"data": {"a": str(number + 2)}}, by="autotuner")
        healing.api.transport.calls.clear()
        await healing.look()
        rounds += f"PATCH /api/v1/namespaces/{NAMESPACE}/configmaps/a" in healing.api.writes()
        healing.clock.time += timedelta(minutes=1)
    assert rounds == len(PAUSES)
    (problem,) = (await healing.inventory()).problems
    assert getattr(problem, "reason", "") == Reason.FOUGHT_OVER
    assert "autotuner" in str(problem)
    rule = str(problem).partition("ignoreDifferences: ")[2]
    known = drift_settings(StrictFields({"drift": "heal", "ignoreDifferences": [msgspec.json.decode(rule)]}))
    healing.followed.settings = replace(healing.followed.settings, drift=known)
    await healing.look()
    assert (await healing.inventory()).problems == ()


async def test_a_fight_that_was_lost_is_not_begun_again_by_a_new_life_nor_an_hour_later(healing: Desk) -> None:
    healing.push({"a.yaml": config("a")})
    await healing.look()
    for _ in range(10):
        await edit(healing, (CONFIGMAPS, "a"), {"data": {"a": "2"}})
        await healing.look()
        healing.clock.time += timedelta(minutes=5)
    assert (await healing.found(CONFIGMAPS, "a"))["data"]["a"] == "2"
    healing.clock.time += 2 * QUIET
    await healing.look()
    assert (await healing.found(CONFIGMAPS, "a"))["data"]["a"] == "2"
    healing.push({"a.yaml": config("a", "3")})
    await healing.look()
    assert (await healing.found(CONFIGMAPS, "a"))["data"]["a"] == "3"
    await edit(healing, (CONFIGMAPS, "a"), {"data": {"a": "2"}})
    await healing.look()
    assert (await healing.found(CONFIGMAPS, "a"))["data"]["a"] == "3", "another wish begins anew"


async def test_a_healing_is_counted_before_it_is_done(healing: Desk) -> None:
    healing.push({"a.yaml": config("a")})
    await healing.look()
    await edit(healing, (CONFIGMAPS, "a"), {"data": {"a": "2"}})
    counted: list[int] = []

    async def note(call: Call) -> Answer | None:
        if call.method == "PATCH" and call.path.endswith("/configmaps/a"):
            counted.append(len((await healing.inventory()).healings))
        return None

    healing.api.server.faults = note
    await healing.look()
    assert counted == [1]


SCALER = {
    "apiVersion": "autoscaling/v2",
    "kind": "HorizontalPodAutoscaler",
    "metadata": {"name": "web", "namespace": NAMESPACE},
    "spec": {"scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"}, "maxReplicas": 9},
}


@pytest.mark.parametrize("scaled", [True, False])
async def test_replicas_come_back_unless_an_autoscaler_owns_them(healing: Desk, scaled: bool) -> None:
    healing.push({"web.yaml": WEB})
    await healing.look()
    if scaled:
        await healing.api.client.create(AUTOSCALERS, SCALER)
    await edit(healing, (DEPLOYMENTS, "web"), {"spec": {"replicas": 7}}, by="kube-controller-manager")
    await healing.look()
    assert (await healing.found(DEPLOYMENTS, "web"))["spec"]["replicas"] == (7 if scaled else 2)
    assert (await healing.inventory()).problems == ()


async def test_what_the_rollout_layer_moves_is_no_drift(healing: Desk) -> None:
    service = f"apiVersion: v1\nkind: Service\nmetadata: {{name: web, namespace: {NAMESPACE}}}\nspec:\n"
    service += "  selector: {app: web}\n  ports: [{port: 80}]\n"
    healing.push({"web.yaml": rollout(), "service.yaml": service})
    await healing.look()
    selector = {"app": "web", "rollouts-pod-template-hash": "abc"}
    await edit(healing, (SERVICES, "web"), {"spec": {"selector": selector}}, by="rollouts-controller")
    await edit(healing, (ROLLOUTS, "web"), {"spec": {"paused": True, "restartAt": "2030-01-01T00:00:00Z"}}, by="kubectl-argo-rollouts")
    healing.api.transport.calls.clear()
    await healing.look()
    assert [write for write in healing.api.writes() if f"/namespaces/{NAMESPACE}/" in write] == []
    assert (await healing.inventory()).drifted == 0


async def test_the_verbs_of_people_are_left_alone_where_git_sets_the_same_field(healing: Desk) -> None:
    healing.push({"web.yaml": rollout(spec="  paused: false\n")})
    await healing.look()
    await edit(healing, (ROLLOUTS, "web"), {"spec": {"paused": True}}, by="kubectl-argo-rollouts")
    await healing.look()
    assert (await healing.found(ROLLOUTS, "web"))["spec"]["paused"] is True
    assert (await healing.inventory()).drifted == 0


async def test_a_template_that_a_person_overrode_is_no_drift(healing: Desk) -> None:
    healing.push({"web.yaml": rollout()})
    await healing.proven()
    (identity,) = (await healing.inventory()).workloads.values()
    live = await healing.found(ROLLOUTS, "web")
    template = live["spec"]["template"]
    other = {**template, "spec": {"containers": [{"name": "web", "image": "registry.example.com/web:mine"}]}}
    change = {"metadata": {"annotations": {OVERRIDE: identity}}, "spec": {"template": other}}
    await edit(healing, (ROLLOUTS, "web"), change, by="kubectl-argo-rollouts")
    await healing.seen(await healing.found(ROLLOUTS, "web"))
    await healing.look()
    assert (await healing.found(ROLLOUTS, "web"))["spec"]["template"]["spec"]["containers"][0]["image"].endswith(":mine")
    assert (await healing.inventory()).drifted == 0


IGNORED = [
    IgnoreRule(kind="ConfigMap", pointers=(("data", "a"),)),
    IgnoreRule(kind="ConfigMap", name="a", namespace=NAMESPACE, pointers=(("data",),)),
    IgnoreRule(kind="*", group="*", managers=("auto*",)),
]


@pytest.mark.parametrize("rule", IGNORED)
async def test_an_ignored_field_is_no_drift_and_survives_other_writes(tmp_path: Path, rule: IgnoreRule) -> None:
    async with desk(tmp_path, drift=replace(HEAL, ignored=(rule,))) as shop:
        shop.push({"a.yaml": config("a"), "b.yaml": config("b")})
        await shop.look()
        await edit(shop, (CONFIGMAPS, "a"), {"data": {"a": "2"}}, by="autotuner")
        await shop.look()
        assert (await shop.inventory()).drifted == 0
        assert (await shop.found(CONFIGMAPS, "a"))["data"]["a"] == "2"
        shop.push({"a.yaml": config("a") + "  more: '1'\n"})
        await shop.look()
        more = {} if rule.pointers == (("data",),) else {"more": "1"}
        assert (await shop.found(CONFIGMAPS, "a"))["data"] == {"a": "2", **more}, "what is below a pointer is left to others, new or not"
        assert (await shop.inventory()).drifted == 0


@pytest.mark.parametrize(
    "rule", [IgnoreRule(kind="Secret", pointers=(("data", "a"),)), IgnoreRule(kind="ConfigMap", group="apps", pointers=(("data", "a"),))]
)
async def test_a_rule_about_something_else_ignores_nothing(tmp_path: Path, rule: IgnoreRule) -> None:
    async with desk(tmp_path, drift=replace(HEAL, ignored=(rule, IgnoreRule(kind="*", managers=("others",))))) as shop:
        shop.push({"a.yaml": config("a")})
        await shop.look()
        await edit(shop, (CONFIGMAPS, "a"), {"data": {"a": "2"}})
        await shop.look()
        assert (await shop.found(CONFIGMAPS, "a"))["data"]["a"] == "1"


async def test_an_object_may_say_itself_what_it_leaves_to_others(healing: Desk) -> None:
    words = "/spec/template/spec/containers/web/image, manager=autotuner, nonsense"
    marked = WEB.replace("metadata: {name", f"metadata: {{annotations: {{reconciler.dev/ignore-differences: '{words}'}}, name", 1)
    healing.push({"web.yaml": marked})
    await healing.look()
    change = {"spec": {"template": {"spec": {"containers": [{"name": "web", "image": "x:2"}, {"name": "log", "image": "x:2"}]}}}}
    await edit(healing, (DEPLOYMENTS, "web"), change, strategic=True)
    await edit(healing, (DEPLOYMENTS, "web"), {"spec": {"replicas": 9}}, by="autotuner")
    await healing.look()
    live = await healing.found(DEPLOYMENTS, "web")
    assert [one["image"] for one in live["spec"]["template"]["spec"]["containers"]] == ["x:2", "log:1"]
    assert live["spec"]["replicas"] == 9
    assert "'nonsense' is no JSON pointer" in " ".join((await healing.inventory()).notes)


async def test_what_is_suspended_is_neither_told_nor_healed(healing: Desk) -> None:
    healing.push({"a.yaml": config("a")})
    await healing.look()
    await edit(healing, (CONFIGMAPS, "a"), {"metadata": {"annotations": {"reconciler.dev/suspend": "true"}}, "data": {"a": "2"}})
    await healing.look()
    assert (await healing.found(CONFIGMAPS, "a"))["data"]["a"] == "2"
    assert annotations_of(await healing.found(CONFIGMAPS, "a"))["reconciler.dev/suspend"] == "true"


async def test_a_fight_about_what_stands_first_ends_too(healing: Desk) -> None:
    """Policies, Namespaces and kinds are written before everything else, and brought back no more often than that."""
    healing.push({"policy.yaml": policy("p", "{onAbort: none}")})
    await healing.look()
    rounds = 0
    for _ in range(12):
        await edit(healing, (RELEASE_POLICIES, "p"), {"spec": {"onAbort": "restore"}}, by="autotuner")
        healing.api.transport.calls.clear()
        await healing.look()
        rounds += sum("/releasepolicies/p" in write for write in healing.api.writes())
        healing.clock.time += timedelta(minutes=2)
    assert rounds == len(PAUSES)
    assert "brought back 3 times" in await healing.problems()


async def test_a_heal_that_is_refused_is_a_problem_and_counts_no_further(healing: Desk) -> None:
    healing.push({"a.yaml": config("a")})
    await healing.look()
    await edit(healing, (CONFIGMAPS, "a"), {"data": {"a": "2"}})

    async def refuse(call: Call) -> Answer | None:
        wrong = call.method == "PATCH" and call.path.endswith("/configmaps/a")
        body = b'{"kind":"Status","status":"Failure","code":422,"reason":"Invalid","message":"a webhook says no"}'
        return Answer(422, {"content-type": "application/json"}, body) if wrong else None

    healing.api.server.faults = refuse
    for _ in range(5):
        await healing.look()
    assert "a webhook says no" in await healing.problems()
    assert [len(one.moments) for one in (await healing.inventory()).healings] == [1]

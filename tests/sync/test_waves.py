"""Sync waves: a wave waits until the one before it has arrived, and people are told what it waits for."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from reconciler_sandbox.apiserver.server import no_faults
from reconciler_sandbox.client import Answer, Call

from reconciler.kernel.identity import Manifest, ObjectRef
from reconciler.kernel.resources import CONFIGMAPS, DEPLOYMENTS
from reconciler.sources.inventory import Inventory, WaveWait
from reconciler.sources.problem import Reason
from reconciler.sync.adoption import ADOPTED
from reconciler.sync.facts import GateFacts, SourceFacts
from reconciler.sync.plan import SourcePlan, foundations, plan
from reconciler.sync.waves import SELDOM
from reconciler.sync.wish import LOOK_AGAIN
from tests.kit.clusters import NAMESPACE
from tests.kit.desk import SETTINGS, Desk, config, desk, life, rollout
from tests.kit.sourcefacts import applied, entry_of, source_facts

NOW = datetime(2030, 1, 1, tzinfo=UTC)
WAVE = "argocd.argoproj.io/sync-wave"


def in_wave(text: str, wave: str) -> str:
    """The manifest with a sync wave."""
    if "metadata: {" in text:
        return text.replace("metadata: {", f"metadata: {{annotations: {{{WAVE}: '{wave}'}}, ", 1)
    return text.replace("metadata:\n", f"metadata:\n  annotations: {{{WAVE}: '{wave}'}}\n", 1)


def deployment(name: str, wave: str = "0", image: str = "registry.example.com/web:1") -> str:
    return in_wave(
        f"apiVersion: apps/v1\nkind: Deployment\nmetadata: {{name: {name}, namespace: {NAMESPACE}}}\nspec:\n  replicas: 1\n"
        f"  selector: {{matchLabels: {{app: {name}}}}}\n  template:\n    metadata: {{labels: {{app: {name}}}}}\n"
        f"    spec: {{containers: [{{name: web, image: '{image}'}}]}}\n",
        wave,
    )


def written(thought: SourcePlan) -> list[list[str]]:
    return [[write.place[3] for write in wave] for wave in thought.waves]


def carried(found: SourceFacts, thought: SourcePlan, **status: Any) -> SourceFacts:
    """What is true once everything was written, with this status on all of it."""
    live = dict(found.live)
    for write in (write for wave in thought.waves for write in wave):
        assert isinstance(write.patch.body, dict)
        body: Manifest = write.patch.body
        live[write.place] = {**body, "metadata": {**body["metadata"], "uid": write.place[3], "resourceVersion": "1"}, "status": status}
    return replace(found, live=live, inventory=replace(found.inventory, wave=thought.wave))


READY = {"observedGeneration": 1, "replicas": 1, "updatedReplicas": 1, "availableReplicas": 1}


def test_kinds_that_need_no_second_look_follow_each_other_in_one_pass_in_the_order_of_their_waves() -> None:
    files = {"a": in_wave(config("late"), "2"), "b": config("middle"), "c": in_wave(config("first"), "-1")}
    thought = plan(source_facts(files), NOW)
    assert written(thought) == [["first"], ["middle"], ["late"]]
    assert (thought.wave, thought.held) == (None, ())


def test_a_wave_waits_until_what_was_written_before_it_is_healthy() -> None:
    facts = source_facts({"a": deployment("db", "-1"), "b": config("web"), "c": in_wave(config("late"), "3")})
    first = plan(facts, NOW)
    assert written(first) == [["db"]]
    assert first.steps[1] == "create ConfigMap shop/web (later, in sync wave 0)"
    assert first.wake_at == NOW + LOOK_AGAIN
    assert first.wave is not None and str(first.wave) == "sync wave -1 waits for Deployment shop/db; 2 objects wait behind it"
    waiting = carried(facts, first)
    assert written(plan(waiting, NOW)) == []
    assert written(plan(carried(facts, first, **READY), NOW)) == [["web"], ["late"]]


def test_within_a_wave_the_order_of_kinds_holds() -> None:
    thought = plan(source_facts({"a": rollout(), "b": in_wave(config("c"), "0"), "c": in_wave(config("z"), "-5")}), NOW)
    assert written(thought) == [["z"], ["c"], ["web"]]


def test_where_nothing_is_due_behind_it_an_unhealthy_wave_is_no_matter() -> None:
    facts = source_facts({"a": deployment("db", "-1"), "b": config("web")})
    whole = carried(facts, plan(facts, NOW), **READY)
    whole = carried(whole, plan(whole, NOW), **READY)
    place = ("apps/v1", "Deployment", NAMESPACE, "db")
    ill = replace(whole, live={**whole.live, place: {**whole.live[place], "status": {}}})
    thought = plan(ill, NOW)
    assert (written(thought), thought.wave, thought.problems, thought.wake_at) == ([], None, (), None)


def test_beyond_the_deadline_it_is_told_what_is_waited_for_and_the_words_stay() -> None:
    facts = source_facts({"a": deployment("db"), "b": in_wave(config("web"), "1")})
    facts = carried(facts, plan(facts, NOW), **{**READY, "availableReplicas": 0})
    deadline = facts.settings.wave_deadline
    before = plan(facts, NOW + deadline - timedelta(seconds=1))
    assert before.problems == ()
    assert before.wake_at == NOW + deadline - timedelta(seconds=1) + SELDOM
    late = plan(facts, NOW + deadline)
    [problem] = late.problems
    assert (problem.reason, problem.retried) == (Reason.WAVE_WAITS, True)
    assert problem.message.startswith("sync wave 0 waits for Deployment shop/db (0 of 1 pods are available); 1 objects wait")
    told = replace(facts, inventory=replace(facts.inventory, wave=late.wave))
    place = ("apps/v1", "Deployment", NAMESPACE, "db")
    told = replace(told, live={**told.live, place: {**told.live[place], "status": {}}})
    again = plan(told, NOW + deadline + timedelta(minutes=1))
    assert again.problems == late.problems and again.wave == late.wave, "the same wait is told once, in the same words"


def test_the_deadline_begins_anew_with_the_next_wave() -> None:
    old = Inventory(wave=WaveWait(wave=-4, since=NOW - timedelta(days=1), behind=1, told=True))
    facts = source_facts({"a": deployment("db"), "b": in_wave(config("web"), "1")}, inventory=old)
    thought = plan(facts, NOW)
    assert thought.wave is not None and (thought.wave.since, thought.problems) == (NOW, ())


def test_a_release_may_take_hours_before_its_wave_has_arrived() -> None:
    facts = source_facts({"a": rollout(), "b": in_wave(config("web"), "1")})
    facts = carried(facts, plan(facts, NOW), phase="Paused", observedGeneration="1")
    thought = plan(facts, NOW + timedelta(hours=5))
    assert thought.wave is not None and (written(thought), thought.problems) == ([], ())
    lost = replace(facts, live={place: {**one, "status": {"phase": "Degraded"}} for place, one in facts.live.items()})
    assert [problem.reason for problem in plan(lost, NOW + timedelta(hours=5)).problems] == [Reason.WAVE_WAITS]


def test_what_the_source_may_not_write_is_not_waited_for() -> None:
    foreign = config("other", namespace="kube-system")
    facts = source_facts({"a": in_wave(foreign, "-1"), "b": config("web")})
    assert written(plan(facts, NOW)) == [["web"]]


def test_a_kind_that_is_not_served_yet_holds_the_waves_behind_it() -> None:
    widget = f"apiVersion: example.com/v1\nkind: Widget\nmetadata: {{name: w, namespace: {NAMESPACE}}}\n"
    allow = replace(SETTINGS.allow, kinds=(*SETTINGS.allow.kinds, "Widget.example.com"))
    facts = source_facts({"a": in_wave(widget, "-1"), "b": config("web")}, settings=replace(SETTINGS, allow=allow))
    thought = plan(facts, NOW)
    assert written(thought) == [] and [write.place[3] for write in thought.held] == ["web"]


def test_nothing_is_removed_while_a_wave_waits() -> None:
    old = tuple(applied(f"old{number}") for number in range(2))
    facts = source_facts({"a": deployment("db", "-1"), "b": config("web")}, old, tuple(map(entry_of, old)))
    assert plan(facts, NOW).prunes == ()
    alone = source_facts({"a": deployment("db", "-1")}, old, tuple(map(entry_of, old)))
    assert len(plan(alone, NOW).prunes) == 2


def test_what_another_tool_applies_is_not_waited_for_however_it_fares() -> None:
    theirs = applied("db", **{"argocd.argoproj.io/tracking-id": "app:db"})
    theirs |= {"apiVersion": "apps/v1", "kind": "Deployment", "spec": {"replicas": 1}, "status": {}}
    assert written(plan(source_facts({"a": deployment("db", "-1"), "b": config("web")}, (theirs,)), NOW)) == [["web"]]


def adopted(annotation: str, **status: Any) -> Manifest:
    """The Rollout of an adopted Deployment, as it lives."""
    marks = {"reconciler.dev/source": "shop", "reconciler.dev/desired": annotation}
    metadata = {
        "name": "web",
        "namespace": NAMESPACE,
        "uid": "r",
        "resourceVersion": "1",
        "labels": {ADOPTED: "true"},
        "annotations": marks,
    }
    return {"apiVersion": "argoproj.io/v1alpha1", "kind": "Rollout", "metadata": metadata, "spec": {"replicas": 1}, "status": status}


def test_an_adopted_deployment_has_arrived_once_its_rollout_has() -> None:
    facts = source_facts({"a": deployment("web", "-1"), "b": config("late")}, adopting={(NAMESPACE, "web"): {"strategy": {"canary": {}}}})
    first = plan(facts, NOW)
    assert [[write.place[1] for write in wave] for wave in first.waves] == [["Deployment"], ["Rollout"]]
    facts = carried(facts, first, **READY)
    marked = next(write for wave in first.waves for write in wave if write.place[1] == "Rollout").digest
    for status, arrived in (({"phase": "Progressing"}, False), ({"phase": "Healthy", "stableRS": "a"}, True)):
        known = replace(facts, rollouts={(NAMESPACE, "web"): adopted(marked, **status)})
        place = ("apps/v1", "Deployment", NAMESPACE, "web")
        scaled = {**known.live[place], "spec": {**known.live[place]["spec"], "replicas": 0}, "status": {"observedGeneration": 1}}
        assert written(plan(replace(known, live={**known.live, place: scaled}), NOW)) == ([["late"]] if arrived else [])


def test_nothing_is_handed_back_and_no_override_ends_while_its_wave_waits() -> None:
    left = adopted("x", phase="Healthy", currentPodHash="a", stableRS="a")
    left["metadata"]["name"] = "left"
    chosen = {"metadata": {"name": "web", "namespace": NAMESPACE, "annotations": {"reconciler.dev/override": "earlier"}}, "status": {}}
    files = {"b": in_wave(rollout(), "1")}
    gates = {("Rollout", NAMESPACE, "web"): GateFacts("asked", {"web": "web:2"}, rollout=chosen)}
    known: dict[str, Any] = {"gates": gates, "rollouts": {(NAMESPACE, "left"): left}}
    free, held = (plan(source_facts(found, **known), NOW) for found in (files, {**files, "a": deployment("db")}))
    assert (len(free.hand_backs), len(free.override_ends)) == (1, 1)
    assert (len(held.hand_backs), len(held.override_ends)) == (0, 0)


def test_what_everything_stands_on_comes_first_whatever_its_wave() -> None:
    namespace = in_wave("apiVersion: v1\nkind: Namespace\nmetadata: {name: new}\n", "9")
    allow = replace(SETTINGS.allow, kinds=(*SETTINGS.allow.kinds, "Namespace"))
    facts = source_facts({"a": namespace, "b": deployment("db")}, settings=replace(SETTINGS, allow=allow))
    assert [(write.place[3], write.wave) for write in foundations(facts, NOW)] == [("new", 0)]


def test_a_wave_beyond_all_measure_is_said_and_stops_nothing() -> None:
    thought = plan(source_facts({"a": in_wave(config("a"), "9" * 5000), "b": in_wave(config("b"), "+1")}), NOW)
    assert written(thought) == [["a"], ["b"]]
    assert len(thought.notes) == 1 and "is no whole number: it is taken for 0" in thought.notes[0]


@pytest.fixture
async def shop(tmp_path: Path) -> AsyncIterator[Desk]:
    async with desk(tmp_path) as found:
        yield found


async def becomes_ready(shop: Desk, name: str) -> None:
    live = await shop.found(DEPLOYMENTS, name)
    status = {**READY, "observedGeneration": live["metadata"]["generation"]}
    await shop.api.client.patch(ObjectRef(DEPLOYMENTS, NAMESPACE, name), {"status": status}, subresource="status")


async def test_waves_arrive_one_after_the_other_and_a_new_life_goes_on_where_the_old_one_ended(shop: Desk, tmp_path: Path) -> None:
    shop.push({"a.yaml": deployment("db", "-1"), "b.yaml": deployment("web"), "c.yaml": in_wave(config("late"), "1")})
    await shop.look()
    assert await shop.live(DEPLOYMENTS, "db") is not None and await shop.live(DEPLOYMENTS, "web") is None
    before = (await shop.inventory()).wave
    shop.api.transport.calls.clear()
    await shop.look()
    assert shop.api.writes() == [], "waiting writes nothing"
    await becomes_ready(shop, "db")
    async with life(shop.api, shop.origin, tmp_path) as second:
        await second.look()
        assert await second.live(DEPLOYMENTS, "web") is not None and await second.live(CONFIGMAPS, "late") is None
        after = (await second.inventory()).wave
        assert before is not None and after is not None and (before.wave, after.wave) == (-1, 0)
        await becomes_ready(second, "web")
        await second.look()
        assert await second.live(CONFIGMAPS, "late") is not None
        assert (await second.inventory()).wave is None


async def test_a_wave_that_cannot_be_written_holds_the_next_and_costs_nothing_of_its_own(shop: Desk) -> None:
    async def refusing(call: Call) -> Answer | None:
        body = {"kind": "Status", "status": "Failure", "message": "no", "reason": "Invalid", "code": 422}
        return Answer(422, body) if call.method == "PATCH" and call.path.endswith("/bad") else None

    shop.push({"old.yaml": config("old")})
    await shop.look()
    shop.api.server.faults = refusing
    shop.push({"old.yaml": None, "a.yaml": config("bad"), "b.yaml": config("good"), "c.yaml": in_wave(config("late"), "1")})
    for _ in range(2):
        await shop.look()
        assert await shop.live(CONFIGMAPS, "good") is not None and await shop.live(CONFIGMAPS, "late") is None
        assert await shop.live(CONFIGMAPS, "old") is not None
    assert (await shop.inventory()).wave is not None
    shop.api.server.faults = no_faults
    shop.clock.time += timedelta(minutes=1)
    await shop.look()
    assert await shop.live(CONFIGMAPS, "late") is not None


async def test_a_suspended_object_is_not_waited_for(shop: Desk) -> None:
    shop.push({"a.yaml": deployment("db", "-1")})
    await shop.look()
    mark = {"metadata": {"annotations": {"reconciler.dev/suspend": "true"}}}
    await shop.api.client.patch(ObjectRef(DEPLOYMENTS, NAMESPACE, "db"), mark)
    shop.push({"b.yaml": config("web")})
    await shop.look()
    assert await shop.live(CONFIGMAPS, "web") is not None

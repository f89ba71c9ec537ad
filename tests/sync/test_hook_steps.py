"""The objects of hooks as a function of facts: how they are made, how they end, and when they go."""

from dataclasses import replace
from typing import Any

import pytest

from reconciler.kernel.plan import Remove
from reconciler.sources.problem import Objection, Reason
from reconciler.sources.syncrun import HookState
from reconciler.sync.facts import place_of
from reconciler.sync.hooks import FINALIZER, MARK
from reconciler.sync.plan import plan
from tests.kit.clusters import NAMESPACE
from tests.kit.desk import SETTINGS, config, rollout
from tests.kit.hooked import DONE, HOOK, LOST, NOW, World, job
from tests.kit.sourcefacts import SHOP


@pytest.mark.parametrize("when", ["running", "ended"])
def test_the_record_counts_when_a_person_or_the_ttl_deletes_the_object(when: str) -> None:
    world = World({"a": config("a"), "b": job("first")})
    world.step()
    world.step()
    if when == "ended":
        world.ends("first")
    world.deleted("first")
    for _ in range(4):
        world.step()
    assert world.made == ["first"]
    assert world.states() == (["succeeded"] if when == "ended" else ["failed"])
    assert ("a" in world.names) == (when == "ended") and "first" not in world.names


def test_an_object_that_was_torn_away_while_it_ran_has_failed_by_the_record() -> None:
    world = World({"a": config("a"), "b": job("first")})
    world.step()
    world.step()
    world.live.clear()
    world.step()
    assert (world.made, world.states(), world.run.hooks[0].why) == (["first"], ["failed"], "it was removed while it ran")


@pytest.mark.parametrize(
    ("policy", "status", "left"),
    [
        ("HookSucceeded", DONE, set()),
        ("HookSucceeded", LOST, {"first"}),
        ("HookFailed", LOST, set()),
        ("HookFailed", DONE, {"first"}),
        ("BeforeHookCreation", DONE, {"first"}),
    ],
)
def test_the_object_goes_as_its_policy_says_once_the_run_is_over(policy: str, status: Any, left: set[str]) -> None:
    world = World({"b": job("first", **{f"{HOOK}-delete-policy": policy})})
    world.step()
    world.ends("first", status)
    for _ in range(3):
        world.step()
    assert world.names == left


def test_what_hooks_need_stays_until_the_run_is_over() -> None:
    account = job("account", kind="v1, ConfigMap", **{"helm.sh/hook-weight": "-1", f"{HOOK}-delete-policy": "HookSucceeded"})
    world = World({"a": account, "b": job("first")})
    for _ in range(4):
        world.step()
    assert world.names == {"account", "first"}
    world.ends("first")
    for _ in range(3):
        world.step()
    assert world.names == {"first"}


def test_an_earlier_object_of_the_same_name_goes_before_the_hook_is_made() -> None:
    world = World({"b": job("first")})
    world.step()
    world.ends("first")
    world.step()
    world.step()
    world.push({"b": job("first", note="2")}, "c2")
    thought = world.step()
    assert [str(step) for step in thought.hooks] == ["clear the way of hook Job shop/first (PreSync)"]
    assert isinstance(thought.hooks[0].actions[0], Remove) and thought.hooks[0].actions[0].propagation == "Foreground"
    world.step()
    assert world.made == ["first", "first"]


def test_where_its_policy_keeps_an_earlier_object_the_hook_waits_and_says_so() -> None:
    policy = {f"{HOOK}-delete-policy": "HookSucceeded"}
    world = World({"b": job("first", **policy), "a": config("a")})
    world.step()
    world.ends("first", LOST)
    world.step()
    world.step()
    world.push({"b": job("first", note="2", **policy), "a": config("a")}, "c2")
    thought = world.step()
    assert [one.reason for one in thought.problems] == [Reason.IN_THE_WAY] and "a" not in world.names
    world.live.pop(("batch/v1", "Job", NAMESPACE, "first"))
    world.step()
    assert world.made == ["first", "first"]


def test_a_hook_of_two_phases_is_made_once_in_each() -> None:
    world = World({"b": job("twice", "PreSync,PostSync", **{f"{HOOK}-delete-policy": "HookSucceeded"}), "a": config("a")})
    for _ in range(8):
        world.step()
        if "twice" in world.names:
            world.ends("twice")
    assert world.made == ["twice", "twice"] and world.names == {"a"}


def test_what_is_not_of_this_source_is_never_removed_for_a_hook() -> None:
    world = World({"b": job("first")})
    theirs = {"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "first", "namespace": NAMESPACE, "uid": "u"}}
    world.live[place_of(theirs)] = theirs
    for owner, reason in (({}, Reason.IN_THE_WAY), ({"reconciler.dev/source": "other"}, Reason.OTHER_SOURCE)):
        theirs["metadata"]["annotations"] = owner
        thought = world.step()
        assert ([one.reason for one in thought.problems], thought.hooks) == ([reason], ())
    theirs["metadata"]["annotations"] = {"reconciler.dev/source": "shop"}
    assert len(world.step().hooks) == 1


def test_a_new_commit_takes_over_what_still_runs_and_nothing_of_it_starts_before_that_is_gone() -> None:
    world = World({"a": config("a"), "b": job("slow"), "c": job("never", **{"argocd.argoproj.io/sync-wave": "1"})})
    world.step()
    world.push({"a": config("a"), "d": job("fresh")}, "c2")
    thought = world.step()
    assert [str(step) for step in thought.hooks] == ["take Job shop/slow of a former run away"]
    assert world.made == ["slow"]
    world.step()
    assert world.made == ["slow", "fresh"] and world.names == {"fresh"}
    world.ends("fresh")
    world.step()
    assert world.run.leftovers == () and world.names == {"fresh", "a"}


def test_what_ended_under_a_former_run_is_only_let_go() -> None:
    world = World({"a": config("a"), "b": job("old"), "c": job("slow", "PostSync")})
    world.step()
    world.ends("old")
    world.step()
    assert world.states()[0] == "succeeded" and FINALIZER in world.live["batch/v1", "Job", NAMESPACE, "old"]["metadata"]["finalizers"]
    world.push({"a": config("a", "2")}, "c2")
    for _ in range(3):
        world.step()
    assert world.names == {"old", "a"} and world.inventory.run is None
    assert not world.live["batch/v1", "Job", NAMESPACE, "old"]["metadata"]["finalizers"]


def test_a_generated_name_is_the_same_at_every_look_and_another_one_in_every_run() -> None:
    files = {"a": job("run-", key="generateName"), "b": job("run-", key="generateName"), "c": job("x" * 60, key="generateName")}
    world = World(files)
    names = [record.place[3] for record in world.facts().inventory.run.hooks]  # type: ignore[union-attr]
    assert len(set(names)) == 3 and all(len(name) <= 63 for name in names)
    world.step()
    assert sorted(world.made) == sorted(names) and all(name.startswith(("run-presync-", "xxx")) for name in names)
    for name in names:
        world.ends(name)
    world.step()
    world.push({**files, "d": config("a")}, "c2")
    for _ in range(2):
        world.step()
    assert len(set(world.made)) == 6


def test_a_hook_that_may_not_be_made_stops_what_is_behind_it_and_says_what_to_allow() -> None:
    world = World({"a": config("a"), "b": job("first")}, allow=SETTINGS.allow)
    thought = world.step()
    assert [one.reason for one in thought.problems] == [Reason.NOT_ALLOWED] and world.names == set()
    assert "kind Job.batch is not in this source's allow.kinds" in thought.problems[0].message


def test_a_rollout_is_never_a_hook() -> None:
    text = rollout().replace("  name: web\n", f"  name: web\n  annotations: {{{HOOK}: PreSync}}\n", 1)
    thought = World({"a": text}).step()
    assert [one.reason for one in thought.problems] == [Reason.NOT_ALLOWED] and thought.hooks == ()


def test_skipped_objects_are_neither_written_nor_removed_and_an_object_that_became_a_hook_leaves_the_inventory() -> None:
    world = World({"a": config("a"), "b": config("b"), "c": config("c")})
    world.step()
    world.step()
    phases = (("a", "Skip"), ("b", "PreSync"))
    skipped, hooked = (config(name, "2").replace("{name", f"{{annotations: {{{HOOK}: {phase}}}, name") for name, phase in phases)
    world.push({"a": skipped, "b": hooked, "c": config("c")}, "c2")
    thought = world.step()
    assert thought.prunes == () and world.live["v1", "ConfigMap", NAMESPACE, "a"]["data"] == {"a": "1"}
    for _ in range(3):
        world.step()
    assert world.live["v1", "ConfigMap", NAMESPACE, "b"]["data"] == {"a": "2"}
    assert [entry.place[3] for entry in world.inventory.entries] == ["a", "c"]
    world.push({"a": skipped, "c": config("c")}, "c3")
    assert world.step().prunes == () and "b" in world.names, "what a hook made is none of the source's objects"


def test_a_pod_that_cannot_start_yet_has_not_failed_and_one_that_ended_badly_has() -> None:
    world = World({"b": job("pod", kind="v1, Pod")})
    world.step()
    world.ends("pod", {"containerStatuses": [{"state": {"waiting": {"reason": "ImagePullBackOff"}}}]})
    world.step()
    assert world.states() == ["running"]
    world.ends("pod", {"phase": "Failed"})
    world.step()
    assert world.states() == ["failed"]


def test_what_cannot_be_read_has_not_ended() -> None:
    world = World({"b": job("first")})
    world.step()
    world.step()
    unread = {("batch/v1", "Job", NAMESPACE): Objection(Reason.UNREADABLE, "no answer", "")}
    thought = plan(replace(world.facts(), live={}, unread=unread), NOW)
    assert thought.run is not None and thought.run.hooks[0].state is HookState.RUNNING
    fresh = World({"b": job("first")}).facts()
    assert plan(replace(fresh, unread=unread), NOW).hooks == ()


def test_what_two_documents_claim_and_what_has_no_namespace_is_not_started() -> None:
    world = World({"a": job("first"), "b": job("first", note="2")})
    assert [one.reason for one in world.step().problems] == [Reason.UNUSABLE_FILE, Reason.HOOK_WAITS] and world.made == []
    facts = World({"a": job("first")}).facts()
    thought = plan(replace(facts, namespaces={}), NOW)
    assert ([one.reason for one in thought.problems], thought.hooks) == ([Reason.NAMESPACE_MISSING], ())


def test_the_marks_of_a_hook_say_whose_and_which_it_is() -> None:
    world = World({"b": job("first")})
    world.step()
    made = world.live["batch/v1", "Job", NAMESPACE, "first"]["metadata"]
    assert made["annotations"]["reconciler.dev/source"] == "shop"
    assert made["annotations"][MARK].startswith(f"{world.run.id}/PreSync/")
    assert made["finalizers"] == [FINALIZER]
    assert world.run.hooks[0].state is HookState.WAITING
    suspended = {**SHOP, "metadata": {**SHOP["metadata"], "annotations": {"reconciler.dev/suspend": "true"}}}
    fresh = World({"b": job("first")})
    assert plan(replace(fresh.facts(), namespaces={NAMESPACE: suspended}), NOW).hooks == ()


def test_a_hook_without_the_shape_of_an_object_costs_only_itself_and_what_waits_for_it() -> None:
    odd = job("odd", "PostSync").replace("  annotations:\n", "  finalizers: 5\n  annotations:\n")
    secret = job("secret", "PostSync", kind="v1, Secret").replace("spec: {}", "stringData: {a: b}\ndata: [x]")
    world = World({"a": config("a"), "b": odd, "c": secret, "d": job("good", "PostSync")})
    for _ in range(2):
        thought = world.step()
    assert [one.reason for one in thought.problems] == [Reason.MISSHAPEN] * 2
    assert world.names == {"a", "good"}


def test_a_hook_of_a_former_run_that_cannot_be_looked_at_is_said_to_be_in_the_way() -> None:
    world = World({"b": job("slow")})
    world.step()
    world.push({"c": job("pod", kind="v1, Pod")}, "c2")
    unread = {("batch/v1", "Job", NAMESPACE): Objection(Reason.UNREADABLE, "forbidden", "give the right")}
    gone = {kind: resource for kind, resource in world.facts().resources.items() if kind[1] != "Job"}
    for known, reason in (({"unread": unread}, Reason.UNREADABLE), ({"resources": gone}, Reason.NOT_SERVED)):
        thought = plan(replace(world.facts(), live={}, **known), NOW)
        assert ([one.reason for one in thought.problems], thought.hooks) == ([reason], ())
        assert thought.problems[0].message.startswith("Job shop/slow, a hook of a former run, cannot be looked at")
    assert plan(world.facts(), NOW).problems == ()

"""Hooks as a function of facts: what is started, and what waits for it."""

from datetime import timedelta

from reconciler.sources.hooks import HookPhase
from reconciler.sources.problem import Reason
from reconciler.sync.hooks import FINALIZER
from reconciler.sync.plan import plan
from tests.kit.clusters import NAMESPACE
from tests.kit.desk import config, rollout
from tests.kit.hooked import LOST, NOW, World, job


def test_what_syncs_waits_for_the_hooks_before_it_and_those_after_it_wait_for_all_of_it() -> None:
    world = World({"a": config("a"), "b": job("first"), "c": job("last", "PostSync"), "d": job("beside", "Sync")})
    thought = world.step()
    assert world.names == {"first"} and [write.place[3] for write in thought.held] == ["a"]
    assert thought.wave is not None and str(thought.wave).startswith("wave 0 of PreSync waits for hook Job shop/first; 3 objects")
    world.step()
    assert world.names == {"first"}
    world.ends("first")
    world.step()
    assert world.names == {"first", "a", "beside"}
    world.step()
    world.ends("beside")
    world.step()
    assert world.names == {"first", "a", "beside", "last"}
    world.ends("last")
    world.step()
    assert world.states() == ["succeeded"] * 3
    for _ in range(3):
        world.step()
    assert world.made == ["first", "beside", "last"]
    assert all(FINALIZER not in (one["metadata"].get("finalizers") or ()) for one in world.live.values())
    thought = world.step()
    assert (thought.hooks, thought.waves, thought.wake_at, thought.problems) == ((), (), None, ())


def test_hooks_of_one_phase_follow_each_other_in_waves_and_helms_weights_are_waves() -> None:
    files = {
        "a": job("second"),
        "b": job("first", **{"helm.sh/hook-weight": "-5"}),
        "c": job("third", **{"argocd.argoproj.io/sync-wave": "2"}),
    }
    world = World(files)
    for name in ("first", "second", "third"):
        world.step()
        assert world.made[-1] == name
        world.ends(name)
    world.step()
    assert world.states() == ["succeeded"] * 3


def test_a_hook_in_a_wave_of_the_sync_holds_the_waves_behind_it() -> None:
    late = config("late").replace("{name", "{annotations: {argocd.argoproj.io/sync-wave: '1'}, name")
    world = World({"a": job("beside", "Sync"), "b": config("now"), "c": late})
    world.step()
    assert world.names == {"beside", "now"}
    world.ends("beside")
    world.step()
    assert "late" in world.names


def test_the_same_content_runs_once_whatever_is_pushed_beside_it_and_however_files_are_named() -> None:
    files = {"a": config("a"), "b": job("first")}
    world = World(files)
    world.step()
    world.push({"z": job("first"), "y": config("a")}, "c2")
    world.step()
    world.ends("first")
    world.step()
    world.push(files, "c3")
    world.step()
    world.step()
    assert (world.made, world.states()) == (["first"], ["succeeded"])


def test_other_content_runs_again_and_so_does_what_comes_back() -> None:
    world = World({"a": config("a"), "b": job("first")})
    for number, value in enumerate(("1", "2", "1"), start=1):
        world.push({"a": config("a", value), "b": job("first")}, f"c{value}")
        for _ in range(4):
            world.step()
            if len(world.made) == number:
                world.ends("first")
        assert len(world.made) == number and world.run.number == number
        assert world.states() == ["succeeded"]


def test_a_hook_that_fails_stops_the_sync_and_runs_those_for_that_case_once() -> None:
    world = World({"a": config("a"), "b": job("first"), "c": job("sorry", "SyncFail"), "d": job("last", "PostSync")})
    world.step()
    world.ends("first", LOST)
    world.step()
    assert world.made == ["first", "sorry"]
    world.ends("sorry")
    thought = world.step()
    [problem] = [one for one in thought.problems if one.reason is Reason.HOOK_FAILED]
    assert problem.message.startswith("Job shop/first, a PreSync hook, has failed: too many tries; nothing behind it is written")
    world.now += timedelta(hours=1)
    for _ in range(3):
        thought = world.step()
    assert world.made == ["first", "sorry"] and world.run.over and "a" not in world.names
    assert [one.reason for one in thought.problems] == [Reason.HOOK_FAILED], "what has failed is not said to be waited for"
    assert thought.wake_at is None, "nor looked at again and again"


def test_after_a_failure_another_commit_tries_again_though_it_says_the_same() -> None:
    files = {"a": config("a"), "b": job("first")}
    world = World(files)
    world.step()
    world.ends("first", LOST)
    world.step()
    world.step()
    assert world.states() == ["failed"]
    world.push(files, "c2")
    for _ in range(3):
        world.step()
    assert world.made == ["first", "first"]
    world.ends("first")
    world.step()
    assert "a" in world.names


def test_a_hook_that_fails_after_everything_was_written_holds_nothing_back() -> None:
    world = World({"a": config("a"), "b": job("last", "PostSync"), "c": job("then", "PostSync", **{"argocd.argoproj.io/sync-wave": "1"})})
    world.step()
    world.ends("last", LOST)
    world.step()
    world.live.pop(("v1", "ConfigMap", NAMESPACE, "a"))
    world.step()
    assert world.names == {"a", "last"}, "what was deleted is made anew, and the hooks behind it are not run"


def test_a_source_may_leave_hooks_out() -> None:
    world = World({"a": config("a"), "b": job("first")}, hooks=False)
    thought = world.step()
    assert world.names == {"a"} and world.inventory.run is None
    assert thought.notes == ("1 hooks are left out, because the source says hooks: false",)


def test_while_files_cannot_be_read_no_hook_starts_and_what_they_precede_waits() -> None:
    world = World({"a": config("a"), "b": job("first"), "c": "kind: ["})
    thought = world.step()
    assert (world.names, [one.reason for one in thought.problems]) == (set(), [Reason.UNUSABLE_FILE, Reason.HOOK_WAITS])
    world.push({"a": config("a"), "b": job("last", "PostSync"), "c": "kind: ["})
    world.step()
    assert world.names == {"a"}, "nothing precedes it"
    world.push({"a": config("a"), "b": job("last", "PostSync")})
    world.step()
    assert world.made == ["last"]


def test_a_file_that_breaks_while_hooks_run_starts_none_twice() -> None:
    files = {"a": config("a"), "b": job("first")}
    world = World(files)
    world.step()
    world.push({**files, "c": "kind: ["}, "c2")
    world.ends("first")
    world.step()
    world.step()
    world.push(files, "c3")
    for _ in range(3):
        world.step()
    assert world.made == ["first"] and "a" in world.names


def test_a_release_that_is_on_its_way_holds_the_hooks_that_follow_everything() -> None:
    world = World({"a": rollout(), "b": job("last", "PostSync")})
    world.step()
    world.now += timedelta(hours=3)
    assert world.step().problems == () and world.made == []
    world.ends("web", {"phase": "Healthy", "observedGeneration": "1"})
    world.step()
    assert world.made == ["last"]


def test_what_cannot_be_written_at_all_holds_the_hooks_that_follow_everything() -> None:
    world = World({"a": config("a"), "b": config("b", namespace="kube-system"), "c": job("last", "PostSync")})
    for _ in range(2):
        thought = world.step()
    assert world.names == {"a"} and thought.wave is not None and thought.wave.phase is HookPhase.SYNC


def test_hooks_for_a_failure_wait_until_nothing_runs_and_come_in_waves() -> None:
    later = job("later", "SyncFail", **{"argocd.argoproj.io/sync-wave": "1"})
    world = World({"a": job("bad"), "b": job("slow"), "c": job("sooner", "SyncFail"), "d": later})
    world.step()
    world.ends("bad", LOST)
    world.step()
    assert world.made == ["bad", "slow"]
    world.ends("slow")
    world.step()
    assert world.made == ["bad", "slow", "sooner"]
    world.ends("sooner")
    world.step()
    assert world.made[-1] == "later"


def test_what_left_git_goes_once_everything_is_written_whatever_the_last_hooks_do() -> None:
    files = {"a": config("a"), "b": config("b"), "c": job("last", "PostSync")}
    world = World({**files, "d": job("then", "PostSync", **{"argocd.argoproj.io/sync-wave": "1"}), "e": config("e")})
    for _ in range(2):
        world.step()
    world.push({**files, "d": job("then", "PostSync", **{"argocd.argoproj.io/sync-wave": "1"})}, "c2")
    world.live.update({place: {**one, "metadata": {**one["metadata"], "uid": place[3]}} for place, one in world.live.items()})
    assert [prune.place[3] for prune in plan(world.facts(), NOW).prunes] == ["e"]

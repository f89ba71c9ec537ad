"""The canary step `experiment`: made, weighed, judged and ended (contract 4.3, 8.5, 9.1), with the controller of experiments beside it."""

from collections.abc import Callable

import pytest

from reconciler.kernel.identity import Key, annotations_of, controller_uid, labels_of, name_of
from reconciler.kernel.resources import EXPERIMENTS, REPLICA_SETS, ROLLOUTS, SERVICES
from reconciler.kernel.well_known import HASH_LABEL, INSTANCE_ID, REVISION
from tests.kit.experiments import (
    WEIGHED,
    abort,
    checked,
    current,
    ended,
    experiments,
    go_back,
    only,
    plain,
    promote,
    push_another,
    routed,
    says,
    shares,
    skip,
    tried,
)
from tests.kit.rollouts import NAMESPACE, analysis, analysis_template, canary, pause, rollout, service, weight
from tests.kit.store import Killed, merged, run_through
from tests.kit.world import World, deployed, with_templates

TEMPLATES = with_templates(analysis_template())


def test_the_step_makes_an_experiment_of_both_versions_and_goes_on_when_it_succeeds() -> None:
    world = plain(tried(duration="5m"), pause())
    world.push("web:2").settle()
    made, hash = only(world), world.status["currentPodHash"]
    assert name_of(made) == f"web-{hash}-2-0" == current(world)
    assert controller_uid(made) == "uid-web" and labels_of(made) == {HASH_LABEL: hash} and annotations_of(made) == {REVISION: "2"}
    assert made["spec"]["duration"] == "5m" and "progressDeadlineSeconds" not in made["spec"]
    images = {t["name"]: t["template"]["spec"]["containers"][0]["image"] for t in made["spec"]["templates"]}
    assert images == {"baseline": "web:1", "canary": "web:2"}
    assert world.status["currentStepIndex"] == 0 and made["status"]["phase"] == "Running"
    assert "ExperimentCreated" in world.reasons
    world.wait(301)
    assert ended(world, name_of(made)) == "Successful" and current(world) == ""
    assert world.status["currentStepIndex"] == 1 and world.phase == "Paused CanaryPauseStep"
    world.wait(60)
    assert [r.spec for r in world.replica_sets if r.name.startswith(name_of(made))] == [0, 0]


def test_what_the_rollout_and_the_step_say_is_taken_over() -> None:
    template = {
        "name": "a",
        "specRef": "canary",
        "replicas": 2,
        "metadata": {"labels": {"try": "yes"}, "annotations": {"note": "x"}},
        "service": {"name": "trial"},
    }
    arguments = [
        {"name": "new", "valueFrom": {"podTemplateHashValue": "Latest"}},
        {"name": "old", "valueFrom": {"podTemplateHashValue": "Stable"}},
        {"name": "own", "value": "{{templates.a.podTemplateHash}}"},
    ]
    step = tried(
        template,
        analyses=[checked(args=arguments, requiredForCompletion=True)],
        dryRun=[{"metricName": ".*"}],
        analysisRunMetadata={"labels": {"x": "y"}},
        scaleDownDelaySeconds=5,
    )
    world = plain(step, progressDeadlineSeconds=70, minReadySeconds=3)
    world.edit({"metadata": {"labels": {"team": "shop"}}}).push("web:2").settle()
    made, hash, stable = only(world), world.status["currentPodHash"], world.status["stableRS"]
    spec, made_template = made["spec"], made["spec"]["templates"][0]
    assert labels_of(made) == {"team": "shop", HASH_LABEL: hash}
    assert (spec["progressDeadlineSeconds"], spec["scaleDownDelaySeconds"], made_template["minReadySeconds"]) == (70, 5, 3)
    assert spec["dryRun"] == [{"metricName": ".*"}] and spec["analysisRunMetadata"] == {"labels": {"x": "y"}}
    assert made_template["replicas"] == 2 and made_template["service"] == {"name": "trial"}
    assert made_template["selector"]["matchLabels"] == {"app": "web", HASH_LABEL: hash, "try": "yes"}
    assert made_template["template"]["metadata"] == {"labels": {"app": "web", HASH_LABEL: hash, "try": "yes"}, "annotations": {"note": "x"}}
    [measured] = spec["analyses"]
    assert measured["requiredForCompletion"] is True
    assert {a["name"]: a["value"] for a in measured["args"]} == {"new": hash, "old": stable, "own": "{{templates.a.podTemplateHash}}"}


def test_its_pods_have_a_hash_that_no_service_of_the_rollout_selects() -> None:
    world = routed(tried(), pause())
    world.push("web:2").settle()
    known = {world.status["currentPodHash"], world.status["stableRS"]}
    own = {r.hash for r in world.replica_sets if controller_uid(r.manifest) == "uid-web"}
    others = {r.hash for r in world.replica_sets if controller_uid(r.manifest) != "uid-web"}
    assert own == known and len(others) == 2 and not others & known


def test_nothing_is_tried_out_at_the_first_deployment() -> None:
    assert not experiments(plain(tried()))


# ---- what it says ----


@pytest.mark.parametrize("phase", ["Failed", "Error"])
def test_a_bad_end_aborts(phase: str) -> None:
    world = plain(tried(), pause())
    world.push("web:2").settle()
    says(world, current(world), phase, "too slow")
    words = "RolloutAborted: Rollout aborted update to revision 2: Experiment analysis phase is error/failed: too slow"
    assert world.phase == f"Degraded {words}" and current(world) == ""


def test_an_experiment_that_cannot_be_carried_out_aborts_too() -> None:
    """Its baseline takes longer to count as available than the new version allows for all of it."""
    world = plain(tried(), pause(), minReadySeconds=50, progressDeadlineSeconds=60)
    world.edit({"spec": {"minReadySeconds": 5, "progressDeadlineSeconds": 40}})
    world.push("web:2").settle()
    assert "Experiment analysis phase is error/failed: The Experiment" in world.phase and "minReadySeconds" in world.phase
    assert world.status["abort"] is True and current(world) == ""


def test_an_account_of_templates_that_is_none_gives_no_share_and_stops_nothing() -> None:
    world = routed(weight(20), tried(*WEIGHED), pause())
    world.push("web:2").settle()
    world.store.put(EXPERIMENTS, merged(only(world), {"status": {"templateStatuses": ["x", None]}}))
    look(world)
    assert world.weight == 20 and world.phase.startswith("Progressing")


def test_a_failing_analysis_of_the_experiment_brings_traffic_home() -> None:
    world = routed(weight(25), tried(analyses=[checked()]), pause())
    world.push("web:2").settle()
    [run] = world.runs
    world.end_run(run, "Failed", "bad").settle()
    assert world.phase.endswith("Experiment analysis phase is error/failed: bad") and world.weight == 0


def test_an_inconclusive_end_pauses_until_a_person_resumes_and_then_tries_again() -> None:
    world = plain(tried(), pause())
    world.push("web:2").settle()
    first = current(world)
    says(world, first, "Inconclusive")
    assert world.phase == "Paused InconclusiveExperiment" and current(world) == first
    world.wait(100)
    assert list(experiments(world)) == [first]
    stable = next(r for r in world.replica_sets if r.hash == world.status["stableRS"])
    world.store.put(REPLICA_SETS, merged(stable.manifest, {"spec": {"replicas": 1}}))
    world.settle()
    assert world.replica_set("web:1").spec == stable.spec  # ReplicaSets go on being scaled
    world.press(pauseConditions=None).settle()
    assert current(world) == f"{first}-1" and world.phase.startswith("Progressing")
    says(world, f"{first}-1", "Successful")
    assert world.status["currentStepIndex"] == 1


def test_a_success_while_a_person_paused_counts_when_they_go_on() -> None:
    world = plain(tried(), pause())
    world.push("web:2").settle()
    world.edit({"spec": {"paused": True}}).settle()
    says(world, current(world), "Successful")
    assert world.status["currentStepIndex"] == 0 and len(experiments(world)) == 1
    world.edit({"spec": {"paused": False}}).settle()
    assert world.status["currentStepIndex"] == 1 and len(experiments(world)) == 1


def test_while_an_analysis_is_inconclusive_experiments_stand_still() -> None:
    world = deployed(rollout(canary=canary(tried(), pause(), analysis=analysis())), *TEMPLATES)
    world.push("web:2").settle()
    name, [run] = current(world), world.runs
    world.end_run(run, "Inconclusive").settle()
    says(world, name, "Successful")
    assert world.phase == "Paused InconclusiveAnalysisRun" and world.status["currentStepIndex"] == 0 and current(world) == name
    world.press(pauseConditions=None).settle()
    assert world.status["currentStepIndex"] == 1 and list(experiments(world)) == [name]


# ---- what ends it ----


@pytest.mark.parametrize("gesture", [abort, promote, skip, push_another, go_back])
def test_what_ends_the_step_ends_its_experiment(gesture: Callable[[World], World]) -> None:
    world = plain(tried(), pause())
    world.push("web:2").settle()
    name = current(world)
    gesture(world)
    assert ended(world, name) == "Successful told" and current(world) != name
    world.wait(31)
    assert not [r for r in world.replica_sets if r.name.startswith(f"{name}-") and r.spec]


def test_a_retry_tries_again_and_does_not_take_the_old_one_for_it() -> None:
    world = plain(tried(), pause())
    world.push("web:2").settle()
    first = current(world)
    mark = len(world.store.writes)
    world.press(abort=True)
    look(world)
    look(world)
    assert ended(world, first) == "Running told"
    assert world.since(mark).count(f"patch Experiment {first}") == 1
    world.press(abort=False)
    look(world)
    world.settle()
    assert current(world) == f"{first}-1" and ended(world, first) == "Successful told"
    assert ended(world, f"{first}-1") == "Running" and world.status["currentStepIndex"] == 0


def look(world: World) -> None:
    """A pass of the Rollout while the controller of experiments is busy."""
    run_through(world.controller.reconcile(Key("rollout", NAMESPACE, "web")))


def test_other_steps_are_another_attempt() -> None:
    world = plain(tried(duration="1h"), pause())
    world.push("web:2").settle()
    first = current(world)
    world.edit({"spec": {"strategy": {"canary": {"steps": [tried(duration="2h")]}}}}).settle()
    assert ended(world, first) == "Successful told" and current(world) == f"{first}-1"


def test_a_way_back_within_the_window_tries_nothing_out() -> None:
    world = plain(tried(duration="1s"), rollbackWindow={"revisions": 3})
    world.push("web:2").wait(100)
    made = set(experiments(world))
    world.push("web:1").wait(100)
    assert world.phase == "Healthy" and world.size("web:1") == 4 and set(experiments(world)) == made


def test_a_failed_one_is_there_for_whoever_judges_the_release() -> None:
    world = plain(tried(), pause(), analysis={"unsuccessfulRunHistoryLimit": 0})
    world.push("web:2").settle()
    world.store.put(EXPERIMENTS, merged(only(world), {"status": {"phase": "Failed"}}))
    look(world)
    assert world.status["abort"] is True and len(experiments(world)) == 1


def test_two_steps_in_a_row_have_an_experiment_each() -> None:
    world = plain(tried(duration="1m"), tried(), pause())
    world.push("web:2").settle()
    first = current(world)
    world.press(currentStepIndex=1).settle()
    assert current(world) == f"{first[:-1]}1" and ended(world, first) == "Successful told"


def test_one_that_a_person_deleted_is_made_again() -> None:
    world = plain(tried(), pause())
    world.push("web:2").settle()
    name = current(world)
    world.store.remove(EXPERIMENTS, NAMESPACE, name)
    world.settle()
    assert current(world) == name and ended(world, name) == "Running"


def test_finished_ones_are_kept_up_to_the_limits_and_go_with_their_version() -> None:
    world = plain(tried(duration="1s"), analysis={"successfulRunHistoryLimit": 1}, revisionHistoryLimit=1)
    for number in range(2, 6):
        world.push(f"web:{number}").wait(60)
    assert [annotations_of(found)[REVISION] for found in experiments(world).values()] == ["5"]
    world.edit({"spec": {"analysis": {"successfulRunHistoryLimit": 5}}})
    world.push("web:6").wait(60)
    kept = {labels_of(found)[HASH_LABEL] for found in experiments(world).values()}
    assert len(kept) == 2 and kept <= {r.hash for r in world.replica_sets}


# ---- what others made ----


def test_an_experiment_that_the_reference_made_mid_step_is_taken_over() -> None:
    world = plain(tried(duration="5m"), pause())
    world.push("web:2").settle()
    name = current(world)
    made = experiments(world)[name]
    foreign = {**made["spec"], "analysisRunMetadata": {}, "dryRun": None, "terminate": False}
    world.store.put(EXPERIMENTS, {**made, "spec": foreign})
    mark = len(world.store.writes)
    world.settle()
    assert world.since(mark) == [] and current(world) == name
    world.store.put(ROLLOUTS, merged(world.rollout, {"status": {"canary": {"currentExperiment": None}}}))
    world.settle()
    assert current(world) == name and list(experiments(world)) == [name]


def test_a_foreign_experiment_of_its_name_stays_and_makes_it_take_another() -> None:
    world = plain(tried(), pause())
    world.push("web:2")
    spec = {"templates": [{"name": "x"}]}
    hash = "".join(r.hash for r in world.replica_sets)
    world.one_pass()
    hash = next(r.hash for r in world.replica_sets if r.hash != hash)
    foreign = {"metadata": {"name": f"web-{hash}-2-0", "namespace": NAMESPACE, "labels": {INSTANCE_ID: "other"}}, "spec": spec}
    world.store.put(EXPERIMENTS, foreign)
    world.settle()
    assert current(world) == f"web-{hash}-2-0-1"
    kept = experiments(world)[f"web-{hash}-2-0"]
    assert kept["spec"] == spec


def test_one_that_asks_the_same_and_is_owned_by_another_is_not_taken_over() -> None:
    world = plain(tried(), pause())
    world.push("web:2").settle()
    name, made = current(world), only(world)
    orphan = {**made, "metadata": {**made["metadata"], "ownerReferences": []}}
    world.store.put(EXPERIMENTS, orphan)
    world.settle()
    assert current(world) == f"{name}-1"


def test_one_that_no_watch_has_told_of_yet_is_asked_for() -> None:
    world = plain(tried(), pause())
    world.push("web:2").settle()
    world.cache.drop(EXPERIMENTS, NAMESPACE, current(world))
    assert list(experiments(world.settle())) == [current(world)]


def test_a_strategy_that_knows_no_steps_ends_what_a_canary_began() -> None:
    world = plain(tried(), pause())
    world.push("web:2").settle()
    name = current(world)
    world.store.put(SERVICES, service("active"))
    world.edit({"spec": {"strategy": {"canary": None, "blueGreen": {"activeService": "active"}}}}).settle()
    assert ended(world, name) == "Successful told"


# ---- laws ----


def lived(kill_at: int) -> tuple[World, list[str]]:
    """An experiment step from the push to its end, in which the daemon dies once, before its n-th write."""
    world, dead = routed(weight(20), tried(*WEIGHED, duration="2m", analyses=[checked()]), pause()), []
    begin = len(world.store.writes)

    def die(write: str) -> None:
        if not dead and len(world.store.writes) - begin == kill_at:
            dead.append(write)
            raise Killed(write)

    world.store.before_write = die
    world.push("web:2")
    while True:
        try:
            world.wait(60)
            world.end_run(next(iter(world.runs)), "Successful")
            world.wait(600)
        except Killed:
            continue
        return world, [*dead, str(len(world.store.writes) - begin)]


def test_a_daemon_that_dies_at_any_write_comes_to_the_same_end() -> None:
    unbroken, [count] = lived(-1)
    end = end_of(unbroken)
    assert int(count) > 30 and end[0] == "Paused CanaryPauseStep" and end[1] == 2
    for kill_at in range(int(count)):
        broken, dead = lived(kill_at)
        assert end_of(broken) == end, f"killed before write {kill_at}: {dead}"


def end_of(world: World) -> tuple[object, ...]:
    sizes = sorted((r.name, r.spec) for r in world.replica_sets)
    made = sorted((name, found["status"]["phase"]) for name, found in experiments(world).items())
    return world.phase, world.status["currentStepIndex"], current(world), sizes, made, sorted(world.runs), shares(world)

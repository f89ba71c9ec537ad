"""One experiment from its first pass to its end (contract 8), in a world where pods come at once."""

from collections.abc import Callable

import pytest

from reconciler.experiments.manifest import parse_experiment
from reconciler.experiments.templates import service_ports
from reconciler.kernel.identity import Manifest, controller_uid, labels_of, name_of
from reconciler.kernel.resources import ANALYSIS_RUNS, ANALYSIS_TEMPLATES, PODS, SERVICES
from reconciler.kernel.well_known import HASH_LABEL
from reconciler.rollouts.replicas.hash import template_hash
from tests.kit.experiments import ExperimentWorld, experiment, measured, version
from tests.kit.rollouts import NAMESPACE, analysis_template
from tests.kit.store import Killed

NOON = "2030-01-01T12:00:00Z"


def world(*templates: Manifest, **spec: object) -> ExperimentWorld:
    return ExperimentWorld(experiment(*templates, **spec))


def test_templates_run_until_the_duration_is_over_and_go_after_the_delay() -> None:
    it = world(version("baseline", "web:1"), version("canary", "web:2", replicas=2), duration="5m")
    it.settle()
    assert it.phase == "Running" and it.status["availableAt"] == NOON
    assert (it.size("web:1"), it.size("web:2")) == (1, 2)
    it.wait(299)
    assert it.phase == "Running"
    it.wait(1)
    assert it.phase == "Successful" and (it.code("baseline"), it.code("canary")) == ("Successful", "Successful")
    assert (it.size("web:1"), it.size("web:2")) == (1, 2)
    it.wait(29)
    assert it.size("web:2") == 2
    it.wait(2)
    assert (it.size("web:1"), it.size("web:2")) == (0, 0)
    assert it.template()["availableReplicas"] == 0 and it.phase == "Successful"


def test_what_it_makes_bears_the_names_of_the_contract() -> None:
    written = version(port=8080, service={})
    written["template"]["spec"]["containers"][0]["ports"][0] |= {"protocol": "UDP", "name": "http"}
    it = world(written, duration="1h")
    it.settle()
    made = it.replica_sets[0].manifest
    hash = template_hash(written["template"])
    assert name_of(made) == "trial-canary" and controller_uid(made) == "uid-trial"
    assert labels_of(made) == {"app": "trial", "version": "canary", HASH_LABEL: hash}
    assert made["metadata"]["annotations"] == {"experiment.argoproj.io/name": "trial", "experiment.argoproj.io/template-name": "canary"}
    assert made["spec"]["selector"]["matchLabels"] == labels_of(made) == made["spec"]["template"]["metadata"]["labels"]
    service = it.store.get(SERVICES, NAMESPACE, "trial-canary")
    assert service is not None and service["spec"]["selector"] == labels_of(made)
    assert service["spec"]["ports"] == [{"protocol": "UDP", "port": 8080, "targetPort": 8080, "name": "http"}]
    assert service["metadata"]["annotations"] == made["metadata"]["annotations"] and controller_uid(service) == "uid-trial"
    assert (it.template()["serviceName"], it.template()["podTemplateHash"]) == ("trial-canary", hash)


def test_an_inherited_hash_is_not_hashed_and_gives_way() -> None:
    inherited = version()
    inherited["template"]["metadata"]["labels"][HASH_LABEL] = "parent"
    inherited["selector"]["matchLabels"][HASH_LABEL] = "parent"
    it = world(inherited, duration="1h")
    it.settle()
    made = it.replica_sets[0].manifest
    assert labels_of(made)[HASH_LABEL] == template_hash(version()["template"]) == made["spec"]["selector"]["matchLabels"][HASH_LABEL]


def test_a_version_that_hashes_like_its_parent_gets_a_hash_of_its_own() -> None:
    same = version()
    parent = template_hash(same["template"])
    same["template"]["metadata"]["labels"][HASH_LABEL] = parent
    it = world(same, duration="1h")
    it.settle()
    assert labels_of(it.replica_sets[0].manifest)[HASH_LABEL] == template_hash(version()["template"], 0) != parent


def test_a_replica_set_begins_without_pods_and_is_scaled_by_the_next_pass() -> None:
    it = world(duration="1h")
    it.one_pass()
    assert it.phase == "Pending" and [r.spec for r in it.replica_sets] == [0]
    it.one_pass()
    assert [r.spec for r in it.replica_sets] == [1] and "ScalingReplicaSet" in it.reasons


@pytest.mark.parametrize("delay", [0, 30])
def test_a_delay_of_zero_takes_the_pods_at_once(delay: int) -> None:
    it = world(version(port=80, service={}), scaleDownDelaySeconds=delay)
    it.settle()
    it.amend({"spec": {"terminate": True}}).settle()
    assert it.phase == "Successful" and it.size("web:2") == (1 if delay else 0)
    assert (it.store.get(SERVICES, NAMESPACE, "trial-canary") is not None) is bool(delay)
    it.wait(31)
    assert it.size("web:2") == 0 and it.store.get(SERVICES, NAMESPACE, "trial-canary") is None
    assert "serviceName" not in it.template()


def test_a_template_that_does_not_come_up_fails_the_experiment_at_its_deadline() -> None:
    it = world(progressDeadlineSeconds=60, duration="5m")
    it.breaks("web:2").settle()
    assert it.phase == "Pending" and it.code() == "Progressing"
    it.wait(59)
    assert it.phase == "Pending"
    it.wait(5)
    assert it.phase == "Failed Template 'canary' exceeded its progressDeadlineSeconds (60)"
    assert "availableAt" not in it.status


def test_analyses_begin_when_the_pods_serve_and_what_they_say_ends_the_experiment() -> None:
    it = world(analyses=[measured()], duration="1h")
    it.breaks("web:2").settle()
    assert not it.runs
    it.breaks("web:2", ready=True).settle()
    assert it.measurement() == {"name": "check", "analysisRun": "trial-check", "phase": "Pending"}
    run = it.runs["trial-check"]
    assert controller_uid(run) == "uid-trial" and labels_of(run) == {} and run["spec"]["metrics"][0]["name"] == "m"
    it.end_run_of("check", "Failed", "too slow")
    assert it.phase == "Failed too slow" and it.code() == "Successful"
    it.wait(31)
    assert it.size("web:2") == 0


@pytest.mark.parametrize(
    ("ends", "phase"),
    [
        ({"a": "Inconclusive"}, "Inconclusive"),
        ({"a": "Error"}, "Error"),
        ({"a": "Successful"}, "Running"),
        ({"b": "Successful"}, "Successful Required AnalysisRuns completed"),
        ({"b": "Inconclusive"}, "Inconclusive"),
    ],
)
def test_required_analyses_end_it_well_and_any_can_end_it_badly(ends: dict[str, str], phase: str) -> None:
    it = world(analyses=[measured("a"), measured("b", requiredForCompletion=True)])
    it.settle()
    for run in it.runs:
        it.amend({"status": {"phase": "Running"}}, ANALYSIS_RUNS, run)
    for analysis, end in ends.items():
        it.settle()
        it.end_run_of(analysis, end)
    assert it.phase == phase


def test_runs_that_go_on_are_told_to_end_with_it() -> None:
    it = world(analyses=[measured("a"), measured("b")], duration="1m")
    it.wait(30)
    assert it.running == ["trial-a", "trial-b"]
    it.wait(31)
    assert it.phase == "Successful" and it.running == []
    assert it.told.count("Experiment Normal AnalysisRunTerminating: Terminating a (trial-a)") == 1


def test_a_run_that_ends_late_is_told_and_the_end_of_its_experiment_stays() -> None:
    it = world(analyses=[measured("a")], duration="1m")
    it.wait(61)
    assert it.phase == "Successful" and it.measurement("a")["phase"] == "Pending"
    it.end_run_of("a", "Failed", "too slow")
    assert it.measurement("a") == {"name": "a", "analysisRun": "trial-a", "phase": "Failed", "message": "too slow"}
    assert it.phase == "Successful"


def test_a_run_whose_spec_somebody_took_away_is_told_to_end_too() -> None:
    it = world(analyses=[measured("a")], duration="1m")
    it.settle().amend({"spec": None}, ANALYSIS_RUNS, "trial-a").wait(61)
    assert it.phase == "Successful" and it.runs["trial-a"]["spec"] == {"terminate": True}


@pytest.mark.parametrize("pods", [None, {}, {"containers": None}, {"containers": [{"name": "web"}]}])
def test_a_template_without_ports_has_none_for_its_service(pods: Manifest | None) -> None:
    written = version(service={})
    written["template"]["spec"] = pods
    [template] = parse_experiment(experiment(written)).spec.templates
    assert service_ports(template) == []


def test_an_experiment_without_an_end_waits_for_a_person() -> None:
    it = world()
    it.wait(100_000)
    assert it.phase == "Running"
    assert it.amend({"spec": {"terminate": True}}).settle().phase == "Successful"


def test_nothing_is_measured_when_it_is_told_to_end_before_it_serves() -> None:
    it = world(analyses=[measured()], terminate=True)
    it.settle()
    assert it.phase == "Successful" and not it.runs and not it.replica_sets


def test_arguments_name_the_pods_and_times_of_the_experiment() -> None:
    pods = "{{templates.canary.podTemplateHash}} {{ templates.canary.replicaset.name }}"
    times = "{{experiment.availableAt}} {{experiment.finishedAt}}"
    arguments = [{"name": "who", "value": f"{pods} {times}"}, {"name": "lost", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}}]
    it = world(analyses=[measured("check", "argued", args=arguments)], duration="5m")
    it.store.put(*argued([{"name": "who"}, {"name": "lost", "value": "default"}]))
    it.settle()
    hash = template_hash(version()["template"])
    assert it.runs["trial-check"]["spec"]["args"] == [
        {"name": "who", "value": f"{hash} trial-canary {NOON} 2030-01-01T12:05:00Z"},
        {"name": "lost", "value": "default"},
    ]


def argued(arguments: list[Manifest]) -> tuple[object, Manifest]:
    template = analysis_template("argued")
    return ANALYSIS_TEMPLATES, {**template, "spec": {**template["spec"], "args": arguments}}


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ("{{experiment.finishedAt}}", "failed to resolve {{experiment.finishedAt}}"),
        ("{{templates.other.podTemplateHash}}", "failed to resolve {{templates.other.podTemplateHash}}"),
        (None, "args.who was not resolved"),
    ],
)
def test_an_argument_without_a_value_is_an_error_of_its_analysis(value: str | None, reason: str) -> None:
    it = world(analyses=[measured("check", "argued", args=[{"name": "who", "value": value}])])
    it.store.put(*argued([{"name": "who"}]))
    it.settle()
    assert it.phase == f"Error Failed to create AnalysisRun for analysis 'check': {reason}"


def test_one_template_that_is_there_does_not_stand_for_another() -> None:
    for missing in (measured("b", "nowhere"), measured("b", clusterScope=True)):
        it = world(analyses=[measured("a"), missing])
        it.settle()
        assert it.measurement("b")["phase"] == "Error" and "verification failed for analysis 'b'" in it.phase


def test_runs_bear_what_the_experiment_says_of_them() -> None:
    it = world(analyses=[measured()], analysisRunMetadata={"labels": {"team": "shop"}, "annotations": {"note": "x"}})
    it.settle()
    metadata = it.runs["trial-check"]["metadata"]
    assert metadata["labels"] == {"team": "shop"} and metadata["annotations"] == {"note": "x"}


@pytest.mark.parametrize(("duration", "phase"), [("", "Running"), ("0s", "Successful"), (90, "Running"), ("60", "Successful")])
def test_a_duration_is_seconds_or_as_go_writes_it_and_empty_is_none(duration: object, phase: str) -> None:
    it = world(duration=duration)
    it.wait(61)
    assert it.phase == phase


def test_events_go_to_a_rollout_and_to_no_other_owner() -> None:
    manifest = experiment(analyses=[measured()])
    manifest["metadata"]["ownerReferences"] = [{"kind": "Thing", "apiVersion": "x/v1", "name": "t", "uid": "uid-t", "controller": True}]
    it = ExperimentWorld(manifest)
    it.settle()
    assert it.measurement()["phase"] == "Pending" and not [words for words in it.told if not words.startswith("Experiment")]


@pytest.mark.parametrize(("scope", "kind"), [(False, "AnalysisTemplate"), (True, "ClusterAnalysisTemplate")])
def test_a_missing_template_is_said_before_anything_runs(scope: bool, kind: str) -> None:
    it = world(analyses=[measured("check", "nowhere", clusterScope=scope)])
    it.settle()
    assert it.phase == f"Error {kind} verification failed for analysis 'check': {kind} 'nowhere' not found"
    assert "ScalingReplicaSet" not in it.reasons


def test_a_retry_begins_afresh_with_new_runs() -> None:
    it = world(analyses=[measured()], scaleDownDelaySeconds=0)
    it.settle()
    it.end_run_of("check", "Failed")
    assert it.phase == "Failed" and it.size("web:2") == 0
    it.amend({"status": None}).settle()
    assert it.phase == "Running" and it.size("web:2") == 1 and it.measurement()["analysisRun"] == "trial-check.1"


def test_a_retry_within_the_delay_takes_the_deadline_back() -> None:
    it = world()
    it.settle()
    it.amend({"spec": {"terminate": True}}).settle()
    assert it.replica_sets[0].deadline is not None
    it.amend({"spec": {"terminate": False}, "status": None}).settle()
    assert it.replica_sets[0].deadline is None and it.size("web:2") == 1
    it.wait(60)
    assert it.phase == "Running"


def test_a_run_that_was_told_to_end_is_not_taken_for_a_new_one() -> None:
    it = world(analyses=[measured()])
    it.settle()
    it.amend({"spec": {"terminate": True}}).settle()
    it.amend({"spec": {"terminate": False}, "status": None}).settle()
    assert it.measurement()["analysisRun"] == "trial-check.1"


# ---- words ----


def test_what_happens_is_told_in_the_references_words() -> None:
    manifest = experiment(analyses=[measured()], duration="1h")
    owner = {"apiVersion": "argoproj.io/v1alpha1", "kind": "Rollout", "name": "web", "uid": "uid-web", "controller": True}
    manifest["metadata"]["ownerReferences"] = [{**owner, "name": "other", "uid": "uid-other", "controller": False}, owner]
    it = ExperimentWorld(manifest)
    it.settle()
    it.end_run_of("check", "Failed", "too slow")
    objects = [event["involvedObject"] for event in it.store.events]
    assert {each["name"] for each in objects if each["kind"] == "Rollout"} == {"web"}
    told = [words for words in it.told if "ScalingReplicaSet" not in words]
    assert [words for words in told if words.startswith("Rollout")] == [
        "Rollout Warning AnalysisRunPending: AnalysisRun 'check' transitioned from  -> Pending",
        "Rollout Warning AnalysisRunFailed: AnalysisRun 'check' transitioned from Pending -> Failed: too slow",
    ]
    assert [words for words in told if words.startswith("Experiment")] == [
        "Experiment Normal TemplateProgressing: Template 'canary' transitioned from  -> Progressing",
        "Experiment Normal ExperimentPending: Experiment transitioned from  -> Pending",
        "Experiment Normal TemplateRunning: Template 'canary' transitioned from Progressing -> Running",
        "Experiment Normal ExperimentRunning: Experiment transitioned from Pending -> Running",
        "Experiment Normal AnalysisRunPending: AnalysisRun 'check' transitioned from  -> Pending",
        "Experiment Warning AnalysisRunFailed: AnalysisRun 'check' transitioned from Pending -> Failed: too slow",
        "Experiment Warning ExperimentFailed: Experiment transitioned from Running -> Failed: too slow",
        "Experiment Normal TemplateSuccessful: Template 'canary' transitioned from Running -> Successful",
    ]


def test_the_conditions_follow_the_pods_and_the_end() -> None:
    it = world(duration="1m")
    it.breaks("web:2").settle()
    assert progressing(it) == ("True", "ReplicaSetUpdated", 'Experiment "trial" is progressing.')
    it.breaks("web:2", ready=True).settle()
    assert progressing(it) == ("True", "NewReplicaSetAvailable", 'Experiment "trial" is running.')
    it.wait(61)
    assert progressing(it) == ("False", "ExperimentCompleted", 'Experiment "trial" has successfully ran and completed.')


def progressing(it: ExperimentWorld) -> tuple[str, str, str]:
    found = it.condition("Progressing")
    return found["status"], found["reason"], found["message"]


# ---- laws ----


def story(it: ExperimentWorld) -> list[str]:
    """Everything that is there at the end, however often the daemon dies on the way."""
    survived(lambda: it.wait(30))
    survived(lambda: it.end_run("trial-check", "Successful"))
    survived(lambda: it.wait(600))
    statuses = [f"{t['name']} {t['status']} {t['availableReplicas']}" for t in it.status["templateStatuses"]]
    objects = sorted(name for resource, _, name in it.store.objects if resource != PODS)
    return [it.phase, *statuses, *objects, *(f"{r.name} {r.spec}" for r in it.replica_sets)]


def survived(part: Callable[[], object]) -> None:
    while True:
        try:
            part()
        except Killed:
            continue
        return


def build() -> ExperimentWorld:
    return world(version("a", "web:1", port=80, service={}), version("b", "web:2"), analyses=[measured()], duration="2m")


def test_a_pass_that_is_killed_at_any_write_comes_to_the_same_end() -> None:
    unbroken = build()
    end = story(unbroken)
    assert end[0] == "Successful" and len(unbroken.store.writes) > 15
    for kill_at in range(len(unbroken.store.writes)):
        broken = build()
        dead: list[str] = []

        def die(write: str, broken: ExperimentWorld = broken, dead: list[str] = dead, kill_at: int = kill_at) -> None:
            if not dead and len(broken.store.writes) == kill_at:
                dead.append(write)
                raise Killed(write)

        broken.store.before_write = die
        assert story(broken) == end, f"killed before write {kill_at}: {dead}"
        assert dead


def test_a_quiet_pass_writes_nothing() -> None:
    it = build()
    it.wait(30)
    mark = len(it.store.writes)
    it.settle()
    assert it.since(mark) == []

"""An experiment among others: names that are taken, a server that refuses, people who edit, suspend and delete."""

import pytest

from reconciler.kernel.identity import Manifest, labels_of
from reconciler.kernel.resources import ANALYSIS_RUNS, ANALYSIS_TEMPLATES, EXPERIMENTS, REPLICA_SETS, SERVICES
from reconciler.kernel.well_known import HASH_LABEL, INSTANCE_ID
from reconciler.kube.errors import Forbidden, Refused
from reconciler.rollouts.replicas.hash import template_hash
from tests.kit.experiments import ExperimentWorld, experiment, measured, version
from tests.kit.rollouts import NAMESPACE

NOON = "2030-01-01T12:00:00Z"


def world(*templates: Manifest, **spec: object) -> ExperimentWorld:
    return ExperimentWorld(experiment(*templates, **spec))


def test_a_foreign_replica_set_of_its_name_makes_it_take_another() -> None:
    foreign = {"metadata": {"name": "trial-canary", "namespace": NAMESPACE}, "spec": {"replicas": 3, "template": version()["template"]}}
    it = ExperimentWorld(experiment(duration="1h"), (REPLICA_SETS, foreign))
    it.settle()
    assert it.phase == "Running" and it.template()["collisionCount"] == 1
    assert {r.name: r.spec for r in it.replica_sets} == {"trial-canary": 3, "trial-canary-1": 1}


def test_a_name_that_is_taken_twice_is_counted_on() -> None:
    foreign = [{"metadata": {"name": name, "namespace": NAMESPACE}, "spec": {}} for name in ("trial-canary", "trial-canary-1")]
    it = ExperimentWorld(experiment(duration="1h"), *((REPLICA_SETS, {**each, "spec": version()}) for each in foreign))
    it.settle()
    assert it.phase == "Running" and it.template()["collisionCount"] == 2


def test_a_hash_is_its_own_also_where_a_name_was_taken() -> None:
    foreign = {"metadata": {"name": "trial-canary", "namespace": NAMESPACE}, "spec": {"replicas": 3, "template": version()["template"]}}
    same = version()
    parent = template_hash(same["template"], 1)
    same["template"]["metadata"]["labels"][HASH_LABEL] = parent
    it = ExperimentWorld(experiment(same, duration="1h"), (REPLICA_SETS, foreign))
    it.settle()
    [made] = [found.manifest for found in it.replica_sets if found.name == "trial-canary-1"]
    assert labels_of(made)[HASH_LABEL] == template_hash(version()["template"], 0) != parent


def test_a_service_that_is_not_needed_for_want_of_ports_may_be_foreign() -> None:
    foreign = {"metadata": {"name": "trial-canary", "namespace": NAMESPACE}, "spec": {}}
    assert ExperimentWorld(experiment(version(service={})), (SERVICES, foreign)).settle().phase == "Running"


def test_a_foreign_service_of_its_name_is_an_error_and_stays() -> None:
    foreign = {"metadata": {"name": "taken", "namespace": NAMESPACE}, "spec": {"selector": {"app": "other"}}}
    it = ExperimentWorld(experiment(version(port=80, service={"name": "taken"})), (SERVICES, foreign))
    it.settle()
    assert it.phase.startswith("Error Failed to create Service taken for template 'canary': it exists")
    it.wait(31)
    kept = it.store.get(SERVICES, NAMESPACE, "taken")
    assert kept is not None and kept["spec"] == foreign["spec"]


def test_a_service_of_another_experiment_is_waited_for_and_then_taken() -> None:
    """The version before had one of the same name, and its pods leave after their delay."""
    owner = {"apiVersion": "argoproj.io/v1alpha1", "kind": "Experiment", "name": "before", "uid": "e-0", "controller": True}
    lent = {"metadata": {"name": "beside", "namespace": NAMESPACE, "ownerReferences": [owner]}, "spec": {"selector": {"app": "other"}}}
    it = ExperimentWorld(experiment(version(port=80, service={"name": "beside"}), duration="1h"), (SERVICES, lent))
    it.settle().wait(30)
    assert it.phase == "Pending Service beside is still of another experiment" and it.code().startswith("Progressing")
    kept = it.store.get(SERVICES, NAMESPACE, "beside")
    assert kept is not None and kept["spec"] == lent["spec"]
    it.store.remove(SERVICES, NAMESPACE, "beside")
    it.wait(3)
    assert it.phase == "Running" and it.template()["serviceName"] == "beside"


def test_a_service_that_another_experiment_keeps_is_waited_for_until_the_deadline() -> None:
    owner = {"apiVersion": "argoproj.io/v1alpha1", "kind": "Experiment", "name": "before", "uid": "e-0", "controller": True}
    lent = {"metadata": {"name": "beside", "namespace": NAMESPACE, "ownerReferences": [owner]}, "spec": {}}
    it = ExperimentWorld(experiment(version(port=80, service={"name": "beside"}), progressDeadlineSeconds=60), (SERVICES, lent))
    it.settle().wait(62)
    assert it.phase.startswith("Failed Template 'canary' exceeded its progressDeadlineSeconds (60)")


@pytest.mark.parametrize(
    ("kind", "message"),
    [
        ("create ReplicaSet", "Error Failed to create ReplicaSet for template 'canary': no"),
        ("create Service", "Error Failed to create Service trial-canary for template 'canary': no"),
        ("create AnalysisRun", "Error Failed to create AnalysisRun for analysis 'check': no"),
    ],
)
def test_what_the_server_refuses_is_told_where_it_belongs(kind: str, message: str) -> None:
    it = world(version(port=80, service={}), analyses=[measured()])

    def refuse(write: str) -> None:
        if write.startswith(kind):
            raise Refused(422, "Invalid", "no")

    it.store.before_write = refuse
    it.settle()
    assert it.phase == message


def test_when_one_template_cannot_be_made_no_other_gets_pods() -> None:
    it = world(version("a", "web:1"), version("b", "web:2"))

    def refuse(write: str) -> None:
        if write.startswith("create ReplicaSet") and "trial-a" in write:
            raise Refused(422, "Invalid", "no")

    it.store.before_write = refuse
    it.settle()
    assert it.phase == "Error Failed to create ReplicaSet for template 'a': no"
    assert "ScalingReplicaSet" not in it.reasons


def test_what_is_forbidden_is_tried_again_until_the_deadline() -> None:
    it, allowed = world(progressDeadlineSeconds=60), False

    def forbid(write: str) -> None:
        if write.startswith("create ReplicaSet") and not allowed:
            raise Forbidden(403, "Forbidden", "quota")

    it.store.before_write = forbid
    it.settle()
    assert it.code() == "Progressing Failed to create ReplicaSet for template 'canary': quota"
    allowed = True
    assert it.settle().phase == "Running"
    late = world(progressDeadlineSeconds=60)
    late.store.before_write = forbid
    allowed = False
    late.settle()
    late.clock.time = late.clock.time.replace(minute=5)
    assert late.settle().phase == "Failed Template 'canary' exceeded its progressDeadlineSeconds (60)"


def test_a_run_that_is_forbidden_is_told_on_record_before_it_has_a_name_or_a_phase() -> None:
    it = world(analyses=[measured()])

    def forbid(write: str) -> None:
        if write.startswith("create AnalysisRun"):
            raise Forbidden(403, "Forbidden", "quota")

    it.store.before_write = forbid
    words = "Failed to create AnalysisRun for analysis 'check': quota"
    assert it.settle().measurement() == {"name": "check", "analysisRun": "", "phase": "", "message": words}


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        ({"templates": []}, "spec.templates: Required value: an experiment runs at least one template"),
        ({"templates": [version("a"), version("a")]}, 'spec.templates[1].name: Duplicate value: "a"'),
        ({"templates": [version("")]}, "spec.templates[0].name: Required value: "),
        ({"templates": [{**version(), "selector": {}}]}, 'spec.templates[0].selector: Invalid value: "{}": an empty selector is invalid'),
        ({"templates": [version(minReadySeconds=600)]}, "spec.progressDeadlineSeconds: Invalid value: 600: must be greater than minReady"),
        ({"templates": [version(replicas=-1)]}, "spec.templates[0].replicas: Invalid value: -1: must be greater than or equal to 0"),
        ({"templates": "all"}, 'spec.templates: Invalid value: "all": must be a list of objects'),
        ({"duration": []}, "spec.duration: Invalid value: []: must be seconds or a duration such as 5m"),
        ({"duration": True}, "spec.duration: Invalid value: true: must be seconds or a duration such as 5m"),
        ({"templates": [{**version(), "template": {"spec": {"containers": []}}}]}, "spec.templates[0].template.metadata.labels: Invalid"),
        ({"duration": "-5m"}, 'spec.duration: Invalid value: "-5m": must be seconds or a duration such as 5m'),
        ({"templates": [{**version(), "template": {"spec": {"containers": "web"}}}]}, "spec.templates[0].template.spec.containers: Inv"),
        ({"templates": [{**version(), "selector": {"matchLabels": []}}]}, "spec.templates[0].selector.matchLabels: Invalid value"),
        ({"duration": "soon"}, 'spec.duration: Invalid value: "soon": must be seconds or a duration such as 5m'),
        ({"analyses": [measured(), measured()]}, 'spec.analyses[1].name: Duplicate value: "check"'),
        ({"analyses": [measured("a", "")]}, "spec.analyses[0].templateName: Required value: "),
    ],
)
def test_an_experiment_that_cannot_be_carried_out_says_where_and_stands_still(spec: Manifest, words: str) -> None:
    it = world(**{"templates": [version()], **spec})
    it.settle()
    [condition] = it.status["conditions"]
    assert condition["type"] == "InvalidSpec" and condition["message"].startswith(f'The Experiment "trial" is invalid: {words}')
    assert not it.replica_sets and it.phase == ""
    it.amend({"spec": {"templates": [version()], "duration": "5m", "analyses": None}}).settle()
    assert it.phase == "Running" and "InvalidSpec" not in [condition["type"] for condition in it.status["conditions"]]


def test_another_mistake_is_said_and_the_same_one_is_not_said_again() -> None:
    it = world(duration="soon")
    it.settle()
    it.clock.time = it.clock.time.replace(minute=1)
    it.settle()
    assert it.status["conditions"][0]["lastUpdateTime"] == NOON
    it.amend({"spec": {"duration": "later"}}).settle()
    [condition] = it.status["conditions"]
    assert '"later"' in condition["message"] and condition["lastUpdateTime"] == "2030-01-01T12:01:00Z"


def test_a_selector_may_be_made_of_expressions_alone() -> None:
    selector = {"matchExpressions": [{"key": "app", "operator": "In", "values": ["trial"]}]}
    assert world({**version(), "selector": selector}, duration="5m").settle().phase == "Running"


def test_what_only_looks_like_its_own_is_foreign() -> None:
    marks = {"experiment.argoproj.io/name": "trial", "experiment.argoproj.io/template-name": "canary"}
    foreign = {"metadata": {"name": "trial-canary", "namespace": NAMESPACE, "annotations": marks}, "spec": {"ports": []}}
    it = ExperimentWorld(experiment(version(port=80, service={})), (SERVICES, foreign))
    it.settle()
    assert it.phase.startswith("Error Failed to create Service trial-canary")


def test_a_status_that_cannot_be_read_is_said_and_a_cleared_one_begins_afresh() -> None:
    it = world(duration="5m")
    it.amend({"status": {"phase": "Dancing", "conditions": "none"}}).settle()
    assert 'status.phase: Invalid value: "Dancing"' in it.status["conditions"][0]["message"]
    assert it.amend({"status": None}).settle().phase == "Running"


def test_a_template_taken_out_of_the_spec_goes_and_the_others_stay() -> None:
    it = world(version("a", "web:1", port=80, service={}), version("b", "web:2"))
    it.settle()
    it.amend({"spec": {"templates": [version("b", "web:2")]}}).settle()
    assert (it.size("web:1"), it.size("web:2")) == (1, 1)
    it.wait(31)
    assert (it.size("web:1"), it.size("web:2")) == (0, 1) and it.store.get(SERVICES, NAMESPACE, "trial-a") is None
    assert it.phase == "Running"


def test_a_service_that_is_renamed_follows() -> None:
    it = world(version(port=80, service={"name": "first"}))
    it.settle()
    it.amend({"spec": {"templates": [version(port=80, service={"name": "second"})]}}).settle()
    assert it.template()["serviceName"] == "second"
    assert it.store.get(SERVICES, NAMESPACE, "first") is None and it.store.get(SERVICES, NAMESPACE, "second") is not None


def test_another_size_is_followed() -> None:
    it = world(version(replicas=1))
    it.settle()
    it.amend({"spec": {"templates": [version(replicas=3)]}}).settle()
    assert it.size("web:2") == 3 and it.phase == "Running"


def test_only_experiments_of_its_instance_are_driven() -> None:
    labelled = experiment(duration="1h")
    labelled["metadata"]["labels"] = {INSTANCE_ID: "blue"}
    assert not ExperimentWorld(labelled).settle().replica_sets
    blue = ExperimentWorld(experiment(duration="1h", analyses=[measured()]), instance="blue")
    assert not blue.settle().replica_sets
    blue.amend({"metadata": {"labels": {INSTANCE_ID: "blue"}}}).settle()
    assert labels_of(blue.runs["trial-check"]) == {INSTANCE_ID: "blue"}


@pytest.mark.parametrize("place", [EXPERIMENTS, SERVICES])
def test_what_a_person_suspended_stands_still(place: object) -> None:
    it = world(version(port=80, service={}))
    it.settle()
    name = "trial" if place is EXPERIMENTS else "trial-canary"
    it.amend({"metadata": {"annotations": {"reconciler.dev/suspend": "true"}}}, place, name)
    it.amend({"spec": {"terminate": True}}).settle()
    assert it.phase == "Running" and it.size("web:2") == 1
    it.amend({"metadata": {"annotations": {"reconciler.dev/suspend": None}}}, place, name).settle()
    assert it.phase == "Successful"


def test_one_on_its_way_out_is_left_alone() -> None:
    it = world()
    it.settle()
    it.amend({"metadata": {"deletionTimestamp": NOON}, "spec": {"terminate": True}}).settle()
    assert it.phase == "Running"


def test_a_template_that_no_watch_has_told_of_yet_is_asked_for() -> None:
    it = world(analyses=[measured()])
    it.cache.drop(ANALYSIS_TEMPLATES, NAMESPACE, "success-rate")
    it.settle()
    assert it.phase == "Running" and it.measurement()["analysisRun"] == "trial-check"


def test_a_run_that_no_watch_has_told_of_yet_is_asked_for_and_one_that_is_gone_is_an_error() -> None:
    it = world(analyses=[measured()])
    it.settle()
    it.cache.drop(ANALYSIS_RUNS, NAMESPACE, "trial-check")
    assert it.settle().phase == "Running"
    it.store.remove(ANALYSIS_RUNS, NAMESPACE, "trial-check")
    assert it.settle().phase == "Error AnalysisRun 'trial-check' of analysis 'check' is gone"

"""One template in one pass: what moves its clock, when its pods and its Service go, and what is not its own (contract 8.2)."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from reconciler.experiments.facts import ExperimentFacts
from reconciler.experiments.manifest import parse_experiment
from reconciler.experiments.model import marks_of
from reconciler.experiments.plan import ExperimentPlan, plan
from reconciler.experiments.templates import service_ports
from reconciler.kernel.identity import Manifest
from reconciler.kernel.plan import Create, Patch, Remove
from reconciler.rollouts.pods.replica_set import oldest_first
from tests.kit.experiments import ExperimentWorld, experiment, measured, version
from tests.kit.rollouts import NAMESPACE

NOW = datetime(2030, 1, 1, 12, 0, tzinfo=UTC)
OWNER = {"uid": "uid-trial", "controller": True, "kind": "Experiment", "name": "trial"}


def before(seconds: float) -> str:
    return (NOW - timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%SZ")


def made(template: str = "canary", *, replicas: int = 2, available: int = 0, deadline: str = "", **metadata: Any) -> Manifest:
    marks = dict(marks_of("trial", template)) | ({"scale-down-deadline": deadline} if deadline else {})
    known = {"name": f"trial-{template}", "namespace": NAMESPACE, "ownerReferences": [OWNER], "annotations": marks, **metadata}
    status = {"replicas": replicas, "readyReplicas": available, "availableReplicas": available}
    return {"metadata": known, "spec": {"replicas": replicas}, "status": status}


def service(template: str = "canary") -> Manifest:
    known = {
        "name": f"trial-{template}",
        "namespace": NAMESPACE,
        "ownerReferences": [OWNER],
        "annotations": dict(marks_of("trial", template)),
    }
    return {"metadata": {**known, "uid": "s"}, "spec": {}}


def planned(
    *sets: Manifest,
    services: tuple[Manifest, ...] = (),
    status: Manifest | None = None,
    spec: Manifest | None = None,
    carrying: frozenset[str] = frozenset(),
) -> ExperimentPlan:
    template = version(replicas=2, port=80, service={})
    manifest = {**experiment(template, progressDeadlineSeconds=60, **(spec or {})), "status": {"phase": "Running", **(status or {})}}
    named = {each["metadata"]["name"]: each for each in services}
    known = {each["metadata"]["name"]: each for each in sets}
    facts = ExperimentFacts(
        experiment=parse_experiment(manifest),
        replica_sets=oldest_first(sets),
        wanted_replica_sets=known,
        services=services,
        wanted_services=named,
        carrying=carrying,
    )
    return plan(facts, NOW)


def stood(available: int, seconds: float, code: str = "Progressing") -> Manifest:
    """How the template stood so long ago."""
    counts = {"replicas": 2, "updatedReplicas": 2, "readyReplicas": available, "availableReplicas": available}
    return {"templateStatuses": [{"name": "canary", **counts, "status": code, "lastTransitionTime": before(seconds)}]}


@pytest.mark.parametrize(
    ("available", "was", "ago", "code"),
    [(1, 0, 1000, "Progressing"), (1, 1, 59, "Progressing"), (1, 1, 60, "Progressing"), (1, 1, 61, "Failed"), (2, 2, 1000, "Running")],
)
def test_every_pod_that_comes_or_goes_gives_it_its_time_again(available: int, was: int, ago: float, code: str) -> None:
    found = planned(made(available=available), services=(service(),), status=stood(was, ago))
    assert found.status.templates[0].code == code
    if code == "Progressing":
        began = NOW if available != was else NOW - timedelta(seconds=ago)
        assert found.wake_at == began + timedelta(seconds=60, milliseconds=1)


@pytest.mark.parametrize(
    ("replicas", "available", "removed"), [(0, 0, True), (0, 1, False), (2, 0, False)], ids=["gone", "a pod is left", "pods may come"]
)
def test_the_service_goes_after_the_last_pod(replicas: int, available: int, removed: bool) -> None:
    over = {"phase": "Successful", **stood(available, 10, "Successful")}
    found = planned(made(replicas=replicas, available=available, deadline=before(-30)), services=(service(),), status=over)
    assert any(isinstance(write.action, Remove) for write in found.writes) is removed
    assert (found.wake_at is not None) is (replicas > 0)


def test_the_service_of_a_template_that_runs_stays() -> None:
    assert planned(made(available=0), services=(service(),), status=stood(0, 1)).writes == ()


def test_a_replica_set_on_its_way_out_is_waited_for() -> None:
    leaving = made(deletionTimestamp=before(1))
    found = planned(leaving, status=stood(0, 1))
    assert found.writes == () and found.status.templates[0].collisions is None and found.status.templates[0].code == "Progressing"
    assert [type(write.action) for write in planned(status=stood(0, 1)).writes] == [Create]


def test_what_a_taken_out_template_left_goes_and_nothing_else() -> None:
    old, leaving, stray = made("old"), made("older", deletionTimestamp=before(1)), made("x")
    stray["metadata"]["annotations"] = {}
    found = planned(made(available=2), old, leaving, stray, services=(service(), service("old")), status=stood(2, 1, "Running"))
    touched = [write.action for write in found.writes]
    assert [action.ref.name for action in touched if isinstance(action, Patch)] == ["trial-old"]
    assert [action.ref.name for action in touched if isinstance(action, Remove)] == ["trial-old"]
    serving = planned(made(available=2), made("old", available=1), services=(service(), service("old")), status=stood(2, 1, "Running"))
    assert not any(isinstance(write.action, Remove) for write in serving.writes)


OVER = {"phase": "Successful", **stood(2, 10, "Successful")}


def sizes(found: ExperimentPlan) -> list[int]:
    """The replicas that the writes of a plan ask for."""
    specs = [
        write.action.body.get("spec") for write in found.writes if isinstance(write.action, Patch) and isinstance(write.action.body, dict)
    ]
    return [spec["replicas"] for spec in specs if spec]


def test_pods_that_carry_users_stay_and_still_grow() -> None:
    carrying = frozenset({"trial-canary"})
    ended = made(available=2, deadline=before(1))
    assert sizes(planned(ended, services=(service(),), status=OVER)) == [0]
    assert planned(ended, services=(service(),), status=OVER, carrying=carrying).writes == ()
    small = made(replicas=1, available=1)
    assert sizes(planned(small, services=(service(),), status=stood(1, 1), carrying=carrying)) == [2]


@pytest.mark.parametrize(("deadline", "size"), [("", []), (before(-1), []), (before(0), [0]), ("soon", [0])])
def test_pods_go_at_their_deadline_and_one_that_cannot_be_read_holds_nothing_up(deadline: str, size: list[int]) -> None:
    assert sizes(planned(made(available=2, deadline=deadline), services=(service(),), status=OVER)) == size


def test_a_deadline_left_on_no_pods_is_nothing_to_write() -> None:
    gone = {"phase": "Successful", "templateStatuses": [{"name": "canary", "status": "Successful", "lastTransitionTime": before(9)}]}
    found = planned(made(replicas=0, deadline=before(1)), status={**gone, "availableAt": before(9)}, spec={"duration": "1h"})
    assert (found.writes, found.wake_at) == ((), None)


def test_a_service_that_is_there_before_its_pods_stays() -> None:
    found = planned(made(replicas=0), services=(service(),), status=stood(0, 1))
    assert sizes(found) == [2] and not any(isinstance(write.action, Remove) for write in found.writes)


@pytest.mark.parametrize(("available", "reasons"), [(0, []), (1, ["ReplicaSetUpdated"])])
def test_only_pods_that_come_or_go_are_progress(available: int, reasons: list[str]) -> None:
    found = planned(made(available=available), services=(service(),), status={**stood(0, 1), "phase": "Pending"})
    assert [condition.reason for condition in found.status.conditions] == reasons


def test_a_port_is_one_of_tcp_unless_it_says_otherwise() -> None:
    [template] = parse_experiment(experiment(version(port=80, service={}))).spec.templates
    assert service_ports(template) == [{"protocol": "TCP", "port": 80, "targetPort": 80}]


@pytest.mark.parametrize(("since", "again"), [(None, True), (1, False)])
def test_a_duration_that_is_over_as_the_pods_first_serve_takes_one_more_look(since: int | None, again: bool) -> None:
    known = {} if since is None else {"availableAt": before(since)}
    found = planned(made(available=2), services=(service(),), status={**stood(2, 1, "Running"), **known}, spec={"duration": "0s"})
    assert (found.wake_at == NOW) is again


def test_the_pass_that_ends_it_looks_again_when_the_delay_is_over() -> None:
    found = planned(made(available=2), services=(service(),), status=stood(2, 1, "Running"), spec={"terminate": True})
    assert found.status.templates[0].code == "Successful" and found.wake_at == NOW + timedelta(seconds=30, milliseconds=1)


def test_without_a_delay_the_first_pass_takes_the_pods() -> None:
    assert sizes(planned(made(available=2), services=(service(),), status=OVER, spec={"scaleDownDelaySeconds": 0})) == [0]


@pytest.mark.parametrize(("run", "phase"), [("trial-check", ""), ("", "Error")])
def test_a_run_on_record_stays_on_record_however_little_it_says(run: str, phase: str) -> None:
    known = [{"name": "check", "analysisRun": run, "phase": phase}]
    found = planned(made(), status={"analysisRuns": known}, spec={"analyses": [measured()], "terminate": True})
    assert [(each.run, str(each.phase or "")) for each in found.status.runs] == [(run, phase)]


@pytest.mark.parametrize("metadata", [None, {}])
def test_a_template_without_labels_is_selected_by_what_it_does_not_bear(metadata: Manifest | None) -> None:
    written = version(selector={"matchExpressions": [{"key": "old", "operator": "DoesNotExist"}]})
    written["template"]["metadata"] = metadata
    it = world(written)
    assert it.settle().phase == "Running" and it.size("web:2") == 1


def world(*templates: Manifest, **spec: object) -> ExperimentWorld:
    return ExperimentWorld(experiment(*templates, **spec))


def test_a_template_whose_time_is_over_goes_while_a_required_analysis_still_measures() -> None:
    it = world(duration="1m", scaleDownDelaySeconds=5, analyses=[measured(requiredForCompletion=True)])
    it.wait(100)
    assert it.phase == "Running" and it.code() == "Successful" and it.size("web:2") == 0
    assert it.end_run_of("check", "Successful").phase == "Successful Required AnalysisRuns completed"


def test_one_that_is_told_to_end_before_its_pods_serve_has_not_failed() -> None:
    it = world(scaleDownDelaySeconds=0)
    it.breaks("web:2").settle()
    it.amend({"spec": {"terminate": True}}).settle()
    assert it.phase == "Successful" and it.code() == "Successful"


def test_no_pods_are_a_size_too() -> None:
    it = world(version(replicas=0), duration="5m")
    it.one_pass()
    assert it.code() == "Progressing"
    assert it.settle().phase == "Running" and it.size("web:2") == 0


@pytest.mark.parametrize("template", [version(port=80), version(service={})], ids=["port without service", "service without port"])
def test_a_service_takes_both_a_wish_and_a_port(template: Manifest) -> None:
    it = world(template)
    it.settle()
    assert it.phase == "Running" and not any(resource.kind == "Service" for resource, _, _ in it.store.objects)


def test_two_templates_cannot_have_one_service() -> None:
    it = world(version("a", "web:1", port=80, service={"name": "s"}), version("b", "web:2", port=80, service={"name": "s"}))
    it.settle()
    assert it.code("b").startswith("Error Failed to create Service s for template 'b'") and it.phase.startswith("Error")


def test_after_its_end_nothing_is_written_any_more() -> None:
    it = world(duration="1m")
    it.wait(200)
    mark = len(it.store.writes)
    it.wait(10_000)
    assert it.since(mark) == [] and it.size("web:2") == 0

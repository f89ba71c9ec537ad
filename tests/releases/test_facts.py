"""Facts about a Rollout, as the judge asks for them."""

from msgspec.structs import replace

from reconciler.kernel.identity import Manifest
from reconciler.releases.facts import ReleaseFacts
from reconciler.releases.model import Content, ReleaseStatus
from reconciler.releases.verdict.runs import run_of
from tests.kit.releases import BAD, TEMPLATE, facts, release, replica_set, rollout, run


def lender(generation: int = 4, mark: str = "web-bad", template: Manifest = TEMPLATE) -> Manifest:
    metadata = {"generation": generation, "annotations": {"reconciler.dev/release": mark}}
    return {"kind": "Deployment", "metadata": metadata, "spec": {"template": template}}


def test_a_rollout_carries_a_release_once_the_rollout_layer_has_seen_it() -> None:
    assert facts().carries(release())
    assert not facts().carries(release("another"))
    unseen = rollout()
    unseen["metadata"]["generation"] = 3
    assert not facts(rollout=unseen).carries(release())


def test_a_template_in_a_deployment_counts_as_seen_by_its_own_generation() -> None:
    borrowed = rollout(workloadObservedGeneration="4")
    assert facts(rollout=borrowed, workload=lender()).observed
    assert not facts(rollout=borrowed, workload=lender(5)).observed


def test_a_borrowed_template_is_carried_by_the_rollout_and_by_who_lends_it() -> None:
    borrowed = rollout(workloadObservedGeneration="4")
    assert facts(rollout=borrowed, workload=lender()).carries(release())
    assert not facts(rollout=borrowed, workload=lender(mark="")).carries(release())
    assert not facts(rollout=borrowed, workload=lender(template={"metadata": {}, "spec": {"containers": []}})).carries(release())


def test_a_template_of_a_pod_template_object_is_found_where_it_stands() -> None:
    borrowed = rollout(workloadObservedGeneration="4")
    holder = {"kind": "PodTemplate", "metadata": lender()["metadata"], "template": TEMPLATE}
    assert facts(rollout=borrowed, workload=holder).carries(release())


def test_beside_another_applier_a_change_of_config_is_live_once_the_config_is() -> None:
    assert not facts(rollout=rollout(release=""), config_applied=False).carries(release(companion=True))
    assert facts(rollout=rollout(release=""), config_applied=True).carries(release(companion=True))


def test_a_release_whose_template_was_too_large_to_keep_is_recognised_by_its_images() -> None:
    for images, same in (({"web": "web:1.1"}, True), ({"web": "web:1.2"}, False)):
        known = release()
        known = replace(known, spec=replace(known.spec, content=Content(), images=images))
        assert facts().runs_template_of(known) is same
    assert not ReleaseFacts().runs_template_of(release())


def test_without_a_rollout_nothing_is_known() -> None:
    empty = ReleaseFacts()
    assert not empty.observed and not empty.carries(release()) and not empty.rollout.promoted


def test_runs_and_replica_sets_are_found_by_hash_and_runs_by_attempt() -> None:
    known = facts(runs=(run("Failed"), run("Failed", pod_hash="x"), run("Failed", uid="old")), replica_sets=(replica_set(BAD),))
    own = release(status=ReleaseStatus(pod_hash=BAD), earlier_runs=("old",))
    assert [found.uid for found in known.runs_of(own)] == ["uid of web-bad22-2"]
    assert known.runs_of(release()) == ()
    assert known.replica_set(BAD) is not None and known.replica_set("y") is None and known.replica_set("") is None


def test_a_run_that_has_no_status_yet_has_neither_phase_nor_answer() -> None:
    new = run_of({key: value for key, value in run("Running").items() if key != "status"})
    assert (new.phase, new.ended, new.measuring) == ("", False, False)

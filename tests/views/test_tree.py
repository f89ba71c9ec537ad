"""What a person sees of a rollout: phase, weights, roles, branches."""

from typing import Any

import pytest

from reconciler.kernel.identity import Manifest
from reconciler.views.tree import Family, facts, phase_of, tags, tree

HASH = "rollouts-pod-template-hash"
REVISION = "rollout.argoproj.io/revision"
STEPS = [{"setWeight": 20}, {"pause": {}}, {"setWeight": 60}, {"pause": {}}]


def rollout(*, strategy: str = "canary", steps: list[Manifest] | None = None, generation: int = 3, **status: Any) -> Manifest:
    known = {"observedGeneration": "3", "phase": "Progressing", "currentPodHash": "new", "stableRS": "old", **status}
    return {
        "metadata": {"name": "web", "namespace": "shop", "uid": "r", "generation": generation, "annotations": {}},
        "spec": {"replicas": 3, "strategy": {strategy: {"steps": STEPS if steps is None else steps}}},
        "status": {key: value for key, value in known.items() if value is not None},
    }


def replica_set(hash: str, revision: int, *, replicas: int = 2, available: int = 2, deadline: str = "") -> Manifest:
    annotations = {REVISION: str(revision), **({"scale-down-deadline": deadline} if deadline else {})}
    return {
        "metadata": {"name": f"web-{hash}", "uid": f"uid-{hash}", "labels": {HASH: hash}, "annotations": annotations},
        "spec": {"replicas": replicas, "template": {"spec": {"containers": [{"name": "web", "image": f"web:{hash}"}]}}},
        "status": {"availableReplicas": available},
    }


def pod(name: str, owner: str, **status: Any) -> Manifest:
    reference = {"uid": f"uid-{owner}", "controller": True}
    return {"metadata": {"name": name, "ownerReferences": [reference]}, "status": {"phase": "Running", **status}}


def run(revision: int, phase: str, **result: Any) -> Manifest:
    metric = {"name": "rate", **result}
    return {
        "metadata": {"name": "web-run", "annotations": {REVISION: str(revision)}},
        "status": {"phase": phase, "metricResults": [metric]},
    }


def family(known: Manifest | None = None, **parts: Any) -> Family:
    named = {name: parts[name] for name in ("experiments", "tried", "tried_runs") if name in parts}
    return Family(known or rollout(), parts.get("sets", ()), parts.get("pods", ()), parts.get("runs", ()), **named)


def test_an_experiment_stands_under_its_revision_with_what_it_made() -> None:
    metadata = {"name": "web-x-2-1", "uid": "trial", "annotations": {REVISION: "2"}}
    trial = {"metadata": metadata, "status": {"phase": "Failed", "message": "too slow"}}
    owner = {"ownerReferences": [{"controller": True, "kind": "Experiment", "uid": "trial"}]}
    made, other = replica_set("h9", 0), replica_set("h8", 0)
    made["metadata"] |= owner
    measured = run(0, "Failed")
    measured["metadata"] |= owner
    shown = tree(family(experiments=[trial], tried=[made, other], tried_runs=[measured, run(0, "Failed")]))
    [revision] = shown.children
    [node] = revision.children
    assert (revision.name, node.kind, node.name, node.status) == ("revision 2", "Experiment", "web-x-2-1", "Failed")
    assert node.details == ("too slow",) and [child.kind for child in node.children] == ["ReplicaSet", "AnalysisRun"]


def test_what_the_controller_has_not_seen_yet_is_progressing() -> None:
    stale = rollout(generation=4, phase="Healthy")
    assert phase_of(stale) == ("Progressing", "waiting for rollout spec update to be observed")
    assert phase_of(rollout(phase="Healthy", message="m")) == ("Healthy", "m")
    assert phase_of(rollout(phase=None)) == ("Progressing", "")


def test_an_observed_generation_that_is_no_number_says_nothing() -> None:
    assert phase_of(rollout(observedGeneration="abc", phase="Healthy"))[0] == "Healthy"


def test_a_controller_pause_without_a_reason_is_about_to_end() -> None:
    assert phase_of(rollout(controllerPause=True)) == ("Progressing", "waiting for rollout to unpause")
    assert phase_of(rollout(controllerPause=True, pauseConditions=[{}], phase="Paused"))[0] == "Paused"


def test_a_borrowed_template_counts_by_its_own_generation() -> None:
    borrowed = rollout(phase="Healthy", workloadObservedGeneration="1")
    borrowed["spec"]["workloadRef"] = {"kind": "Deployment", "name": "web"}
    borrowed["metadata"]["annotations"]["rollout.argoproj.io/workload-generation"] = "2"
    assert phase_of(borrowed)[1].endswith("for the reference workload")


@pytest.mark.parametrize(("index", "weight"), [(0, 20), (1, 20), (2, 60), (4, 100), (None, 100)])
def test_the_weight_asked_for_is_that_of_the_last_step(index: int | None, weight: int) -> None:
    assert facts(family(rollout(currentStepIndex=index)))["setWeight"] == weight


def test_an_aborted_rollout_asks_for_nothing() -> None:
    assert facts(family(rollout(abort=True, currentStepIndex=2)))["setWeight"] == 0


def test_the_weight_in_force_is_the_routers_or_that_of_the_pods() -> None:
    routed = rollout(currentStepIndex=1, canary={"weights": {"canary": {"weight": 23}}})
    assert facts(family(routed))["actualWeight"] == 23
    counted = rollout(currentStepIndex=1, availableReplicas=4)
    assert facts(family(counted, sets=[replica_set("new", 2, available=1)]))["actualWeight"] == 25
    assert facts(family(rollout(currentStepIndex=1)))["actualWeight"] == 0


def test_facts_name_images_with_their_roles_and_counts() -> None:
    known = facts(family(rollout(readyReplicas=2), sets=[replica_set("new", 2), replica_set("old", 1), replica_set("gone", 0, replicas=0)]))
    assert known["images"] == ["web:new (canary)", "web:old (stable)"]
    assert known["replicas"] == {"desired": 3, "current": 0, "updated": 0, "ready": 2, "available": 0}
    assert (known["strategy"], known["step"]) == ("Canary", "0/4")


def test_roles_follow_the_hashes() -> None:
    assert tags(rollout(), "new") == ("canary",)
    assert tags(rollout(), "old") == ("stable",)
    assert tags(rollout(currentPodHash="old"), "old") == ("stable",)
    turning = rollout(canary={"stablePingPong": "ping"})
    turning["spec"]["strategy"]["canary"]["pingPong"] = {"pingService": "a", "pongService": "b"}
    assert tags(turning, "new") == ("canary", "pong") and tags(turning, "old") == ("stable", "ping") and tags(turning, "gone") == ()
    blue = rollout(strategy="blueGreen", stableRS="old", blueGreen={"activeSelector": "old", "previewSelector": "new"})
    assert tags(blue, "old") == ("stable", "active")
    assert tags(blue, "new") == ("preview",)
    assert facts(family(blue))["strategy"] == "BlueGreen"


def test_the_tree_has_revisions_newest_first_with_sets_pods_and_runs() -> None:
    ready = {"containerStatuses": [{"ready": True, "restartCount": 2}]}
    root = tree(
        family(
            sets=[replica_set("old", 1, deadline="2026-11-25T03:00:00Z"), replica_set("new", 2, available=1)],
            pods=[pod("web-new-1", "new", **ready), pod("stranger", "x")],
            runs=[run(2, "Running", successful=3, failed=1)],
        )
    )
    assert [child.name for child in root.children] == ["revision 2", "revision 1"]
    newest, oldest = root.children
    assert [(node.kind, node.status) for node in newest.children] == [("ReplicaSet", "Progressing"), ("AnalysisRun", "Running")]
    assert newest.children[0].children[0].details == ("ready 1/1", "restarts 2")
    assert newest.children[1].details == ("rate ✔ 3, ✖ 1",)
    assert oldest.children[0].details == ("stable", "delay until 2026-11-25T03:00:00Z", "2/2")


def test_pods_say_what_they_wait_for() -> None:
    waiting = {"containerStatuses": [{"ready": False, "state": {"waiting": {"reason": "CrashLoopBackOff"}}}]}
    leaving = pod("leaving", "new")
    leaving["metadata"]["deletionTimestamp"] = "2026-11-25T03:00:00Z"
    sets = [replica_set("new", 2)]
    nodes = (
        tree(family(sets=sets, pods=[pod("waiting", "new", **waiting), leaving, pod("bare", "new", phase=None)])).children[0].children[0]
    )
    assert [node.status for node in nodes.children] == ["CrashLoopBackOff", "Terminating", "Pending"]


def test_a_run_that_measured_nothing_says_so() -> None:
    assert tree(family(runs=[run(1, "Pending")])).children[0].children[0].details == ("rate not measured yet",)


def test_a_promoted_canary_has_everybody_and_not_what_its_own_side_still_gets() -> None:
    weights = {"weights": {"canary": {"weight": 0}, "stable": {"weight": 100}}}
    known = facts(family(rollout(currentPodHash="new", stableRS="new", currentStepIndex=len(STEPS), canary=weights)))
    assert (known["actualWeight"], known["setWeight"]) == (100, 100)
    aborted = facts(family(rollout(abort=True, currentStepIndex=0, canary=weights)))
    assert (aborted["actualWeight"], aborted["setWeight"]) == (0, 0)


def test_everybody_is_what_the_router_calls_everybody() -> None:
    known = rollout(currentStepIndex=len(STEPS))
    known["spec"]["strategy"]["canary"]["trafficRouting"] = {"maxTrafficWeight": 1000, "nginx": {}}
    assert (facts(family(known))["actualWeight"], facts(family(known))["setWeight"]) == (1000, 1000)

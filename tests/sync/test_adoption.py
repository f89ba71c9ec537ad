"""Adopting a plain Deployment and giving it back, step by step, never without a pod."""

from typing import Any

from reconciler.kernel.identity import Manifest
from reconciler.kernel.plan import Patch, Remove
from reconciler.sync.adoption import ADOPTED, adoption, give_back, objection, orphans

SPEC: Manifest = {"strategy": {"canary": {"steps": [{"setWeight": 20}]}}}


def deployment(replicas: int | None = 3, *, available: int = 3) -> Manifest:
    spec = {} if replicas is None else {"replicas": replicas}
    return {
        "kind": "Deployment",
        "metadata": {"name": "web", "namespace": "shop"},
        "spec": spec,
        "status": {"availableReplicas": available},
    }


def rollout(*, scale_down: str = "onsuccess", replicas: int = 3, **status: Any) -> Manifest:
    metadata = {
        "name": "web",
        "namespace": "shop",
        "uid": "r",
        "labels": {ADOPTED: "true"},
        "annotations": {"reconciler.dev/source": "shop"},
    }
    reference = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web", "scaleDown": scale_down}
    known = {"phase": "Healthy", "currentPodHash": "a", "stableRS": "a", **status}
    return {"metadata": metadata, "spec": {**SPEC, "replicas": replicas, "workloadRef": reference}, "status": known}


def autoscaler(kind: str = "Deployment") -> Manifest:
    return {"metadata": {"name": "hpa", "namespace": "shop"}, "spec": {"scaleTargetRef": {"kind": kind, "name": "web"}}}


def test_a_deployment_becomes_a_rollout_that_borrows_its_template() -> None:
    found = adoption(deployment(5), None, None, SPEC)
    assert found.done
    spec = found.rollout["spec"]
    assert (spec["replicas"], spec["strategy"]) == (5, SPEC["strategy"])
    assert spec["workloadRef"] == {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web", "scaleDown": "onsuccess"}
    assert found.rollout["metadata"]["labels"] == {ADOPTED: "true"}


def test_a_new_template_waits_until_the_rollout_serves_alone() -> None:
    assert not adoption(deployment(), deployment(), None, SPEC).done
    assert not adoption(deployment(), deployment(), rollout(), SPEC).done
    assert not adoption(deployment(), deployment(0), rollout(stableRS=""), SPEC).done
    assert adoption(deployment(), deployment(0), rollout(), SPEC).done


def test_an_autoscaler_on_the_deployment_objects_and_one_elsewhere_does_not() -> None:
    refused = objection(deployment(), None, [autoscaler()])
    assert refused is not None and "HorizontalPodAutoscaler hpa owns its replicas; point it at the Rollout" in refused
    assert objection(deployment(), None, [autoscaler("Rollout")]) is None


def test_somebody_elses_rollout_of_that_name_objects() -> None:
    stranger = rollout()
    stranger["metadata"]["labels"] = {}
    refused = objection(deployment(), stranger, [])
    assert refused is not None and "somebody else's Rollout" in refused
    assert objection(deployment(), rollout(), []) is None


def test_orphans_are_ours_and_wanted_by_nobody() -> None:
    strange, other = rollout(), rollout()
    strange["metadata"]["labels"] = {}
    other["metadata"]["annotations"] = {"reconciler.dev/source": "other"}
    assert orphans([rollout(), strange, other], "shop", []) == [rollout()]
    assert orphans([rollout()], "shop", [("shop", "web")]) == []


def test_giving_back_brings_the_pods_first_and_removes_the_rollout_last() -> None:
    (first,) = give_back(rollout(), deployment(0, available=0))
    assert isinstance(first, Patch) and first.body == {"spec": {"workloadRef": {**rollout()["spec"]["workloadRef"], "scaleDown": "never"}}}
    kept = rollout(scale_down="never")
    (second,) = give_back(kept, deployment(0, available=0))
    assert isinstance(second, Patch) and (second.ref.resource.kind, second.body) == ("Deployment", {"spec": {"replicas": 3}})
    assert give_back(kept, deployment(3, available=2)) == ()
    (last,) = give_back(kept, deployment(3, available=3))
    assert isinstance(last, Remove) and last.uid == "r"


def test_while_a_release_is_on_its_way_nothing_is_given_back() -> None:
    assert give_back(rollout(currentPodHash="b"), deployment(0)) == ()
    assert give_back(rollout(phase="Progressing"), deployment(0)) == ()


def test_a_rollout_whose_deployment_is_gone_just_goes() -> None:
    (only,) = give_back(rollout(phase="Degraded"), None)
    assert isinstance(only, Remove)

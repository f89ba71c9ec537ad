"""Older ReplicaSets (contract 2.8, 2.9, 10.6, 10.7, 13.31)."""

from reconciler.kernel.identity import Manifest
from reconciler.kernel.plan import Patch, Remove
from reconciler.rollouts.passes import Pass
from reconciler.rollouts.pods.olds import forget_old, referenced, scale_blue_green_others, scale_canary_others
from reconciler.rollouts.pods.replica_set import ReplicaSet
from tests.kit.passes import begun, moving, replica_set
from tests.kit.rollouts import analysis, canary, pause, rollout, service, weight


def sizes(of: Pass) -> dict[str, int]:
    return {e.ref.name: e.body["spec"]["replicas"] for e in of.effects if isinstance(e, Patch) and "spec" in e.body}


def others(of: Pass) -> Pass:
    assert of.facts.spec.canary is not None
    return scale_canary_others(of, of.facts.spec.canary)


def routed(*extra: Manifest, status: Manifest | None = None, **found: object) -> Pass:
    manifest = rollout(image="image:new", canary=canary(weight(50), pause(), istio=True))
    sets = (replica_set("old", 4, age=10), replica_set("new", 2), *extra)
    return begun(manifest, *sets, status=status or moving(currentStepIndex=1), **found)


def test_an_intermediate_version_goes_at_once_behind_a_router() -> None:
    assert sizes(others(routed(replica_set("mid", 2, age=5)))) == {"web-mid": 0}


def test_a_version_that_a_service_or_a_subset_still_names_stays() -> None:
    selecting = service("web-canary")
    selecting["spec"]["selector"]["rollouts-pod-template-hash"] = "mid"
    assert sizes(others(routed(replica_set("mid", 2, age=5), services={"web-canary": selecting}))) == {}
    assert sizes(others(routed(replica_set("mid", 2, age=5), routed_hashes=frozenset({"mid"})))) == {}


def test_pods_that_do_not_serve_go_even_where_the_version_is_named() -> None:
    assert sizes(others(routed(replica_set("mid", 3, 1, age=5), routed_hashes=frozenset({"mid"})))) == {"web-mid": 1}


def test_everything_that_is_pointed_at_counts_as_referenced() -> None:
    weights = {"canary": {"weight": 1, "podTemplateHash": "a"}, "stable": {"weight": 99, "podTemplateHash": "b"}}
    assert referenced(routed(status=moving(canary={"weights": weights}))) == {"old", "new", "a", "b"}


def test_without_a_router_the_others_leave_as_availability_allows() -> None:
    manifest = rollout(image="image:new", canary=canary(weight(50), maxSurge=1, maxUnavailable=0))
    step = begun(manifest, replica_set("old", 2, age=10), replica_set("new", 1), replica_set("mid", 2, age=5), status=moving())
    assert sizes(others(step)) == {"web-mid": 1}


def judged(run: Manifest | None, **fields: object) -> Pass:
    from dataclasses import replace

    from reconciler.rollouts.passes import Runs

    manifest = rollout(image="image:new", blue_green={"activeService": "active", "postPromotionAnalysis": analysis(), **fields})
    step = begun(manifest, replica_set("new", 4), replica_set("mid", 4, age=5), status=moving(blueGreen={"activeSelector": "new"}))
    return replace(step, runs=Runs(post=run))


def test_a_post_promotion_verdict_is_waited_for() -> None:
    for run, writes in ((None, 0), ({"status": {"phase": "Running"}}, 0), ({"status": {"phase": "Successful"}}, 1)):
        step = judged(run)
        assert step.facts.spec.blue_green is not None
        assert len(scale_blue_green_others(step, step.facts.spec.blue_green).effects) == writes


def test_an_explicit_delay_does_not_wait_for_the_verdict() -> None:
    step = judged(None, scaleDownDelaySeconds=10)
    assert step.facts.spec.blue_green is not None
    assert len(scale_blue_green_others(step, step.facts.spec.blue_green).effects) == 1


def test_empty_versions_beyond_the_history_are_removed_and_full_ones_stay() -> None:
    manifest = rollout(image="image:new", canary=canary(), revisionHistoryLimit=1)
    empty = replica_set("e", 0, age=30)
    full = replica_set("f", 1, age=40)
    kept = replica_set("k", 0, age=20)
    step = begun(manifest, replica_set("new", 4), replica_set("old", 4, age=10), empty, full, kept, status=moving())
    removed = [effect.ref.name for effect in forget_old(step).effects if isinstance(effect, Remove)]
    assert removed == ["web-e"]
    assert ReplicaSet(kept).spec == 0

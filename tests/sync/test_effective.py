"""What is written now: templates may be kept, and an unchanged wish is no write."""

from reconciler.kernel.identity import Manifest
from reconciler.releases.opening.gate import TemplateDecision
from reconciler.sync.drift.effective import DESIRED, effective, written

THROUGH, KEEP = TemplateDecision(), TemplateDecision(keep=True, reason="held")


def deployment(image: str, replicas: int = 1) -> Manifest:
    return {"kind": "Deployment", "metadata": {"name": "web"}, "spec": {"replicas": replicas, "template": {"image": image}}}


def test_git_goes_through_with_our_marks() -> None:
    wanted = effective(deployment("v2"), deployment("v1"), THROUGH, {"reconciler.dev/source": "shop", "empty": ""})
    assert wanted is not None
    assert wanted["spec"]["template"] == {"image": "v2"}
    assert set(wanted["metadata"]["annotations"]) == {"reconciler.dev/source", DESIRED}


def test_a_kept_template_is_the_live_one_and_other_fields_flow() -> None:
    wanted = effective(deployment("v2", replicas=5), deployment("v1"), KEEP, {})
    assert wanted is not None
    assert wanted["spec"] == {"replicas": 5, "template": {"image": "v1"}}


def test_what_served_takes_the_place_of_what_lives_and_that_is_a_write_of_its_own() -> None:
    kept = effective(deployment("v2"), deployment("v2"), KEEP, {})
    anew = TemplateDecision(keep=True, instead={"image": "v1"}, anew=True)
    wanted = effective(deployment("v2"), kept, anew, {})
    assert wanted is not None and wanted["spec"]["template"] == {"image": "v1"}
    assert not written(wanted, kept) and written(wanted, wanted)


def test_a_held_workload_that_does_not_live_is_not_created() -> None:
    assert effective(deployment("v2"), None, KEEP, {}) is None


def test_the_same_wish_again_is_no_write() -> None:
    wanted = effective(deployment("v2"), None, THROUGH, {})
    assert wanted is not None
    assert not written(wanted, None)
    assert written(wanted, wanted)
    other = effective(deployment("v3"), wanted, THROUGH, {})
    assert other is not None and not written(other, wanted)


def test_lifting_a_hold_is_a_new_wish() -> None:
    held = effective(deployment("v2"), deployment("v1"), KEEP, {})
    lifted = effective(deployment("v2"), deployment("v1"), THROUGH, {})
    assert held is not None and lifted is not None and not written(lifted, held)


def test_an_object_that_carries_no_mark_is_not_as_wanted() -> None:
    wanted = effective(deployment("v2"), None, THROUGH, {})
    assert wanted is not None
    for metadata in ({}, {"annotations": None}, {"annotations": {"theirs": "x"}}):
        assert not written(wanted, {**wanted, "metadata": metadata})


# -- steps of a rejected version that lies aborted --------------------------------------------------------------------

STEPS, OTHERS = [{"setWeight": 25}], [{"setWeight": 30}]
LYING = TemplateDecision(keep_steps=True)


def rollout(steps: object = None, **canary: object) -> Manifest:
    strategy = {"canary": {**canary, **({"steps": steps} if steps is not None else {})}}
    return {"apiVersion": "argoproj.io/v1alpha1", "kind": "Rollout", "metadata": {"name": "web"}, "spec": {"strategy": strategy}}


def strategy_of(wanted: Manifest | None) -> object:
    assert wanted is not None
    return wanted["spec"]["strategy"]["canary"]


def test_kept_steps_are_the_live_ones_and_the_rest_of_the_strategy_flows() -> None:
    assert strategy_of(effective(rollout(OTHERS, maxSurge=2), rollout(STEPS), LYING, {})) == {"maxSurge": 2, "steps": STEPS}
    assert strategy_of(effective(rollout(OTHERS, maxSurge=2), rollout(STEPS), THROUGH, {})) == {"maxSurge": 2, "steps": OTHERS}


def test_steps_that_the_live_rollout_does_not_have_are_not_added() -> None:
    assert strategy_of(effective(rollout(OTHERS), rollout(), LYING, {})) == {}


def test_where_there_are_no_steps_nothing_is_kept() -> None:
    other = {**rollout(), "spec": {"strategy": {"blueGreen": {"activeService": "a"}}}}
    wanted = effective(other, rollout(STEPS), LYING, {})
    assert wanted is not None and wanted["spec"] == other["spec"]
    assert effective(deployment("v2"), deployment("v1"), LYING, {}) == effective(deployment("v2"), deployment("v1"), THROUGH, {})
    assert strategy_of(effective(rollout(OTHERS), None, LYING, {})) == {"steps": OTHERS}


def test_steps_flow_once_nothing_is_kept_any_more() -> None:
    lying = effective(rollout(OTHERS), rollout(STEPS), LYING, {})
    later = effective(rollout(OTHERS), lying, THROUGH, {})
    assert later is not None and not written(later, lying)

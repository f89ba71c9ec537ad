"""The patches behind the verbs are those of the kubectl plugin (contract 11.1)."""

from datetime import UTC, datetime
from typing import Any

import pytest

from reconciler.kernel.errors import Terminal
from reconciler.kernel.identity import Manifest
from reconciler.kernel.plan import PatchStyle
from reconciler.kernel.resources import ANALYSIS_RUNS, DEPLOYMENTS, EXPERIMENTS, ROLLOUTS
from reconciler.releases.override import override
from reconciler.rollouts import verbs

REVISION = "rollout.argoproj.io/revision"


def rollout(*, revision: int = 3, paused: bool = False, steps: int = 3, **status: Any) -> Manifest:
    spec: Manifest = {"strategy": {"canary": {"steps": [{"pause": {}}] * steps}}, "template": template("web:3")}
    if paused:
        spec["paused"] = True
    metadata = {"name": "web", "namespace": "shop", "annotations": {REVISION: str(revision)}}
    return {"kind": "Rollout", "metadata": metadata, "spec": spec, "status": {"currentPodHash": "b", "stableRS": "a", **status}}


def template(image: str, **labels: str) -> Manifest:
    return {
        "metadata": {"labels": {"app": "web", **labels}},
        "spec": {"containers": [{"name": "web", "image": image}, {"name": "side", "image": "s"}]},
    }


def replica_set(revision: int) -> Manifest:
    labels = {"rollouts-pod-template-hash": f"h{revision}"}
    return {"metadata": {"annotations": {REVISION: str(revision)}}, "spec": {"template": template(f"web:{revision}", **labels)}}


def bodies(patches: tuple[Any, ...]) -> list[tuple[str, Any]]:
    return [(patch.subresource, patch.body) for patch in patches]


def test_abort_and_retry_write_the_status() -> None:
    assert bodies(verbs.abort(rollout())) == [("status", {"status": {"abort": True}})]
    assert bodies(verbs.retry(rollout())) == [("status", {"status": {"abort": False}})]


def test_pause_restart_and_terminate_write_the_spec() -> None:
    at = datetime(2026, 11, 25, 3, 0, tzinfo=UTC)
    assert bodies(verbs.pause(rollout())) == [("", {"spec": {"paused": True}})]
    assert bodies(verbs.restart(rollout(), at)) == [("", {"spec": {"restartAt": "2026-11-25T03:00:00Z"}})]
    (patch,) = verbs.terminate("shop", "trial", EXPERIMENTS)
    assert (patch.ref.resource, patch.ref.name, patch.body) == (EXPERIMENTS, "trial", {"spec": {"terminate": True}})
    (patch,) = verbs.terminate("shop", "run")
    assert (patch.ref.resource, patch.ref.name, patch.body) == (ANALYSIS_RUNS, "run", {"spec": {"terminate": True}})


INCONCLUSIVE = {"currentStepAnalysisRunStatus": {"status": "Inconclusive"}}


@pytest.mark.parametrize(
    ("known", "expected"),
    [
        ({"pauseConditions": [{}], "currentStepIndex": 1}, [("status", {"status": {"pauseConditions": None}})]),
        (
            {"pauseConditions": [{}], "controllerPause": True, "currentStepIndex": 1, "canary": INCONCLUSIVE},
            [("status", {"status": {"pauseConditions": None, "controllerPause": False, "currentStepIndex": 2}})],
        ),
        ({"currentStepIndex": 1}, [("status", {"status": {"pauseConditions": None, "currentStepIndex": 2}})]),
        ({"currentStepIndex": 3}, [("status", {"status": {"pauseConditions": None, "currentStepIndex": 3}})]),
        ({"steps": 0}, []),
        (
            {"paused": True, "pauseConditions": [{}]},
            [("", {"spec": {"paused": False}}), ("status", {"status": {"pauseConditions": None}})],
        ),
    ],
)
def test_promote_goes_one_step_on(known: dict[str, Any], expected: list[Any]) -> None:
    assert bodies(verbs.promote(rollout(**known), full=False)) == expected


def test_promote_ends_the_pause_of_a_strategy_without_steps() -> None:
    blue_green = rollout(pauseConditions=[{}])
    blue_green["spec"]["strategy"] = {"blueGreen": {"activeService": "web"}}
    assert bodies(verbs.promote(blue_green, full=False)) == [("status", {"status": {"pauseConditions": None}})]


def test_promote_in_full_only_when_there_is_something_to_promote() -> None:
    assert bodies(verbs.promote(rollout(), full=True)) == [("status", {"status": {"promoteFull": True}})]
    assert verbs.promote(rollout(stableRS="b"), full=True) == ()
    assert bodies(verbs.promote(rollout(stableRS="b", paused=True), full=True)) == [("", {"spec": {"paused": False}})]


def test_undo_puts_the_revision_before_back_without_its_hash() -> None:
    (patch,) = verbs.undo(rollout(), [replica_set(1), replica_set(2), replica_set(3)], None)
    assert (patch.style, patch.ref.resource) == (PatchStyle.JSON, ROLLOUTS)
    assert patch.body == [{"op": "replace", "path": "/spec/template", "value": template("web:2")}]


def test_undo_goes_to_the_revision_that_was_named() -> None:
    (patch,) = verbs.undo(rollout(), [replica_set(1), replica_set(2), replica_set(3)], 1)
    assert patch.body[0]["value"] == template("web:1")  # type: ignore[index]


def test_undo_without_such_a_revision_names_those_there_are() -> None:
    with pytest.raises(Terminal, match="no revision 9; known: 1, 3"):
        verbs.undo(rollout(), [replica_set(1), replica_set(3)], 9)
    with pytest.raises(Terminal, match="no revision before this one"):
        verbs.undo(rollout(), [replica_set(3)], None)


def test_a_borrowed_template_is_changed_where_it_lives() -> None:
    borrowing = rollout()
    borrowing["spec"]["workloadRef"] = {"kind": "Deployment", "name": "web-template"}
    assert verbs.template_ref(borrowing).resource == DEPLOYMENTS
    assert verbs.template_ref(borrowing).name == "web-template"
    borrowing["spec"]["workloadRef"]["kind"] = "PodTemplate"
    with pytest.raises(Terminal, match="lives in a PodTemplate: edit that"):
        verbs.template_ref(borrowing)


def test_an_image_is_set_by_container_or_for_all() -> None:
    one = verbs.set_image(rollout(), {"web": "web:9"})
    assert [c["image"] for c in one["spec"]["template"]["spec"]["containers"]] == ["web:9", "s"]
    every = verbs.set_image(rollout(), {"*": "x", "side": "y"})
    assert [c["image"] for c in every["spec"]["template"]["spec"]["containers"]] == ["x", "y"]
    assert rollout()["spec"]["template"] == template("web:3")


def test_a_container_that_is_not_there_is_named() -> None:
    with pytest.raises(Terminal, match="Rollout web: no container api"):
        verbs.set_image(rollout(), {"api": "x"})


def test_an_override_says_what_git_asked_for() -> None:
    patch = override(rollout(), "asked")
    assert (patch.ref.resource, patch.body) == (ROLLOUTS, {"metadata": {"annotations": {"reconciler.dev/override": "asked"}}})

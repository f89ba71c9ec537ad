"""Runs that rollouts make, adopt and end (contract 6.4)."""

from typing import Any

import pytest

from reconciler.analysis.runs import new_run, reusable, terminate
from reconciler.kernel.identity import Manifest, name_of
from reconciler.kernel.plan import Patch
from tests.kit.analysis import metric_manifest

ROLLOUT: Manifest = {
    "metadata": {"name": "web", "namespace": "shop", "uid": "r-1"},
    "spec": {"selector": {"matchLabels": {"app": "web"}}},
}
TEMPLATE: Manifest = {
    "kind": "AnalysisTemplate",
    "metadata": {"name": "t"},
    "spec": {"metrics": [metric_manifest()], "args": [{"name": "hash"}]},
}


def made(kind: str = "Background", existing: tuple[Manifest, ...] = (), **changes: Any) -> Manifest | str:
    analysis = {
        "templates": [{"templateName": "t"}],
        "args": [{"name": "hash", "valueFrom": {"podTemplateHashValue": "Latest"}}],
        **changes.pop("analysis", {}),
    }
    facts = {"step_index": 3, "templates": (TEMPLATE,), "new_hash": "h2", "stable_hash": "h1", "revision": 7, **changes}
    return new_run(rollout=ROLLOUT, kind=kind, analysis=analysis, existing=existing, **facts)


def run(kind: str = "Background", existing: tuple[Manifest, ...] = (), **changes: Any) -> Manifest:
    found = made(kind, existing, **changes)
    assert isinstance(found, dict), found
    return found


@pytest.mark.parametrize(
    ("kind", "name"),
    [("Step", "web-h2-7-3"), ("Background", "web-h2-7"), ("PrePromotion", "web-h2-7-pre"), ("PostPromotion", "web-h2-7-post")],
)
def test_a_run_is_named_after_what_it_judges(kind: str, name: str) -> None:
    assert name_of(run(kind)) == name


def test_a_run_says_whose_it_is_and_what_it_judges() -> None:
    metadata = run("Step", instance_id="blue")["metadata"]
    assert metadata["labels"] == {
        "rollouts-pod-template-hash": "h2",
        "rollout-type": "Step",
        "step-index": "3",
        "argo-rollouts.argoproj.io/controller-instance-id": "blue",
        "app": "web",
    }
    assert metadata["annotations"] == {"rollout.argoproj.io/revision": "7"}
    assert metadata["ownerReferences"][0]["uid"] == "r-1" and metadata["ownerReferences"][0]["controller"] is True
    assert metadata["namespace"] == "shop"


def test_the_selector_overrides_the_analysis_which_overrides_us() -> None:
    wanted = {"labels": {"rollout-type": "mine", "app": "theirs", "x": "1"}, "annotations": {"a": "b"}}
    metadata = run(analysis={"analysisRunMetadata": wanted})["metadata"]
    assert (metadata["labels"]["rollout-type"], metadata["labels"]["app"], metadata["labels"]["x"]) == ("mine", "web", "1")
    assert metadata["annotations"]["a"] == "b"


def test_arguments_become_literals() -> None:
    assert run()["spec"]["args"] == [{"name": "hash", "value": "h2"}]


def test_what_cannot_be_made_is_said() -> None:
    assert made(analysis={"args": []}) == "args.hash was not resolved"
    assert made(templates=()) == "AnalysisTemplate 't' not found"


def existing(**changes: Any) -> Manifest:
    manifest = run()
    return {**manifest, "metadata": {**manifest["metadata"], "uid": "a-1", "resourceVersion": "5"}, **changes}


def test_an_equal_unfinished_run_is_reused() -> None:
    known = existing()
    assert run(existing=(known,)) is known
    for word in ("Running", "Exploded", 7, None):
        assert run(existing=(existing(status={"phase": word}),))["metadata"]["uid"] == "a-1"


@pytest.mark.parametrize(
    "known",
    [
        existing(status={"phase": "Inconclusive"}),
        existing(spec={"metrics": []}),
        existing(metadata={"name": "web-h2-7", "namespace": "shop", "uid": "x"}),
    ],
    ids=["finished", "asks something else", "somebody else's"],
)
def test_any_other_run_of_that_name_is_left_alone_and_the_next_name_taken(known: Manifest) -> None:
    created = run(existing=(known,))
    assert name_of(created) == "web-h2-7.1"
    assert "uid" not in created["metadata"]
    second = {**existing(), "metadata": {**created["metadata"], "uid": "b"}, "status": {"phase": "Failed"}}
    assert name_of(run(existing=(known, second))) == "web-h2-7.2"


def test_absent_and_empty_lists_ask_the_same() -> None:
    spec = run()["spec"]
    assert reusable(existing(spec={**spec, "dryRun": None, "measurementRetention": []}), run())


def test_a_run_is_ended_as_the_plugin_ends_it() -> None:
    patch = terminate(run())
    assert isinstance(patch, Patch)
    assert (patch.ref.name, patch.body, patch.subresource) == ("web-h2-7", {"spec": {"terminate": True}}, "")

"""The run that watches after promotion: named after its release, owned by it, with arguments filled in."""

from typing import Any

import pytest

from reconciler.kernel.errors import Terminal
from reconciler.kernel.identity import Manifest
from reconciler.kernel.well_known import INSTANCE_ID
from reconciler.releases.model import ReleasePhase, ReleaseStatus
from reconciler.releases.verdict.after_promotion import after_name, run_after_promotion
from tests.kit.releases import release, rollout

PROMOTED = ReleaseStatus(phase=ReleasePhase.WATCHING, pod_hash="bad22")


def template(name: str = "rate", **spec: Any) -> Manifest:
    metric = {"name": name, "successCondition": "true", "interval": "10s", "provider": {"web": {"url": "http://x/{{args.service}}"}}}
    return {"kind": "AnalysisTemplate", "metadata": {"name": name, "namespace": "shop"}, "spec": {"metrics": [metric], **spec}}


def begun(analysis: Manifest, *templates: Manifest) -> Manifest:
    return run_after_promotion("web-bad-after", release(status=PROMOTED), rollout(), analysis, templates)


def test_the_run_is_the_releases_own() -> None:
    run = begun({"templates": [{"templateName": "rate"}]}, template())
    (owner,) = run["metadata"]["ownerReferences"]
    assert (owner["kind"], owner["name"], owner["uid"], owner["controller"]) == ("Release", "web-bad", "u", True)
    assert (run["metadata"]["labels"], run["metadata"]["annotations"]) == ({}, {"reconciler.dev/release": "web-bad"})
    assert (run["metadata"]["name"], run["metadata"]["namespace"]) == ("web-bad-after", "shop")
    assert [metric["name"] for metric in run["spec"]["metrics"]] == ["rate"]


def test_the_run_is_driven_by_the_instance_of_its_rollout() -> None:
    bearing = rollout()
    bearing["metadata"]["labels"] = {INSTANCE_ID: "blue"}
    run = run_after_promotion("web-bad-after", release(status=PROMOTED), bearing, {"templates": [{"templateName": "rate"}]}, [template()])
    assert run["metadata"]["labels"] == {INSTANCE_ID: "blue"}


def test_arguments_come_from_the_policy_and_from_the_hashes() -> None:
    args = [{"name": "service", "value": "web"}, {"name": "hash", "valueFrom": {"podTemplateHashValue": "Latest"}}]
    wanted = template(args=[{"name": "service"}, {"name": "hash"}])
    run = begun({"templates": [{"templateName": "rate"}], "args": args}, wanted)
    assert run["spec"]["args"] == [{"name": "service", "value": "web"}, {"name": "hash", "value": "bad22"}]


def test_two_templates_with_one_metric_do_not_go_together() -> None:
    with pytest.raises(Terminal, match="the policy's analysis of release web-bad"):
        begun(
            {"templates": [{"templateName": "rate"}, {"templateName": "other"}]}, template(), {**template(), "metadata": {"name": "other"}}
        )


def test_a_release_of_a_long_name_is_measured_too() -> None:
    """The server takes no label of more than 63 characters, and such a run would never begin."""
    analysis = {"templates": [{"templateName": "rate"}]}
    run = run_after_promotion("r-after", release("r" * 200, status=PROMOTED), rollout(), analysis, [template()])
    assert all(len(text) <= 63 for text in run["metadata"]["labels"].values())
    assert run["metadata"]["annotations"] == {"reconciler.dev/release": "r" * 200}


def test_a_long_name_leaves_room_for_its_ending() -> None:
    assert after_name(release("r" * 253)) == "r" * 240 + "-after"
